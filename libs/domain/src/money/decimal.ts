import { Decimal as DecimalBase } from 'decimal.js';
import { assert } from '../assert.js';

/**
 * decimal.js rounds every result to its precision, silently. The widest number that rating can reach is a quotient of 40
 * digits at most 78 places below the point, times a price of 18 places, beside sums of 60 digits above it: under 200 digits.
 * Five times that keeps + − × exact, and `assertExact` would see a number that came near the bound.
 */
const precision = 1000;

/** An exact number. Add, subtract, multiply and compare with it; divide only with `divide`. */
export const Decimal = DecimalBase.clone({
  precision,
  rounding: DecimalBase.ROUND_HALF_EVEN,
  toExpNeg: -9e15,
  toExpPos: 9e15,
});
export type Decimal = DecimalBase;

const quotientDigits = 40;
const Quotient = DecimalBase.clone({ precision: quotientDigits, rounding: DecimalBase.ROUND_HALF_EVEN });

export const ZERO: Decimal = new Decimal(0);
export const ONE: Decimal = new Decimal(1);

const plainNotation = /^-?\d+(?:\.\d+)?$/;
const plainLengthMax = 300;

/** The number that a text in plain notation stands for: no exponent, at most 300 characters. Outside text goes through `canonicalDecimal` first. */
export function decimal(text: string): Decimal {
  assert(text.length <= plainLengthMax && plainNotation.test(text), 'A decimal is made from plain notation; outside text is canonicalised and bounded first.');
  return new Decimal(text);
}

/** A bigint as a Decimal, exactly. */
export function decimalOf(value: bigint): Decimal {
  return new Decimal(value.toString());
}

/** The quotient to 40 significant digits, half to even; it counts as exact from there on. */
export function divide(dividend: Decimal, divisor: Decimal): Decimal {
  assert(!divisor.isZero(), 'A divisor is never zero.');
  return new Decimal(new Quotient(dividend).div(divisor));
}

/** Shortest plain notation: no exponent, no trailing zero, no "-0". */
export function toPlain(value: Decimal): string {
  assertExact(value);
  return value.isZero() ? '0' : value.toFixed();
}

export function sumOf<T>(items: Iterable<T>, pick: (item: T) => Decimal): Decimal {
  let sum: Decimal | undefined; // Most sums have one part, which needs no addition.
  for (const item of items) sum = sum === undefined ? pick(item) : sum.plus(pick(item));
  return sum ?? ZERO;
}

/** Less than zero. A comparison with a number would make a decimal of it each time. */
export function isBelowZero(value: Decimal): boolean {
  return value.isNegative() && !value.isZero();
}

/** The lesser of two; of equals the first. */
export function lesserOf(a: Decimal, b: Decimal): Decimal {
  return b.lt(a) ? b : a;
}

/** The greater of two; of equals the first. */
export function greaterOf(a: Decimal, b: Decimal): Decimal {
  return b.gt(a) ? b : a;
}

/** A decimal keeps so many digits in each of its words. */
const digitsPerWord = 7;

/** A number with as many digits as the precision may have been rounded, so it is refused long before it is posted. */
export function assertExact(value: Decimal): void {
  // Hardly any number has more than a few words, so its digits need not be counted.
  assert(value.isFinite() && (value.d.length * digitsPerWord < precision || value.precision() < precision), 'A decimal must be finite and have fewer digits than the precision, or it may have been rounded.');
}
