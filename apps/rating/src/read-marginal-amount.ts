import { billingPeriodContaining, bucketPeriods, contains, feeFraction, localDays, marginalAmount, toPlain, ZERO, type Decimal, type IdentifiedPrice, type LocalDay, type MarginalInput, type MarginalUnknown } from '#domain';
import type { MeasuredFeature } from '#persistence';
import { addOnParts } from './add-on-parts.js';
import type { CustomerGrants, LiveSubscription } from './customer-grants.js';
import type { PeriodUsage, ReadPeriodUsage } from './read-period-usage.js';
import type { DatedPeriod } from './wanted-usage.js';

export interface MarginalAmount {
  /** Major units, unrounded; null where nobody can say. */
  readonly amount: string | null;
  readonly unknown: MarginalUnknown | 'several_currencies' | 'no_subscription' | null;
  readonly currency: string | null;
}

export interface AskedUse {
  readonly quantity: Decimal;
  /** The dimensions that are known of it. */
  readonly group: Readonly<Record<string, string>>;
}

/** What the price of a quantity more follows from, whatever the quantity. */
export interface MarginalBasis {
  /** Each usage price on the feature's meter, with the usage of its open period. */
  readonly prices: readonly Omit<MarginalInput, keyof AskedUse>[];
  readonly unknown: 'several_currencies' | 'no_subscription' | null;
  readonly currency: string | null;
  /** How many rows of usage it holds. */
  readonly usageRows: number;
}

/** Reads what a quantity more of a feature would be priced by: the usage prices on the feature's meter of a customer's present subscriptions, and the usage of their open periods. */
export class ReadMarginalBasis {
  constructor(private readonly readUsage: ReadPeriodUsage) {}

  /** In the order in which it was asked; all of one organization, and of one instant. */
  async execute(organizationId: string, asked: readonly MarginalQuestion[]): Promise<MarginalBasis[]> {
    const [first] = asked;
    if (first === undefined) return [];
    const priced = asked.map((question) => pricedPeriods(question));
    const periods = priced.flatMap(({ unknown, periods: ofOne }) => (unknown === null ? ofOne : []));
    // Two features on one meter ask for the same periods.
    const usage = await this.readUsage.execute(organizationId, { periods, now: first.found.now });
    return asked.map(({ found: { now }, feature }, nth) => {
      const { unknown, currency, periods: ofOne } = priced[nth] as PricedPeriods;
      if (unknown !== null) return { prices: [], unknown, currency, usageRows: 0 };
      const prices = ofOne.flatMap((period) => period.plan.prices.flatMap((price) => basisOf(price, { period, usage, feature, now })));
      return { prices, unknown, currency, usageRows: prices.reduce((sum, { usage: rows }) => sum + rows.length, 0) };
    });
  }
}

export interface MarginalQuestion {
  readonly found: CustomerGrants;
  readonly feature: MeasuredFeature;
}

interface PricedPeriods extends Pick<MarginalBasis, 'unknown' | 'currency'> {
  readonly periods: readonly DatedPeriod[];
}

function pricedPeriods({ found: { live, now }, feature }: MarginalQuestion): PricedPeriods {
  if (live.length === 0) return { periods: [], unknown: 'no_subscription', currency: null };
  const periods = live.flatMap((one) => pricedPeriod(one, { meterKey: feature.meter?.key ?? null, now }));
  const [currency = null] = new Set((periods.length === 0 ? live : periods).map(({ subscription }) => subscription.currency));
  if (periods.some(({ subscription }) => subscription.currency !== currency)) return { periods: [], unknown: 'several_currencies', currency: null };
  return { periods, unknown: null, currency };
}

/** What a quantity more would add to the open periods. */
export function marginalOf({ prices, unknown, currency }: MarginalBasis, use: AskedUse): MarginalAmount {
  if (unknown !== null) return { amount: null, unknown, currency };
  let amount = ZERO;
  for (const price of prices) {
    const added = marginalAmount({ ...price, ...use });
    if ('unknown' in added) return { amount: null, unknown: added.unknown, currency };
    amount = amount.plus(added.amount);
  }
  return { amount: toPlain(amount), unknown: null, currency };
}

/** The open period of a subscription, and its add-ons' parts of it, with the prices that look at the meter; none where nothing is charged, as in a trial. */
function pricedPeriod({ subscription, schedule, stages, plan }: LiveSubscription, at: { meterKey: string | null; now: Temporal.Instant }): DatedPeriod[] {
  const billing = billingPeriodContaining(schedule, at.now);
  if (billing === null) return [];
  const period = { subscription, plan, billing, schedule, stages };
  const added = addOnParts(period).filter((part) => contains(part.billing.period, at.now));
  return [{ ...period, ref: subscription.id }, ...added.map((part) => ({ ...part, ref: `${subscription.id} ${part.addOn.id}` }))].flatMap((part) => {
    const prices = part.plan.prices.filter(({ type, meter }) => type === 'usage' && meter === at.meterKey);
    const soFar = localDays(part.billing.period, subscription.timeZone).filter(({ start }, index) => index === 0 || Temporal.Instant.compare(start, at.now) <= 0);
    // Only prices of single hours or days look at more than where the period has got to.
    const days = prices.some(({ bucket }) => bucket !== undefined) ? soFar : soFar.slice(-1);
    return prices.length === 0 ? [] : [{ ...part, plan: { ...part.plan, prices }, days }];
  });
}

function basisOf(price: IdentifiedPrice, at: { period: DatedPeriod; usage: PeriodUsage; feature: MeasuredFeature; now: Temporal.Instant }): MarginalBasis['prices'] {
  const { period, usage, feature, now } = at;
  const { subscription, billing, days } = period;
  const day = days.at(-1);
  if (day === undefined || feature.meter === null) return [];
  return [{
    price,
    currency: subscription.currency,
    aggregation: feature.meter.aggregation,
    usage: usage.of({ price, period, day }),
    fraction: feeFraction({ price, part: billing.period, whole: billing.whole, timeZone: subscription.timeZone }),
    around: usage.around(price, period),
    bucket: bucketOf(price, { days, timeZone: subscription.timeZone, now }),
  }];
}

function bucketOf({ bucket }: IdentifiedPrice, at: { days: readonly LocalDay[]; timeZone: string; now: Temporal.Instant }): Temporal.Instant | null {
  if (bucket === undefined) return null;
  return bucketPeriods(at.days.slice(-1), { unit: bucket, timeZone: at.timeZone }).find((one) => contains(one, at.now))?.start ?? null;
}
