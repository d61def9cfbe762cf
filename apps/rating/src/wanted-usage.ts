import { bucketPeriods, feeFraction, localDays, periodBefore, readingOf, rollsOverInto, type BillingPeriod, type Fraction, type IdentifiedPrice, type LocalDay, type PriceReading } from '#domain';
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

/** The usage that a price charges: of the period's days so far. */
export function ownUsage(price: IdentifiedPrice, period: DatedPeriod): WantedUsage {
  return wanted(price, { period, ref: period.ref, range: period.billing.period, days: period.days });
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
