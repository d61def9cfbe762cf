import type { PlanBody, PlanVersionBody } from '#contracts';
import type { PlanVersion } from '#persistence';
import type { PlanView } from '../plans.js';
import { instantText } from './wire-text.js';

/** What makes a version, as it reads. */
export function termsOf(version: PlanVersion) {
  return {
    version: version.version,
    currency: version.currency,
    billing_period: version.billingPeriod,
    trial_days: version.trialDays,
    prices: version.prices.map((price) => ({ ...price })),
    late_usage: { ...version.lateUsage },
  };
}

export function toPlanBody({ plan, version }: PlanView, productKeys: ReadonlyMap<string, string>): PlanBody {
  return {
    id: plan.id,
    object: 'plan',
    key: plan.key,
    name: plan.name,
    product: plan.productId,
    product_key: plan.productId === null ? null : (productKeys.get(plan.productId) ?? null),
    ...termsOf(version),
    latest_version: plan.latestVersion,
    archived_at: instantText(plan.archivedAt),
    created_at: instantText(plan.createdAt),
    metadata: plan.metadata,
  };
}

export function toPlanVersionBody(version: PlanVersion): PlanVersionBody {
  return { object: 'plan_version', plan: version.planId, ...termsOf(version), created_at: instantText(version.createdAt) };
}
