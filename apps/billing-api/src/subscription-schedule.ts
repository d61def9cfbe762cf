import { billingPeriodAt, billingPeriodContaining, boundaryFees, formatMinor, nextBoundary, subscriptionStatusAt } from '#domain';
import type { Boundary, InvoiceLine, Period, SubscriptionStatus } from '#domain';
import { readSubscribedPlans, scheduleOf, trialOf, type Organization, type PlanVersionOfPlan, type SubscribedPlan, type SubscriptionRecord } from '#persistence';
import { assert } from '#platform';
import type { EntityManager } from 'typeorm';

/** A subscription together with what its periods and its look follow from. */
export interface SubscriptionView {
  readonly subscription: SubscriptionRecord;
  /** The plan that it began with. */
  readonly plan: SubscribedPlan;
  /** That of each stage: the first, then that of each change. */
  readonly stages: readonly SubscribedPlan[];
  readonly customerKey: string | null;
  /** Business time. */
  readonly now: Temporal.Instant;
}

export function statusOf(subscription: SubscriptionRecord, now: Temporal.Instant): SubscriptionStatus {
  return subscriptionStatusAt({ startAt: subscription.startAt, trial: trialOf(subscription), endAt: subscription.cancelAt }, now);
}

/** What of a view is read from the plans' tables, all at once. */
export async function withStages<T extends { readonly subscription: SubscriptionRecord }>(manager: EntityManager, views: readonly T[]): Promise<(T & Pick<SubscriptionView, 'plan' | 'stages'>)[]> {
  const plans = await readSubscribedPlans(manager, views.map(({ subscription }) => subscription));
  return views.map((view) => {
    const stages = plans.get(view.subscription.id);
    const plan = stages?.[0];
    assert(stages !== undefined && plan !== undefined, 'A subscription has its plan versions.');
    return { ...view, plan, stages };
  });
}

/** The stage whose terms hold at an instant of business time: 0, or the place of the last change by then. */
export function stageAt({ changes }: Pick<SubscriptionRecord, 'changes'>, now: Temporal.Instant): number {
  return changes.filter(({ at }) => Temporal.Instant.compare(at, now) <= 0).length;
}

export function currentPeriodOf({ subscription, plan, now }: Pick<SubscriptionView, 'subscription' | 'plan' | 'now'>): Period | null {
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

/** What the boundary of a change owes by itself; null where the change makes none, since nothing is billed there. */
export function changeFees(view: SubscriptionView, at: { change: Temporal.Instant; organization: Organization }): FeePreview | null {
  const begun = billingPeriodContaining(scheduleOf(view), at.change);
  if (begun === null || !begun.period.start.equals(at.change)) return null;
  return feesOf(nextBoundary(scheduleOf(view), begun.number), { view, organization: at.organization });
}

function feesOf(boundary: Boundary | null, from: { view: SubscriptionView; organization: Organization }): FeePreview | null {
  if (boundary === null) return null;
  const { subscription, stages } = from.view;
  const lines = boundaryFees(boundary, {
    stages: stages.map(({ prices }) => prices), currency: subscription.currency, timeZone: subscription.timeZone, rounding: from.organization.rounding, returnsUnused: subscription.cancelProrate,
  });
  if (lines.length === 0) return null;
  const total = lines.reduce((sum, line) => sum + line.amountMinor, 0n);
  const period = boundary.closes?.period ?? boundary.opens?.period ?? boundary.trial ?? null;
  return { period, lines, totalText: formatMinor(total, subscription.currency) };
}
