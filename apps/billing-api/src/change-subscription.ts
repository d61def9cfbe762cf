import type { EntityManager } from 'typeorm';
import { invoicingQueue, sweepJob } from '#contracts';
import { takesQuantity, type SubscribedTerms } from '#domain';
import { findByIdOrKey, planTable, readPlanVersion, subscriptionTable, unusable, updateRow, type Plan, type PlanVersionOfPlan, type SubscriptionRecord } from '#persistence';
import { accepted, assert, refused, type InputFault, type JobQueue, type Outcome } from '#platform';
import { holdSubscription, type ActedSubscription, type HoldRefusal } from './hold-subscription.js';
import { readMetersOf, subscribedPriceFaults, unknownVersion } from './subscribed-price-faults.js';
import { changeFees, currentPeriodOf, withStages, type SubscriptionView } from './subscription-schedule.js';
import type { Surroundings } from './surroundings.js';
import { presentTerms, withChange } from './with-change.js';

export type ChangeRefusal = HoldRefusal | 'too_many_changes' | 'invalid_request';

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
    const outcome = await this.run(organizationId, at, async (manager, { id, changes, revision }) => updateRow(manager, subscriptionTable, { id, set: { changes, revision } }));
    if (outcome.ok) await this.jobs.add(invoicingQueue, [sweepJob]);
    return outcome;
  }

  /** What `execute` would lead to; nothing is kept. */
  async preview(organizationId: string, at: { id: string; input: ChangeInput }): Promise<Outcome<ActedSubscription, ChangeRefusal>> {
    return this.run(organizationId, at, async () => undefined);
  }

  private async run(
    organizationId: string,
    at: { id: string; input: ChangeInput },
    keep: (manager: EntityManager, subscription: SubscriptionRecord) => Promise<void>,
  ): Promise<Outcome<ActedSubscription, ChangeRefusal>> {
    const now = await this.surroundings.businessClock.now(organizationId);
    return this.surroundings.database.inOrganization(organizationId, async (manager) => {
      const held = await holdSubscription(manager, { organizationId, id: at.id, now });
      if (!held.ok) return held;
      const { view: before, organization } = held.value;
      const existing = before.subscription;
      const next = await nextTerms(manager, { view: before, input: at.input });
      if (!next.ok) return next;
      const { when, isProrated } = at.input;
      const subscription = withChange(before, { ...next.value, isProrated, when: when === 'now' ? 'now' : now });
      if (subscription.changes.length > changesMax) return refused('too_many_changes', `A subscription changes at most ${changesMax} times; cancel it and make another.`);
      if (subscription !== existing) await keep(manager, subscription);
      const [view] = await withStages(manager, [{ ...before, subscription }]);
      assert(view !== undefined, 'A subscription has its plan versions.');
      const change = subscription.changes.at(-1);
      const isNew = change !== undefined && !existing.changes.includes(change);
      const fees = isNew ? changeFees(view, { change: change.at, organization }) : null;
      return accepted({ view, period: currentPeriodOf(before), fees });
    });
  }
}

interface NextTerms {
  readonly plan: PlanVersionOfPlan;
  readonly terms: SubscribedTerms;
}

/** The plan version and the terms beside it that are to hold. All that is wrong with them is named. */
async function nextTerms(manager: EntityManager, from: { view: SubscriptionView; input: ChangeInput }): Promise<Outcome<NextTerms, 'invalid_request'>> {
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
  const meters = await readMetersOf(manager, version);
  faults.push(...subscribedPriceFaults({ terms, version, meters, currency: view.subscription.currency, payer: 'the subscription' }));
  return faults.length > 0 ? refused('invalid_request', 'The subscription can not be changed so.', faults) : accepted({ plan: version, terms });
}
