import { type Decimal, decimalOf, divide } from '../money/decimal.js';
import type { Fraction } from '../period/proration-fraction.js';

/** Multiplies first and divides last: a quotient of 40 significant digits, exact from there on. A whole period leaves the value as it is. */
export function scaleByFraction(value: Decimal, fraction: Fraction): Decimal {
  if (isWhole(fraction)) return value;
  return divide(value.times(decimalOf(fraction.numerator)), decimalOf(fraction.denominator));
}

export function isWhole(fraction: Fraction): boolean {
  return fraction.numerator === fraction.denominator;
}

/** For a trace: "1/2 of a period". */
export function fractionWords(fraction: Fraction): string {
  return `${fractionText(fraction)} of a period`;
}

/** In lowest terms: "1/2". */
export function fractionText(fraction: Fraction): string {
  const divisor = greatestCommonDivisor(fraction.numerator, fraction.denominator);
  return `${fraction.numerator / divisor}/${fraction.denominator / divisor}`;
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? (a === 0n ? 1n : a) : greatestCommonDivisor(b, a % b);
}
