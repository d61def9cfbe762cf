import type { EntityManager } from 'typeorm';

/** Notes a provider's event; false where it was noted before. In the transaction that acts on it, so that a failed one is taken again. */
export async function noteWebhookReceipt(manager: EntityManager, receipt: { organizationId: string; provider: string; eventId: string; type: string }): Promise<boolean> {
  const rows: unknown[] = await manager.query(
    `insert into webhook_receipts (organization_id, provider, event_id, type) values ($1, $2, $3, $4) on conflict do nothing returning event_id`,
    [receipt.organizationId, receipt.provider, receipt.eventId, receipt.type],
  );
  return rows.length === 1;
}
