import type { EntityManager } from 'typeorm';
import type { ListPage } from '#platform';
import { ownRows, type RowPage } from '../billing-api/list-rows.js';
import { timestampText } from './timestamp-text.js';

/** Money for an invoice: a provider's try to take it, of which at most one succeeds, or what came another way and was written down by hand. */
export interface PaymentRecord {
  readonly id: string;
  readonly organizationId: string;
  readonly invoiceId: string;
  /** `manual` for what was written down by hand. */
  readonly provider: string;
  readonly status: 'pending' | 'succeeded' | 'failed';
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly failureCode: string | null;
  readonly failureDetail: string | null;
  /** How it came, and what it is known by; of those by hand. */
  readonly method: string | null;
  readonly reference: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** Business time. */
  readonly at: Temporal.Instant;
}

export interface StoredPayment extends PaymentRecord {
  readonly createdAt: Temporal.Instant;
}

/** Writes tries or what became of them. A succeeded one is never changed. */
export async function savePayments(manager: EntityManager, payments: readonly PaymentRecord[]): Promise<void> {
  if (payments.length === 0) return;
  const rows = payments.map((payment) => ({
    id: payment.id, organization_id: payment.organizationId, invoice_id: payment.invoiceId, provider: payment.provider, status: payment.status,
    amount_minor: payment.amountMinor.toString(), currency: payment.currency, failure_code: payment.failureCode, failure_detail: payment.failureDetail,
    at: timestampText(payment.at), method: payment.method, reference: payment.reference, metadata: payment.metadata,
  }));
  await manager.query(
    `insert into payments as payment (id, organization_id, invoice_id, provider, status, amount_minor, currency, failure_code, failure_detail, at, method, reference, metadata)
     select * from json_to_recordset($1::json) as given (id text, organization_id text, invoice_id text, provider text, status text, amount_minor numeric, currency text,
       failure_code text, failure_detail text, at timestamptz, method text, reference text, metadata jsonb)
     order by id
     on conflict (id) do update set status = excluded.status, failure_code = excluded.failure_code, failure_detail = excluded.failure_detail, at = excluded.at
     where payment.status <> 'succeeded'`,
    [JSON.stringify(rows)],
  );
}

/** The tries whose outcome is still open by invoice, of several the first. */
export async function readPendingPaymentIds(manager: EntityManager, invoiceIds: readonly string[]): Promise<Map<string, string>> {
  const rows: { invoice_id: string; id: string }[] = await manager.query(
    `select distinct on (invoice_id) invoice_id, id from payments where invoice_id = any($1) and status = 'pending' order by invoice_id, created_at`, [invoiceIds]);
  return new Map(rows.map((row) => [row.invoice_id, row.id]));
}

interface PaymentRow {
  id: string;
  organization_id: string;
  invoice_id: string;
  provider: string;
  status: PaymentRecord['status'];
  amount_minor: string;
  currency: string;
  failure_code: string | null;
  failure_detail: string | null;
  method: string | null;
  reference: string | null;
  metadata: Record<string, string>;
  at: string;
  created_at: string;
}

/** One page of an invoice's payments and tries, the latest first. */
export async function listPayments(manager: EntityManager, options: { invoiceId: string; page: ListPage }): Promise<RowPage<StoredPayment>> {
  const { invoiceId, page } = options;
  const backwards = page.endingBefore !== null;
  const placeOf = (parameter: string): string => `(select created_at, id from payments where ${ownRows} and invoice_id = $2 and id = ${parameter})`;
  const rows: PaymentRow[] = await manager.query(
    `select * from payments
      where ${ownRows} and invoice_id = $2
        and ($3::text is null or (created_at, id) < ${placeOf('$3')}) and ($4::text is null or (created_at, id) > ${placeOf('$4')})
      order by created_at ${backwards ? 'asc' : 'desc'}, id ${backwards ? 'asc' : 'desc'} limit $1`,
    [page.limit + 1, invoiceId, page.startingAfter, page.endingBefore],
  );
  const items = rows.slice(0, page.limit).map(fromRow);
  return { items: backwards ? items.reverse() : items, hasMore: rows.length > page.limit };
}

function fromRow(row: PaymentRow): StoredPayment {
  return {
    id: row.id,
    organizationId: row.organization_id,
    invoiceId: row.invoice_id,
    provider: row.provider,
    status: row.status,
    amountMinor: BigInt(row.amount_minor),
    currency: row.currency,
    failureCode: row.failure_code,
    failureDetail: row.failure_detail,
    method: row.method,
    reference: row.reference,
    metadata: row.metadata,
    at: Temporal.Instant.from(row.at),
    createdAt: Temporal.Instant.from(row.created_at),
  };
}
