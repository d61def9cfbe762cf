import { quotaWindow, subscriptionStatusAt, type BillingSchedule, type PlanEntitlement, type QuotaWindow } from '#domain';
import {
  readCustomersByReference, readMeasuredFeatures, readSubscribedPlans, readSubscriptions, readSubscriptionStamps, readTestClock, scheduleOf, trialOf, type Customer, type MeasuredFeature, type SubscribedPlan, type SubscriptionRecord,
} from '#persistence';
import { assert } from '#platform';
import type { EntityManager } from 'typeorm';

/** A subscription that lasts at the instant that is asked about. */
export interface LiveSubscription {
  readonly subscription: SubscriptionRecord;
  readonly schedule: BillingSchedule;
  readonly stages: readonly SubscribedPlan[];
  /** That of the present stage. */
  readonly plan: SubscribedPlan;
}

/** One entitlement of a customer, with the time over which its use counts; null where it has no limit to count against. */
export interface Grant {
  readonly of: LiveSubscription;
  readonly entitlement: PlanEntitlement;
  readonly feature: MeasuredFeature;
  readonly window: QuotaWindow | null;
}

/** What a customer has at an instant of business time, before its use is looked at. */
export interface CustomerGrants {
  readonly customer: Customer;
  readonly now: Temporal.Instant;
  readonly live: readonly LiveSubscription[];
  /** Whether it had, or will have, subscriptions, and none at present. */
  readonly hasOnlyInactive: boolean;
  readonly grants: readonly Grant[];
  /** Of what they follow from. */
  readonly stamp: string;
}

interface WantedCustomers {
  readonly organizationId: string;
  /** By id or key. */
  readonly customers: readonly string[];
  readonly systemNow: Temporal.Instant;
}

/** What all present subscriptions of customers grant, by the references that name them; those that the organization does not have are left out. */
export async function readCustomerGrants(manager: EntityManager, wanted: WantedCustomers): Promise<Map<string, CustomerGrants>> {
  const customers = await readCustomersByReference(manager, [...new Set(wanted.customers)]);
  const ids = customers.map(({ id }) => id);
  // First the stamps: of what changes while the rest is read, they are the older ones.
  const stamps = await readSubscriptionStamps(manager, new Map(customers.map((customer) => [customer.id, customer])));
  const now = (await readTestClock(manager, wanted.organizationId)).now ?? wanted.systemNow;
  const subscriptions = await readSubscriptions(manager, { customerIds: ids });
  const present = subscriptions.filter((subscription) => lasts(subscription, now));
  const plans = await readSubscribedPlans(manager, present);
  const live = present.map((subscription) => liveOf(subscription, { stages: plans.get(subscription.id) ?? [], now }));
  const keys = [...new Set(live.flatMap(({ plan }) => plan.entitlements.map(({ feature }) => feature)))];
  const features = new Map((await readMeasuredFeatures(manager, keys)).map((feature) => [feature.key, feature]));
  const liveOfCustomers = Map.groupBy(live, ({ subscription }) => subscription.customerId);
  const known = new Set(subscriptions.map(({ customerId }) => customerId));
  return new Map(customers.flatMap((customer) => {
    const own = liveOfCustomers.get(customer.id) ?? [];
    const found = { customer, now, live: own, hasOnlyInactive: known.has(customer.id) && own.length === 0, grants: grantsOf(own, { features, now }), stamp: stamps.get(customer.id)?.text ?? '' };
    return [customer.id, ...(customer.key === null ? [] : [customer.key])].map((reference) => [reference, found] as const);
  }));
}

function grantsOf(live: readonly LiveSubscription[], by: { features: ReadonlyMap<string, MeasuredFeature>; now: Temporal.Instant }): Grant[] {
  return live.flatMap((of) => of.plan.entitlements.flatMap((entitlement) => {
    const feature = by.features.get(entitlement.feature);
    return feature === undefined ? [] : [{ of, entitlement, feature, window: windowOf(of, { entitlement, now: by.now }) }];
  }));
}

/** What of it grants one feature. */
export function grantsOfFeature(found: CustomerGrants, { key }: { readonly key: string }): CustomerGrants {
  return { ...found, grants: found.grants.filter(({ feature }) => feature.key === key) };
}

function lasts(subscription: SubscriptionRecord, now: Temporal.Instant): boolean {
  const status = subscriptionStatusAt({ startAt: subscription.startAt, trial: trialOf(subscription), endAt: subscription.cancelAt }, now);
  return status === 'active' || status === 'trialing';
}

function liveOf(subscription: SubscriptionRecord, { stages, now }: { stages: readonly SubscribedPlan[]; now: Temporal.Instant }): LiveSubscription {
  const plan = stages[subscription.changes.findLastIndex(({ at }) => Temporal.Instant.compare(at, now) <= 0) + 1];
  const first = stages[0];
  assert(plan !== undefined && first !== undefined, 'Each stage of a subscription has its plan.');
  return { subscription, stages, plan, schedule: scheduleOf({ subscription, plan: first }) };
}

function windowOf({ schedule, stages, subscription }: LiveSubscription, { entitlement, now }: { entitlement: PlanEntitlement; now: Temporal.Instant }): QuotaWindow | null {
  if (entitlement.type !== 'metered') return null;
  return quotaWindow({ reset: entitlement.reset ?? 'billing_period', schedule, timeZone: subscription.timeZone, planIds: stages.map(({ planId }) => planId), now });
}
