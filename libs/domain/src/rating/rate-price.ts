import { assert } from '../assert.js';
import type { RateablePrice } from '../catalog/price.js';
import { allocate, allocateParts } from '../money/allocate.js';
import { type Decimal, divide, isBelowZero, sumOf, ZERO } from '../money/decimal.js';
import { inMinorUnits, type Rounding, roundToCurrency, toMinor } from '../money/minor-units.js';
import type { Fraction } from '../period/proration-fraction.js';
import type { GroupUsage } from './pool-usage.js';
import { rateExactly } from './rate-exactly.js';
import type { RatingLevels } from './reach-thresholds.js';
import { noNote, type TraceStep } from './trace.js';
import type { UsageAround } from './usage-around.js';

export interface RatePriceInput {
  readonly price: RateablePrice;
  /** ISO 4217; gives the digits of the posted amounts. */
  readonly currency: string;
  readonly rounding: Rounding;
  /** Net quantities by group. Empty: nothing was used (usage), or one is owed (recurring, one_time). */
  readonly usage: readonly GroupUsage[];
  /** The share of a whole period; left out, and ignored for a price that is not prorated, the period is whole. */
  readonly fraction?: Fraction | undefined;
  /** For prices that look further than the period's own usage. */
  readonly around?: UsageAround | undefined;
  /** Gets what was held against the price's bounds, where somebody asks. */
  readonly levels?: RatingLevels | undefined;
}

/** One price applied to one period's quantity. */
export interface RatedPrice {
  /** As metered, before any clamp or conversion. */
  readonly quantity: Decimal;
  readonly unroundedAmount: Decimal;
  /** Rounded once, to the currency's digits, in major units. */
  readonly amount: Decimal;
  readonly amountMinor: bigint;
  /** One per group, bytewise by the groups' values; they sum to the amounts above exactly. */
  readonly lines: readonly RatedPriceLine[];
  /** Ends with the unrounded amount. */
  readonly trace: readonly TraceStep[];
}

export interface RatedPriceLine {
  /** Stable for the group: "all", or the group's values as a JSON array. */
  readonly ref: string;
  readonly group: Readonly<Record<string, string>>;
  readonly quantity: Decimal;
  readonly amountMinor: bigint;
  readonly unroundedAmount: Decimal;
}

/** Rates a price that `priceFaults` found sound. Pure: the same input gives the same bytes for ever. */
export function ratePrice(input: RatePriceInput): RatedPrice {
  const trace: TraceStep[] = [];
  const rating = rateExactly({ ...input, note: (make) => trace.push(make()) });
  const amount = roundToCurrency(rating.amount, input);
  const amountMinor = toMinor(amount, input.currency);
  const weights = rating.groups.map((group) => group.modelAmount);
  const exacts = splitExactly(rating.amount, weights);
  const minors = allocateMinor(amountMinor, { weights, exacts, currency: input.currency });
  const lines = rating.groups.map(({ ref, group, quantity }, index) => ({
    ref,
    group,
    quantity,
    amountMinor: minors[index] ?? 0n,
    unroundedAmount: exacts[index] ?? ZERO,
  }));
  const quantity = sumOf(lines, (line) => line.quantity);
  assert(quantity === rating.quantity || quantity.eq(rating.quantity), 'The lines must hold every unit once.');
  assert(lines.reduce((sum, line) => sum + line.amountMinor, 0n) === amountMinor, 'The lines must sum to the posted amount.');
  return { quantity: rating.quantity, unroundedAmount: rating.amount, amount, amountMinor, lines, trace };
}

/** The posted amount alone, in minor units: what `ratePrice` gives, without its words. */
export function rateAmountMinor(input: RatePriceInput): bigint {
  const { amount } = rateExactly({ ...input, note: noNote });
  return toMinor(roundToCurrency(amount, input), input.currency);
}

/** By largest remainder. Where some are given back and others not, each part's own amount takes the place of its weight. */
function allocateMinor(amountMinor: bigint, parts: { weights: readonly Decimal[]; exacts: readonly Decimal[]; currency: string }): bigint[] {
  const { weights, exacts, currency } = parts;
  if (weights.length === 1) return [amountMinor];
  if (weights.every((weight) => !isBelowZero(weight))) return allocate(amountMinor, weights);
  return allocateParts(amountMinor, exacts.map((exact) => inMinorUnits(exact, currency)));
}

/** Splits by weight, so that the parts sum to the total exactly: what 40 digits can't hold goes to the heaviest part. Of negative weights the size counts. */
function splitExactly(total: Decimal, weights: readonly Decimal[]): Decimal[] {
  const sum = sumOf(weights, (weight) => weight);
  if (total === sum || total.eq(sum)) return [...weights];
  const added = total.minus(sum);
  const sizes = weights.map((weight) => weight.abs());
  const size = sumOf(sizes, (weight) => weight);
  const parts = weights.map((weight, index) => {
    if (size.isZero()) return divide(total, ZERO.plus(weights.length));
    return size.eq(sum) ? divide(total.times(weight), sum) : weight.plus(divide(added.times(sizes[index] ?? ZERO), size));
  });
  const heaviest = sizes.reduce((best, weight, index) => (weight.gt(sizes[best] ?? ZERO) ? index : best), 0);
  parts[heaviest] = total.minus(sumOf(parts.filter((_part, index) => index !== heaviest), (part) => part));
  return parts;
}
