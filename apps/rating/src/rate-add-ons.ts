import { addOnLines, closingAddOnFees, openingAddOnFees, ratePeriod, sumOf, toPlain, ZERO, type AddOnFee, type LocalDay, type PeriodDay, type RatedPeriodResult, type Rounding } from '#domain';
import type { AddOnPart } from './add-on-parts.js';
import type { PeriodUsage } from './read-period-usage.js';
import type { DatedPeriod } from './wanted-usage.js';

export interface DatedPart extends AddOnPart, DatedPeriod {
  readonly over: boolean;
}

interface RatedWith {
  readonly parts: readonly DatedPart[];
  readonly usage: PeriodUsage;
  readonly rounding: Rounding;
  readonly over: boolean;
}

/**
 * What add-ons come to in a period so far: their usage in their own time by itself, and their fees on the days on which they came, changed and went. Each price
 * has an amount for every day of the period.
 */
export function rateAddOns(period: DatedPeriod, using: RatedWith): RatedPeriodResult {
  if (period.plan.addOns.length === 0) return { lines: [], days: [], thresholds: [] };
  const rated = using.parts.map((part) => rateUsage(part, using));
  const usageDays = rated.flatMap((result, index) => filledDays(result.days, { period, part: using.parts[index] as DatedPart }));
  return { lines: rated.flatMap(({ lines }) => lines), days: [...usageDays, ...feeDays(period, using)], thresholds: rated.flatMap(({ thresholds }) => thresholds) };
}

function rateUsage(part: DatedPart, { usage, rounding }: RatedWith): RatedPeriodResult {
  const { subscription, billing, days, over, addOn } = part;
  const rated = ratePeriod({
    prices: addOn.prices.filter(({ type }) => type === 'usage'),
    currency: subscription.currency,
    rounding,
    timeZone: subscription.timeZone,
    part: billing.period,
    whole: billing.whole,
    days,
    over,
    returnsUnused: false,
    usageUntil: (price, day) => usage.of({ price, period: part, day }),
    usageAround: (price) => usage.around(price, part),
  });
  const named = <Part extends { readonly ref: string }>(parts: readonly Part[]): Part[] => parts.map((each) => ({ ...each, ref: `${addOn.id}/${each.ref}` }));
  return { ...rated, lines: named(rated.lines), thresholds: named(rated.thresholds) };
}

/** Nothing was used on the days before an add-on came and after it went. Where it came or went within a day, its part is shorter than the period's. */
function filledDays(rated: readonly PeriodDay[], of: { period: DatedPeriod; part: DatedPart }): PeriodDay[] {
  const { period, part } = of;
  const prices = part.addOn.prices.filter(({ type }) => type === 'usage');
  const amounts = new Map(rated.map((day) => [`${day.priceId}/${day.day.day}`, day]));
  return prices.flatMap((price) => period.days.map((day): PeriodDay => {
    const found = amounts.get(`${price.id}/${day.day}`);
    return { priceId: price.id, priceKey: price.key, day, quantity: found?.quantity ?? '0', amountMinor: found?.amountMinor ?? 0n };
  }));
}

function feeDays(period: DatedPeriod, { rounding, over, parts }: RatedWith): PeriodDay[] {
  const { subscription, days } = period;
  const fees = feesOf(period, over).flatMap((fee) => addOnLines(fee, { currency: subscription.currency, timeZone: subscription.timeZone, rounding }).map((line) => ({ fee, line })));
  const placed = Map.groupBy(fees, ({ fee }) => `${fee.price.id}/${placeOf(fee, days)}`);
  const owing = new Map([...parts.flatMap(({ addOn }) => addOn.prices), ...fees.map(({ fee }) => fee.price)].filter(({ type }) => type === 'recurring').map(({ id, key }) => [id, key]));
  return [...owing].flatMap(([priceId, priceKey]) => days.map((day, index): PeriodDay => {
    const own = placed.get(`${priceId}/${index}`) ?? [];
    const quantity = sumOf(own, ({ fee, line }) => (fee.isReturned ? (line.quantity ?? ZERO).negated() : (line.quantity ?? ZERO)));
    return { priceId, priceKey, day, quantity: toPlain(quantity), amountMinor: own.reduce((sum, { line }) => sum + line.amountMinor, 0n) };
  }));
}

/** What is owed once belongs to no period; what is paid in arrears is owed once it is over. */
function feesOf({ plan, billing, subscription }: DatedPeriod, over: boolean): AddOnFee[] {
  const { end } = billing.period;
  const ends = over && subscription.cancelAt?.equals(end) === true ? { returnsUnused: subscription.cancelProrate } : null;
  const closing = closingAddOnFees(plan.addOns, { closes: billing, whole: billing.whole, at: end, ends });
  return [...openingAddOnFees(plan.addOns, billing), ...closing].filter(({ kind }) => kind !== 'one_time' && (over || kind !== 'arrears'));
}

/** The last day that has begun by then. */
function placeOf({ at }: AddOnFee, days: readonly LocalDay[]): number {
  return Math.max(0, days.findLastIndex(({ start }) => Temporal.Instant.compare(start, at) <= 0));
}
