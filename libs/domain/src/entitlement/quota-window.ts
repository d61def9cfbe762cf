import type { EntitlementReset } from '../catalog/entitlement.js';
import { startOfLocalDay } from '../period/local-days.js';
import { contains, earlier, later, type Period } from '../period/period.js';
import { billingPeriodContaining, type BillingSchedule } from '../subscription/billing-schedule.js';

export interface QuotaWindow {
  /** In which use counts against the limit, in order; never empty. */
  readonly stretches: readonly Period[];
  /** When it begins to count anew; null where it never does while the subscription lasts. */
  readonly resetsAt: Temporal.Instant | null;
}

export interface QuotaTerms {
  readonly reset: EntitlementReset;
  readonly schedule: BillingSchedule;
  /** The customer's, in which days and months begin. */
  readonly timeZone: string;
  /** The plan of each stage of the schedule, by its id. */
  readonly planIds: readonly string[];
  /** Business time; the subscription lasts then. */
  readonly now: Temporal.Instant;
}

/** Events lie at most an hour ahead of the instant at which they were taken. */
const ahead = { hours: 2 };

/** Over which time use counts at an instant: since the last reset, while the subscription was on the plan that it is on. */
export function quotaWindow(terms: QuotaTerms): QuotaWindow {
  const { schedule, now } = terms;
  const { start, end } = windowOf(terms);
  const from = later(start, startOf(schedule));
  const endsBefore = end !== null && schedule.endAt !== null && Temporal.Instant.compare(schedule.endAt, end) <= 0;
  return { stretches: stretchesOnPlan(terms, { start: from, end: end ?? now.add(ahead) }), resetsAt: endsBefore ? null : end };
}

function startOf({ trial, firstStart }: BillingSchedule): Temporal.Instant {
  return trial?.start ?? firstStart;
}

function windowOf({ reset, schedule, timeZone, now }: QuotaTerms): { start: Temporal.Instant; end: Temporal.Instant | null } {
  const date = now.toZonedDateTimeISO(timeZone).toPlainDate();
  switch (reset) {
    case 'never':
      return { start: startOf(schedule), end: null };
    case 'day':
      return { start: startOfLocalDay(date, timeZone), end: startOfLocalDay(date.add({ days: 1 }), timeZone) };
    case 'month': {
      const first = date.with({ day: 1 });
      return { start: startOfLocalDay(first, timeZone), end: startOfLocalDay(first.add({ months: 1 }), timeZone) };
    }
    case 'billing_period': {
      if (schedule.trial !== null && contains(schedule.trial, now)) return schedule.trial;
      const billing = billingPeriodContaining(schedule, now);
      // From boundary to boundary: a change within the plan cuts the bill, not the allowance.
      return billing === null ? { start: now, end: null } : { start: later(billing.whole.start, schedule.firstStart), end: billing.whole.end };
    }
  }
}

/** The parts of a window in which the subscription was on the plan that it is on at `now`; what lies side by side is one. */
function stretchesOnPlan({ schedule, planIds, now }: QuotaTerms, window: Period): Period[] {
  const present = schedule.changes.findLastIndex(({ at }) => Temporal.Instant.compare(at, now) <= 0) + 1;
  const stretches: Period[] = [];
  for (let stage = 0; stage <= present; stage += 1) {
    if (planIds[stage] !== planIds[present]) continue;
    const begun = schedule.changes[stage - 1]?.at;
    const ended = stage === present ? undefined : schedule.changes[stage]?.at;
    const start = begun === undefined ? window.start : later(begun, window.start);
    const end = ended === undefined ? window.end : earlier(ended, window.end);
    if (Temporal.Instant.compare(start, end) >= 0) continue;
    const before = stretches.at(-1);
    if (before?.end.equals(start) === true) stretches[stretches.length - 1] = { start: before.start, end };
    else stretches.push({ start, end });
  }
  return stretches;
}
