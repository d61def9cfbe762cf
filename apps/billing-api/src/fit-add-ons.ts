import { addOnFitFaults, addOnStart, type AddOnEnd } from '#domain';
import type { AddOnVersionOfAddOn, PlanChange, SubscribedAddOn, SubscribedPlan, SubscriptionAddOn, SubscriptionRecord } from '#persistence';
import { assert } from '#platform';
import { stageAt, type SubscriptionView } from './subscription-schedule.js';

/** Whether a subscription has it at an instant or later. */
export function lastsBeyond({ end }: { readonly end: AddOnEnd | null }, instant: Temporal.Instant): boolean {
  return end === null || Temporal.Instant.compare(end.at, instant) > 0;
}

/** Why an add-on does not fit a plan, as the subscription pays for both. */
export function fitFaults(addOn: AddOnVersionOfAddOn, on: { plan: SubscribedPlan; currency: string }): ReturnType<typeof addOnFitFaults> {
  const { planKey, billingPeriod, prices } = on.plan;
  return addOnFitFaults(addOn, { planKey, billingPeriod, prices, currency: on.currency });
}

/**
 * The add-ons of a subscription whose plan changes: those that do not fit a plan which it goes to end where it does, and with them those that
 * require them. An end that an earlier change would have brought is taken back.
 */
export function fittedAddOns(view: Pick<SubscriptionView, 'subscription' | 'stages' | 'plan' | 'now'>): readonly SubscriptionAddOn[] {
  const { subscription, plan } = view;
  const versions = new Map(plan.addOns.map(({ id, of }) => [id, of]));
  const versionOf = (addOn: SubscriptionAddOn): AddOnVersionOfAddOn => {
    const version = versions.get(addOn.id);
    assert(version !== undefined, 'A subscription has versions of add-ons that exist.');
    return version;
  };
  const lifted = liftedAddOns(view);
  const fit = (addOn: SubscriptionAddOn) => fittedAddOn(addOn, { ...view, version: versionOf(addOn) });
  // Where a version that was to take the place of another does not fit, that one goes on.
  const misfits = new Set(lifted.flatMap((addOn) => (addOn.replaces !== undefined && fit(addOn) === null ? [addOn.replaces] : [])));
  const fitted = lifted.flatMap((addOn) => fit(misfits.has(addOn.id) ? { ...addOn, end: null } : addOn) ?? []);
  return subscription.addOns.length === 0 ? [] : withoutUnmet(fitted, versionOf);
}

/** Without the ends that changes would have brought which are set no more. */
export function liftedAddOns({ subscription, now }: Pick<SubscriptionView, 'subscription' | 'now'>): SubscriptionAddOn[] {
  return subscription.addOns.map((addOn) => (addOn.end?.isByChange === true && Temporal.Instant.compare(addOn.end.at, now) > 0 ? { ...addOn, end: null } : addOn));
}

/** Null where nothing of it is left. */
function fittedAddOn(addOn: SubscriptionAddOn, on: Pick<SubscriptionView, 'subscription' | 'stages' | 'now'> & { version: AddOnVersionOfAddOn }): SubscriptionAddOn | null {
  const { subscription, stages, now, version } = on;
  const start = addOnStart(addOn);
  const isMisfit = (stage: number): boolean => {
    const plan = stages[stage];
    assert(plan !== undefined, 'Each stage of a subscription has its plan.');
    return fitFaults(version, { plan, currency: subscription.currency }).length > 0;
  };
  // What was set for the boundary at this very instant was billed there.
  const isUnbilled = Temporal.Instant.compare(start, now) >= (addOn.steps[0]?.isImmediate === true ? 0 : 1);
  if (isUnbilled && isMisfit(stageAt(subscription, start))) return null;
  for (const [index, change] of subscription.changes.entries()) {
    if (Temporal.Instant.compare(change.at, now) < 0 || Temporal.Instant.compare(change.at, start) < (isUnbilled || !change.isImmediate ? 1 : 0)) continue;
    if (lastsBeyond(addOn, change.at) && isMisfit(index + 1)) return endedBy(addOn, endByChange(change, index + 1));
  }
  return addOn;
}

/** A change made at its own instant comes after what was billed there, and its own boundary settles the end. */
function endByChange({ at, isImmediate, isProrated }: PlanChange, stage: number): NonNullable<SubscriptionAddOn['end']> {
  return { at, isImmediate, isProrated, isByChange: true, ...(isImmediate ? { stage } : {}) };
}

/**
 * With this end; what was set for then or later is dropped. What was set for the boundary at whose very instant it is ended now was billed there, and stays.
 * Null where nothing of it is left.
 */
export function endedBy(addOn: SubscriptionAddOn, end: NonNullable<SubscriptionAddOn['end']>): SubscriptionAddOn | null {
  const steps = addOn.steps.filter(({ at, isImmediate }) => Temporal.Instant.compare(at, end.at) < (end.isImmediate && !isImmediate ? 1 : 0));
  return steps.length === 0 ? null : { ...addOn, steps, end };
}

/** Whoever requires an add-on that ends, ends with it. */
function withoutUnmet(addOns: readonly SubscriptionAddOn[], versionOf: (addOn: SubscriptionAddOn) => AddOnVersionOfAddOn): readonly SubscriptionAddOn[] {
  let kept = addOns;
  for (let round = 0; round <= addOns.length; round += 1) {
    const next = kept.flatMap((addOn): SubscriptionAddOn[] => {
      const unmet = versionOf(addOn).requires.flatMap((key) => {
        const last = kept.findLast((other) => versionOf(other).addOnKey === key);
        return last?.end?.isByChange === true ? [last.end] : [];
      });
      const first = unmet.toSorted((a, b) => Temporal.Instant.compare(a.at, b.at))[0];
      if (first === undefined || !lastsBeyond(addOn, first.at)) return [addOn];
      return [endedBy(addOn, first) ?? []].flat();
    });
    if (next.length === kept.length && next.every((addOn, index) => addOn === kept[index])) return next;
    kept = next;
  }
  return kept;
}

/** Those that a subscription has now or will have, with the versions that they are on. */
export function presentAddOns({ subscription, plan, now }: Pick<SubscriptionView, 'subscription' | 'plan' | 'now'>): { readonly addOn: SubscriptionAddOn; readonly version: SubscribedAddOn['of'] }[] {
  return subscription.addOns.filter((addOn) => lastsBeyond(addOn, now)).map((addOn) => {
    const found = plan.addOns.find(({ id }) => id === addOn.id);
    assert(found !== undefined, 'A subscription has versions of add-ons that exist.');
    return { addOn, version: found.of };
  });
}

export function withAddOns(subscription: SubscriptionRecord, addOns: readonly SubscriptionAddOn[]): SubscriptionRecord {
  return { ...subscription, addOns, revision: subscription.revision + 1n };
}
