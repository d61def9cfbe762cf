import { later, type SubscribedTerms } from '#domain';
import type { PlanChange, PlanVersion, SubscriptionRecord } from '#persistence';
import { sortedText } from './plan-terms.js';
import { periodEndOf, stageAt, type SubscriptionView } from './subscription-schedule.js';

export interface WantedChange {
  readonly plan: Pick<PlanVersion, 'planId' | 'version' | 'billingPeriod'>;
  readonly terms: SubscribedTerms;
  /** At this instant, or where the first period ends at or after the one that is given. */
  readonly when: 'now' | Temporal.Instant;
  readonly isProrated: boolean;
}

/** What a subscription is priced by at its view's instant. */
export function presentTerms({ subscription, now }: Pick<SubscriptionView, 'subscription' | 'now'>): Pick<PlanChange, 'planId' | 'planVersion' | 'quantities' | 'overrides' | 'minimumCommitment'> {
  return subscription.changes[stageAt(subscription, now) - 1] ?? subscription;
}

/** The subscription with the change in place of any that was set for later; without those, where nothing would be other than it is. */
export function withChange(view: Pick<SubscriptionView, 'subscription' | 'plan' | 'now'>, wanted: WantedChange): SubscriptionRecord {
  const { subscription, now } = view;
  const { plan, terms, when } = wanted;
  const past = subscription.changes.slice(0, stageAt(subscription, now));
  const present = presentTerms(view);
  const isSame = present.planId === plan.planId && present.planVersion === plan.version && sortedText([present.quantities, present.overrides, present.minimumCommitment]) === sortedText([terms.quantities, terms.overrides, terms.minimumCommitment]);
  if (isSame) return past.length === subscription.changes.length ? subscription : { ...subscription, changes: past, revision: subscription.revision + 1n };
  const at = when === 'now' ? now : endAtOrAfter({ ...view, subscription: { ...subscription, changes: past } }, when);
  const change = planChangeOf({ ...subscription, changes: past }, { firstInterval: view.plan.billingPeriod, plan, terms, at, isProrated: wanted.isProrated, isImmediate: when === 'now', isPhase: false });
  return { ...subscription, changes: [...past, change], revision: subscription.revision + 1n };
}

interface ChangeTerms extends Pick<PlanChange, 'at' | 'isProrated' | 'isImmediate' | 'isPhase'> {
  /** The billing period of the plan that the subscription began with. */
  readonly firstInterval: string;
  readonly plan: WantedChange['plan'];
  readonly terms: SubscribedTerms;
}

/** A change that comes after all that the subscription has. */
export function planChangeOf(subscription: SubscriptionRecord, of: ChangeTerms): PlanChange {
  const { firstInterval, plan, terms, at, isProrated, isImmediate, isPhase } = of;
  const last = subscription.changes.at(-1);
  const interval = last?.billingPeriod ?? firstInterval;
  return {
    at,
    planId: plan.planId,
    planVersion: plan.version,
    billingPeriod: plan.billingPeriod,
    // Periods of another length begin where the change does; others go on as they were.
    billingAnchor: plan.billingPeriod === interval ? (last?.billingAnchor ?? subscription.billingAnchor) : later(at, subscription.trialEndAt ?? subscription.startAt),
    isProrated,
    isImmediate,
    isPhase,
    quantities: terms.quantities,
    overrides: terms.overrides,
    minimumCommitment: terms.minimumCommitment,
  };
}

/** Whether something of the subscription begins later that is a phase of it. */
export function hasPhasesAhead({ subscription, now }: Pick<SubscriptionView, 'subscription' | 'now'>): boolean {
  return subscription.changes.slice(stageAt(subscription, now)).some(({ isPhase }) => isPhase);
}

/** A period that ends at the very instant counts; the one that business time is in is the first that can. */
function endAtOrAfter({ subscription, plan, now }: Pick<SubscriptionView, 'subscription' | 'plan' | 'now'>, instant: Temporal.Instant): Temporal.Instant {
  return periodEndOf(subscription, plan, later(now, instant.subtract({ nanoseconds: 1 })));
}
