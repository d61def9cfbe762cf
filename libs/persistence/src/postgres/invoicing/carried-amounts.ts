import type { EntityManager } from 'typeorm';
import type { CarriedAmount } from '#domain';
import { ownRows } from '../billing-api/list-rows.js';

/** An amount that an issued invoice moved on and none has borne yet. It belongs to the customer's next invoice in the same currency. */
export interface OpenCarriedAmount extends CarriedAmount {
  readonly customerId: string;
  readonly currency: string;
}

/** What these customers' earlier invoices left, oldest first. Read under the lock of the organization's numbers, or an amount could be borne twice. */
export async function readCarriedAmounts(manager: EntityManager, wanted: { organizationId: string; customerIds: readonly string[] }): Promise<OpenCarriedAmount[]> {
  const rows: { id: string; number: string; customer_id: string; currency: string; carried_out_minor: string }[] = await manager.query(
    `select id, number, customer_id, currency, carried_out_minor from invoices
      where organization_id = $1 and customer_id = any($2) and carried_out_minor <> 0 and carried_to is null and status <> 'void'
      order by sequence`,
    [wanted.organizationId, wanted.customerIds],
  );
  return rows.map((row) => ({
    invoiceId: row.id, invoiceNumber: row.number, customerId: row.customer_id, currency: row.currency, amountMinor: BigInt(row.carried_out_minor),
  }));
}

/** Notes which invoice bears what others left. */
export async function noteCarriedTo(manager: EntityManager, borne: readonly { readonly fromInvoiceId: string; readonly toInvoiceId: string }[]): Promise<void> {
  if (borne.length === 0) return;
  await manager.query(
    `update invoices set carried_to = given.to_id from unnest($1::text[], $2::text[]) as given (from_id, to_id) where invoices.id = given.from_id`,
    [borne.map(({ fromInvoiceId }) => fromInvoiceId), borne.map(({ toInvoiceId }) => toInvoiceId)],
  );
}

/** A void invoice bears nothing: what it bore goes to the next one. */
export async function releaseCarriedAmounts(manager: EntityManager, voided: { organizationId: string; invoiceId: string }): Promise<void> {
  await manager.query(`update invoices set carried_to = null where organization_id = $1 and carried_to = $2`, [voided.organizationId, voided.invoiceId]);
}

/** What other invoices left to this one, by their ids: those that its lines name, and those that are noted as borne by it. */
export async function readCarriedIn(manager: EntityManager, invoiceId: string): Promise<ReadonlyMap<string, bigint>> {
  const rows: { id: string; carried_out_minor: string }[] = await manager.query(
    `select source.id, source.carried_out_minor from invoices source
      where source.${ownRows} and source.customer_id = (select customer_id from invoices where id = $1) and (source.carried_to = $1 or source.id in (
        select substr(ref, length('carried_over:') + 1) from invoice_lines where invoice_id = $1 and kind = 'carried_over'))`,
    [invoiceId],
  );
  return new Map(rows.map((row) => [row.id, BigInt(row.carried_out_minor)]));
}
