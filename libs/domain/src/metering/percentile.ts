import { Decimal, decimal, decimalOf } from '../money/decimal.js';
import { canonicalDecimal } from '../money/decimal-text.js';

/** Keeps a percentile's place an integer of 128 bits wherever it is worked out. */
export const percentileDigitsMax = 10;

/** The one form of a percentile from 0 to 100, both included, with at most 10 digits after the point; null for anything else. */
export function canonicalPercentile(text: string): string | null {
  const canonical = canonicalDecimal(text);
  if (canonical === null || canonical.includes('e')) return null;
  const value = decimal(canonical);
  return value.gte(0) && value.lte(100) && value.decimalPlaces() <= percentileDigitsMax ? canonical : null;
}

/** Two neighbours among sorted values. The upper one is the last value itself where there is none behind the lower. */
export interface Neighbours {
  readonly lower: Decimal;
  readonly upper: Decimal;
}

/**
 * The percentile of `count` sorted values by linear interpolation, which is numpy's default: it lies (count − 1) × p / 100
 * places behind the first, between the values around that place. Exact: nothing is rounded.
 */
export function interpolate(neighbours: Neighbours, of: { readonly count: bigint; readonly percentile: string }): Decimal {
  const place = placeOf(of.count, of.percentile);
  return neighbours.lower.plus(neighbours.upper.minus(neighbours.lower).times(place.minus(place.floor())));
}

/** The percentile of values that stand in ascending order. */
export function percentileOf(sorted: readonly [Decimal, ...Decimal[]], percentile: string): Decimal {
  const count = BigInt(sorted.length);
  const place = placeOf(count, percentile);
  const [lower = sorted[0], upper = lower] = sorted.slice(sorted.findLastIndex((_, index) => place.gte(index)));
  return interpolate({ lower, upper }, { count, percentile });
}

/** How far behind the first of the sorted values the percentile lies. */
function placeOf(count: bigint, percentile: string): Decimal {
  return decimalOf(count - 1n).times(decimal(percentile)).times(new Decimal('0.01'));
}
