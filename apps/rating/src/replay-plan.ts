import { billingSchedule, decimal, periodsThrough, sumOf, takesQuantity, toPlain, type BillingPeriod } from '#domain';
import type { Customer, RatedPeriod, SubscribedPlan, SubscriptionRecord } from '#persistence';
import { assert } from '#platform';
import type { PeriodToRate } from './period-to-rate.js';

/** More periods are rated for nobody; a caller refuses them before. */
export const periodsPerRunMax = 10_000;

export interface BacktestCustomer {
  readonly customerId: string;
  readonly customerKey: string | null;
  readonly planMinor: bigint;
  readonly currentMinor: bigint | null;
  readonly currentPlans: readonly string[];
  readonly prices: readonly { readonly priceKey: string; readonly quantity: string; readonly amountMinor: bigint }[];
}

/** One customer, with the terms that are replayed over the same range. */
export interface Replayed {
  readonly customer: Customer;
  readonly currentPlans: readonly SubscribedPlan[];
}

/** A replay of one plan for one customer; `isCurrent` for the one that the customer has. */
export interface Run {
  readonly customerId: string;
  readonly isCurrent: boolean;
  readonly plan: SubscribedPlan;
  readonly periods: readonly PeriodToRate[];
}

/** A replay with what each of its periods came to. */
export interface RatedRun extends Run {
  readonly rated: readonly RatedPeriod[];
}

/** The ratings of all periods, one run after the other, by run. */
export function ratedRuns(runs: readonly Run[], rated: readonly RatedPeriod[]): RatedRun[] {
  let at = 0;
  const results = runs.map((run) => {
    const own = rated.slice(at, at + run.periods.length);
    at += run.periods.length;
    return { ...run, rated: own };
  });
  assert(at === rated.length, 'Each period is rated once.');
  return results;
}

/** The plan that is tried, and each that the customer has, over the same range. */
export function runsOf(one: Replayed, on: { plan: SubscribedPlan; range: { from: Temporal.Instant; to: Temporal.Instant } }): Run[] {
  const { customer, currentPlans } = one;
  // Seats are bought whatever the plan: a fee of the same key is owed as often as now.
  const quantities = new Map(currentPlans.flatMap(({ prices }) => prices.flatMap(({ key, billedQuantity }) => (billedQuantity === undefined ? [] : [[key, billedQuantity] as const]))));
  const tried = { ...on.plan, prices: on.plan.prices.map((price) => (takesQuantity(price) && quantities.has(price.key) ? { ...price, billedQuantity: quantities.get(price.key) } : price)) };
  const run = (plan: SubscribedPlan, isCurrent: boolean): Run => ({ customerId: customer.id, isCurrent, plan, periods: replay(customer, { plan, ...on.range }) });
  return [run(tried, false), ...currentPlans.map((plan) => run(plan, true))];
}

/** The periods of a subscription that would have begun with the range and ended with it. Add-ons are left out: a customer has them on either plan. */
function replay(customer: Customer, on: { plan: SubscribedPlan; from: Temporal.Instant; to: Temporal.Instant }): PeriodToRate[] {
  const { from, to } = on;
  const plan = { ...on.plan, addOns: [] };
  const schedule = billingSchedule({ startAt: from, billingAnchor: from, interval: plan.billingPeriod, timeZone: customer.timeZone, endAt: to });
  const outcome = periodsThrough(schedule, to, periodsPerRunMax);
  const periods: readonly BillingPeriod[] = outcome.ok ? outcome.periods : [];
  const subscription: SubscriptionRecord = {
    id: `backtest/${customer.id}`, organizationId: customer.organizationId, customerId: customer.id, planId: plan.planId, planVersion: plan.version, quantities: {}, overrides: [], minimumCommitment: null, changes: [], addOns: [],
    startAt: from, billingAnchor: from, trialDays: 0, trialEndAt: null, currency: plan.currency, timeZone: customer.timeZone, collection: 'automatic', daysUntilDue: null,
    cancelAt: to, cancelProrate: true, canceledAt: null, revision: 1n, createdAt: from, metadata: {},
  };
  return periods.map((billing) => ({ subscription, plan, billing, schedule, stages: [plan] }));
}

export function customersOf(replayed: readonly Replayed[], runs: readonly RatedRun[]): BacktestCustomer[] {
  const results = runs.map((run) => {
    const days = run.rated.flatMap((period) => period.days);
    return { ...run, days, amountMinor: days.reduce((sum, day) => sum + day.amountMinor, 0n) };
  });
  const ofCustomer = Map.groupBy(results, ({ customerId }) => customerId);
  const customers = replayed.map(({ customer, currentPlans }): BacktestCustomer => {
    const own = ofCustomer.get(customer.id) ?? [];
    const current = own.filter(({ isCurrent }) => isCurrent);
    const days = own.filter(({ isCurrent }) => !isCurrent).flatMap((run) => run.days);
    return {
      customerId: customer.id,
      customerKey: customer.key,
      planMinor: days.reduce((sum, day) => sum + day.amountMinor, 0n),
      currentMinor: current.length === 0 ? null : current.reduce((sum, run) => sum + run.amountMinor, 0n),
      currentPlans: [...new Set(currentPlans.map(({ planKey }) => planKey))],
      prices: [...Map.groupBy(days, ({ priceKey }) => priceKey)].map(([priceKey, ofPrice]) => ({
        priceKey,
        quantity: toPlain(sumOf(ofPrice, ({ quantity }) => decimal(quantity))),
        amountMinor: ofPrice.reduce((sum, day) => sum + day.amountMinor, 0n),
      })),
    };
  });
  return customers.toSorted(bySaving);
}

/** Who would save most comes first; who has nothing to compare with comes last. */
function bySaving(a: BacktestCustomer, b: BacktestCustomer): number {
  if (a.currentMinor === null || b.currentMinor === null) return a.currentMinor === b.currentMinor ? (a.customerId < b.customerId ? -1 : 1) : a.currentMinor === null ? 1 : -1;
  const [first, second] = [a.planMinor - a.currentMinor, b.planMinor - b.currentMinor];
  return first === second ? (a.customerId < b.customerId ? -1 : 1) : first < second ? -1 : 1;
}
