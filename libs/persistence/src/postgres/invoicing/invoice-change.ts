import type { EntityManager } from 'typeorm';
import type { InvoiceStatus } from '#domain';
import type { PaymentFailureNote } from './invoice-table.js';
import { timestampText } from './timestamp-text.js';

/** What may still change on an issued invoice: where it stands, and what the payment provider said. */
export interface InvoiceChange {
  readonly id: string;
  readonly status?: InvoiceStatus;
  readonly amountPaidMinor?: bigint;
  readonly paidAt?: Temporal.Instant;
  readonly voidedAt?: Temporal.Instant;
  readonly markedUncollectibleAt?: Temporal.Instant;
  readonly provider?: string;
  readonly providerInvoiceId?: string;
  readonly providerStatus?: string;
  readonly paymentStatus?: 'none' | 'pending' | 'failed' | 'succeeded' | 'unknown' | 'refused';
  readonly paymentFailure?: PaymentFailureNote | null;
  readonly pushedAt?: Temporal.Instant;
}

const columns: Readonly<Record<Exclude<keyof InvoiceChange, 'id'>, string>> = {
  status: 'status',
  amountPaidMinor: 'amount_paid_minor',
  paidAt: 'paid_at',
  voidedAt: 'voided_at',
  markedUncollectibleAt: 'marked_uncollectible_at',
  provider: 'provider',
  providerInvoiceId: 'provider_invoice_id',
  providerStatus: 'provider_status',
  paymentStatus: 'payment_status',
  paymentFailure: 'payment_failure',
  pushedAt: 'pushed_at',
};

function toValue(value: unknown): unknown {
  if (value instanceof Temporal.Instant) return timestampText(value);
  if (typeof value === 'bigint') return value.toString();
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}

export async function changeInvoice(manager: EntityManager, change: InvoiceChange): Promise<void> {
  const { id, ...set } = change;
  const entries = Object.entries(set) as [Exclude<keyof InvoiceChange, 'id'>, unknown][];
  if (entries.length === 0) return;
  const sets = entries.map(([property], index) => `${columns[property]} = $${index + 2}`).join(', ');
  await manager.query(`update invoices set ${sets} where id = $1`, [id, ...entries.map(([, value]) => toValue(value))]);
}
