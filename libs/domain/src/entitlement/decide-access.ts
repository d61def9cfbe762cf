import type { PlanEntitlement } from '../catalog/entitlement.js';
import { decimal, type Decimal, ZERO } from '../money/decimal.js';

/** One entitlement of a customer, with what of it was used. */
export interface MeasuredGrant {
  /** Of the subscription that grants it; they sort by their age. */
  readonly subscriptionId: string;
  readonly entitlement: PlanEntitlement;
  /** Of a metered one, since the last reset; null for the others. */
  readonly used: Decimal | null;
  readonly resetsAt: Temporal.Instant | null;
}

export interface Allowance {
  /** Null where there is none. */
  readonly limit: Decimal | null;
  readonly used: Decimal | null;
  /** Not below 0; null without a limit. */
  readonly remaining: Decimal | null;
  readonly resetsAt: Temporal.Instant | null;
}

export type AccessCode = 'quota_exceeded' | 'no_entitlement' | 'subscription_inactive';

export interface Access {
  readonly isAllowed: boolean;
  /** Why it is not allowed; null where it is. */
  readonly code: AccessCode | null;
  /** The grant that answers; null where nothing grants the feature. */
  readonly grant: MeasuredGrant | null;
}

/** What a grant leaves. */
export function allowanceOf({ entitlement, used, resetsAt }: MeasuredGrant): Allowance {
  const limit = typeof entitlement.limit === 'string' ? decimal(entitlement.limit) : null;
  if (limit === null) return { limit, used, remaining: null, resetsAt };
  const left = limit.minus(used ?? ZERO);
  return { limit, used, remaining: left.gt(0) ? left : ZERO, resetsAt };
}

/** Whether a grant lets a quantity more be used. Exactly on the limit is within it; a soft limit lets everything through. */
export function allows(grant: MeasuredGrant, quantity: Decimal): boolean {
  const { limit, used } = allowanceOf(grant);
  return limit === null || grant.entitlement.enforcement === 'soft' || (used ?? ZERO).plus(quantity).lte(limit);
}

/**
 * Whether a customer may use a quantity more of a feature, by the grants of the subscriptions that it has at present. Of several the most
 * generous answers.
 */
export function decideAccess(grants: readonly MeasuredGrant[], of: { readonly quantity: Decimal; readonly hasOnlyInactive: boolean }): Access {
  const [grant] = grants.toSorted((a, b) => Number(allows(b, of.quantity)) - Number(allows(a, of.quantity)) || byGenerosity(a, b));
  if (grant === undefined) return { isAllowed: false, code: of.hasOnlyInactive ? 'subscription_inactive' : 'no_entitlement', grant: null };
  const isAllowed = allows(grant, of.quantity);
  return { isAllowed, code: isAllowed ? null : 'quota_exceeded', grant };
}

/** The most generous grant of each feature, in the order of the features' keys. */
export function mostGenerous(grants: readonly MeasuredGrant[]): MeasuredGrant[] {
  return [...Map.groupBy(grants, ({ entitlement }) => entitlement.feature)]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, ofFeature]) => ofFeature.toSorted(byGenerosity).slice(0, 1));
}

/** No limit before a limit, soft before hard, more left before less, an earlier reset before a later one, a greater value before a smaller, the newer subscription before the older. */
function byGenerosity(a: MeasuredGrant, b: MeasuredGrant): number {
  const [left, right] = [allowanceOf(a), allowanceOf(b)];
  if ((left.limit === null) !== (right.limit === null)) return left.limit === null ? -1 : 1;
  return (
    Number(b.entitlement.enforcement === 'soft') - Number(a.entitlement.enforcement === 'soft') ||
    (right.remaining ?? ZERO).comparedTo(left.remaining ?? ZERO) ||
    compareResets(left.resetsAt, right.resetsAt) ||
    compareValues(b.entitlement.value, a.entitlement.value) ||
    (a.subscriptionId < b.subscriptionId ? 1 : -1)
  );
}

function compareResets(a: Temporal.Instant | null, b: Temporal.Instant | null): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return Temporal.Instant.compare(a, b);
}

/** Of numbers and of switches one is more than another; of texts none is. */
function compareValues(a: PlanEntitlement['value'], b: PlanEntitlement['value']): number {
  const [left, right] = [orderOf(a), orderOf(b)];
  return left === null || right === null ? 0 : left.comparedTo(right);
}

function orderOf(value: PlanEntitlement['value']): Decimal | null {
  if (typeof value === 'boolean') return decimal(value ? '1' : '0');
  return value !== undefined && /^-?\d{1,20}(\.\d{1,18})?$/.test(value) ? decimal(value) : null;
}
