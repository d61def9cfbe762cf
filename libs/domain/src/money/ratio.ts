import { assert } from '../assert.js';
import { type Decimal, toPlain } from './decimal.js';

/** An exact fraction, `d` above 0; in lowest terms where it is made here. For what decimals can't hold, such as where two lines meet. */
export interface Ratio {
  readonly n: bigint;
  readonly d: bigint;
}

export const ratioZero: Ratio = { n: 0n, d: 1n };
export const ratioOne: Ratio = { n: 1n, d: 1n };

export function ratio(n: bigint, d = 1n): Ratio {
  assert(d !== 0n, 'A divisor is never zero.');
  if (d === 1n) return { n, d };
  const sign = d < 0n ? -1n : 1n;
  const divisor = sign * greatestCommonDivisor(n < 0n ? -n : n, d < 0n ? -d : d);
  return { n: n / divisor, d: d / divisor };
}

export function ratioOf(value: Decimal): Ratio {
  const [whole = '0', fraction = ''] = toPlain(value).split('.');
  return ratio(BigInt(whole + fraction), 10n ** BigInt(fraction.length));
}

export function addRatios(a: Ratio, b: Ratio): Ratio {
  return a.d === b.d ? ratio(a.n + b.n, a.d) : ratio(a.n * b.d + b.n * a.d, a.d * b.d);
}

export function subtractRatios(a: Ratio, b: Ratio): Ratio {
  return addRatios(a, { n: -b.n, d: b.d });
}

export function multiplyRatios(a: Ratio, b: Ratio): Ratio {
  return ratio(a.n * b.n, a.d * b.d);
}

export function divideRatios(a: Ratio, b: Ratio): Ratio {
  return ratio(a.n * b.d, a.d * b.n);
}

/** Below 0, 0 or above 0 as `a` is less than, equal to or greater than `b`. */
export function compareRatios(a: Ratio, b: Ratio): bigint {
  return a.n * b.d - b.n * a.d;
}

/** The least whole number that all denominators divide. */
export function commonDenominator(ratios: Iterable<Ratio>): bigint {
  let common = 1n;
  for (const d of new Set(Array.from(ratios, (one) => one.d))) common *= d / greatestCommonDivisor(common, d);
  return common;
}

/** The greatest whole number that is not above it. */
export function floorOf({ n, d }: Ratio): bigint {
  return n >= 0n || n % d === 0n ? n / d : n / d - 1n;
}

/** The least whole number that is not below it. */
export function ceilingOf({ n, d }: Ratio): bigint {
  return -floorOf({ n: -n, d });
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let [greater, lesser] = [a, b];
  while (lesser !== 0n) [greater, lesser] = [lesser, greater % lesser];
  return greater === 0n ? 1n : greater;
}
