import type { EntityManager } from 'typeorm';
import type { LineKind } from '#domain';
import { ownRows } from '../billing-api/list-rows.js';
import { fromStoredGroup } from '../group-values.js';

/** A line of an issued invoice as a file shows it. Its amounts are in minor units, its instants as RFC 3339. */
export interface ExportedLine {
  readonly id: string;
  readonly kind: LineKind;
  readonly priceId: string | null;
  readonly priceKey: string | null;
  readonly description: string;
  readonly quantity: string | null;
  readonly unroundedAmount: string | null;
  readonly amountMinor: bigint;
  readonly periodStart: string;
  readonly periodEnd: string;
  readonly group: Readonly<Record<string, string>>;
}

export interface ExportedInvoice {
  readonly id: string;
  readonly number: string;
  readonly status: string;
  readonly customerId: string;
  readonly customerKey: string | null;
  readonly subscriptionId: string;
  readonly currency: string;
  readonly subtotalMinor: bigint;
  readonly discountMinor: bigint;
  readonly taxMinor: bigint;
  readonly creditsAppliedMinor: bigint;
  readonly totalMinor: bigint;
  readonly amountDueMinor: bigint;
  readonly amountPaidMinor: bigint;
  readonly issuedAt: string;
  readonly dueAt: string | null;
  readonly paidAt: string | null;
  readonly lines: readonly ExportedLine[];
}

export interface InvoicePagesQuery {
  /** Issued in [from, to), in business time. */
  readonly from: Temporal.Instant;
  readonly to: Temporal.Instant;
  readonly customerId: string | null;
  /** The sequence of the last one of the page before; null at the beginning. */
  readonly after: bigint | null;
  readonly limit: number;
}

interface InvoiceRow extends Record<'id' | 'number' | 'status' | 'customer_id' | 'subscription_id' | 'currency' | 'issued_at' | 'sequence', string>, Record<`${'subtotal' | 'discount' | 'tax' | 'credits_applied' | 'total' | 'amount_due' | 'amount_paid'}_minor`, string> {
  readonly customer_key: string | null;
  readonly due_at: string | null;
  readonly paid_at: string | null;
}

interface LineRow extends Record<'id' | 'invoice_id' | 'description' | 'amount_minor' | 'period_start' | 'period_end', string>, Record<'price_id' | 'price_key' | 'quantity' | 'unrounded_amount', string | null> {
  readonly kind: LineKind;
  readonly group_values: Record<string, string>;
}

/** Issued invoices of the transaction's organization with their lines, in the order in which they were made, and where the next page begins (null where there is none). */
export async function readInvoicePage(manager: EntityManager, query: InvoicePagesQuery): Promise<{ invoices: ExportedInvoice[]; next: bigint | null }> {
  const rows: InvoiceRow[] = await manager.query(
    `select invoices.*, customers.key as customer_key from invoices join customers on customers.id = invoices.customer_id
     where invoices.${ownRows} and issued_at >= $1 and issued_at < $2
       and ($3::text is null or customer_id = $3) and ($4::bigint is null or sequence > $4)
     order by sequence limit $5`,
    [query.from.toString(), query.to.toString(), query.customerId, query.after?.toString() ?? null, query.limit],
  );
  const lines: LineRow[] = rows.length === 0 ? [] : await manager.query(
    `select id, invoice_id, kind, price_id, price_key, description, quantity::text, unrounded_amount::text, amount_minor, period_start, period_end, group_values
     from invoice_lines where invoice_id = any($1) order by invoice_id, position`,
    [rows.map(({ id }) => id)],
  );
  const ofInvoice = Map.groupBy(lines, (line) => line.invoice_id);
  const last = rows.at(-1);
  return { invoices: rows.map((row) => invoiceOf(row, ofInvoice.get(row.id) ?? [])), next: last === undefined || rows.length < query.limit ? null : BigInt(last.sequence) };
}

function invoiceOf(row: InvoiceRow, lines: readonly LineRow[]): ExportedInvoice {
  return {
    id: row.id, number: row.number, status: row.status, customerId: row.customer_id, customerKey: row.customer_key, subscriptionId: row.subscription_id, currency: row.currency,
    subtotalMinor: BigInt(row.subtotal_minor), discountMinor: BigInt(row.discount_minor), taxMinor: BigInt(row.tax_minor), creditsAppliedMinor: BigInt(row.credits_applied_minor),
    totalMinor: BigInt(row.total_minor), amountDueMinor: BigInt(row.amount_due_minor), amountPaidMinor: BigInt(row.amount_paid_minor),
    issuedAt: instantText(row.issued_at), dueAt: row.due_at === null ? null : instantText(row.due_at), paidAt: row.paid_at === null ? null : instantText(row.paid_at),
    lines: lines.map(lineOf),
  };
}

function lineOf(row: LineRow): ExportedLine {
  return {
    id: row.id, kind: row.kind, priceId: row.price_id, priceKey: row.price_key, description: row.description, quantity: row.quantity, unroundedAmount: row.unrounded_amount,
    amountMinor: BigInt(row.amount_minor), periodStart: instantText(row.period_start), periodEnd: instantText(row.period_end), group: fromStoredGroup(row.group_values),
  };
}

function instantText(timestamp: string): string {
  return Temporal.Instant.from(timestamp).toString();
}
