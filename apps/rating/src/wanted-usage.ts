import { bucketPeriods, countsOnInto, feeFraction, haveSameBoundaries, localDays, periodBefore, readingOf, rollsOverInto, type BillingPeriod, type Fraction, type IdentifiedPrice, tierPeriodOf, type LocalDay, type PriceReading, type TierCount, type TierPeriod } from '#domain';
import type { PeriodToRate } from './period-to-rate.js';
import type { UsageSlice } from './usage-slices.js';

/** A period with the local days of it that are rated. */
export interface DatedPeriod extends PeriodToRate {
  readonly ref: string;
  readonly days: readonly LocalDay[];
}

/** One stretch of one customer's usage, and the way in which a meter is read for it. */
export interface WantedUsage {
  /** Prices that read the same meter in the same way share its queries. */
  readonly source: string;
  /** Id or key. */
  readonly meter: string;
  readonly reading: PriceReading;
  readonly slice: UsageSlice;
}

/** The usage that a price charges: of the period's days so far, and where its tiers count on, all since they began to. */
export function ownUsage(price: IdentifiedPrice, period: DatedPeriod): WantedUsage {
  const { billing: { period: { start, end } }, ref } = period;
  const own = wanted(price, { period, ref, range: { start, end }, days: period.days });
  const since = tierPeriod(price, period)?.counted.start;
  if (since === undefined || since.equals(start)) return own;
  return { ...own, slice: { ...own.slice, ref: `${ref} since ${since.toString()}`, from: since, ends: [start, ...own.slice.ends] } };
}

/** Where the count of a price's tiers begins, and the share of their period that was left then; null where each period begins in tier 0. */
export function tierCountOf(price: IdentifiedPrice, period: DatedPeriod): Pick<TierCount, 'share'> & { readonly since: Temporal.Instant } | null {
  const found = tierPeriod(price, period);
  if (found === null) return null;
  return { since: found.counted.start, share: feeFraction({ price, part: found.counted, whole: found.whole, timeZone: period.subscription.timeZone }) };
}

function tierPeriod(price: IdentifiedPrice, period: DatedPeriod): TierPeriod | null {
  const { schedule, billing } = period;
  return price.tier_period === undefined ? null : tierPeriodOf(schedule, { billing, tierPeriod: price.tier_period, firstStage: firstCountedStage(price, period) });
}

/** The count goes on over changes within a plan, of seats, own prices or the version, where the price of the same key counts the same. */
function firstCountedStage(price: IdentifiedPrice, { schedule, stages, plan, billing, subscription }: DatedPeriod): number {
  let stage = billing.stage;
  const goesOnFrom = (before: number): boolean => {
    const earlier = stages[before]?.planId === plan.planId ? stages[before].prices.find(({ key }) => key === price.key) : undefined;
    return earlier !== undefined && countsOnInto(earlier, price, subscription.currency) && haveSameBoundaries(schedule, [before, before + 1]);
  };
  while (stage > 0 && goesOnFrom(stage - 1)) stage -= 1;
  return stage;
}

/** The period before, on the terms that it had. */
export interface PeriodBefore {
  readonly price: IdentifiedPrice;
  readonly fraction: Fraction;
  readonly usage: WantedUsage;
}

/** The period whose unused units roll over into this one: that of the same price, by its key, in whatever version of the same plan. Null where none do. */
export function rolledOverFrom(price: IdentifiedPrice, period: DatedPeriod): PeriodBefore | null {
  if (price.rollover === undefined) return null;
  const { subscription, stages, schedule, plan, ref } = period;
  const billing = periodBefore(schedule, period.billing.period.start);
  const before = billing === null ? undefined : stages[billing.stage];
  if (billing === null || before?.planId !== plan.planId) return null;
  const left = before.prices.find(({ key }) => key === price.key);
  if (left === undefined || !rollsOverInto(left, price, subscription.currency)) return null;
  const days = localDays(billing.period, subscription.timeZone);
  return { price: left, fraction: fractionOf(left, { billing, period }), usage: wanted(left, { period, ref: `${ref} before`, range: billing.period, days: wholeOf(left, days) }) };
}

/** What the meters of a service level agreement came to over the days so far. */
export interface MeasuredService {
  readonly meter: WantedUsage;
  /** What the first is divided by; null where it stands for itself. */
  readonly per: WantedUsage | null;
}

/** Null where a price has no agreement. */
export function measuredService(price: IdentifiedPrice, period: DatedPeriod): MeasuredService | null {
  const { sla_credit: credit } = price;
  if (credit?.meter === undefined) return null;
  const measured = (meter: string): WantedUsage => {
    const plain = { ...price, meter, model: unread, currencies: undefined, group_by: undefined, exempt: undefined, bucket: undefined };
    return wanted(plain, { period, ref: `${period.ref} measured`, range: period.billing.period, days: period.days.slice(-1) });
  };
  return { meter: measured(credit.meter), per: credit.per === undefined ? null : measured(credit.per) };
}

/** A model that looks at nothing but a quantity. */
const unread = { type: 'flat', amount: '0' } as const;

function fractionOf(price: IdentifiedPrice, { billing, period }: { billing: BillingPeriod; period: DatedPeriod }): Fraction {
  return feeFraction({ price, part: billing.period, whole: billing.whole, timeZone: period.subscription.timeZone });
}

/** Of a period before only its end matters, unless its buckets are told apart. */
function wholeOf(price: IdentifiedPrice, days: readonly LocalDay[]): readonly LocalDay[] {
  return price.bucket === undefined ? days.slice(-1) : days;
}

function wanted(price: IdentifiedPrice, of: { period: DatedPeriod; ref: string; range: { start: Temporal.Instant; end: Temporal.Instant }; days: readonly LocalDay[] }): WantedUsage {
  const { subscription } = of.period;
  const reading = readingOf(price, subscription.currency);
  const meter = price.meter ?? '';
  const parts = reading.bucket === null ? of.days : bucketPeriods(of.days, { unit: reading.bucket, timeZone: subscription.timeZone });
  const slice = { ref: of.ref, customerId: subscription.customerId, from: of.range.start, to: of.range.end, ends: parts.map(({ end }) => end) };
  return { source: JSON.stringify([meter, reading]), meter, reading, slice };
}
