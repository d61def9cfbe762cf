import type { EntityManager } from 'typeorm';
import { decimal, toPlain, type InvoiceLine, type LineKind, type TraceStep } from '#domain';
import { fromStoredGroup, toStoredGroup } from '../group-values.js';
import { fromProofColumns, toProofColumns, type ProofColumns } from '../rating/usage-proof-columns.js';
import { timestampText } from './timestamp-text.js';

export interface InvoiceLineRecord extends InvoiceLine {
  readonly id: string;
  readonly invoiceId: string;
}

interface LineRow extends ProofColumns {
  id: string;
  invoice_id: string;
  kind: LineKind;
  ref: string;
  price_id: string | null;
  price_key: string | null;
  description: string;
  quantity: string | null;
  unrounded_amount: string | null;
  amount_minor: string;
  period_start: string;
  period_end: string;
  group_values: Record<string, string>;
  trace: TraceStep[];
}

/** Writes the lines of drafts in their order; `replace` takes away those that stood there before. */
export async function writeInvoiceLines(manager: EntityManager, options: { organizationId: string; lines: readonly InvoiceLineRecord[]; replace: boolean }): Promise<void> {
  if (options.replace) {
    await manager.query(`delete from invoice_lines where invoice_id = any($1)`, [[...new Set(options.lines.map(({ invoiceId }) => invoiceId))]]);
  }
  if (options.lines.length === 0) return;
  const rows = options.lines.map((line, position) => ({
    id: line.id, invoice_id: line.invoiceId, position, kind: line.kind, ref: line.ref, price_id: line.priceId, price_key: line.priceKey,
    description: line.description, quantity: line.quantity === null ? null : toPlain(line.quantity),
    unrounded_amount: line.unroundedAmount === null ? null : toPlain(line.unroundedAmount), amount_minor: line.amountMinor.toString(),
    period_start: timestampText(line.period.start), period_end: timestampText(line.period.end), group_values: toStoredGroup(line.groupValues), trace: line.trace,
    ...toProofColumns(line.usage),
  }));
  await manager.query(
    `insert into invoice_lines (organization_id, id, invoice_id, position, kind, ref, price_id, price_key, description, quantity, unrounded_amount, amount_minor,
       period_start, period_end, group_values, trace, usage_events, usage_digest)
     select $1, given.* from json_to_recordset($2::json) as given (id text, invoice_id text, position int, kind text, ref text, price_id text, price_key text,
       description text, quantity numeric, unrounded_amount numeric, amount_minor numeric, period_start timestamptz, period_end timestamptz, group_values jsonb, trace jsonb,
       usage_events numeric, usage_digest text)`,
    [options.organizationId, JSON.stringify(rows)],
  );
}

/** The stored lines of these invoices by invoice, each in its order. */
export async function readInvoiceLines(manager: EntityManager, wanted: { organizationId: string; invoiceIds: readonly string[] }): Promise<Map<string, InvoiceLineRecord[]>> {
  const rows: LineRow[] = await manager.query(
    `select * from invoice_lines where organization_id = $1 and invoice_id = any($2) order by invoice_id, position`, [wanted.organizationId, wanted.invoiceIds]);
  return Map.groupBy(rows.map(fromRow), (line) => line.invoiceId);
}

function fromRow(row: LineRow): InvoiceLineRecord {
  return {
    id: row.id,
    invoiceId: row.invoice_id,
    kind: row.kind,
    ref: row.ref,
    priceId: row.price_id,
    priceKey: row.price_key,
    description: row.description,
    quantity: row.quantity === null ? null : decimal(row.quantity),
    unroundedAmount: row.unrounded_amount === null ? null : decimal(row.unrounded_amount),
    amountMinor: BigInt(row.amount_minor),
    period: { start: Temporal.Instant.from(row.period_start), end: Temporal.Instant.from(row.period_end) },
    groupValues: fromStoredGroup(row.group_values),
    trace: row.trace,
    usage: fromProofColumns(row),
  };
}
