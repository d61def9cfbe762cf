import type { EntityManager } from 'typeorm';
import { composeInvoice, dueDate, invoiceNumber, type CarriedAmount, type ComposedInvoice, type InvoiceLine, type PayableAmounts, type Rounding, type TrueUp } from '#domain';
import {
  deleteDrafts, findOrganization, holdInvoiceNumbers, insertOutboxEntries, issueInvoices, noteCarriedTo, readCarriedAmounts, readInvoiceLines, readSubscriptions, saveCommitmentSettlements,
  saveLateSettlements, takeInvoiceNumbers, writeInvoiceLines, type CommitmentSettlement, type InvoiceRecord, type IssuedInvoice, type LateSettlement, type Organization, type RatedPeriodLines, type SubscriptionRecord,
} from '#persistence';
import { assert } from '#platform';
import { CommitmentBook, commitmentSettlementsOf, trueUpLines } from './commitment-book.js';
import { lineId } from './derived-ids.js';
import { keepInvoicesIssued, type IssuedFact } from './invoice-issued-facts.js';
import { nowOfAct, type InvoicingContext, type SweptOrganization } from './invoicing-context.js';
import { adjustmentLines, owesMoney, readOwedLateUsage, settlementsOf, takeOwed, type OwedPeriod } from './owed-late-usage.js';
import { ratedUsageLines } from './rated-usage-lines.js';
import type { ReadyToIssue } from './sort-by-readiness.js';

/** A draft with the last rating of the period that it closes. */
export interface InvoiceToIssue extends ReadyToIssue {
  readonly usage: RatedPeriodLines | null;
}

export interface IssueOptions {
  readonly context: InvoicingContext;
  readonly organization: SweptOrganization;
  /** What the payment provider takes, by currency; null where none is connected. */
  readonly limitsOf: ((currency: string) => PayableAmounts) | null;
  /** In the order of their numbers. */
  readonly ready: readonly InvoiceToIssue[];
  readonly systemNow: Temporal.Instant;
}

/** A draft with all that it bears. */
interface Bearing extends InvoiceToIssue {
  readonly late: readonly OwedPeriod[];
  /** Usage, late usage and fees, before the commitments that they count to. */
  readonly charges: { readonly used: readonly InvoiceLine[]; readonly adjusted: readonly InvoiceLine[]; readonly fees: readonly InvoiceLine[] };
  readonly trueUps: readonly TrueUp[];
}

/** Lines, numbers, totals, late usage and what the payment provider is to be told: all in the caller's transaction, or none. */
export async function writeIssuedInvoices(manager: EntityManager, options: IssueOptions): Promise<void> {
  const { context, organization } = options;
  const { organizationId } = organization;
  // The lock on the numbers comes first: what earlier invoices left, and what is late, is read under it.
  await holdInvoiceNumbers(manager, organizationId);
  const subscriptions = await readSubscriptions(manager, { ids: [...new Set(options.ready.map(({ invoice }) => invoice.subscriptionId))] });
  const zones = new Map(subscriptions.map(({ id, timeZone }) => [id, timeZone]));
  const settings = await findOrganization(manager, organizationId);
  assert(settings !== null, 'An invoice belongs to an organization.');
  const bearing = await bearAll(manager, { organizationId, ready: options.ready, subscriptions, rounding: settings.rounding });
  const [ready, idle] = [bearing.filter(isDocument), bearing.filter((candidate) => !isDocument(candidate))];
  await dropIdle(manager, { organization, idle, zones });
  if (ready.length === 0) return;
  const first = await takeInvoiceNumbers(manager, { organizationId, count: ready.length });
  context.atStep?.('issue:numbers-taken');
  const issued = await composeAll(manager, { ...options, ready, first, zones, settings });
  await writeInvoiceLines(manager, { organizationId, lines: issued.flatMap(({ lines }) => lines), replace: true });
  context.atStep?.('issue:lines-written');
  await issueInvoices(manager, issued.map(({ record }) => record));
  await noteCarriedTo(manager, issued.flatMap(({ record, carriedIn }) => carriedIn.map(({ invoiceId }) => ({ fromInvoiceId: invoiceId, toInvoiceId: record.id }))));
  context.atStep?.('issue:invoices-written');
  await saveLateSettlements(manager, { organizationId, settlements: issued.flatMap(({ settlements }) => settlements) });
  await saveCommitmentSettlements(manager, { organizationId, settlements: issued.flatMap(({ commitments }) => commitments) });
  context.atStep?.('issue:late-usage-settled');
  await keepInvoicesIssued(manager, { organizationId, issued });
  context.atStep?.('issue:facts-written');
  if (options.limitsOf !== null) {
    const owing = issued.filter(({ record }) => record.amountDueMinor > 0n);
    const entries = owing.map(({ record }) => ({ invoiceId: record.id, kind: 'push' as const, paymentId: null }));
    await insertOutboxEntries(manager, { organizationId, systemNow: options.systemNow, entries });
    context.atStep?.('issue:outbox-written');
  }
}

/** What each draft bears, in the order in which they are issued: a commitment counts what the ones before it charge. */
async function bearAll(
  manager: EntityManager,
  from: { organizationId: string; ready: readonly InvoiceToIssue[]; subscriptions: readonly SubscriptionRecord[]; rounding: Rounding },
): Promise<Bearing[]> {
  const { organizationId, ready, subscriptions, rounding } = from;
  const owed = await readOwedLateUsage(manager, { organizationId, subscriptionIds: subscriptions.map(({ id }) => id) });
  const fees = await readInvoiceLines(manager, { organizationId, invoiceIds: ready.map(({ invoice }) => invoice.id) });
  const book = await CommitmentBook.open(manager, { subscriptions, rounding, drafts: null });
  const addOns = new Map(subscriptions.map((subscription) => [subscription.id, subscription.addOns]));
  return ready.map((candidate): Bearing => {
    const { invoice, usage } = candidate;
    const period = { start: invoice.periodStart, end: invoice.periodEnd };
    if (usage !== null) assert(usage.end.equals(period.end) && usage.start.equals(period.start), 'A period is billed from the same instants as it is rated.');
    const late = takeOwed(owed, invoice);
    const used = usage === null ? [] : ratedUsageLines(usage, { currency: invoice.currency, period, addOns: addOns.get(invoice.subscriptionId) ?? [] });
    const charges = { used, adjusted: adjustmentLines(late), fees: fees.get(invoice.id) ?? [] };
    return { ...candidate, late, charges, trueUps: book.settle(invoice, [...charges.used, ...charges.adjusted, ...charges.fees]) };
  });
}

/** A one-off whose late usage has come to nothing meanwhile is not issued, nor what would only have said that nothing lacks to a commitment. */
function isDocument({ invoice, late, charges, trueUps }: Bearing): boolean {
  if (invoice.kind === 'one_off') return owesMoney(late);
  return invoice.closesIndex !== null || charges.fees.length > 0 || trueUps.some(({ line }) => line !== null);
}

async function dropIdle(manager: EntityManager, dropped: { organization: SweptOrganization; idle: readonly Bearing[]; zones: ReadonlyMap<string, string> }): Promise<void> {
  const { organization, idle, zones } = dropped;
  const { organizationId } = organization;
  await deleteDrafts(manager, idle.map(({ invoice }) => invoice.id));
  const at = ({ act }: Bearing): Temporal.Instant => nowOfAct(organization, act.dueAt);
  await saveLateSettlements(manager, { organizationId, settlements: idle.flatMap((one) => settlementsOf(one.late, { invoice: null, settledAt: at(one) })) });
  const commitments = idle.flatMap((one) => commitmentSettlementsOf(one.trueUps, { draft: one.invoice, isIssued: false, timeZone: zoneOf(one.invoice, zones), settledAt: at(one) }));
  await saveCommitmentSettlements(manager, { organizationId, settlements: commitments });
}

function zoneOf(invoice: Pick<InvoiceRecord, 'subscriptionId'>, zones: ReadonlyMap<string, string>): string {
  return zones.get(invoice.subscriptionId) ?? 'UTC';
}

interface Issued extends IssuedFact {
  readonly carriedIn: readonly CarriedAmount[];
  readonly settlements: readonly LateSettlement[];
  readonly commitments: readonly CommitmentSettlement[];
}

interface Composing extends Omit<IssueOptions, 'ready'> {
  readonly ready: readonly Bearing[];
  readonly first: bigint;
  readonly zones: ReadonlyMap<string, string>;
  readonly settings: Organization;
}

async function composeAll(manager: EntityManager, options: Composing): Promise<Issued[]> {
  const { organization, ready, settings, zones } = options;
  const left = await openAmounts(manager, options);
  return ready.map((candidate, place) => {
    const { invoice, act } = candidate;
    const number = invoiceNumber({ prefix: settings.invoicePrefix, counter: options.first + BigInt(place) });
    const key = payerOf(invoice);
    const carriedIn = left.get(key) ?? [];
    const composed = compose(candidate, { ...options, carriedIn });
    left.set(key, composed.carriedOutMinor === 0n ? [] : [{ invoiceId: invoice.id, invoiceNumber: number, amountMinor: composed.carriedOutMinor }]);
    const issuedAt = nowOfAct(organization, act.dueAt);
    const isPaid = composed.totals.amountDueMinor === 0n;
    const timeZone = zoneOf(invoice, zones);
    const dueAt = dueDate({ issuedAt, collection: invoice.collection, daysUntilDue: invoice.daysUntilDue, timeZone });
    const record: IssuedInvoice = {
      id: invoice.id, number, status: isPaid ? 'paid' : 'open', ...composed.totals, carriedOutMinor: composed.carriedOutMinor,
      usageCompleteAsOf: candidate.usage?.completeAsOf ?? null, issuedAt, dueAt, paidAt: isPaid ? issuedAt : null,
    };
    const lines = composed.lines.map((line) => ({ ...line, id: lineId({ invoiceId: invoice.id, ref: line.ref }), invoiceId: invoice.id }));
    const commitments = commitmentSettlementsOf(candidate.trueUps, { draft: invoice, isIssued: true, timeZone, settledAt: issuedAt });
    return { draft: invoice, record, lines, carriedIn, commitments, settlements: settlementsOf(candidate.late, { invoice, settledAt: issuedAt }) };
  });
}

function compose(candidate: Bearing, options: Pick<IssueOptions, 'limitsOf'> & { carriedIn: readonly CarriedAmount[] }): ComposedInvoice {
  const { invoice, charges, trueUps } = candidate;
  const period = { start: invoice.periodStart, end: invoice.periodEnd };
  const lines = [...charges.used, ...charges.adjusted, ...trueUpLines(trueUps), ...charges.fees];
  return composeInvoice({ period, lines, carriedIn: options.carriedIn, payable: options.limitsOf?.(invoice.currency) ?? null });
}

const payerOf = (invoice: { customerId: string; currency: string }): string => `${invoice.customerId}/${invoice.currency}`;

async function openAmounts(manager: EntityManager, options: Pick<IssueOptions, 'organization' | 'ready'>): Promise<Map<string, CarriedAmount[]>> {
  const customerIds = [...new Set(options.ready.map(({ invoice }) => invoice.customerId))];
  const open = await readCarriedAmounts(manager, { organizationId: options.organization.organizationId, customerIds });
  return Map.groupBy(open, payerOf);
}
