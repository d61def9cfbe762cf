import type { BacktestRequest } from '#contracts';
import { compareBacktests, countingMeters, metersOf, wholeMicrosecond, type BacktestSummary } from '#domain';
import {
  findOrganization, readCustomers, readCustomersByReference, readMeters, readSubscribedPlans, readSubscriptions, readTestClock, type Customer, type Database, type Organization, type RatedPeriod, type SubscribedPlan, type SubscriptionRecord,
} from '#persistence';
import { accepted, assert, refused, type Clock, type InputFault, type Outcome } from '#platform';
import type { EntityManager } from 'typeorm';
import { backtestBreakEvens, type BacktestBreakEven } from './backtest-break-even.js';
import { findPricedPlan } from './find-priced-plan.js';
import type { PeriodToRate } from './period-to-rate.js';
import type { RatePeriods } from './rate-periods.js';
import { customersOf, periodsPerRunMax, ratedRuns, runsOf, type BacktestCustomer, type Replayed } from './replay-plan.js';

export type BacktestCode = 'invalid_request' | 'result_too_large';

export interface Backtest {
  readonly currency: string;
  readonly from: Temporal.Instant;
  readonly to: Temporal.Instant;
  readonly completeAsOf: Temporal.Instant;
  readonly periods: number;
  readonly customers: readonly BacktestCustomer[];
  readonly skipped: readonly { readonly customerId: string; readonly detail: string }[];
  readonly summary: BacktestSummary;
  readonly breakEven: { readonly comparisons: readonly BacktestBreakEven[]; readonly leftOut: number };
}

/** Periods of one query of usage: each is rated by every price of the plan, day by day. */
const periodsPerBlock = 200;
const customersMax = 1_000;

interface Candidates {
  readonly organization: Organization;
  readonly plan: SubscribedPlan;
  readonly replayed: readonly Replayed[];
  /** Keys of meters of which each event is a unit. */
  readonly countingMeters: ReadonlySet<string>;
  readonly skipped: readonly { readonly customerId: string; readonly detail: string }[];
}

/**
 * Replays real usage of a range under a plan, as if each customer had begun on it at the range's start, and under the
 * customer's present plan in the same way. Fees count for the time that the range covers; what is owed once is left out.
 */
export class BacktestPlan {
  constructor(private readonly use: { readonly database: Database; readonly ratePeriods: RatePeriods; readonly clock: Clock }) {}

  async execute(organizationId: string, request: BacktestRequest): Promise<Outcome<Backtest, BacktestCode>> {
    const range = { from: wholeMicrosecond(Temporal.Instant.from(request.from)), to: wholeMicrosecond(Temporal.Instant.from(request.to)) };
    const loaded = await this.use.database.inOrganization(organizationId, async (manager) => {
      const now = (await readTestClock(manager, organizationId)).now ?? this.use.clock.now();
      return load(manager, { organizationId, request, faults: rangeFaults(range, now), range });
    });
    if (!loaded.ok) return loaded;
    const { plan, replayed, organization } = loaded.value;
    const runs = replayed.flatMap((one) => runsOf(one, { plan, range }));
    const periods = runs.flatMap((run) => run.periods);
    if (periods.length > periodsPerRunMax) {
      return refused('result_too_large', `This would rate ${periods.length} periods, and at most ${periodsPerRunMax} are rated at once. Name fewer customers, or take a shorter range.`);
    }
    const rated = await this.rate(organization, { periods, now: range.to });
    const completeAsOf = rated.map((period) => period.completeAsOf).reduce((first, second) => (Temporal.Instant.compare(first, second) <= 0 ? first : second), this.use.clock.now());
    const ratings = ratedRuns(runs, rated);
    const customers = customersOf(replayed, ratings);
    const breakEven = await backtestBreakEvens({ tried: plan, runs: ratings, rounding: organization.rounding, countingMeters: loaded.value.countingMeters });
    const counted = runs.filter(({ isCurrent }) => !isCurrent).reduce((sum, run) => sum + run.periods.length, 0);
    return accepted({ currency: plan.currency, ...range, completeAsOf, periods: counted, customers, skipped: loaded.value.skipped, summary: compareBacktests(customers), breakEven });
  }

  /** In the order of the periods. */
  private async rate(organization: Organization, of: { periods: readonly PeriodToRate[]; now: Temporal.Instant }): Promise<RatedPeriod[]> {
    const rated: RatedPeriod[] = [];
    for (let at = 0; at < of.periods.length; at += periodsPerBlock) {
      const periods = of.periods.slice(at, at + periodsPerBlock);
      rated.push(...(await this.use.ratePeriods.execute({ organization, periods, now: of.now, isFinal: false, generations: new Map() })));
    }
    return rated;
  }
}

function rangeFaults(range: { from: Temporal.Instant; to: Temporal.Instant }, now: Temporal.Instant): InputFault[] {
  if (Temporal.Instant.compare(range.from, range.to) >= 0) return [{ pointer: '/to', code: 'invalid_range', detail: '"to" must be after "from".' }];
  if (Temporal.Instant.compare(range.to, now) > 0) return [{ pointer: '/to', code: 'in_future', detail: `Only usage until now can be replayed; it is ${now.toString()}.` }];
  return [];
}

async function load(
  manager: EntityManager,
  wanted: { organizationId: string; request: BacktestRequest; faults: readonly InputFault[]; range: { from: Temporal.Instant; to: Temporal.Instant } },
): Promise<Outcome<Candidates, BacktestCode>> {
  const { organizationId, request, range } = wanted;
  const organization = await findOrganization(manager, organizationId);
  assert(organization !== null, 'A credential belongs to an organization.');
  const plan = await findPricedPlan(manager, { organizationId, plan: request.plan, version: request.version, pointer: '' });
  const customers = await customersWanted(manager, { request, range });
  const faults = [...wanted.faults, ...(plan.ok ? [] : (plan.errors ?? [])), ...(customers.ok ? [] : (customers.errors ?? []))];
  if (faults.length > 0 || !plan.ok || !customers.ok) return refused('invalid_request', 'This can not be backtested as it stands.', faults);
  if (customers.value.length > customersMax) return refused('result_too_large', `At most ${customersMax} customers are backtested at once; name those that matter.`);
  const subscriptions = await readSubscriptions(manager, { customerIds: customers.value.map(({ id }) => id), ...range });
  const plans = await readSubscribedPlans(manager, subscriptions);
  const ofCustomer = Map.groupBy(subscriptions, ({ customerId }) => customerId);
  const paysInIt = ({ currency }: Customer): boolean => currency === null || currency === plan.value.currency;
  const replayed = customers.value.filter(paysInIt).map((customer): Replayed => {
    const own = (ofCustomer.get(customer.id) ?? []).filter(({ currency }) => currency === plan.value.currency);
    return { customer, currentPlans: own.map((subscription) => planAt(subscription, plans.get(subscription.id) ?? [], range.to)) };
  });
  const skipped = customers.value.filter((customer) => !paysInIt(customer)).map((customer) => ({ customerId: customer.id, detail: `The customer pays in ${customer.currency} and the plan is priced in ${plan.value.currency}.` }));
  const meters = await readMeters(manager, { references: [plan.value, ...replayed.flatMap(({ currentPlans }) => currentPlans)].flatMap(({ prices }) => prices.flatMap(metersOf)) });
  return accepted({ organization, plan: plan.value, replayed, skipped, countingMeters: countingMeters(meters) });
}

/** What a subscription was on last before the range's end. */
function planAt(subscription: SubscriptionRecord, stages: readonly SubscribedPlan[], to: Temporal.Instant): SubscribedPlan {
  const plan = stages[subscription.changes.filter(({ at }) => Temporal.Instant.compare(at, to) < 0).length];
  assert(plan !== undefined, 'Each stage of a subscription has its plan.');
  return plan;
}

async function customersWanted(manager: EntityManager, wanted: { request: BacktestRequest; range: { from: Temporal.Instant; to: Temporal.Instant } }): Promise<Outcome<readonly Customer[], 'invalid_request'>> {
  const references = wanted.request.customers;
  if (references === undefined) {
    const subscriptions = await readSubscriptions(manager, wanted.range);
    return accepted(await readCustomers(manager, [...new Set(subscriptions.map(({ customerId }) => customerId))]));
  }
  const found = await readCustomersByReference(manager, references);
  const faults = references.flatMap((reference, index) =>
    found.some(({ id, key }) => id === reference || key === reference) ? [] : [{ pointer: `/customers/${index}`, code: 'unknown_customer', detail: 'There is no such customer.' }]);
  return faults.length === 0 ? accepted(found) : refused('invalid_request', 'There is no such customer.', faults);
}
