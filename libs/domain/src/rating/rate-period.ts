import { payTime } from '../catalog/price.js';
import { toPlain, ZERO } from '../money/decimal.js';
import type { Rounding } from '../money/minor-units.js';
import type { LocalDay } from '../period/local-days.js';
import { period, type Period } from '../period/period.js';
import type { GroupUsage } from './pool-usage.js';
import { rateDays } from './rate-days.js';
import { feeFraction, feeQuantity, rateUnusedFee, type IdentifiedPrice } from './rate-fee.js';
import { ratePrice } from './rate-price.js';
import { levelsFor, reachedThresholds, type Threshold } from './reach-thresholds.js';
import type { TraceStep } from './trace.js';
import type { UsageAround } from './usage-around.js';

export interface RatePeriodInput {
  readonly prices: readonly IdentifiedPrice[];
  readonly currency: string;
  readonly rounding: Rounding;
  readonly timeZone: string;
  /** The part that the subscription lasts, and the whole period that it lies in. */
  readonly part: Period;
  readonly whole: Period;
  /** The local days of the part so far, from its first. */
  readonly days: readonly LocalDay[];
  /** Whether an early end, or a change, gives back the unused rest of fees paid in advance. */
  readonly returnsUnused: boolean;
  /** False for a part that owes no fees in advance, since a change that was not prorated began it. Left out, it owes them. */
  readonly owesAdvance?: boolean | undefined;
  /** Whether the part is over: then the last of `days` is its last. */
  readonly over: boolean;
  /** The usage of a usage price until a day's end: from the part's start, or since its tiers began to count. */
  readonly usageUntil: (price: IdentifiedPrice, day: LocalDay) => readonly GroupUsage[];
  /** What else a usage price looks at. Left out, nothing. */
  readonly usageAround?: ((price: IdentifiedPrice) => UsageAround) | undefined;
}

export interface PeriodLine {
  readonly priceId: string;
  readonly priceKey: string;
  readonly ref: string;
  readonly group: Readonly<Record<string, string>>;
  readonly kind: 'usage' | 'advance' | 'arrears';
  readonly description: string;
  /** Shortest plain notation. */
  readonly quantity: string;
  readonly unroundedAmount: string;
  readonly amountMinor: bigint;
  readonly trace: readonly TraceStep[];
}

export interface PeriodDay {
  readonly priceId: string;
  readonly priceKey: string;
  readonly day: LocalDay;
  readonly quantity: string;
  readonly amountMinor: bigint;
}

/** A threshold that a price has reached in a period so far. */
export interface PeriodThreshold extends Threshold {
  readonly priceId: string;
  readonly priceKey: string;
}

export interface RatedPeriodResult {
  readonly lines: readonly PeriodLine[];
  readonly days: readonly PeriodDay[];
  readonly thresholds: readonly PeriodThreshold[];
}

/**
 * Everything that a subscription's prices come to in one period so far: a line per price and group, and an amount per price
 * and local day. One-time prices belong to no period and are left out.
 */
export function ratePeriod(input: RatePeriodInput): RatedPeriodResult {
  const isOwed = (price: IdentifiedPrice) => price.type === 'usage' || (price.type === 'recurring' && (payTime(price) === 'in_arrears' || input.owesAdvance !== false));
  const rated = input.prices.filter(isOwed).map((price) => ratePriceOfPeriod(price, input));
  return { lines: rated.flatMap(({ lines }) => lines), days: rated.flatMap(({ days }) => days), thresholds: rated.flatMap(({ thresholds }) => thresholds) };
}

function ratePriceOfPeriod(price: IdentifiedPrice, input: RatePeriodInput): RatedPeriodResult {
  const { currency, rounding, over, whole, timeZone } = input;
  const isUsage = price.type === 'usage';
  const isAdvance = !isUsage && payTime(price) === 'in_advance';
  // A fee in advance was owed for the period as it was known at its start, whenever it ends.
  const part = isAdvance ? period(input.part.start, whole.end) : input.part;
  const fraction = feeFraction({ price, part, whole, timeZone });
  const last = input.days.at(-1);
  const usage = !isUsage ? feeQuantity(price) : last === undefined ? [] : input.usageUntil(price, last);
  const around = isUsage ? input.usageAround?.(price) : undefined;
  const levels = levelsFor(price, currency);
  const rated = ratePrice({ price, currency, rounding, usage, fraction, around, levels });
  const days = input.days.map((day) => ({ day: day.day, cumulative: isUsage ? input.usageUntil(price, day) : feeQuantity(price) }));
  const unused = isAdvance && over && input.returnsUnused ? rateUnusedFee({ price, currency, rounding, timeZone, whole, endedAt: input.part.end }) : null;
  const dayAmounts = rateDays({ price, currency, rounding, days, over, fraction, around });
  return {
    lines: rated.lines.map((line) => ({
      priceId: price.id,
      priceKey: price.key,
      ref: `${price.key}/${line.ref}`,
      group: line.group,
      kind: isUsage ? 'usage' : isAdvance ? 'advance' : 'arrears',
      description: describeLine(price.name, line.group),
      quantity: toPlain(line.quantity),
      unroundedAmount: toPlain(line.unroundedAmount),
      amountMinor: line.amountMinor,
      trace: rated.trace,
    })),
    days: input.days.map((day, index) => ({
      priceId: price.id,
      priceKey: price.key,
      day,
      quantity: toPlain(dayAmounts[index]?.quantity ?? ZERO),
      amountMinor: (dayAmounts[index]?.amountMinor ?? 0n) - (index === input.days.length - 1 ? (unused?.amountMinor ?? 0n) : 0n),
    })),
    thresholds: levels === undefined ? [] : reachedThresholds({ price, currency }, levels).map((reached) => ({ ...reached, priceId: price.id, priceKey: price.key, ref: `${price.key}/${reached.ref}` })),
  };
}

/** "Requests", or "Requests (region eu, model large)". Control characters are not for documents: each is shown as �. */
function describeLine(name: string, group: Readonly<Record<string, string>>): string {
  const values = Object.entries(group).map(([key, value]) => `${key} ${value === '' ? '(none)' : value.replaceAll(/\p{Cc}/gu, '\uFFFD')}`);
  return values.length === 0 ? name : `${name} (${values.join(', ')})`;
}
