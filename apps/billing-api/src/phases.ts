import type { EntityManager } from 'typeorm';
import { billingPeriodAt, billingPeriodContaining, takesQuantity, type BillingSchedule, type SubscribedTerms } from '#domain';
import { findByIdOrKey, planTable, readPlanVersion, scheduleOf, unusable, type MeterResource, type Plan, type PlanVersionOfPlan, type SubscriptionRecord } from '#persistence';
import { accepted, assert, refused, type InputFault, type Outcome } from '#platform';
import { sortedText } from './plan-terms.js';
import { readMetersOf, subscribedPriceFaults, unknownVersion } from './subscribed-price-faults.js';
import { planChangeOf } from './with-change.js';

/** A phase as it was asked for. What it leaves out is as in the terms that hold after the last phase. */
export interface PhaseInput {
  readonly periods: number;
  readonly plan: string | null;
  readonly version: number | null;
  readonly quantities: SubscribedTerms['quantities'] | null;
  readonly overrides: SubscribedTerms['overrides'] | null;
  /** Null is none; undefined is left out. */
  readonly minimumCommitment: SubscribedTerms['minimumCommitment'] | undefined;
}

export interface PhaseTerms {
  readonly plan: PlanVersionOfPlan;
  readonly terms: SubscribedTerms;
}

/** Terms that hold for some billing periods. A stub, and the rest of a period that a change begins midway, is one. */
export interface Phase extends PhaseTerms {
  readonly periods: number;
}

interface Resolving {
  readonly after: PhaseTerms;
  readonly currency: string;
  /** Who pays in it: "the customer". */
  readonly payer: string;
}

/** The phases with the plan versions that they name. All that is wrong with any of them is named. */
export async function resolvePhases(manager: EntityManager, inputs: readonly PhaseInput[], of: Resolving): Promise<Outcome<readonly Phase[], 'invalid_request'>> {
  const phases: Phase[] = [];
  const faults: InputFault[] = [];
  const metersOf = new Map<PlanVersionOfPlan, readonly MeterResource[]>();
  const overrides = [...of.after.terms.overrides, ...inputs.flatMap((input) => input.overrides ?? [])];
  for (const [index, input] of inputs.entries()) {
    const found = input.plan === null && input.version === null ? accepted(of.after.plan) : await phasePlan(manager, { input, after: of.after });
    const within = (fault: InputFault): InputFault => ({ ...fault, pointer: `/phases/${index}${fault.pointer}` });
    if (!found.ok) {
      faults.push(...(found.errors ?? []).map(within));
      continue;
    }
    const plan = found.value;
    const meters = metersOf.get(plan) ?? (await readMetersOf(manager, plan, overrides));
    metersOf.set(plan, meters);
    const terms = phaseTerms(input, { plan, after: of.after });
    faults.push(...subscribedPriceFaults({ terms, version: plan, meters, currency: of.currency, payer: of.payer }).map(within));
    phases.push({ periods: input.periods, plan, terms });
  }
  return faults.length === 0 ? accepted(phases) : refused('invalid_request', 'The phases can not be as they are.', faults);
}

async function phasePlan(manager: EntityManager, of: { input: PhaseInput; after: PhaseTerms }): Promise<Outcome<PlanVersionOfPlan, 'invalid_request'>> {
  const { input, after } = of;
  const plan = await findByIdOrKey<Plan>(manager, planTable, input.plan ?? after.plan.planId);
  if (plan === null || plan.archivedAt !== null) return refused('invalid_request', 'The plan can not be used.', [unusable({ pointer: '/plan', noun: 'plan', found: plan })]);
  const version = await readPlanVersion(manager, { planId: plan.id, version: input.version ?? plan.latestVersion });
  return version === null ? refused('invalid_request', 'The plan has no such version.', [unknownVersion(plan)]) : accepted(version);
}

function phaseTerms(input: PhaseInput, on: { plan: PlanVersionOfPlan; after: PhaseTerms }): SubscribedTerms {
  const { plan, after } = on;
  const hasFee = (key: string): boolean => plan.prices.some((price) => price.key === key && takesQuantity(price));
  const isSamePlan = plan.planId === after.plan.planId;
  return {
    quantities: input.quantities ?? (isSamePlan ? after.terms.quantities : Object.fromEntries(Object.entries(after.terms.quantities).filter(([key]) => hasFee(key)))),
    overrides: input.overrides ?? (isSamePlan ? after.terms.overrides : []),
    minimumCommitment: input.minimumCommitment === undefined ? after.terms.minimumCommitment : input.minimumCommitment,
  };
}

/** What a subscription is to go through: its phases, and what holds after them. */
export interface PhasedTerms {
  readonly phases: readonly Phase[];
  readonly after: PhaseTerms;
  /** Where the first phase begins; its terms hold there already. */
  readonly from: Temporal.Instant;
  /** The billing period of the plan that the subscription began with. */
  readonly firstInterval: string;
}

/** Lets each phase begin at the boundary where the one before it ends: a change that is set for later. */
export function withPhases(subscription: SubscriptionRecord, phased: PhasedTerms): SubscriptionRecord {
  const { phases, after, firstInterval } = phased;
  let made = subscription;
  let number = billingPeriodContaining({ ...scheduleIn(made, firstInterval), endAt: null }, phased.from)?.number ?? 1;
  for (const [index, { periods, ...terms }] of phases.entries()) {
    number += periods;
    const next = phases[index + 1] ?? after;
    if (areSame(terms, next)) continue;
    const at = startOf({ ...scheduleIn(made, firstInterval), endAt: null }, number);
    const change = planChangeOf(made, { firstInterval, plan: next.plan, terms: next.terms, at, isProrated: true, isImmediate: false, isPhase: true });
    made = { ...made, changes: [...made.changes, change] };
  }
  return made;
}

function scheduleIn(subscription: SubscriptionRecord, firstInterval: string): BillingSchedule {
  return scheduleOf({ subscription, plan: { billingPeriod: firstInterval } });
}

function areSame(a: PhaseTerms, b: PhaseTerms): boolean {
  return a.plan.planId === b.plan.planId && a.plan.version === b.plan.version && sortedText(a.terms) === sortedText(b.terms);
}

/** A day that the zone skipped has no period. */
const skippedMax = 3;

function startOf(schedule: BillingSchedule, number: number): Temporal.Instant {
  for (let next = number; next <= number + skippedMax; next += 1) {
    const found = billingPeriodAt(schedule, next);
    if (found !== null) return found.period.start;
  }
  assert(false, 'A schedule without an end has a period of each number, but for days that its zone skipped.');
}
