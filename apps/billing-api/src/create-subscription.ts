import type { EntityManager } from 'typeorm';
import { invoicingQueue, sweepJob, type SubscriptionCreate } from '#contracts';
import { billingSchedule, daysUntilDueDefault, periodsThrough, type Period, type SubscribedTerms } from '#domain';
import { customerTable, findByIdOrKey, findOrganization, insertRow, planTable, readPlanVersion, scheduleOf, subscriptionTable, unusable, type Customer, type Plan, type PlanVersionOfPlan, type SubscriptionRecord } from '#persistence';
import { accepted, assert, refused, type InputFault, type JobQueue, type Outcome } from '#platform';
import { readMetersOf, subscribedPriceFaults, unknownVersion } from './subscribed-price-faults.js';
import { resolvePhases, withPhases, type Phase, type PhaseInput } from './phases.js';
import { boundaryPreview, firstBoundary, withStages, type FeePreview, type SubscriptionView } from './subscription-schedule.js';
import type { Surroundings } from './surroundings.js';

export interface CreatedSubscription {
  readonly view: SubscriptionView;
  /** Every period that has started, or the first one where none has. */
  readonly periods: readonly Period[];
  readonly fees: FeePreview | null;
}

export type SubscribeInput = Omit<SubscriptionCreate, 'start_at' | 'billing_anchor' | 'quantities' | 'overrides' | 'minimum_commitment' | 'phases'> & {
  /** Those that hold after the last phase, or from the start where there are none. */
  readonly terms: SubscribedTerms;
  readonly phases: readonly PhaseInput[];
  readonly startAt: Temporal.Instant | null;
  readonly billingAnchor: Temporal.Instant | null;
};

/** Puts a customer on a plan version. A start in the past bills every elapsed period at once. */
export class CreateSubscription {
  constructor(
    private readonly surroundings: Surroundings,
    private readonly jobs: JobQueue,
  ) {}

  async execute(organizationId: string, input: SubscribeInput): Promise<Outcome<CreatedSubscription, 'invalid_request'>> {
    const outcome = await this.run(organizationId, input, async (manager, subscription) => insertRow(manager, subscriptionTable, subscription));
    if (outcome.ok) await this.jobs.add(invoicingQueue, [sweepJob]);
    return outcome;
  }

  /** What `execute` would make; nothing is kept. */
  async preview(organizationId: string, input: SubscribeInput): Promise<Outcome<CreatedSubscription, 'invalid_request'>> {
    return this.run(organizationId, input, null);
  }

  private async run(
    organizationId: string,
    input: SubscribeInput,
    keep: ((manager: EntityManager, subscription: SubscriptionRecord) => Promise<void>) | null,
  ): Promise<Outcome<CreatedSubscription, 'invalid_request'>> {
    const now = await this.surroundings.businessClock.now(organizationId);
    return this.surroundings.database.inOrganization(organizationId, async (manager) => {
      const found = await findParties(manager, input);
      if (!found.ok) return found;
      const { customer, plan } = found.value;
      const currency = customer.currency ?? plan.currency;
      const phases = await resolvePhases(manager, input.phases, { after: { plan, terms: input.terms }, currency, payer: 'the customer' });
      if (!phases.ok) return phases;
      const subscription = this.made(input, { customer, plan, phases: phases.value, now });
      const periods = periodsOf(subscription, { plan: phases.value[0]?.plan ?? plan, now });
      if (!periods.ok) return periods;
      await keep?.(manager, subscription);
      const organization = await findOrganization(manager, organizationId);
      assert(organization !== null, 'The organization of a credential exists.');
      const [view] = await withStages(manager, [{ subscription, customerKey: customer.key, now }]);
      assert(view !== undefined, 'A subscription has its plan versions.');
      return accepted({ view, periods: periods.value, fees: keep === null ? await boundaryPreview(manager, firstBoundary(view), { view, organization }) : null });
    });
  }

  private made(input: SubscribeInput, parts: { customer: Customer; plan: PlanVersionOfPlan; phases: readonly Phase[]; now: Temporal.Instant }): SubscriptionRecord {
    const { customer, plan, phases, now } = parts;
    const after = { plan, terms: input.terms };
    const first = phases[0] ?? after;
    const startAt = input.startAt ?? now;
    const trialDays = input.trial_days ?? plan.trialDays;
    const schedule = billingSchedule({ startAt, billingAnchor: input.billingAnchor, trialDays, interval: first.plan.billingPeriod, timeZone: customer.timeZone });
    const collection = input.collection ?? 'automatic';
    const begun: SubscriptionRecord = {
      id: this.surroundings.ids.make('sub'),
      organizationId: plan.organizationId,
      customerId: customer.id,
      planId: first.plan.planId,
      planVersion: first.plan.version,
      ...first.terms,
      changes: [],
      addOns: [],
      startAt,
      billingAnchor: schedule.recurrence.anchor,
      trialDays,
      trialEndAt: schedule.trial?.end ?? null,
      currency: customer.currency ?? plan.currency,
      timeZone: customer.timeZone,
      collection,
      daysUntilDue: collection === 'send_invoice' ? (input.days_until_due ?? daysUntilDueDefault) : null,
      cancelAt: null,
      cancelProrate: false,
      canceledAt: null,
      revision: 1n,
      createdAt: this.surroundings.clock.now(),
      metadata: input.metadata ?? {},
    };
    return withPhases(begun, { phases, after, from: schedule.firstStart, firstInterval: first.plan.billingPeriod });
  }
}

/** The customer, held so that nobody archives it meanwhile, and the plan version. All that is wrong with either is named. */
async function findParties(manager: EntityManager, input: SubscribeInput): Promise<Outcome<{ customer: Customer; plan: PlanVersionOfPlan }, 'invalid_request'>> {
  const candidate = await findByIdOrKey<Customer>(manager, customerTable, input.customer);
  if (candidate !== null) await manager.query('select 1 from customers where id = $1 for update', [candidate.id]);
  const customer = candidate === null ? null : await findByIdOrKey<Customer>(manager, customerTable, candidate.id);
  const plan = await findByIdOrKey<Plan>(manager, planTable, input.plan);
  const version = plan === null ? null : await readPlanVersion(manager, { planId: plan.id, version: input.version ?? plan.latestVersion });
  const faults: InputFault[] = [];
  if (customer === null || customer.archivedAt !== null) faults.push(unusable({ pointer: '/customer', noun: 'customer', found: customer }));
  if (plan === null || plan.archivedAt !== null) faults.push(unusable({ pointer: '/plan', noun: 'plan', found: plan }));
  else if (version === null) faults.push(unknownVersion(plan));
  if (version !== null) {
    const meters = await readMetersOf(manager, version, input.terms.overrides);
    faults.push(...subscribedPriceFaults({ terms: input.terms, version, meters, currency: customer?.currency ?? version.currency, payer: 'the customer' }));
  }
  if (faults.length > 0 || customer === null || version === null) return refused('invalid_request', 'This customer can not have this plan.', faults);
  return accepted({ customer, plan: version });
}

function periodsOf(subscription: SubscriptionRecord, at: { plan: PlanVersionOfPlan; now: Temporal.Instant }): Outcome<readonly Period[], 'invalid_request'> {
  const schedule = scheduleOf({ subscription, plan: at.plan });
  const latest = Temporal.Instant.compare(schedule.firstStart, at.now) > 0 ? schedule.firstStart : at.now;
  const outcome = periodsThrough(schedule, latest);
  if (outcome.ok) return accepted(outcome.periods.map(({ period }) => period));
  return refused('invalid_request', outcome.detail, [{ pointer: '/start_at', code: outcome.code, detail: outcome.detail }]);
}
