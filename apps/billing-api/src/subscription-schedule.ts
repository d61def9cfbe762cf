import { billingPeriodAt, billingPeriodContaining, boundaryFees, closingPrices, formatMinor, hasUsagePrice, nextBoundary, settleCommitments, subscriptionStatusAt } from '#domain';
import type { Boundary, FeeTerms, InvoiceLine, Period, SubscriptionStatus } from '#domain';
import {
  commitmentsOf, readChargedPeriods, readSettledCommitments, readSubscribedPlans, scheduleOf, trialOf, type Organization, type PlanVersionOfPlan, type SubscribedPlan, type SubscriptionRecord,
} from '#persistence';
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

/** What an act invoices at its boundary, without usage. */
export interface FeePreview {
  readonly period: Period | null;
  readonly lines: readonly InvoiceLine[];
  readonly totalText: string;
  /** Whether usage of a period is invoiced there as well. */
  readonly closesUsage: boolean;
}

/** The boundary of a subscription's start. */
export function firstBoundary(view: SubscriptionView): Boundary | null {
  return nextBoundary(scheduleOf(view), 0);
}

/** The boundary of a subscription's end: it owes fees in arrears of what ends there, and the unused part of what was paid in advance. */
export function lastBoundary(view: SubscriptionView): Boundary | null {
  const schedule = scheduleOf(view);
  assert(schedule.endAt !== null, 'Only what ends has a last boundary.');
  // The end belongs to the period that it closes, so the instant before it tells which one that is.
  const last = billingPeriodContaining({ ...schedule, endAt: null }, schedule.endAt.subtract({ nanoseconds: 1 }));
  return last === null ? null : nextBoundary(schedule, last.number + 1);
}

/** The boundary of a change; null where it makes none, since nothing is billed there. */
export function changeBoundary(view: SubscriptionView, change: Temporal.Instant): Boundary | null {
  const begun = billingPeriodContaining(scheduleOf(view), change);
  return begun === null || !begun.period.start.equals(change) ? null : nextBoundary(scheduleOf(view), begun.number);
}

/** What a boundary owes without usage: its fees, and what lacks to minimum commitments, which counts what documents have charged. */
export async function boundaryPreview(manager: EntityManager, boundary: Boundary | null, of: { view: SubscriptionView; organization: Organization }): Promise<FeePreview | null> {
  if (boundary === null) return null;
  const terms = feeTermsOf(of.view, of.organization);
  const fees = boundaryFees(boundary, terms);
  const closesUsage = hasUsagePrice(closingPrices(boundary, terms));
  return previewOf(boundary, { lines: [...(await trueUps(manager, { ...of, boundary, fees, closesUsage })), ...fees], currency: terms.currency, closesUsage });
}

/** What an add-on, in each of the versions that are named, puts onto the next invoice, beside its usage. */
export function addOnPreview(view: SubscriptionView, of: { addOnIds: readonly string[]; organization: Organization }): FeePreview | null {
  const terms = feeTermsOf(view, of.organization);
  const alone = { ...terms, stages: terms.stages.map(() => []), addOns: view.plan.addOns.filter(({ id }) => of.addOnIds.includes(id)) };
  const schedule = scheduleOf(view);
  const boundary = nextBoundary(schedule, (billingPeriodContaining(schedule, view.now)?.number ?? 0) + 1);
  return boundary === null ? null : previewOf(boundary, { lines: boundaryFees(boundary, alone), currency: terms.currency, closesUsage: hasUsagePrice(closingPrices(boundary, alone)) });
}

function feeTermsOf({ subscription, plan, stages }: SubscriptionView, { rounding }: Organization): FeeTerms {
  const { currency, timeZone, cancelProrate: returnsUnused } = subscription;
  return { stages: stages.map(({ prices }) => prices), addOns: plan.addOns, currency, timeZone, rounding, returnsUnused };
}

function previewOf(boundary: Boundary, of: { lines: readonly InvoiceLine[]; currency: string; closesUsage: boolean }): FeePreview | null {
  const { lines, currency, closesUsage } = of;
  if (lines.length === 0) return null;
  const total = lines.reduce((sum, line) => sum + line.amountMinor, 0n);
  const period = boundary.closes?.period ?? boundary.opens?.period ?? boundary.trial ?? null;
  return { period, lines, totalText: formatMinor(total, currency), closesUsage };
}

async function trueUps(manager: EntityManager, of: { view: SubscriptionView; organization: Organization; boundary: Boundary; fees: readonly InvoiceLine[]; closesUsage: boolean }): Promise<InvoiceLine[]> {
  const { view, organization: { rounding }, boundary, fees, closesUsage } = of;
  const { id, currency } = view.subscription;
  const commitments = commitmentsOf(view.subscription);
  if (commitments.every((commitment) => commitment === null)) return [];
  const charged = new Map((await readChargedPeriods(manager, { subscriptionIds: [id], drafts: { exceptIds: [] } })).map(({ number, amountMinor }) => [number, amountMinor]));
  const settled = new Map((await readSettledCommitments(manager, [id])).map((window) => [window.first, window]));
  const document = { kind: 'period', periodIndex: boundary.index, closesIndex: closesUsage ? (boundary.closes?.number ?? null) : null } as const;
  return settleCommitments({ schedule: scheduleOf(view), commitments, currency, rounding, charged, settled }, document, fees).trueUps.flatMap(({ line }) => line ?? []);
}
