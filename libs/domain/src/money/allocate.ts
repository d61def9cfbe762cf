import { assert } from '../assert.js';
import { Decimal, sumOf } from './decimal.js';

/**
 * Splits minor units by weight so that the parts sum to the total exactly: each part is rounded towards zero, and the units
 * left over go one each to the largest remainders, the earlier of equals first. Weights must not be negative; when all
 * are 0 the parts are equal.
 */
export function allocate(totalMinor: bigint, weights: readonly Decimal[]): bigint[] {
  assert(weights.length > 0, 'There must be someone to allocate to.');
  const wholes = wholeWeights(weights);
  const sum = wholes.reduce((a, b) => a + b, 0n);
  const total = totalMinor < 0n ? -totalMinor : totalMinor;
  const parts = wholes.map((weight) => (total * weight) / sum);
  const byRemainder = wholes
    .map((weight, index) => ({ index, remainder: (total * weight) % sum }))
    .sort((a, b) => (a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1));
  const left = total - parts.reduce((a, b) => a + b, 0n);
  for (const { index } of byRemainder.slice(0, Number(left))) parts[index] = (parts[index] ?? 0n) + 1n;
  assert(parts.reduce((a, b) => a + b, 0n) === total, 'Allocated parts must sum to the total.');
  return totalMinor < 0n ? parts.map((part) => -part) : parts;
}

/**
 * Rounds amounts of either sign, in minor units, so that they sum to their rounded total: each is rounded down, and the units
 * left over go one each to the largest remainders, the earlier of equals first.
 */
export function allocateParts(totalMinor: bigint, parts: readonly Decimal[]): bigint[] {
  const floors = parts.map((part) => part.toDecimalPlaces(0, Decimal.ROUND_FLOOR));
  const minors = floors.map((floor) => BigInt(floor.toFixed()));
  const left = Number(totalMinor - minors.reduce((a, b) => a + b, 0n));
  assert(left >= 0 && left <= parts.length, 'The total is the rounded sum of the parts.');
  const byRemainder = parts.map((part, index) => ({ index, remainder: part.minus(floors[index] ?? part) })).sort((a, b) => b.remainder.cmp(a.remainder) || a.index - b.index);
  for (const { index } of byRemainder.slice(0, left)) minors[index] = (minors[index] ?? 0n) + 1n;
  return minors;
}

/** The weights as whole numbers in the same proportion, so that remainders compare exactly. */
function wholeWeights(weights: readonly Decimal[]): bigint[] {
  assert(weights.every((weight) => weight.isFinite() && !weight.lt(0)), 'A weight is never negative.');
  if (sumOf(weights, (weight) => weight).isZero()) return weights.map(() => 1n);
  const places = Math.max(...weights.map((weight) => weight.decimalPlaces()));
  const scale = new Decimal(10).pow(places);
  return weights.map((weight) => BigInt(weight.times(scale).toFixed()));
}
