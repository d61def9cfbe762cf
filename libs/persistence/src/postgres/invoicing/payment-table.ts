import type { EntityManager } from 'typeorm';
import { timestampText } from './timestamp-text.js';

/** One try to take an invoice's money. An invoice has at most one that succeeded. */
export interface PaymentRecord {
  readonly id: string;
  readonly organizationId: string;
  readonly invoiceId: string;
  readonly provider: string;
  readonly status: 'pending' | 'succeeded' | 'failed';
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly failureCode: string | null;
  readonly failureDetail: string | null;
  /** Business time. */
  readonly at: Temporal.Instant;
}

/** Writes the try or what became of it. A succeeded one is never changed. */
export async function savePayment(manager: EntityManager, payment: PaymentRecord): Promise<void> {
  await manager.query(
    `insert into payments as payment (id, organization_id, invoice_id, provider, status, amount_minor, currency, failure_code, failure_detail, at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     on conflict (id) do update set status = excluded.status, failure_code = excluded.failure_code, failure_detail = excluded.failure_detail, at = excluded.at
     where payment.status <> 'succeeded'`,
    [
      payment.id, payment.organizationId, payment.invoiceId, payment.provider, payment.status, payment.amountMinor.toString(), payment.currency,
      payment.failureCode, payment.failureDetail, timestampText(payment.at),
    ],
  );
}

/** The try whose outcome is still open; null where none is. */
export async function readPendingPaymentId(manager: EntityManager, invoiceId: string): Promise<string | null> {
  const rows: { id: string }[] = await manager.query(`select id from payments where invoice_id = $1 and status = 'pending' order by created_at limit 1`, [invoiceId]);
  return rows[0]?.id ?? null;
}
