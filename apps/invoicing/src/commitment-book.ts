import type { EntityManager } from 'typeorm';
import {
  commitmentWindows, isClosedBy, settleCommitments, startOfLocalDay,
  type Boundary, type CommitmentAccount, type CommittedDocument, type InvoiceLine, type Period, type Rounding, type TrueUp,
} from '#domain';
import {
  commitmentsOf, readChargedPeriods, readSettledCommitments, scheduleOf,
  type ChargedPeriod, type CommitmentSettlement, type InvoiceRecord, type SettledCommitment, type SubscriptionRecord,
} from '#persistence';
import { assert } from '#platform';
import { lineId } from './derived-ids.js';
import { withPlans, type BilledSubscription } from './subscription-terms.js';

/** A document and whose it is. */
export type CommittedInvoice = CommittedDocument & Pick<InvoiceRecord, 'subscriptionId'>;

/** Whether the subscription commits to anything at any time. */
export function hasCommitment(subscription: SubscriptionRecord): boolean {
  return commitmentsOf(subscription).some((commitment) => commitment !== null);
}

/** Whether the document of a boundary is the one that closes a window of a commitment. */
export function closesCommitment(one: BilledSubscription, boundary: Boundary): boolean {
  if (!hasCommitment(one.subscription)) return false;
  const schedule = scheduleOf(one);
  return commitmentWindows(schedule, commitmentsOf(one.subscription), boundary.index).some((window) => isClosedBy(window, boundary, schedule));
}

/**
 * What documents have charged under the commitments of some subscriptions. Documents are settled one after the other, each with what those before it
 * have charged, so it does not matter in which order they come, or how late their usage: each asks for the difference that is left.
 */
export class CommitmentBook {
  private constructor(private readonly accounts: Map<string, CommitmentAccount>) {}

  /** Of those subscriptions that commit to something. `drafts` counts the fees of drafts too, but of these. */
  static async open(
    manager: EntityManager,
    of: { readonly subscriptions: readonly SubscriptionRecord[]; readonly rounding: Rounding; readonly drafts: { readonly exceptIds: readonly string[] } | null },
  ): Promise<CommitmentBook> {
    const committed = of.subscriptions.filter(hasCommitment);
    if (committed.length === 0) return new CommitmentBook(new Map());
    const subscriptionIds = committed.map(({ id }) => id);
    const billed = await withPlans(manager, committed);
    const charged = Map.groupBy(await readChargedPeriods(manager, { subscriptionIds, drafts: of.drafts }), (period: ChargedPeriod) => period.subscriptionId);
    const settled = Map.groupBy(await readSettledCommitments(manager, subscriptionIds), (window: SettledCommitment) => window.subscriptionId);
    const accounts = [...billed].map(([id, one]): [string, CommitmentAccount] => [id, {
      schedule: scheduleOf(one),
      commitments: commitmentsOf(one.subscription),
      currency: one.subscription.currency,
      rounding: of.rounding,
      charged: new Map((charged.get(id) ?? []).map(({ number, amountMinor }) => [number, amountMinor])),
      settled: new Map((settled.get(id) ?? []).map((window) => [window.first, window])),
    }]);
    return new CommitmentBook(new Map(accounts));
  }

  /** Adds what a document charges, and settles what it closes and changes. */
  settle(document: CommittedInvoice, lines: readonly InvoiceLine[]): readonly TrueUp[] {
    const account = this.accounts.get(document.subscriptionId);
    if (account === undefined) return [];
    const settled = settleCommitments(account, document, lines);
    this.accounts.set(document.subscriptionId, settled.account);
    return settled.trueUps;
  }
}

export function trueUpLines(trueUps: readonly TrueUp[]): InvoiceLine[] {
  return trueUps.flatMap(({ line }) => (line === null ? [] : [line]));
}

/** What is noted of a document's true-ups. `invoice` is null where it came to nothing and is not issued. */
export function commitmentSettlementsOf(
  trueUps: readonly TrueUp[],
  by: { readonly draft: InvoiceRecord; readonly isIssued: boolean; readonly timeZone: string; readonly settledAt: Temporal.Instant },
): CommitmentSettlement[] {
  const { draft, isIssued, timeZone, settledAt } = by;
  return trueUps.map(({ window, committedMinor, chargedMinor, isFirst, line }) => {
    assert(isIssued || line === null, 'What is asked for stands on a document.');
    const day = shownDay({ isFirst, window: window.period, draft, settledAt }).toZonedDateTimeISO(timeZone).toPlainDate();
    return {
      customerId: draft.customerId, subscriptionId: draft.subscriptionId, window, planId: draft.planId, committedMinor, chargedMinor, amountMinor: line?.amountMinor ?? 0n,
      currency: draft.currency, invoiceId: isIssued ? draft.id : null, lineId: line === null ? null : lineId({ invoiceId: draft.id, ref: line.ref }),
      day: day.toString(), dayStart: startOfLocalDay(day, timeZone), settledAt,
    };
  });
}

/** A true-up stands on the last day of its window; a later difference where late usage does: on the last day of the period whose invoice bears it. */
function shownDay(of: { isFirst: boolean; window: Period; draft: InvoiceRecord; settledAt: Temporal.Instant }): Temporal.Instant {
  if (of.isFirst) return of.window.end.subtract({ nanoseconds: 1 });
  return of.draft.closesIndex === null ? of.settledAt : of.draft.periodEnd.subtract({ nanoseconds: 1 });
}
