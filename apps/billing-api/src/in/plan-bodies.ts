import type { PlanBody, PlanDraftBody, PlanVersionBody } from '#contracts';
import { draftAsVersion, type PlanVersion } from '#persistence';
import type { PlanDraftView } from '../plan-drafts.js';
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
    entitlements: version.entitlements.map((entitlement) => ({ ...entitlement })),
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
    status: plan.latestVersion === 0 ? 'draft' : 'published',
    latest_version: plan.latestVersion,
    archived_at: instantText(plan.archivedAt),
    created_at: instantText(plan.createdAt),
    metadata: plan.metadata,
  };
}

export function toPlanDraftBody({ plan, draft }: PlanDraftView, productKeys: ReadonlyMap<string, string>): PlanDraftBody {
  const { version: _version, ...terms } = termsOf(draftAsVersion(draft));
  return {
    object: 'plan_draft',
    plan: plan.id,
    key: plan.key,
    name: plan.name,
    product: plan.productId,
    product_key: plan.productId === null ? null : (productKeys.get(plan.productId) ?? null),
    ...terms,
    latest_version: plan.latestVersion,
    metadata: plan.metadata,
    archived_at: instantText(plan.archivedAt),
    created_at: instantText(draft.createdAt),
    updated_at: instantText(draft.updatedAt),
  };
}

export function toPlanVersionBody(version: PlanVersion): PlanVersionBody {
  return { object: 'plan_version', plan: version.planId, ...termsOf(version), created_at: instantText(version.createdAt) };
}
