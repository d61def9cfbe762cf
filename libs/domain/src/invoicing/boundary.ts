import { earlier, later, type Period, period } from '../period/period.js';
import { billingPeriodAt, uncutPeriodAt, type BillingPeriod, type BillingSchedule, type ScheduleChange } from '../subscription/billing-schedule.js';

/**
 * An instant at which a subscription is billed. Boundary n starts period n and ends period n - 1; boundary 0 is the start
 * of a trial, and a subscription without one begins at boundary 1. A change of its terms is a boundary, wherever it falls, and
 * so is its end, the last one.
 */
export interface Boundary {
  readonly index: number;
  readonly at: Temporal.Instant;
  /** The period that ends here; null at the start, and where the end or a change leaves nothing of a period. */
  readonly closes: BillingPeriod | null;
  /** The period that starts here, whole: a later end or change is settled when it comes. Null at the end, and at the start of a trial. */
  readonly opens: BillingPeriod | null;
  /** What the end or a change cuts off time whose advance fees were billed. */
  readonly unused: UnusedTime | null;
  /** The trial that starts here. */
  readonly trial: Period | null;
  /** The first boundary: the stage whose one-time prices are owed here; null at all others. */
  readonly firstStage: number | null;
  readonly isLast: boolean;
}

export interface UnusedTime {
  readonly period: Period;
  readonly whole: Period;
  /** Whose fees were billed. */
  readonly stage: number;
  /** The change that cuts it off; null where the end does. */
  readonly cutBy: ScheduleChange | null;
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
  return { index: 0, at: schedule.trial.start, closes: null, opens: null, unused: null, trial: schedule.trial, firstStage: stageAtTrialStart(schedule, schedule.trial.start), isLast: false };
}

/** What was changed at the very instant of the start was changed after that was billed. */
function stageAtTrialStart({ changes }: BillingSchedule, start: Temporal.Instant): number {
  return changes.filter(({ at, isImmediate }) => Temporal.Instant.compare(at, start) < (isImmediate ? 0 : 1)).length;
}

function periodBoundary(schedule: BillingSchedule, index: number): Boundary | 'empty' | null {
  const billed = index === 1 ? null : (uncutPeriodAt(schedule, index - 1) ?? (index > 2 ? uncutPeriodAt(schedule, index - 2) : null));
  const opens = uncutPeriodAt(schedule, index);
  const at = earliest(billed?.period.end ?? null, opens?.period.start ?? null);
  if (at !== null && billed !== null && endsBy(schedule, at)) return lastBoundary(schedule, { index, billed });
  if (opens === null) return 'empty';
  if (endsBy(schedule, opens.period.start)) return null;
  const closes = billed === null ? null : billingPeriodAt({ ...schedule, endAt: null }, billed.number);
  const firstStage = index === 1 && schedule.trial === null ? opens.stage : null;
  return { index, at: opens.period.start, closes, opens, unused: unusedOf(billed, opens), trial: null, firstStage, isLast: false };
}

/** What a change cuts off the period that was billed. */
function unusedOf(billed: BillingPeriod | null, opens: BillingPeriod): UnusedTime | null {
  if (billed === null || opens.begunBy === null || Temporal.Instant.compare(opens.period.start, billed.period.end) >= 0) return null;
  return { period: period(opens.period.start, billed.period.end), whole: billed.whole, stage: billed.advanceStage, cutBy: opens.begunBy };
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
    unused: isWhole ? null : { period: period(at, billed.period.end), whole: billed.whole, stage: billed.advanceStage, cutBy: null },
    trial: null,
    firstStage: null,
    isLast: true,
  };
}

function earliest(a: Temporal.Instant | null, b: Temporal.Instant | null): Temporal.Instant | null {
  return a === null || b === null ? (a ?? b) : earlier(a, b);
}

function endsBy(schedule: BillingSchedule, instant: Temporal.Instant): boolean {
  return schedule.endAt !== null && Temporal.Instant.compare(schedule.endAt, instant) <= 0;
}
