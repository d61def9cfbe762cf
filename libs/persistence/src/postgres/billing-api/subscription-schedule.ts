import { subscribedPrices, type AttachedAddOn, type BillingSchedule, type IdentifiedPrice, type MinimumCommitment, type Period } from '#domain';
import type { EntityManager } from 'typeorm';
import { assert } from '#platform';
import { readAddOnVersions, type AddOnVersionOfAddOn } from './add-on-tables.js';
import { readPlanVersions, type PlanVersion, type PlanVersionOfPlan } from './plan-tables.js';
import { readSubscriptions, type PlanChange, type SubscriptionRecord } from './subscription-table.js';

/** A plan version as a subscription has it in one stage of its schedule: with its own overrides and quantities. */
export interface SubscribedPlan extends PlanVersionOfPlan {
  readonly prices: readonly IdentifiedPrice[];
  /** All that the subscription has at any time, whatever the stage. */
  readonly addOns: readonly SubscribedAddOn[];
}

/** An add-on version as a subscription has it: its prices are named by the add-on. */
export interface SubscribedAddOn extends AttachedAddOn {
  readonly of: AddOnVersionOfAddOn;
}

/** What is kept of a subscription names its anchors and its trial's end, so its boundaries depend on nothing that changes later. `plan` is the one it began with. */
export function scheduleOf({ subscription, plan }: { readonly subscription: SubscriptionRecord; readonly plan: Pick<PlanVersion, 'billingPeriod'> }): BillingSchedule {
  return {
    recurrence: { anchor: subscription.billingAnchor, timeZone: subscription.timeZone, interval: plan.billingPeriod },
    trial: trialOf(subscription),
    firstStart: subscription.trialEndAt ?? subscription.startAt,
    endAt: subscription.cancelAt,
    changes: subscription.changes.map(({ at, billingAnchor, billingPeriod, isProrated, isImmediate }) => ({
      at, isProrated, isImmediate, recurrence: { anchor: billingAnchor, timeZone: subscription.timeZone, interval: billingPeriod },
    })),
  };
}

/** What is committed to in each stage of the schedule: what it began with, then that of each change. */
export function commitmentsOf(subscription: SubscriptionRecord): (MinimumCommitment | null)[] {
  return [subscription, ...subscription.changes].map(({ minimumCommitment }) => minimumCommitment);
}

export function trialOf({ startAt, trialEndAt }: Pick<SubscriptionRecord, 'startAt' | 'trialEndAt'>): Period | null {
  return trialEndAt === null ? null : { start: startAt, end: trialEndAt };
}

/** The plan of each stage of each subscription's schedule, by the subscription's id: the one it began with, then that of each change. One query for all, and one for their add-ons. */
export async function readSubscribedPlans(manager: EntityManager, subscriptions: readonly SubscriptionRecord[]): Promise<Map<string, readonly SubscribedPlan[]>> {
  const keyOf = (of: { planId: string; planVersion: number }) => `${of.planId}/${of.planVersion}`;
  const stages = new Map(subscriptions.map((subscription) => [subscription.id, [subscription, ...subscription.changes]]));
  const wanted = new Map([...stages.values()].flat().map((stage) => [keyOf(stage), { planId: stage.planId, version: stage.planVersion }]));
  const plans = new Map((await readPlanVersions(manager, [...wanted.values()])).map((plan) => [keyOf({ planId: plan.planId, planVersion: plan.version }), plan]));
  const addOns = await readSubscribedAddOns(manager, subscriptions);
  const planOf = (stage: Pick<PlanChange, 'planId' | 'planVersion' | 'quantities' | 'overrides'>, of: string): SubscribedPlan => {
    const plan = plans.get(keyOf(stage));
    assert(plan !== undefined, 'A subscription is on plan versions that exist.');
    return { ...plan, prices: subscribedPrices(plan.prices, stage), addOns: addOns.get(of) ?? [] };
  };
  return new Map([...stages].map(([id, own]) => [id, own.map((stage) => planOf(stage, id))]));
}

/** All that these subscriptions have at any time, by subscription; those without any are left out. */
export async function readAddOnsOf(manager: EntityManager, subscriptionIds: readonly string[]): Promise<Map<string, readonly SubscribedAddOn[]>> {
  if (subscriptionIds.length === 0) return new Map();
  return readSubscribedAddOns(manager, await readSubscriptions(manager, { ids: [...new Set(subscriptionIds)] }));
}

/** The add-ons of those subscriptions that have any. */
async function readSubscribedAddOns(manager: EntityManager, subscriptions: readonly SubscriptionRecord[]): Promise<Map<string, readonly SubscribedAddOn[]>> {
  const keyOf = (of: { addOnId: string; version: number }) => `${of.addOnId}/${of.version}`;
  const having = subscriptions.filter(({ addOns }) => addOns.length > 0);
  const wanted = new Map(having.flatMap(({ addOns }) => addOns).map((addOn) => [keyOf(addOn), addOn]));
  const versions = new Map((await readAddOnVersions(manager, [...wanted.values()])).map((version) => [keyOf(version), version]));
  return new Map(having.map(({ id, addOns }) => [id, addOns.map((addOn): SubscribedAddOn => {
    const of = versions.get(keyOf(addOn));
    assert(of !== undefined, 'A subscription has versions of add-ons that exist.');
    return { id: addOn.id, steps: addOn.steps, end: addOn.end, replaces: addOn.replaces, of, prices: of.prices.map((price) => ({ ...price, name: `${of.name}: ${price.name}` })) };
  })]));
}
