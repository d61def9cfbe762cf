import { setImmediate as nextTurn } from 'node:timers/promises';
import { breakEven, decimal, Decimal, divide, greaterOf, sumOf, toPlain, ZERO, type BreakEven, type BreakEvenAnswer, type Rounding } from '#domain';
import type { RatedPeriod, SubscribedPlan } from '#persistence';
import { assert } from '#platform';
import type { RatedRun } from './replay-plan.js';

/** Where the plan that is tried and one that customers are on cost the same, while the quantity of one meter varies. */
export interface BacktestBreakEven {
  readonly current: Pick<SubscribedPlan, 'planKey' | 'version'>;
  /** How many are on these very terms. */
  readonly customers: number;
  readonly meter: string;
  /** Per customer and whole period. */
  readonly meanQuantity: Decimal;
  /** The means of the other meters, by key; none of which is 0. */
  readonly usage: ReadonlyMap<string, string>;
  /** By the key of a fee. */
  readonly quantities: ReadonlyMap<string, string>;
  /** Null where the two can not be compared. */
  readonly found: BreakEven | null;
  readonly notCompared: readonly string[];
}

interface Compared {
  readonly tried: SubscribedPlan;
  readonly runs: readonly RatedRun[];
  readonly rounding: Rounding;
  readonly countingMeters: ReadonlySet<string>;
}

const comparisonsMax = 20;
/** Quantities have 18 digits after the point. */
const quantityDigits = 18;

/** Customers on the same terms, with what each of them used of each meter in each period. */
interface TermsInUse {
  readonly plan: SubscribedPlan;
  readonly customers: number;
  readonly used: ReadonlyMap<string, readonly Decimal[]>;
}

/** By every meter of the tried plan and each that customers are on; the plans of most customers first. Each comparison has a turn of its own, since one of many packages takes a tenth of a second. */
export async function backtestBreakEvens(of: Compared): Promise<{ comparisons: BacktestBreakEven[]; leftOut: number }> {
  const wanted = termsInUse(of.runs).flatMap((terms) => metersOfBoth(of.tried, terms.plan).map((meter) => ({ terms, meter })));
  const comparisons: BacktestBreakEven[] = [];
  for (const one of wanted.slice(0, comparisonsMax)) {
    comparisons.push(comparison(one, of));
    await nextTurn();
  }
  return { comparisons, leftOut: wanted.length - comparisons.length };
}

/** Who has several plans at once pays for all of them, so none of them can be compared by itself. */
function termsInUse(runs: readonly RatedRun[]): TermsInUse[] {
  const ofCustomer = [...Map.groupBy(runs, ({ customerId }) => customerId).values()].filter((own) => own.filter(({ isCurrent }) => isCurrent).length === 1);
  const onTerms = Map.groupBy(ofCustomer, (own) => {
    const { planKey, version, prices } = planOf(own);
    return JSON.stringify([planKey, version, prices]);
  });
  return [...onTerms.values()].map((customers): TermsInUse => {
    const [first] = customers;
    assert(first !== undefined, 'A group is made by its first customer.');
    return { plan: planOf(first), customers: customers.length, used: merged(customers.map(usedBy)) };
  }).toSorted((a, b) => b.customers - a.customers);
}

function planOf(own: readonly RatedRun[]): SubscribedPlan {
  const current = own.find(({ isCurrent }) => isCurrent);
  assert(current !== undefined, 'Only who is on a plan is compared.');
  return current.plan;
}

/** Each meter's quantities once, though both replays read the same usage. */
function usedBy(own: readonly RatedRun[]): Map<string, Decimal[]> {
  const used = new Map<string, Decimal[]>();
  for (const run of own) for (const [meter, quantities] of usedIn(run)) if (!used.has(meter)) used.set(meter, quantities);
  return used;
}

/** By meter: the quantity of each whole period, or of each part where none is whole. Prices that leave nothing out are asked first. */
function usedIn({ plan, periods, rated }: RatedRun): Map<string, Decimal[]> {
  const whole = rated.filter((_, index) => periods[index]?.billing.isPartial === false);
  const metered = plan.prices.filter(({ type, meter }) => type === 'usage' && meter !== undefined).toSorted((a, b) => Number(a.exempt !== undefined) - Number(b.exempt !== undefined));
  const used = new Map<string, Decimal[]>();
  for (const { meter, key } of metered) {
    if (meter !== undefined && !used.has(meter)) used.set(meter, (whole.length === 0 ? rated : whole).map((period) => quantityOf(period, key)));
  }
  return used;
}

function quantityOf({ days }: RatedPeriod, key: string): Decimal {
  return greaterOf(ZERO, sumOf(days.filter(({ priceKey }) => priceKey === key), ({ quantity }) => decimal(quantity)));
}

function merged(all: readonly ReadonlyMap<string, readonly Decimal[]>[]): Map<string, Decimal[]> {
  const sum = new Map<string, Decimal[]>();
  for (const one of all) for (const [meter, quantities] of one) sum.set(meter, [...(sum.get(meter) ?? []), ...quantities]);
  return sum;
}

function metersOfBoth(...plans: readonly SubscribedPlan[]): string[] {
  return [...new Set(plans.flatMap(({ prices }) => prices.flatMap(({ type, meter }) => (type === 'usage' && meter !== undefined ? [meter] : []))))].toSorted();
}

function comparison({ terms, meter }: { terms: TermsInUse; meter: string }, of: Compared): BacktestBreakEven {
  const { plan, customers, used } = terms;
  const others = metersOfBoth(of.tried, plan).filter((other) => other !== meter).map((other) => [other, toPlain(meanOf(used.get(other) ?? []))] as const);
  const usage = new Map(others.filter(([, quantity]) => quantity !== '0'));
  const quantities = new Map(plan.prices.flatMap(({ key, type, billedQuantity }) => (type !== 'recurring' || billedQuantity === undefined ? [] : [[key, billedQuantity] as const])));
  const ask = (to?: string): BreakEvenAnswer => breakEven({
    a: side(of.tried), b: side(plan), currency: of.tried.currency, meter, countingMeters: of.countingMeters, quantities, to_quantity: to,
    usage: new Map([...usage].map(([other, quantity]) => [other, { quantity, pointer: `/usage/${other}` }])),
  }, of);
  const endless = ask();
  const most = (used.get(meter) ?? []).reduce(greaterOf, ZERO);
  const needsEnd = !endless.ok && endless.faults.some(({ pointer, code }) => pointer === '/to_quantity' && code === 'missing_field');
  const answer = needsEnd ? ask(toPlain(most)) : endless;
  return {
    current: plan, customers, meter, meanQuantity: meanOf(used.get(meter) ?? []), usage, quantities,
    found: answer.ok ? answer.value : null, notCompared: answer.ok ? [] : [...new Set(answer.faults.map(({ detail }) => detail))],
  };
}

function side(plan: SubscribedPlan): Parameters<typeof breakEven>[0]['a'] {
  return { prices: plan.prices, plan: { billingPeriod: plan.billingPeriod, currency: plan.currency }, pointer: '/plan', pointerOf: () => '/plan' };
}

function meanOf(quantities: readonly Decimal[]): Decimal {
  if (quantities.length === 0) return ZERO;
  return divide(sumOf(quantities, (quantity) => quantity), decimal(String(quantities.length))).toDecimalPlaces(quantityDigits, Decimal.ROUND_HALF_UP);
}
