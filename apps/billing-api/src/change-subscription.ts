import type { EntityManager } from 'typeorm';
import { invoicingQueue, sweepJob } from '#contracts';
import { takesQuantity, type SubscribedTerms } from '#domain';
import { findByIdOrKey, planTable, readPlanVersion, subscriptionTable, unusable, updateRow, type Plan, type SubscriptionRecord } from '#persistence';
import { accepted, assert, refused, type InputFault, type JobQueue, type Outcome } from '#platform';
import { fittedAddOns } from './fit-add-ons.js';
import { holdSubscription, type ActedSubscription, type HoldRefusal } from './hold-subscription.js';
import { readMetersOf, subscribedPriceFaults, unknownVersion } from './subscribed-price-faults.js';
import { resolvePhases, withPhases, type Phase, type PhaseInput, type PhaseTerms } from './phases.js';
import { boundaryPreview, changeBoundary, currentPeriodOf, periodEndOf, withStages, type SubscriptionView } from './subscription-schedule.js';
import type { Surroundings } from './surroundings.js';
import { hasPhasesAhead, presentTerms, withChange } from './with-change.js';

export type ChangeRefusal = HoldRefusal | 'too_many_changes' | 'has_phases' | 'invalid_request';

export interface ChangeInput {
  /** Null keeps the plan. */
  readonly plan: string | null;
  /** Null takes the plan's latest, or keeps the present one where the plan is kept. */
  readonly version: number | null;
  /** Null keeps what the next plan has a fee for. */
  readonly quantities: SubscribedTerms['quantities'] | null;
  /** Null keeps those of the same plan, and none on another. */
  readonly overrides: SubscribedTerms['overrides'] | null;
  /** Null takes it away; undefined keeps what there is. */
  readonly minimumCommitment: SubscribedTerms['minimumCommitment'] | undefined;
  /** Through which it goes before the terms hold; empty for none. Null where the caller says nothing of them. */
  readonly phases: readonly PhaseInput[] | null;
  readonly when: 'now' | 'period_end';
  readonly isProrated: boolean;
}

/** More would make a schedule slow to read; nobody changes a subscription so often. */
const changesMax = 200;

/** Changes what a subscription is priced by, now or at the end of its period. What was set to change later is replaced. */
export class ChangeSubscription {
  constructor(
    private readonly surroundings: Surroundings,
    private readonly jobs: JobQueue,
  ) {}

  async execute(organizationId: string, at: { id: string; input: ChangeInput }): Promise<Outcome<ActedSubscription, ChangeRefusal>> {
    const outcome = await this.run(organizationId, at, async (manager, { id, changes, addOns, revision }) => updateRow(manager, subscriptionTable, { id, set: { changes, addOns, revision } }));
    if (outcome.ok) await this.jobs.add(invoicingQueue, [sweepJob]);
    return outcome;
  }

  /** What `execute` would lead to; nothing is kept. */
  async preview(organizationId: string, at: { id: string; input: ChangeInput }): Promise<Outcome<ActedSubscription, ChangeRefusal>> {
    return this.run(organizationId, at, null);
  }

  private async run(
    organizationId: string,
    at: { id: string; input: ChangeInput },
    keep: ((manager: EntityManager, subscription: SubscriptionRecord) => Promise<void>) | null,
  ): Promise<Outcome<ActedSubscription, ChangeRefusal>> {
    const now = await this.surroundings.businessClock.now(organizationId);
    return this.surroundings.database.inOrganization(organizationId, async (manager) => {
      const held = await holdSubscription(manager, { organizationId, id: at.id, now });
      if (!held.ok) return held;
      const { view: before, organization } = held.value;
      const existing = before.subscription;
      if (at.input.phases === null && hasPhasesAhead(before)) {
        return { ...refused('has_phases', 'Phases lie ahead, and a change ends them: give those that are to follow it, or an empty list.'), extensions: { allowed: ['change with phases', 'cancel'] } };
      }
      const next = await nextTerms(manager, { view: before, input: at.input });
      if (!next.ok) return next;
      const phases = await resolvePhases(manager, at.input.phases ?? [], { after: next.value, currency: existing.currency, payer: 'the subscription' });
      if (!phases.ok) return phases;
      const subscription = changed(before, { input: at.input, after: next.value, phases: phases.value });
      if (subscription.changes.length > changesMax) return refused('too_many_changes', `A subscription changes at most ${changesMax} times; cancel it and make another.`);
      const view = await withFittedAddOns(manager, { ...before, subscription });
      if (subscription !== existing) await keep?.(manager, view.subscription);
      const change = subscription.changes.find((one) => !existing.changes.includes(one));
      const fees = keep === null && change !== undefined ? await boundaryPreview(manager, changeBoundary(view, change.at), { view, organization }) : null;
      return accepted({ view, period: currentPeriodOf(before), fees });
    });
  }
}

/** The subscription with its plans, and with those of its add-ons that fit them. */
async function withFittedAddOns(manager: EntityManager, before: SubscriptionView): Promise<SubscriptionView> {
  const [view] = await withStages(manager, [before]);
  assert(view !== undefined, 'A subscription has its plan versions.');
  if (before.subscription.addOns.length === 0) return view;
  const [fitted] = await withStages(manager, [{ ...view, subscription: { ...view.subscription, addOns: fittedAddOns(view) } }]);
  assert(fitted !== undefined, 'A subscription has its plan versions.');
  return fitted;
}

/** The subscription with the change, which may be the first of some phases. */
function changed(before: SubscriptionView, to: { input: ChangeInput; after: PhaseTerms; phases: readonly Phase[] }): SubscriptionRecord {
  const { input, after, phases } = to;
  const { subscription: existing, plan, now } = before;
  const first = phases[0] ?? after;
  const subscription = withChange(before, { plan: first.plan, terms: first.terms, isProrated: input.isProrated, when: input.when === 'now' ? 'now' : now });
  if (phases.length === 0) return subscription;
  const from = input.when === 'now' ? now : periodEndOf(existing, plan, now);
  const phased = withPhases(subscription, { phases, after, from, firstInterval: plan.billingPeriod });
  return { ...phased, revision: existing.revision + 1n };
}

/** The plan version and the terms beside it that are to hold. All that is wrong with them is named. */
async function nextTerms(manager: EntityManager, from: { view: SubscriptionView; input: ChangeInput }): Promise<Outcome<PhaseTerms, 'invalid_request'>> {
  const { view, input } = from;
  const present = presentTerms(view);
  const plan = await findByIdOrKey<Plan>(manager, planTable, input.plan ?? present.planId);
  const isSamePlan = plan?.id === present.planId;
  const number = input.version ?? (input.plan === null ? present.planVersion : plan?.latestVersion);
  const version = plan === null || number === undefined ? null : await readPlanVersion(manager, { planId: plan.id, version: number });
  const faults: InputFault[] = [];
  if (plan === null || (plan.archivedAt !== null && !isSamePlan)) faults.push(unusable({ pointer: '/plan', noun: 'plan', found: plan }));
  else if (version === null) faults.push(unknownVersion(plan));
  if (version === null) return refused('invalid_request', 'The subscription can not be changed so.', faults);
  const hasFee = (key: string): boolean => version.prices.some((price) => price.key === key && takesQuantity(price));
  const terms: SubscribedTerms = {
    quantities: input.quantities ?? Object.fromEntries(Object.entries(present.quantities).filter(([key]) => hasFee(key))),
    overrides: input.overrides ?? (isSamePlan ? present.overrides.filter((override) => version.prices.some(({ key }) => key === override.price)) : []),
    minimumCommitment: input.minimumCommitment === undefined ? present.minimumCommitment : input.minimumCommitment,
  };
  const meters = await readMetersOf(manager, version, terms.overrides);
  faults.push(...subscribedPriceFaults({ terms, version, meters, currency: view.subscription.currency, payer: 'the subscription' }));
  return faults.length > 0 ? refused('invalid_request', 'The subscription can not be changed so.', faults) : accepted({ plan: version, terms });
}
