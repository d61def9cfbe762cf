import { quotaWindow, subscriptionStatusAt, type BillingSchedule, type PlanEntitlement, type QuotaWindow } from '#domain';
import {
  readCustomer, readMeasuredFeatures, readSubscribedPlans, readSubscriptions, readSubscriptionStamps, readTestClock, scheduleOf, trialOf, type Customer, type MeasuredFeature, type SubscribedPlan, type SubscriptionRecord,
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

/** What all present subscriptions of a customer grant, or what they grant of one feature; null where there is no such customer. */
export async function readCustomerGrants(
  manager: EntityManager,
  wanted: { readonly organizationId: string; readonly customer: string; readonly feature: MeasuredFeature | null; readonly systemNow: Temporal.Instant },
): Promise<CustomerGrants | null> {
  const customer = await readCustomer(manager, wanted.customer);
  if (customer === null) return null;
  // First the stamp: of what changes while the rest is read, it is the older one.
  const stamp = (await readSubscriptionStamps(manager, new Map([[customer.id, customer]]))).get(customer.id) ?? '';
  const now = (await readTestClock(manager, wanted.organizationId)).now ?? wanted.systemNow;
  const subscriptions = await readSubscriptions(manager, { customerIds: [customer.id] });
  const present = subscriptions.filter((subscription) => lasts(subscription, now));
  const plans = await readSubscribedPlans(manager, present);
  const live = present.map((subscription) => liveOf(subscription, { stages: plans.get(subscription.id) ?? [], now }));
  const keys = [...new Set(live.flatMap(({ plan }) => plan.entitlements.map(({ feature }) => feature)))];
  const features = wanted.feature === null ? await readMeasuredFeatures(manager, keys) : [wanted.feature];
  const byKey = new Map(features.map((feature) => [feature.key, feature]));
  const grants = live.flatMap((of) => of.plan.entitlements.flatMap((entitlement) => {
    const feature = byKey.get(entitlement.feature);
    return feature === undefined ? [] : [{ of, entitlement, feature, window: windowOf(of, { entitlement, now }) }];
  }));
  return { customer, now, live, hasOnlyInactive: subscriptions.length > 0 && present.length === 0, grants, stamp };
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
