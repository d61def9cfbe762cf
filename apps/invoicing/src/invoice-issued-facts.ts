import type { EntityManager } from 'typeorm';
import { factLinesMax, topics, type InvoiceIssuedRecord } from '#contracts';
import { formatMinor, toPlain, type Period } from '#domain';
import { keepFacts, type InvoiceLineRecord, type InvoiceRecord, type IssuedInvoice } from '#persistence';

/** An invoice as it is being issued. */
export interface IssuedFact {
  readonly draft: InvoiceRecord;
  readonly record: IssuedInvoice;
  readonly lines: readonly InvoiceLineRecord[];
}

/** Keeps what is issued to be told to the log, in the transaction that issues it. */
export async function keepInvoicesIssued(manager: EntityManager, options: { organizationId: string; issued: readonly IssuedFact[] }): Promise<void> {
  const facts = options.issued.map((issued) => ({ topic: topics.invoiceIssued, value: JSON.stringify(toRecord(issued)) }));
  await keepFacts(manager, { table: 'invoicing_facts', organizationId: options.organizationId, facts });
}

function toRecord({ draft, record, lines }: IssuedFact): InvoiceIssuedRecord {
  const { currency } = draft;
  const money = (amountMinor: bigint): string => formatMinor(amountMinor, currency);
  return {
    v: 1,
    organization: draft.organizationId,
    invoice: record.id,
    number: record.number,
    kind: draft.kind,
    customer: draft.customerId,
    subscription: draft.subscriptionId,
    plan: draft.planId,
    plan_version: draft.planVersion,
    period: periodText({ start: draft.periodStart, end: draft.periodEnd }),
    currency,
    subtotal: money(record.subtotalMinor),
    discount: money(record.discountMinor),
    tax: money(record.taxMinor),
    total: money(record.totalMinor),
    credits_applied: money(record.creditsAppliedMinor),
    amount_due: money(record.amountDueMinor),
    usage_complete_as_of: record.usageCompleteAsOf?.toString() ?? null,
    issued_at: record.issuedAt.toString(),
    due_at: record.dueAt.toString(),
    lines: lines.length > factLinesMax ? null : lines.map((line) => ({
      id: line.id, kind: line.kind, price: line.priceId, price_key: line.priceKey, description: line.description, group: line.groupValues,
      quantity: line.quantity === null ? null : toPlain(line.quantity), amount: money(line.amountMinor), period: periodText(line.period),
    })),
  };
}

function periodText({ start, end }: Period): { from: string; to: string } {
  return { from: start.toString(), to: end.toString() };
}
