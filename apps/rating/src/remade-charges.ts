import type { EntityManager } from 'typeorm';
import { boundaryFees, nextBoundary, settleCommitments, type BillingSchedule, type Boundary, type InvoiceLine, type Rounding } from '#domain';
import {
  commitmentsOf, readCommitmentsBefore, readSubscribedPlans, readSubscriptions, scheduleOf, type InvoiceLineRecord, type InvoiceRecord, type SubscribedPlan, type SubscriptionRecord,
} from '#persistence';
import { assert } from '#platform';

/** Lines by their refs, made again. */
type RemadeLines = ReadonlyMap<string, InvoiceLine>;

/** The rounding of the day is kept with no fee and no commitment: one of these made them. */
const roundings: readonly Rounding[] = ['half_away_from_zero', 'half_even'];

interface InvoiceTerms {
  readonly subscription: SubscriptionRecord;
  readonly stages: readonly SubscribedPlan[];
  readonly schedule: BillingSchedule;
}

/** Everything on an invoice that no usage stands behind and no other invoice left to it, for each way of rounding. */
export async function remakeCharges(manager: EntityManager, of: { readonly invoice: InvoiceRecord; readonly lines: readonly InvoiceLineRecord[] }): Promise<{ readonly fees: readonly RemadeLines[]; readonly trueUps: readonly RemadeLines[] }> {
  const [subscription] = await readSubscriptions(manager, { ids: [of.invoice.subscriptionId] });
  assert(subscription !== undefined, 'An invoice belongs to a subscription.');
  const stages = (await readSubscribedPlans(manager, [subscription])).get(subscription.id) ?? [];
  const [plan] = stages;
  assert(plan !== undefined, 'A subscription has a plan.');
  const terms = { subscription, stages, schedule: scheduleOf({ subscription, plan }) };
  return { fees: feesOf(of.invoice, terms), trueUps: await trueUpsOf(manager, { ...of, terms }) };
}

/** The fees of the invoice's boundary. */
function feesOf(invoice: InvoiceRecord, { subscription, stages, schedule }: InvoiceTerms): RemadeLines[] {
  if (invoice.kind !== 'period') return [];
  const boundaries = boundariesOf(invoice.periodIndex, { subscription, schedule });
  const terms = { stages: stages.map(({ prices }) => prices), addOns: stages[0]?.addOns, currency: subscription.currency, timeZone: subscription.timeZone, returnsUnused: subscription.cancelProrate };
  return boundaries.flatMap((boundary) => roundings.map((rounding) => byRef(boundaryFees(boundary, { ...terms, rounding }))));
}

/**
 * The boundary as the schedule has it by now, and as it was before a cancellation at its very instant, which leaves nothing of it. Which came first, the document
 * or the end, is not kept. A change at that instant comes after the boundary and leaves it as it is.
 */
function boundariesOf(index: number, { subscription, schedule }: Pick<InvoiceTerms, 'subscription' | 'schedule'>): Boundary[] {
  const { endAt } = schedule;
  const unended = nextBoundary({ ...schedule, endAt: null }, index);
  const canceledThere = endAt !== null && unended?.at.equals(endAt) === true && subscription.canceledAt !== null && Temporal.Instant.compare(subscription.canceledAt, endAt) >= 0;
  return [nextBoundary(schedule, index), canceledThere ? unended : null].flatMap((boundary) => (boundary?.index === index ? [boundary] : []));
}

/** What lacked to commitments, by what the documents before this one had charged and asked for, and what this one charges. */
async function trueUpsOf(manager: EntityManager, of: { invoice: InvoiceRecord; lines: readonly InvoiceLineRecord[]; terms: InvoiceTerms }): Promise<RemadeLines[]> {
  const { invoice, lines, terms: { subscription, schedule } } = of;
  const commitments = commitmentsOf(subscription);
  if (commitments.every((commitment) => commitment === null)) return [];
  const before = await readCommitmentsBefore(manager, invoice);
  const settled = new Map([...before.settled].map(([first, window]) => [first, { ...window, committedMinor: null }]));
  const account = { schedule, commitments, currency: subscription.currency, charged: before.charged, settled };
  return roundings.map((rounding) => byRef(settleCommitments({ ...account, rounding }, invoice, lines).trueUps.flatMap(({ line }) => line ?? [])));
}

function byRef(lines: readonly InvoiceLine[]): RemadeLines {
  return new Map(lines.map((line) => [line.ref, line]));
}
