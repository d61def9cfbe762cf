import type { EntityManager } from 'typeorm';
import { billingPeriodAt, composeInvoice, invoiceTotals, type InvoiceLine, type InvoiceTotals } from '#domain';
import { findOrganization, readAddOnsOf, readInvoiceLines, readRatedPeriods, readSubscriptions, scheduleOf, type InvoiceLineRecord, type InvoiceRecord, type SubscribedAddOn } from '#persistence';
import { assert } from '#platform';
import { CommitmentBook, hasCommitment, trueUpLines } from './commitment-book.js';
import { lineId } from './derived-ids.js';
import { adjustmentLines, readOwedLateUsage, takeOwed } from './owed-late-usage.js';
import { ratedUsageLines, unusedUsageLines } from './rated-usage-lines.js';
import { readBilledSubscriptions } from './subscription-terms.js';

/** An invoice as it reads: a draft with the usage that is rated so far, an issued one as it was frozen. */
export interface ReadableInvoice {
  readonly invoice: InvoiceRecord;
  readonly lines: readonly InvoiceLineRecord[];
  readonly totals: InvoiceTotals;
  /** That its subscription has at any time. */
  readonly addOns: readonly SubscribedAddOn[];
}

/** Invoices with their lines, in the given order. */
export async function readWithLines(manager: EntityManager, options: { organizationId: string; invoices: readonly InvoiceRecord[] }): Promise<ReadableInvoice[]> {
  const { organizationId, invoices } = options;
  const stored = await readInvoiceLines(manager, { organizationId, invoiceIds: invoices.map(({ id }) => id) });
  const drafts = invoices.filter(({ status }) => status === 'draft');
  const usage = await usageOfDrafts(manager, { organizationId, drafts });
  const adjustments = await adjustmentsOfDrafts(manager, { organizationId, drafts });
  const chargesOf = ({ id }: InvoiceRecord): InvoiceLine[] => [...(usage.get(id) ?? []), ...(adjustments.get(id) ?? [])];
  const trueUps = await trueUpsOfDrafts(manager, { organizationId, drafts, linesOf: (draft) => [...chargesOf(draft), ...(stored.get(draft.id) ?? [])] });
  const ofSubscription = await readAddOnsOf(manager, invoices.map(({ subscriptionId }) => subscriptionId));
  return invoices.map((invoice) => {
    const addOns = ofSubscription.get(invoice.subscriptionId) ?? [];
    const own = stored.get(invoice.id) ?? [];
    if (invoice.status !== 'draft') return { invoice, lines: own, totals: invoice, addOns };
    const period = { start: invoice.periodStart, end: invoice.periodEnd };
    const composed = composeInvoice({ period, lines: [...chargesOf(invoice), ...(trueUps.get(invoice.id) ?? []), ...own], carriedIn: [], payable: null });
    // What it will carry over is known when it is issued; until then a draft shows what it adds up to.
    const lines = composed.lines.filter(({ kind }) => kind !== 'carried_over').map((line) => ({ ...line, invoiceId: invoice.id, id: lineId({ invoiceId: invoice.id, ref: line.ref }) }));
    return { invoice, lines, totals: invoiceTotals(lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0n)), addOns };
  });
}

/** Late usage goes to the draft that is issued first. */
async function adjustmentsOfDrafts(manager: EntityManager, options: { organizationId: string; drafts: readonly InvoiceRecord[] }): Promise<Map<string, InvoiceLine[]>> {
  const { organizationId, drafts } = options;
  const owed = await readOwedLateUsage(manager, { organizationId, subscriptionIds: drafts.map(({ subscriptionId }) => subscriptionId) });
  if (owed.size === 0) return new Map();
  return new Map(drafts.toSorted((a, b) => a.periodIndex - b.periodIndex).map((draft) => [draft.id, adjustmentLines(takeOwed(owed, draft))]));
}

/** What would lack to commitments, were each draft issued as it is now. */
async function trueUpsOfDrafts(
  manager: EntityManager,
  options: { organizationId: string; drafts: readonly InvoiceRecord[]; linesOf: (draft: InvoiceRecord) => readonly InvoiceLine[] },
): Promise<Map<string, InvoiceLine[]>> {
  const { organizationId, drafts, linesOf } = options;
  if (drafts.length === 0) return new Map();
  const subscriptions = (await readSubscriptions(manager, { ids: [...new Set(drafts.map(({ subscriptionId }) => subscriptionId))] })).filter(hasCommitment);
  if (subscriptions.length === 0) return new Map();
  const organization = await findOrganization(manager, organizationId);
  assert(organization !== null, 'An invoice belongs to an organization.');
  const book = await CommitmentBook.open(manager, { subscriptions, rounding: organization.rounding, drafts: { exceptIds: drafts.map(({ id }) => id) } });
  return new Map(drafts.toSorted((a, b) => a.periodIndex - b.periodIndex).map((draft) => [draft.id, trueUpLines(book.settle(draft, linesOf(draft)))]));
}

async function usageOfDrafts(manager: EntityManager, options: { organizationId: string; drafts: readonly InvoiceRecord[] }): Promise<Map<string, ReturnType<typeof ratedUsageLines>>> {
  const drafts = options.drafts.flatMap((invoice) => (invoice.closesIndex === null ? [] : [{ invoice, closesIndex: invoice.closesIndex }]));
  if (drafts.length === 0) return new Map();
  const organization = await findOrganization(manager, options.organizationId);
  assert(organization !== null, 'An invoice belongs to an organization.');
  const billed = await readBilledSubscriptions(manager, drafts.map(({ invoice }) => invoice.subscriptionId));
  const rated = await readRatedPeriods(manager, drafts.map(({ invoice, closesIndex }) => ({ subscriptionId: invoice.subscriptionId, periodIndex: closesIndex })));
  return new Map(drafts.map(({ invoice, closesIndex }) => {
    const period = { start: invoice.periodStart, end: invoice.periodEnd };
    const found = rated.find(({ subscriptionId, periodIndex }) => subscriptionId === invoice.subscriptionId && periodIndex === closesIndex);
    const one = billed.get(invoice.subscriptionId);
    assert(one !== undefined, 'An invoice belongs to a subscription.');
    const stage = billingPeriodAt(scheduleOf(one), closesIndex)?.stage ?? 0;
    return [invoice.id, found === undefined ? unusedUsageLines(one, { organization, period, stage }) : ratedUsageLines(found, { currency: invoice.currency, period, addOns: one.subscription.addOns })];
  }));
}
