import type { EntityManager } from 'typeorm';
import { assert } from '#platform';

/**
 * Takes a block of consecutive numbers and returns its first. The row stays locked until the transaction ends, so a
 * transaction that fails gives its block back and the numbers have no gap. Whoever issues takes its block first of all.
 */
export async function takeInvoiceNumbers(manager: EntityManager, block: { organizationId: string; count: number }): Promise<bigint> {
  const rows: { next_number: string }[] = await manager.query(
    `insert into invoice_numbers as numbers (organization_id, next_number) values ($1, $2::bigint + 1)
     on conflict (organization_id) do update set next_number = numbers.next_number + $2
     returning next_number`,
    [block.organizationId, block.count],
  );
  const next = rows[0]?.next_number;
  assert(next !== undefined, 'Taking numbers gives the counter back.');
  return BigInt(next) - BigInt(block.count);
}

/** Holds the organization's numbers until the transaction ends, before it is known how many are taken: only one transaction issues at a time. */
export async function holdInvoiceNumbers(manager: EntityManager, organizationId: string): Promise<void> {
  await takeInvoiceNumbers(manager, { organizationId, count: 0 });
}
