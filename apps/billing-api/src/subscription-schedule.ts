import { billingPeriodAt, billingPeriodContaining, boundaryFees, formatMinor, nextBoundary, subscriptionStatusAt } from '#domain';
import type { Boundary, InvoiceLine, Period, SubscriptionStatus } from '#domain';
import { scheduleOf, trialOf, type Organization, type PlanVersionOfPlan, type SubscriptionRecord } from '#persistence';
import { assert } from '#platform';

/** A subscription together with what its periods and its look follow from. */
export interface SubscriptionView {
  readonly subscription: SubscriptionRecord;
  readonly plan: PlanVersionOfPlan;
  readonly customerKey: string | null;
  /** Business time. */
  readonly now: Temporal.Instant;
}

export function statusOf(subscription: SubscriptionRecord, now: Temporal.Instant): SubscriptionStatus {
  return subscriptionStatusAt({ startAt: subscription.startAt, trial: trialOf(subscription), endAt: subscription.cancelAt }, now);
}

export function currentPeriodOf({ subscription, plan, now }: Omit<SubscriptionView, 'customerKey'>): Period | null {
  return billingPeriodContaining(scheduleOf({ subscription, plan }), now)?.period ?? null;
}

/** Where the period ends that `now` is in: a trial's is the trial's end, and before the start it is the first one's. */
export function periodEndOf(subscription: SubscriptionRecord, plan: Pick<PlanVersionOfPlan, 'billingPeriod'>, now: Temporal.Instant): Temporal.Instant {
  const schedule = { ...scheduleOf({ subscription, plan }), endAt: null };
  const period = billingPeriodContaining(schedule, now);
  if (period !== null) return period.period.end;
  if (schedule.trial !== null) return schedule.trial.end;
  const first = billingPeriodAt(schedule, 1);
  assert(first !== null, 'A schedule without an end has a first period.');
  return first.period.end;
}

/** The fees that an act invoices at its boundary, without usage. */
export interface FeePreview {
  readonly period: Period | null;
  readonly lines: readonly InvoiceLine[];
  readonly totalText: string;
}

/** What the first boundary owes: the fees in advance of period 1, or what is owed once at the start of a trial. */
export function firstFees(view: SubscriptionView, organization: Organization): FeePreview | null {
  return feesOf(nextBoundary(scheduleOf(view), 0), { view, organization });
}

/** What the end of a subscription owes by itself: fees in arrears of what ends there, and the unused part of what was paid in advance. */
export function lastFees(view: SubscriptionView, organization: Organization): FeePreview | null {
  const schedule = scheduleOf(view);
  assert(schedule.endAt !== null, 'Only what ends has a last boundary.');
  // The end belongs to the period that it closes, so the instant before it tells which one that is.
  const last = billingPeriodContaining({ ...schedule, endAt: null }, schedule.endAt.subtract({ nanoseconds: 1 }));
  return last === null ? null : feesOf(nextBoundary(schedule, last.number + 1), { view, organization });
}

function feesOf(boundary: Boundary | null, from: { view: SubscriptionView; organization: Organization }): FeePreview | null {
  if (boundary === null) return null;
  const { subscription, plan } = from.view;
  const lines = boundaryFees(boundary, {
    prices: plan.prices, currency: subscription.currency, timeZone: subscription.timeZone, rounding: from.organization.rounding, returnsUnused: subscription.cancelProrate,
  });
  if (lines.length === 0) return null;
  const total = lines.reduce((sum, line) => sum + line.amountMinor, 0n);
  const period = boundary.closes?.period ?? boundary.opens?.period ?? boundary.trial ?? null;
  return { period, lines, totalText: formatMinor(total, subscription.currency) };
}
