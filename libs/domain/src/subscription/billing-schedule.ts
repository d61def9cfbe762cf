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
  /** Ascending. */
  readonly changes?: readonly ScheduleChange[] | undefined;
}

/** From an instant on other terms hold. The period that it falls in ends there, and the next begins. */
export interface ScheduleChange {
  readonly at: Temporal.Instant;
  readonly recurrence: Recurrence;
  /** Gives the unused rest of advance fees back and asks for the rest of the new ones; otherwise the new ones are owed from the next whole period on. */
  readonly isProrated: boolean;
  /** Made at its own instant: a period that begins there was billed already, where a change that was set before begins it. */
  readonly isImmediate: boolean;
}

/** All that a subscription's periods follow from. */
export interface BillingSchedule {
  readonly recurrence: Recurrence;
  /** [start_at, its local time `trial_days` days later); nothing is charged in it. */
  readonly trial: Period | null;
  /** Where period 1 starts. */
  readonly firstStart: Temporal.Instant;
  readonly endAt: Temporal.Instant | null;
  readonly changes: readonly ScheduleChange[];
}

/** One period of a subscription, counted from 1. */
export interface BillingPeriod {
  readonly number: number;
  readonly period: Period;
  /** From boundary to boundary: what a partial period is a fraction of. */
  readonly whole: Period;
  /** True for a stub at the start, and for a period that a cancellation or a change cut short. */
  readonly isPartial: boolean;
  /** Whose terms hold: 0 for those that it began with, n for those of the n-th change. */
  readonly stage: number;
  /** Whether its start asks for fees in advance: not where a change that was not prorated began it after those of its time had been billed. */
  readonly owesAdvance: boolean;
  /** Whose fees in advance cover it, and are given back where its rest is: before a change that was not prorated they are those of the stage before it. */
  readonly advanceStage: number;
  /** The change that it begins with, and the one that cut it short; null where there is none. */
  readonly begunBy: ScheduleChange | null;
  readonly cutBy: ScheduleChange | null;
}

export type PeriodsOutcome =
  | { readonly ok: true; readonly periods: readonly BillingPeriod[] }
  | { readonly ok: false; readonly code: 'too_many_periods'; readonly detail: string };

export function billingSchedule(terms: ScheduleTerms): BillingSchedule {
  const trial = trialOf(terms);
  const firstStart = trial?.end ?? terms.startAt;
  const anchor = terms.billingAnchor ?? firstStart;
  return { recurrence: { anchor, timeZone: terms.timeZone, interval: terms.interval }, trial, firstStart, endAt: terms.endAt ?? null, changes: terms.changes ?? [] };
}

function trialOf(terms: ScheduleTerms): Period | null {
  const days = terms.trialDays ?? 0;
  assert(Number.isInteger(days) && days >= 0, 'Trial days are a whole number from 0.');
  if (days === 0) return null;
  return period(terms.startAt, terms.startAt.toZonedDateTimeISO(terms.timeZone).add({ days }).toInstant());
}

/** Period `number` (from 1); null once the subscription has ended, for a day that the zone skipped, and where a change left nothing of it. */
export function billingPeriodAt(schedule: BillingSchedule, number: number): BillingPeriod | null {
  return periodOfNumber(schedule, { number, isUncut: false });
}

/** Period `number` as it was known at its start: no later change and no end cut it short. */
export function uncutPeriodAt(schedule: BillingSchedule, number: number): BillingPeriod | null {
  return periodOfNumber({ ...schedule, endAt: null }, { number, isUncut: true });
}

/** The period that an instant lies in; null before the first period and after the end. */
export function billingPeriodContaining(schedule: BillingSchedule, instant: Temporal.Instant): BillingPeriod | null {
  if (Temporal.Instant.compare(instant, schedule.firstStart) < 0) return null;
  if (schedule.endAt !== null && Temporal.Instant.compare(instant, schedule.endAt) >= 0) return null;
  const stage = stagesOf(schedule).findLast(({ start }) => Temporal.Instant.compare(start, instant) <= 0);
  assert(stage !== undefined, 'The first terms hold from the first period on.');
  const { index } = periodContaining(stage.recurrence, instant);
  return periodOfStage(schedule, { stage, index, isUncut: false });
}

/** The period that ended where another starts; null for the first. Whatever end the subscription has, it lies after it. */
export function periodBefore(schedule: BillingSchedule, start: Temporal.Instant): BillingPeriod | null {
  return billingPeriodContaining({ ...schedule, endAt: null }, start.subtract({ nanoseconds: 1 }));
}

const elapsedPeriodsMax = 400;

/**
 * Every period that has started at or before the instant, in order. Refused when more than `max` (400 unless told) of them have
 * ended: a start that far in the past would bill them all at once.
 */
export function periodsThrough(schedule: BillingSchedule, instant: Temporal.Instant, max = elapsedPeriodsMax): PeriodsOutcome {
  const latest = schedule.endAt === null ? instant : earlier(instant, schedule.endAt.subtract({ nanoseconds: 1 }));
  const last = billingPeriodContaining(schedule, latest);
  const periods: BillingPeriod[] = [];
  for (let number = 1; number <= (last?.number ?? 0); number += 1) {
    const next = billingPeriodAt(schedule, number);
    if (next === null) continue; // A day that the zone skipped.
    periods.push(next);
    if (periods.length > max && Temporal.Instant.compare(next.period.end, instant) <= 0) {
      return { ok: false, code: 'too_many_periods', detail: `More than ${max} billing periods have ended since the start; choose a later start_at.` };
    }
  }
  return { ok: true, periods };
}

/** A stretch under the same terms. Empty where it was changed at the instant of its start, after that was billed: then it has one number and no period. */
interface Stage {
  readonly index: number;
  readonly recurrence: Recurrence;
  readonly start: Temporal.Instant;
  /** The change that ends it; null for the last. */
  readonly endedBy: ScheduleChange | null;
  /** The change that began it; null for the first. */
  readonly begunBy: ScheduleChange | null;
  readonly firstNumber: number;
  /** The index of the boundary at or before its start. */
  readonly firstIndex: number;
  /** Of its first period. */
  readonly owesAdvance: boolean;
  readonly advanceStage: number;
}

function stagesOf(schedule: BillingSchedule): Stage[] {
  const stages: Stage[] = [];
  let firstNumber = 1;
  for (let index = 0; index <= schedule.changes.length; index += 1) {
    const begunBy = schedule.changes[index - 1] ?? null;
    const endedBy = schedule.changes[index] ?? null;
    const recurrence = begunBy?.recurrence ?? schedule.recurrence;
    const start = begunBy === null ? schedule.firstStart : later(begunBy.at, schedule.firstStart);
    const order = endedBy === null ? 1 : Temporal.Instant.compare(endedBy.at, start);
    if (order < 0 || (order === 0 && endedBy?.isImmediate !== true)) continue; // Changed before it began.
    const firstIndex = periodContaining(recurrence, start).index;
    const stage = { index, recurrence, start, endedBy, begunBy, firstNumber, firstIndex };
    stages.push({ ...stage, ...firstAdvance(stage, stages.at(-1)) });
    if (endedBy !== null) firstNumber += order === 0 ? 1 : periodContaining(recurrence, lastInstant(endedBy, recurrence)).index - firstIndex + 1;
  }
  return stages;
}

/**
 * An instant of the last period that a stage has a number for. One that began at the very instant of a change made then was billed already, and is
 * given back under its own number. But where the change gives nothing back, its fees stand, and the period goes on under the number that they were billed with.
 */
function lastInstant(endedBy: ScheduleChange, recurrence: Recurrence): Temporal.Instant {
  return endedBy.isImmediate && (endedBy.isProrated || !areAlike(endedBy.recurrence, recurrence)) ? endedBy.at : endedBy.at.subtract({ nanoseconds: 1 });
}

/**
 * Who covers the first period of a stage, and whether it is asked for there. A change that gives nothing back lets what was billed stand until its periods
 * begin another whole one: midway that is the period before it, and at the very instant of a boundary the fees that were billed there a moment before.
 */
function firstAdvance(stage: Omit<Stage, 'owesAdvance' | 'advanceStage'>, before: Stage | undefined): Pick<Stage, 'owesAdvance' | 'advanceStage'> {
  const { begunBy, start, recurrence, firstIndex, firstNumber } = stage;
  const own = { owesAdvance: true, advanceStage: stage.index };
  // What was changed before the first period began is no change of a period.
  if (begunBy === null || before === undefined || firstNumber === 1 || begunBy.isProrated || !areAlike(begunBy.recurrence, before.recurrence)) return own;
  const isAtBoundary = start.equals(boundaryAt({ ...recurrence, index: firstIndex }));
  if (isAtBoundary && !begunBy.isImmediate) return own;
  const isSameWhole = firstIndex === before.firstIndex;
  // At a boundary that the stage before has no number for, this one's number asks for the fees of both.
  return { owesAdvance: isAtBoundary && !isSameWhole, advanceStage: isSameWhole ? before.advanceStage : before.index };
}

function areAlike(a: Recurrence, b: Recurrence): boolean {
  return a.interval === b.interval && a.anchor.equals(b.anchor);
}

function periodOfNumber(schedule: BillingSchedule, at: { number: number; isUncut: boolean }): BillingPeriod | null {
  const { number, isUncut } = at;
  assert(Number.isInteger(number) && number >= 1, 'Periods count from 1.');
  const stage = stagesOf(schedule).findLast(({ firstNumber }) => firstNumber <= number);
  assert(stage !== undefined, 'The first terms hold from the first period on.');
  return periodOfStage(schedule, { stage, index: stage.firstIndex + number - stage.firstNumber, isUncut });
}

function periodOfStage(schedule: BillingSchedule, at: { stage: Stage; index: number; isUncut: boolean }): BillingPeriod | null {
  const { stage, index } = at;
  const boundary = boundaryAt({ ...stage.recurrence, index });
  const next = boundaryAt({ ...stage.recurrence, index: index + 1 });
  if (Temporal.Instant.compare(boundary, next) >= 0) return null;
  const start = later(boundary, stage.start);
  if (schedule.endAt !== null && Temporal.Instant.compare(schedule.endAt, start) <= 0) return null;
  const change = at.isUncut ? null : stage.endedBy;
  const cutBy = change !== null && Temporal.Instant.compare(change.at, next) < 0 ? change : null;
  const known = cutBy?.at ?? next;
  const end = schedule.endAt === null ? known : earlier(known, schedule.endAt);
  if (Temporal.Instant.compare(start, end) >= 0) return null;
  // What was changed before the first period began is no change of a period.
  const isFirst = index === stage.firstIndex;
  const begunBy = isFirst && stage.firstNumber > 1 ? stage.begunBy : null;
  return {
    number: stage.firstNumber + index - stage.firstIndex,
    period: period(start, end),
    whole: period(boundary, next),
    isPartial: !start.equals(boundary) || !end.equals(next),
    stage: stage.index,
    owesAdvance: !isFirst || stage.owesAdvance,
    advanceStage: isFirst ? stage.advanceStage : stage.index,
    begunBy,
    cutBy: end.equals(known) ? cutBy : null,
  };
}
