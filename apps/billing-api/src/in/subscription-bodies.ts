import { toAddOnOfLine, type SubscriptionBody, type SubscriptionPreviewBody } from '#contracts';
import { formatMinor, isTrueUp, toPlain, type Period } from '#domain';
import { currentPeriodOf, stageAt, statusOf, type FeePreview, type SubscriptionView } from '../subscription-schedule.js';
import { toSubscriptionAddOns } from './add-on-bodies.js';
import { instantText } from './wire-text.js';

export function toSubscriptionBody(view: SubscriptionView): SubscriptionBody {
  const { subscription, stages, now } = view;
  const current = stageAt(subscription, now);
  const terms = subscription.changes[current - 1] ?? subscription;
  const currentPeriod = currentPeriodOf(view);
  return {
    id: subscription.id,
    object: 'subscription',
    customer: subscription.customerId,
    customer_key: view.customerKey,
    plan: terms.planId,
    plan_key: stages[current]?.planKey ?? view.plan.planKey,
    version: terms.planVersion,
    quantities: terms.quantities,
    overrides: [...terms.overrides],
    minimum_commitment: terms.minimumCommitment,
    changes: subscription.changes.map((change, index) => ({
      at: instantText(change.at),
      plan: change.planId,
      plan_key: stages[index + 1]?.planKey ?? view.plan.planKey,
      version: change.planVersion,
      prorate: change.isProrated,
      phase: change.isPhase,
      quantities: change.quantities,
      overrides: [...change.overrides],
      minimum_commitment: change.minimumCommitment,
    })),
    add_ons: toSubscriptionAddOns(view, { includeEnded: false }),
    status: statusOf(subscription, now),
    start_at: instantText(subscription.startAt),
    billing_anchor: instantText(subscription.billingAnchor),
    trial_days: subscription.trialDays,
    trial_end_at: instantText(subscription.trialEndAt),
    current_period: currentPeriod === null ? null : toPeriodBody(currentPeriod),
    currency: subscription.currency,
    time_zone: subscription.timeZone,
    collection: subscription.collection,
    days_until_due: subscription.daysUntilDue,
    cancel_at: instantText(subscription.cancelAt),
    cancel_prorate: subscription.cancelProrate,
    canceled_at: instantText(subscription.canceledAt),
    created_at: instantText(subscription.createdAt),
    metadata: subscription.metadata,
  };
}

/** `id` is null for a subscription that would be new. */
export function toPreviewBody(preview: { view: SubscriptionView; id: string | null; periods: readonly Period[]; fees: FeePreview | null }): SubscriptionPreviewBody {
  const { created_at: _createdAt, ...subscription } = toSubscriptionBody(preview.view);
  return {
    object: 'subscription_preview',
    subscription: { ...subscription, id: preview.id },
    periods: preview.periods.map(toPeriodBody),
    invoice: preview.fees === null ? null : toFeesBody(preview.fees, preview.view),
  };
}

function toFeesBody(fees: FeePreview, { subscription: { currency }, plan }: SubscriptionView): NonNullable<SubscriptionPreviewBody['invoice']> {
  return {
    period: fees.period === null ? null : toPeriodBody(fees.period),
    currency,
    lines: fees.lines.map((line) => ({
      price: line.priceId,
      price_key: line.priceKey,
      add_on: toAddOnOfLine(line, plan.addOns),
      kind: line.kind,
      description: line.description,
      quantity: line.quantity === null ? null : toPlain(line.quantity),
      amount: formatMinor(line.amountMinor, currency),
      period: toPeriodBody(line.period),
    })),
    subtotal: fees.totalText,
    total: fees.totalText,
    not_included: notIncluded(fees),
  };
}

function notIncluded({ closesUsage, lines }: FeePreview): NonNullable<SubscriptionPreviewBody['invoice']>['not_included'] {
  const isLess = lines.some((line) => isTrueUp(line)) ? ' It lessens what lacks to a minimum commitment.' : '';
  return [
    ...(closesUsage ? [
      { code: 'usage' as const, detail: `Usage of the period that ends is invoiced with it.${isLess}` },
      { code: 'late_usage' as const, detail: 'Late usage of earlier periods that no document has settled yet is invoiced with it.' },
    ] : []),
    { code: 'carried_over' as const, detail: 'What earlier invoices carried over is added to it; a sum that can not be asked for is carried over to the next.' },
  ];
}

function toPeriodBody({ start, end }: Period): { start: string; end: string } {
  return { start: instantText(start), end: instantText(end) };
}
