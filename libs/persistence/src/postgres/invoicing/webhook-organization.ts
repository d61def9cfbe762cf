import type { EntityManager } from 'typeorm';

/** The organization that a webhook without a name is for; null before the first start. */
export async function readBootstrapOrganizationId(manager: EntityManager): Promise<string | null> {
  const rows: { id: string }[] = await manager.query(`select id from organizations where is_bootstrap`);
  return rows[0]?.id ?? null;
}
