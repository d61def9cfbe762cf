import { billingPeriodAt, billingPeriodContaining, type BillingPeriod, type BillingSchedule, type Rounding } from '#domain';
import type { SubscribedPlan, SubscriptionRecord } from '#persistence';

/** One period of one subscription with all that its rating needs besides the usage. */
export interface PeriodToRate {
  readonly subscription: SubscriptionRecord;
  /** That of the period's stage. */
  readonly plan: SubscribedPlan;
  readonly billing: BillingPeriod;
  /** What all periods of the subscription follow from, and the plan of each of its stages: for prices that look at other periods. */
  readonly schedule: BillingSchedule;
  readonly stages: readonly SubscribedPlan[];
  /** Of a period that was closed with it; left out, the organization's as it is now. */
  readonly rounding?: Rounding;
}

export interface OpenPeriods {
  /** The period that the instant lies in and the one before it, which may still wait for its last rating; the earlier first. */
  readonly periods: readonly BillingPeriod[];
  /** When the next period is to be looked at: the end of the current one, or the start of the first; null where none follows. */
  readonly openUntil: Temporal.Instant | null;
}

export function openPeriodsAt(schedule: BillingSchedule, now: Temporal.Instant): OpenPeriods {
  if (Temporal.Instant.compare(now, schedule.firstStart) < 0) return { periods: [], openUntil: schedule.firstStart };
  const hasEnded = schedule.endAt !== null && Temporal.Instant.compare(schedule.endAt, now) <= 0;
  const latest = schedule.endAt !== null && hasEnded ? billingPeriodContaining(schedule, schedule.endAt.subtract({ nanoseconds: 1 })) : billingPeriodContaining(schedule, now);
  if (latest === null) return { periods: [], openUntil: null };
  const previous = latest.number > 1 ? billingPeriodAt(schedule, latest.number - 1) : null;
  return { periods: previous === null ? [latest] : [previous, latest], openUntil: hasEnded ? null : latest.period.end };
}
