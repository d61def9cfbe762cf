import { assert } from '../assert.js';
import { boundaryAt, periodContaining, type Recurrence } from '../period/boundaries.js';
import { earlier, later, type Period, period } from '../period/period.js';

export interface ScheduleTerms {
  readonly startAt: Temporal.Instant;
  /** Boundaries repeat its local date and time. Default: the start, or the trial's end. It may lie before or after either. */
  readonly billingAnchor?: Temporal.Instant | null | undefined;
  /** Local days; 0 is no trial. */
  readonly trialDays?: number | undefined;
  /** ISO 8601 duration of one part, such as P1M. */
  readonly interval: string;
  /** The customer's zone. */
  readonly timeZone: string;
  /** The instant at which a canceled subscription ends; the period that it falls in ends there. */
  readonly endAt?: Temporal.Instant | null | undefined;
}

/** All that a subscription's periods follow from. */
export interface BillingSchedule {
  readonly recurrence: Recurrence;
  /** [start_at, its local time `trial_days` days later); nothing is charged in it. */
  readonly trial: Period | null;
  /** Where period 1 starts. */
  readonly firstStart: Temporal.Instant;
  readonly endAt: Temporal.Instant | null;
}

/** One period of a subscription, counted from 1. */
export interface BillingPeriod {
  readonly number: number;
  readonly period: Period;
  /** From boundary to boundary: what a partial period is a fraction of. */
  readonly whole: Period;
  /** True for a stub at the start, and for a period that a cancellation cut short. */
  readonly isPartial: boolean;
}

export type PeriodsOutcome =
  | { readonly ok: true; readonly periods: readonly BillingPeriod[] }
  | { readonly ok: false; readonly code: 'too_many_periods'; readonly detail: string };

export function billingSchedule(terms: ScheduleTerms): BillingSchedule {
  const trial = trialOf(terms);
  const firstStart = trial?.end ?? terms.startAt;
  const anchor = terms.billingAnchor ?? firstStart;
  return { recurrence: { anchor, timeZone: terms.timeZone, interval: terms.interval }, trial, firstStart, endAt: terms.endAt ?? null };
}

function trialOf(terms: ScheduleTerms): Period | null {
  const days = terms.trialDays ?? 0;
  assert(Number.isInteger(days) && days >= 0, 'Trial days are a whole number from 0.');
  if (days === 0) return null;
  return period(terms.startAt, terms.startAt.toZonedDateTimeISO(terms.timeZone).add({ days }).toInstant());
}

/** Period `number` (from 1); null once the subscription has ended, and for a day that the zone skipped. */
export function billingPeriodAt(schedule: BillingSchedule, number: number): BillingPeriod | null {
  assert(Number.isInteger(number) && number >= 1, 'Periods count from 1.');
  return periodAtIndex(schedule, { firstIndex: firstIndexOf(schedule), number });
}

/** The period that an instant lies in; null before the first period and after the end. */
export function billingPeriodContaining(schedule: BillingSchedule, instant: Temporal.Instant): BillingPeriod | null {
  if (Temporal.Instant.compare(instant, schedule.firstStart) < 0) return null;
  if (schedule.endAt !== null && Temporal.Instant.compare(instant, schedule.endAt) >= 0) return null;
  const firstIndex = firstIndexOf(schedule);
  const { index } = periodContaining(schedule.recurrence, instant);
  return periodAtIndex(schedule, { firstIndex, number: index - firstIndex + 1 });
}

const elapsedPeriodsMax = 400;

/**
 * Every period that has started at or before the instant, in order. Refused when more than `max` (400 unless told) of them have
 * ended: a start that far in the past would bill them all at once.
 */
export function periodsThrough(schedule: BillingSchedule, instant: Temporal.Instant, max = elapsedPeriodsMax): PeriodsOutcome {
  const periods: BillingPeriod[] = [];
  const firstIndex = firstIndexOf(schedule);
  for (let number = 1; ; number += 1) {
    const start = boundaryAt({ ...schedule.recurrence, index: firstIndex + number - 1 });
    const starts = number === 1 ? schedule.firstStart : start;
    if (Temporal.Instant.compare(starts, instant) > 0 || hasEndedAt(schedule, starts)) return { ok: true, periods };
    const next = periodAtIndex(schedule, { firstIndex, number });
    if (next === null) continue; // A day that the zone skipped.
    periods.push(next);
    if (periods.length > max && Temporal.Instant.compare(next.period.end, instant) <= 0) {
      return { ok: false, code: 'too_many_periods', detail: `More than ${max} billing periods have ended since the start; choose a later start_at.` };
    }
  }
}

/** The index of the boundary at or before period 1's start. */
function firstIndexOf(schedule: BillingSchedule): number {
  return periodContaining(schedule.recurrence, schedule.firstStart).index;
}

function periodAtIndex(schedule: BillingSchedule, at: { firstIndex: number; number: number }): BillingPeriod | null {
  const index = at.firstIndex + at.number - 1;
  const boundary = boundaryAt({ ...schedule.recurrence, index });
  const next = boundaryAt({ ...schedule.recurrence, index: index + 1 });
  if (Temporal.Instant.compare(boundary, next) >= 0) return null;
  const start = later(boundary, schedule.firstStart);
  if (hasEndedAt(schedule, start)) return null;
  const end = schedule.endAt === null ? next : earlier(next, schedule.endAt);
  const isPartial = !start.equals(boundary) || !end.equals(next);
  return { number: at.number, period: period(start, end), whole: period(boundary, next), isPartial };
}

function hasEndedAt(schedule: BillingSchedule, instant: Temporal.Instant): boolean {
  return schedule.endAt !== null && Temporal.Instant.compare(schedule.endAt, instant) <= 0;
}
