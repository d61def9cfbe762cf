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

type ChangedField = Exclude<keyof InvoiceChange, 'id'>;

const columns: Readonly<Record<ChangedField, { readonly name: string; readonly type: string }>> = {
  status: { name: 'status', type: 'text' },
  amountPaidMinor: { name: 'amount_paid_minor', type: 'numeric' },
  paidAt: { name: 'paid_at', type: 'timestamptz' },
  voidedAt: { name: 'voided_at', type: 'timestamptz' },
  markedUncollectibleAt: { name: 'marked_uncollectible_at', type: 'timestamptz' },
  provider: { name: 'provider', type: 'text' },
  providerInvoiceId: { name: 'provider_invoice_id', type: 'text' },
  providerStatus: { name: 'provider_status', type: 'text' },
  paymentStatus: { name: 'payment_status', type: 'text' },
  paymentFailure: { name: 'payment_failure', type: 'jsonb' },
  pushedAt: { name: 'pushed_at', type: 'timestamptz' },
};

function toValue(value: unknown): unknown {
  if (value instanceof Temporal.Instant) return timestampText(value);
  return typeof value === 'bigint' ? value.toString() : value;
}

export async function changeInvoice(manager: EntityManager, change: InvoiceChange): Promise<void> {
  await changeInvoices(manager, [change]);
}

/** One statement for all changes of the same fields. */
export async function changeInvoices(manager: EntityManager, changes: readonly InvoiceChange[]): Promise<void> {
  for (const [names, alike] of Map.groupBy(changes, (change) => fieldsOf(change).join(' '))) {
    if (names === '') continue;
    const changed = fieldsOf(alike[0] as InvoiceChange).map((field) => columns[field]);
    const rows = alike.map((change) => Object.fromEntries([['id', change.id], ...fieldsOf(change).map((field) => [columns[field].name, toValue(change[field])])]));
    await manager.query(
      `update invoices set ${changed.map(({ name }) => `${name} = given.${name}`).join(', ')}
       from json_to_recordset($1::json) as given (id text, ${changed.map(({ name, type }) => `${name} ${type}`).join(', ')}) where invoices.id = given.id`,
      [JSON.stringify(rows)],
    );
  }
}

function fieldsOf({ id: _id, ...set }: InvoiceChange): ChangedField[] {
  return (Object.keys(set) as ChangedField[]).sort();
}
