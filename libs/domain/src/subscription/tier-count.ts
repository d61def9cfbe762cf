import { assert } from '../assert.js';
import { periodContaining, type Recurrence } from '../period/boundaries.js';
import { later, period, type Period } from '../period/period.js';
import type { BillingPeriod, BillingSchedule } from './billing-schedule.js';

/** The stretch over which tiers count on: its boundaries are every so-many-th of those of the bills. */
export interface TierPeriod {
  readonly whole: Period;
  /** What is left of it when the count begins: all, unless the subscription or its terms began midway. */
  readonly counted: Period;
}

/**
 * The tier period that a billing period lies in. The count begins anew with the first stage over which it goes on, the period's own
 * or an earlier one with the same boundaries; the next boundary is where it would have been.
 */
export function tierPeriodOf(schedule: BillingSchedule, of: { billing: Pick<BillingPeriod, 'period' | 'stage'>; tierPeriod: string; firstStage: number }): TierPeriod {
  const { billing, firstStage } = of;
  assert(firstStage <= billing.stage, 'A count begins before the period that it counts.');
  const change = firstStage === 0 ? null : schedule.changes[firstStage - 1];
  assert(change !== undefined, 'Each stage but the first is begun by a change.');
  const stageStart = change === null ? schedule.firstStart : later(change.at, schedule.firstStart);
  const whole = periodContaining({ ...recurrenceOfStage(schedule, billing.stage), interval: of.tierPeriod }, billing.period.start).period;
  return { whole, counted: period(later(whole.start, stageStart), whole.end) };
}

/** Whether two stages have the same boundaries. */
export function haveSameBoundaries(schedule: BillingSchedule, [a, b]: readonly [number, number]): boolean {
  const [one, other] = [recurrenceOfStage(schedule, a), recurrenceOfStage(schedule, b)];
  return one.anchor.equals(other.anchor) && one.interval === other.interval && one.timeZone === other.timeZone;
}

function recurrenceOfStage(schedule: BillingSchedule, stage: number): Recurrence {
  const recurrence = stage === 0 ? schedule.recurrence : schedule.changes[stage - 1]?.recurrence;
  assert(recurrence !== undefined, 'Each stage but the first is begun by a change.');
  return recurrence;
}
