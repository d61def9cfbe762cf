import type { AccessBody, CustomerEntitlementListBody } from '#contracts';
import { allowanceOf, toPlain, wholeMicrosecond, type Decimal, type MeasuredGrant } from '#domain';
import type { AccessView, EntitlementsView, GrantView } from '../read-access.js';

export function toEntitlementsBody({ customer, grants, freshAsOf }: EntitlementsView): CustomerEntitlementListBody {
  return {
    data: grants.map((view) => ({
      object: 'entitlement' as const, feature: view.grant.feature.id, feature_key: view.grant.feature.key, name: view.grant.feature.name, ...allowanceBody(view.measured), ...grantBody(view),
    })),
    has_more: false,
    customer: customer.id,
    fresh_as_of: instantText(freshAsOf),
  };
}

export function toAccessBody({ customer, feature, quantity, access, grant, marginal, freshAsOf }: AccessView): AccessBody {
  return {
    object: 'access',
    customer: customer.id,
    feature: feature.id,
    feature_key: feature.key,
    quantity,
    allowed: access.isAllowed,
    code: access.code,
    ...(access.grant === null ? { limit: null, used: null, remaining: null, resets_at: null } : allowanceBody(access.grant)),
    marginal_amount: marginal.amount,
    marginal_unknown: marginal.unknown,
    currency: marginal.currency,
    ...(access.grant === null || grant === null ? {} : grantBody({ grant, measured: access.grant })),
    fresh_as_of: instantText(freshAsOf),
  };
}

function allowanceBody(measured: MeasuredGrant) {
  const { limit, used, remaining, resetsAt } = allowanceOf(measured);
  return { limit: decimalText(limit), used: decimalText(used), remaining: decimalText(remaining), resets_at: instantText(resetsAt) };
}

function grantBody({ grant: { of }, measured: { entitlement } }: GrantView) {
  const { type, value = null, reset = null, enforcement = null, rate_limit: rateLimit = null } = entitlement;
  return {
    type, value, reset, enforcement, rate_limit: rateLimit === null ? null : { ...rateLimit },
    subscription: of.subscription.id, plan: of.plan.planId, plan_key: of.plan.planKey, plan_version: of.plan.version,
  };
}

function decimalText(value: Decimal | null): string | null {
  return value === null ? null : toPlain(value);
}

function instantText(instant: Temporal.Instant | null): string | null {
  return instant === null ? null : wholeMicrosecond(instant).toString();
}
