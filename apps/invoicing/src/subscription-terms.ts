import type { EntityManager } from 'typeorm';
import type { FeeTerms } from '#domain';
import { readPlanVersions, readSubscriptions, type Organization, type PlanVersionOfPlan, type SubscriptionRecord } from '#persistence';
import { assert } from '#platform';

/** A subscription with the plan version that it is billed by. */
export interface BilledSubscription {
  readonly subscription: SubscriptionRecord;
  readonly plan: PlanVersionOfPlan;
}

/** These subscriptions of the transaction's organization by id. A missing one is a bug: nobody deletes them. */
export async function readBilledSubscriptions(manager: EntityManager, ids: readonly string[]): Promise<Map<string, BilledSubscription>> {
  const subscriptions = await readSubscriptions(manager, { ids: [...new Set(ids)] });
  return withPlans(manager, subscriptions);
}

export async function withPlans(manager: EntityManager, subscriptions: readonly SubscriptionRecord[]): Promise<Map<string, BilledSubscription>> {
  const keyOf = (planId: string, version: number) => ({ planId, version });
  const wanted = new Map(subscriptions.map(({ planId, planVersion }) => [`${planId}/${planVersion}`, keyOf(planId, planVersion)]));
  const plans = new Map((await readPlanVersions(manager, [...wanted.values()])).map((plan) => [`${plan.planId}/${plan.version}`, plan]));
  return new Map(subscriptions.map((subscription) => {
    const plan = plans.get(`${subscription.planId}/${subscription.planVersion}`);
    assert(plan !== undefined, 'A subscription has a plan version.');
    return [subscription.id, { subscription, plan }];
  }));
}

export function feeTermsOf({ subscription, plan }: BilledSubscription, organization: Organization): FeeTerms {
  return {
    prices: plan.prices,
    currency: subscription.currency,
    timeZone: subscription.timeZone,
    rounding: organization.rounding,
    returnsUnused: subscription.cancelProrate,
  };
}
