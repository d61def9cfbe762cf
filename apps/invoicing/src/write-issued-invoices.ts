import type { EntityManager } from 'typeorm';
import { composeInvoice, dueDate, invoiceNumber, type CarriedAmount, type ComposedInvoice, type InvoiceLine, type PayableAmounts } from '#domain';
import {
  deleteDrafts, findOrganization, holdInvoiceNumbers, insertOutboxEntries, issueInvoices, noteCarriedTo, readCarriedAmounts, readInvoiceLines, readSubscriptions, saveLateSettlements,
  takeInvoiceNumbers, writeInvoiceLines, type IssuedInvoice, type LateSettlement,
} from '#persistence';
import { assert } from '#platform';
import { lineId } from './derived-ids.js';
import { keepInvoicesIssued, type IssuedFact } from './invoice-issued-facts.js';
import { nowOfAct, type InvoicingContext, type SweptOrganization } from './invoicing-context.js';
import { adjustmentLines, owesMoney, readOwedLateUsage, settlementsOf, takeOwed, type OwedPeriod } from './owed-late-usage.js';
import { ratedUsageLines } from './rated-usage-lines.js';
import type { ReadyToIssue } from './sort-by-readiness.js';

export interface IssueOptions {
  readonly context: InvoicingContext;
  readonly organization: SweptOrganization;
  /** What the payment provider takes, by currency; null where none is connected. */
  readonly limitsOf: ((currency: string) => PayableAmounts) | null;
  /** In the order of their numbers. */
  readonly ready: readonly ReadyToIssue[];
  readonly systemNow: Temporal.Instant;
}

/** A draft with the late usage that it bears. */
interface Bearing extends ReadyToIssue {
  readonly late: readonly OwedPeriod[];
}

/** Lines, numbers, totals, late usage and what the payment provider is to be told: all in the caller's transaction, or none. */
export async function writeIssuedInvoices(manager: EntityManager, options: IssueOptions): Promise<void> {
  const { context, organization } = options;
  const { organizationId } = organization;
  // The lock on the numbers comes first: what earlier invoices left, and what is late, is read under it.
  await holdInvoiceNumbers(manager, organizationId);
  const owed = await readOwedLateUsage(manager, { organizationId, subscriptionIds: options.ready.map(({ invoice }) => invoice.subscriptionId) });
  const bearing = options.ready.map((candidate): Bearing => ({ ...candidate, late: takeOwed(owed, candidate.invoice) }));
  const [ready, idle] = [bearing.filter(isDocument), bearing.filter((candidate) => !isDocument(candidate))];
  await dropIdle(manager, { organization, idle });
  if (ready.length === 0) return;
  const first = await takeInvoiceNumbers(manager, { organizationId, count: ready.length });
  context.atStep?.('issue:numbers-taken');
  const issued = await composeAll(manager, { ...options, ready, first });
  await writeInvoiceLines(manager, { organizationId, lines: issued.flatMap(({ lines }) => lines), replace: true });
  context.atStep?.('issue:lines-written');
  await issueInvoices(manager, issued.map(({ record }) => record));
  await noteCarriedTo(manager, issued.flatMap(({ record, carriedIn }) => carriedIn.map(({ invoiceId }) => ({ fromInvoiceId: invoiceId, toInvoiceId: record.id }))));
  context.atStep?.('issue:invoices-written');
  await saveLateSettlements(manager, { organizationId, settlements: issued.flatMap(({ settlements }) => settlements) });
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

/** A one-off whose late usage has come to nothing meanwhile is not issued. */
function isDocument({ invoice, late }: Bearing): boolean {
  return invoice.kind !== 'one_off' || owesMoney(late);
}

async function dropIdle(manager: EntityManager, { organization, idle }: { organization: SweptOrganization; idle: readonly Bearing[] }): Promise<void> {
  await deleteDrafts(manager, idle.map(({ invoice }) => invoice.id));
  const settlements = idle.flatMap(({ act, late }) => settlementsOf(late, { invoice: null, settledAt: nowOfAct(organization, act.dueAt) }));
  await saveLateSettlements(manager, { organizationId: organization.organizationId, settlements });
}

interface Issued extends IssuedFact {
  readonly carriedIn: readonly CarriedAmount[];
  readonly settlements: readonly LateSettlement[];
}

async function composeAll(manager: EntityManager, options: Omit<IssueOptions, 'ready'> & { readonly ready: readonly Bearing[]; readonly first: bigint }): Promise<Issued[]> {
  const { organization, ready } = options;
  const { organizationId } = organization;
  const settings = await findOrganization(manager, organizationId);
  assert(settings !== null, 'An invoice belongs to an organization.');
  const fees = await readInvoiceLines(manager, { organizationId, invoiceIds: ready.map(({ invoice }) => invoice.id) });
  const zones = new Map((await readSubscriptions(manager, { ids: ready.map(({ invoice }) => invoice.subscriptionId) })).map(({ id, timeZone }) => [id, timeZone]));
  const left = await openAmounts(manager, options);
  return ready.map((candidate, place) => {
    const { invoice, act } = candidate;
    const number = invoiceNumber({ prefix: settings.invoicePrefix, counter: options.first + BigInt(place) });
    const key = payerOf(invoice);
    const carriedIn = left.get(key) ?? [];
    const composed = compose(candidate, { ...options, fees: fees.get(invoice.id) ?? [], carriedIn });
    left.set(key, composed.carriedOutMinor === 0n ? [] : [{ invoiceId: invoice.id, invoiceNumber: number, amountMinor: composed.carriedOutMinor }]);
    const issuedAt = nowOfAct(organization, act.dueAt);
    const isPaid = composed.totals.amountDueMinor === 0n;
    const dueAt = dueDate({ issuedAt, collection: invoice.collection, daysUntilDue: invoice.daysUntilDue, timeZone: zones.get(invoice.subscriptionId) ?? 'UTC' });
    const record: IssuedInvoice = {
      id: invoice.id, number, status: isPaid ? 'paid' : 'open', ...composed.totals, carriedOutMinor: composed.carriedOutMinor,
      usageCompleteAsOf: candidate.usage?.completeAsOf ?? null, issuedAt, dueAt, paidAt: isPaid ? issuedAt : null,
    };
    const lines = composed.lines.map((line) => ({ ...line, id: lineId({ invoiceId: invoice.id, ref: line.ref }), invoiceId: invoice.id }));
    return { draft: invoice, record, lines, carriedIn, settlements: settlementsOf(candidate.late, { invoice, settledAt: issuedAt }) };
  });
}

function compose(candidate: Bearing, options: Pick<IssueOptions, 'limitsOf'> & { fees: readonly InvoiceLine[]; carriedIn: readonly CarriedAmount[] }): ComposedInvoice {
  const { invoice, usage, late } = candidate;
  const period = { start: invoice.periodStart, end: invoice.periodEnd };
  if (usage !== null) assert(usage.end.equals(period.end) && usage.start.equals(period.start), 'A period is billed from the same instants as it is rated.');
  const used = usage === null ? [] : ratedUsageLines(usage, { currency: invoice.currency, period });
  return composeInvoice({ period, lines: [...used, ...adjustmentLines(late), ...options.fees], carriedIn: options.carriedIn, payable: options.limitsOf?.(invoice.currency) ?? null });
}

const payerOf = (invoice: { customerId: string; currency: string }): string => `${invoice.customerId}/${invoice.currency}`;

async function openAmounts(manager: EntityManager, options: Pick<IssueOptions, 'organization' | 'ready'>): Promise<Map<string, CarriedAmount[]>> {
  const customerIds = [...new Set(options.ready.map(({ invoice }) => invoice.customerId))];
  const open = await readCarriedAmounts(manager, { organizationId: options.organization.organizationId, customerIds });
  return Map.groupBy(open, payerOf);
}
