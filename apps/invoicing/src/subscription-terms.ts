import type { EntityManager } from 'typeorm';
import type { FeeTerms } from '#domain';
import { readSubscribedPlans, readSubscriptions, type Organization, type SubscribedPlan, type SubscriptionRecord } from '#persistence';
import { assert } from '#platform';

/** A subscription with the plans that it is billed by. */
export interface BilledSubscription {
  readonly subscription: SubscriptionRecord;
  /** The one that it began with. */
  readonly plan: SubscribedPlan;
  /** That of each stage of its schedule, the first included. */
  readonly stages: readonly SubscribedPlan[];
}

/** These subscriptions of the transaction's organization by id. A missing one is a bug: nobody deletes them. */
export async function readBilledSubscriptions(manager: EntityManager, ids: readonly string[]): Promise<Map<string, BilledSubscription>> {
  const subscriptions = await readSubscriptions(manager, { ids: [...new Set(ids)] });
  return withPlans(manager, subscriptions);
}

export async function withPlans(manager: EntityManager, subscriptions: readonly SubscriptionRecord[]): Promise<Map<string, BilledSubscription>> {
  const plans = await readSubscribedPlans(manager, subscriptions);
  return new Map(subscriptions.map((subscription) => {
    const stages = plans.get(subscription.id);
    const plan = stages?.[0];
    assert(stages !== undefined && plan !== undefined, 'A subscription has a plan version.');
    return [subscription.id, { subscription, plan, stages }];
  }));
}

/** The plan of a stage of the subscription's schedule. */
export function planOfStage({ stages }: BilledSubscription, stage: number): SubscribedPlan {
  const plan = stages[stage];
  assert(plan !== undefined, 'Each stage of a schedule has its plan.');
  return plan;
}

export function feeTermsOf({ subscription, plan, stages }: BilledSubscription, organization: Organization): FeeTerms {
  return {
    stages: stages.map(({ prices }) => prices),
    addOns: plan.addOns,
    currency: subscription.currency,
    timeZone: subscription.timeZone,
    rounding: organization.rounding,
    returnsUnused: subscription.cancelProrate,
  };
}
