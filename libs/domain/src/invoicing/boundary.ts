import { later, type Period, period } from '../period/period.js';
import { billingPeriodAt, type BillingPeriod, type BillingSchedule } from '../subscription/billing-schedule.js';

/**
 * An instant at which a subscription is billed. Boundary n starts period n and ends period n - 1; boundary 0 is the start
 * of a trial, and a subscription without one begins at boundary 1. Its end is the last boundary, wherever it falls.
 */
export interface Boundary {
  readonly index: number;
  readonly at: Temporal.Instant;
  /** The period that ends here; null at the start, and where the end leaves nothing of a period. */
  readonly closes: BillingPeriod | null;
  /** The period that starts here, whole: a later end is settled when it comes. Null at the end, and at the start of a trial. */
  readonly opens: BillingPeriod | null;
  /** What the end cuts off a period whose advance fees were billed. */
  readonly unused: { readonly period: Period; readonly whole: Period } | null;
  /** The trial that starts here. */
  readonly trial: Period | null;
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

/** Two indices may have no period of their own: boundary 0 without a trial, and a day that a zone skipped. */
const emptyIndicesMax = 3;

/** The boundary with the least index from `fromIndex` on; null when none follows. Nothing follows the last one: whoever walks them stops there. */
export function nextBoundary(schedule: BillingSchedule, fromIndex: number): Boundary | null {
  for (let index = fromIndex; index < fromIndex + emptyIndicesMax; index += 1) {
    const boundary = index === 0 ? trialStart(schedule) : periodBoundary(schedule, index);
    if (boundary !== 'empty') return boundary;
  }
  return null;
}

function trialStart(schedule: BillingSchedule): Boundary | 'empty' | null {
  if (schedule.trial === null) return 'empty';
  if (endsBy(schedule, schedule.trial.start)) return null;
  return { index: 0, at: schedule.trial.start, closes: null, opens: null, unused: null, trial: schedule.trial, isFirst: true, isLast: false };
}

function periodBoundary(schedule: BillingSchedule, index: number): Boundary | 'empty' | null {
  const endless = { ...schedule, endAt: null };
  const isFirst = index === 1 && schedule.trial === null;
  const billed = index === 1 ? null : (billingPeriodAt(endless, index - 1) ?? (index > 2 ? billingPeriodAt(endless, index - 2) : null));
  if (billed !== null && endsBy(schedule, billed.period.end)) return lastBoundary(schedule, { index, billed });
  const opens = billingPeriodAt(endless, index);
  if (opens === null) return 'empty';
  if (endsBy(schedule, opens.period.start)) return null;
  return { index, at: opens.period.start, closes: billed, opens, unused: null, trial: null, isFirst, isLast: false };
}

/** The end falls into `billed` or onto its end. An end at its very start leaves all of it unused. */
function lastBoundary(schedule: BillingSchedule, last: { index: number; billed: BillingPeriod }): Boundary | null {
  const { index, billed } = last;
  if (schedule.endAt === null) return null;
  const at = later(schedule.endAt, billed.period.start);
  const isWhole = at.equals(billed.period.end);
  return {
    index,
    at,
    closes: billingPeriodAt(schedule, billed.number),
    opens: null,
    unused: isWhole ? null : { period: period(at, billed.period.end), whole: billed.whole },
    trial: null,
    isFirst: false,
    isLast: true,
  };
}

function endsBy(schedule: BillingSchedule, instant: Temporal.Instant): boolean {
  return schedule.endAt !== null && Temporal.Instant.compare(schedule.endAt, instant) <= 0;
}
