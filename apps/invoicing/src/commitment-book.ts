import type { EntityManager } from 'typeorm';
import {
  commitmentWindows, committedMinorOf, countedPeriodOf, isClosedBy, nextBoundary, startOfLocalDay, trueUpLine,
  type Boundary, type CommitmentWindow, type InvoiceLine, type Period, type Rounding,
} from '#domain';
import {
  commitmentsOf, readChargedPeriods, readSettledCommitments, scheduleOf,
  type ChargedPeriod, type CommitmentSettlement, type InvoiceRecord, type SettledCommitment, type SubscriptionRecord,
} from '#persistence';
import { assert } from '#platform';
import { lineId } from './derived-ids.js';
import { withPlans, type BilledSubscription } from './subscription-terms.js';

/** What of a document its commitments look at. */
export type CommittedDocument = Pick<InvoiceRecord, 'subscriptionId' | 'kind' | 'periodIndex' | 'closesIndex'>;

/** A window that a document settles, with the line that asks for what lacks, or returns what does not any more. */
export interface TrueUp {
  readonly window: CommitmentWindow;
  readonly committedMinor: bigint;
  readonly chargedMinor: bigint;
  readonly isFirst: boolean;
  readonly line: InvoiceLine | null;
}

interface Account {
  readonly one: BilledSubscription;
  readonly charged: Map<number, bigint>;
  readonly settled: Map<number, Pick<SettledCommitment, 'last' | 'committedMinor' | 'settledMinor'>>;
}

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
  private constructor(
    private readonly accounts: ReadonlyMap<string, Account>,
    private readonly rounding: Rounding,
  ) {}

  /** Of those subscriptions that commit to something. `drafts` counts the fees of drafts too, but of these. */
  static async open(
    manager: EntityManager,
    of: { readonly subscriptions: readonly SubscriptionRecord[]; readonly rounding: Rounding; readonly drafts: { readonly exceptIds: readonly string[] } | null },
  ): Promise<CommitmentBook> {
    const committed = of.subscriptions.filter(hasCommitment);
    if (committed.length === 0) return new CommitmentBook(new Map(), of.rounding);
    const subscriptionIds = committed.map(({ id }) => id);
    const billed = await withPlans(manager, committed);
    const charged = Map.groupBy(await readChargedPeriods(manager, { subscriptionIds, drafts: of.drafts }), (period: ChargedPeriod) => period.subscriptionId);
    const settled = Map.groupBy(await readSettledCommitments(manager, subscriptionIds), (window: SettledCommitment) => window.subscriptionId);
    const accounts = [...billed].map(([id, one]): [string, Account] => [id, {
      one,
      charged: new Map((charged.get(id) ?? []).map(({ number, amountMinor }) => [number, amountMinor])),
      settled: new Map((settled.get(id) ?? []).map((window) => [window.first, window])),
    }]);
    return new CommitmentBook(new Map(accounts), of.rounding);
  }

  /** Adds what a document charges, and settles the window that it closes and those closed before that it charges more or less for. */
  settle(document: CommittedDocument, lines: readonly InvoiceLine[]): TrueUp[] {
    const account = this.accounts.get(document.subscriptionId);
    if (account === undefined) return [];
    const touched = new Set<number>();
    for (const line of lines) {
      const number = countedPeriodOf(line, document);
      if (number === null) continue;
      touched.add(number);
      account.charged.set(number, (account.charged.get(number) ?? 0n) + line.amountMinor);
    }
    const { one, settled } = account;
    const schedule = scheduleOf(one);
    const boundary = document.kind === 'period' ? nextBoundary(schedule, document.periodIndex) : null;
    const through = Math.max(document.periodIndex, ...[...settled.values()].map(({ last }) => last));
    return commitmentWindows(schedule, commitmentsOf(one.subscription), through).flatMap((window) => {
      const known = settled.get(window.first);
      const isFirst = known === undefined && boundary !== null && isClosedBy(window, boundary, schedule);
      const isChanged = known !== undefined && [...touched].some((number) => window.first <= number && number <= window.last);
      return isFirst || isChanged ? [this.settleWindow(account, window)] : [];
    });
  }

  private settleWindow({ one, charged, settled }: Account, window: CommitmentWindow): TrueUp {
    const { currency } = one.subscription;
    const known = settled.get(window.first);
    // What was committed to does not change once it was settled, whatever rounding the organization chooses later.
    const committedMinor = known?.committedMinor ?? committedMinorOf(window, { currency, rounding: this.rounding });
    let chargedMinor = 0n;
    for (let number = window.first; number <= window.last; number += 1) chargedMinor += charged.get(number) ?? 0n;
    const line = trueUpLine({ window, currency, committedMinor, countedMinor: chargedMinor, settledMinor: known?.settledMinor ?? null });
    settled.set(window.first, { last: window.last, committedMinor, settledMinor: (known?.settledMinor ?? 0n) + (line?.amountMinor ?? 0n) });
    return { window, committedMinor, chargedMinor, isFirst: known === undefined, line };
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
