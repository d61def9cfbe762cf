import { formatMinor } from '#domain';
import { readInvoicePage, type Database, type ExportedInvoice, type ExportedLine, type ExportRecord } from '#persistence';
import type { ExportColumn, ExportPage } from './export-content.js';

/** Invoices whose lines are held at once. */
const invoicesPerPageMax = 200;

type Cell = string | null;

/** Amounts of the invoice itself stand in the row of its first line only, so that a column's sum is right. */
const invoiceColumns: readonly (ExportColumn & { readonly cell: (invoice: ExportedInvoice, isFirst: boolean) => Cell })[] = [
  { name: 'invoice', kind: 'code', cell: ({ id }) => id },
  { name: 'number', kind: 'text', cell: ({ number }) => number },
  { name: 'status', kind: 'code', cell: ({ status }) => status },
  { name: 'customer', kind: 'code', cell: ({ customerId }) => customerId },
  { name: 'customer_key', kind: 'text', cell: ({ customerKey }) => customerKey },
  { name: 'subscription', kind: 'code', cell: ({ subscriptionId }) => subscriptionId },
  { name: 'currency', kind: 'code', cell: ({ currency }) => currency },
  { name: 'issued_at', kind: 'instant', cell: ({ issuedAt }) => issuedAt },
  { name: 'due_at', kind: 'instant', cell: ({ dueAt }) => dueAt },
  { name: 'paid_at', kind: 'instant', cell: ({ paidAt }) => paidAt },
  amountColumn('subtotal', ({ subtotalMinor }) => subtotalMinor),
  amountColumn('discount', ({ discountMinor }) => discountMinor),
  amountColumn('tax', ({ taxMinor }) => taxMinor),
  amountColumn('total', ({ totalMinor }) => totalMinor),
  amountColumn('credits_applied', ({ creditsAppliedMinor }) => creditsAppliedMinor),
  amountColumn('amount_due', ({ amountDueMinor }) => amountDueMinor),
  amountColumn('amount_paid', ({ amountPaidMinor }) => amountPaidMinor),
  // Nothing of a void invoice is still to be paid.
  amountColumn('amount_remaining', ({ status, amountDueMinor, amountPaidMinor }) => (status === 'void' ? 0n : amountDueMinor - amountPaidMinor)),
];

const lineColumns: readonly (ExportColumn & { readonly cell: (line: ExportedLine, currency: string) => Cell })[] = [
  { name: 'line', kind: 'code', cell: ({ id }) => id },
  { name: 'kind', kind: 'code', cell: ({ kind }) => kind },
  { name: 'price', kind: 'code', cell: ({ priceId }) => priceId },
  { name: 'price_key', kind: 'text', cell: ({ priceKey }) => priceKey },
  { name: 'description', kind: 'text', cell: ({ description }) => description },
  { name: 'period_start', kind: 'instant', cell: ({ periodStart }) => periodStart },
  { name: 'period_end', kind: 'instant', cell: ({ periodEnd }) => periodEnd },
  { name: 'group', kind: 'text', cell: ({ group }) => JSON.stringify(group) },
  { name: 'quantity', kind: 'decimal', cell: ({ quantity }) => quantity },
  { name: 'unrounded_amount', kind: 'decimal', cell: ({ unroundedAmount }) => unroundedAmount },
  { name: 'amount', kind: 'decimal', cell: ({ amountMinor }, currency) => formatMinor(amountMinor, currency) },
];

export const exportedInvoiceColumns: readonly ExportColumn[] = [...invoiceColumns, ...lineColumns];

/** Issued invoices, a row for each line; one without lines has a row of its own. */
export async function* invoicePages(database: Database, { organizationId, question }: ExportRecord, pageMax = invoicesPerPageMax): AsyncGenerator<ExportPage> {
  const range = { from: Temporal.Instant.from(question.from), to: Temporal.Instant.from(question.to), customerId: question.customerId ?? null, limit: pageMax };
  let after: bigint | null = null;
  do {
    const place: bigint | null = after;
    const page: Awaited<ReturnType<typeof readInvoicePage>> = await database.inOrganization(organizationId, (manager) => readInvoicePage(manager, { ...range, after: place }));
    yield page.invoices.flatMap(rowsOf);
    after = page.next;
  } while (after !== null);
}

function rowsOf(invoice: ExportedInvoice): Cell[][] {
  const lines: readonly (ExportedLine | null)[] = invoice.lines.length === 0 ? [null] : invoice.lines;
  return lines.map((line, index) => [
    ...invoiceColumns.map(({ cell }) => cell(invoice, index === 0)),
    ...lineColumns.map(({ cell }) => (line === null ? null : cell(line, invoice.currency))),
  ]);
}

function amountColumn(name: string, minorOf: (invoice: ExportedInvoice) => bigint): (typeof invoiceColumns)[number] {
  return { name, kind: 'decimal', cell: (invoice, isFirst) => (isFirst ? formatMinor(minorOf(invoice), invoice.currency) : null) };
}
