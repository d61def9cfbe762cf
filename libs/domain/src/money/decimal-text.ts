import { assert } from '../assert.js';

/** Beyond this many padding zeros a number keeps an exponent, so that "1e999999999" can't fill the memory. */
const paddingZerosMax = 100;
const decimalPattern = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/**
 * The one form of a number: equal numbers have equal text, so 1.10, 11e-1 and 1.1 are all "1.1". Takes the text of a JSON
 * number or of a decimal string (leading zeros allowed, no plus sign, no white space); null when it is none.
 * Plain notation, except that a number which needs more than 100 zeros of padding is written as digits and exponent
 * ("1e400"): such a number is beyond every bound, so check `withinQuantityBounds` before `decimal`.
 */
export function canonicalDecimal(text: string): string | null {
  const match = decimalPattern.exec(text);
  if (match === null) return null;
  const [, sign = '', whole = '', fraction = '', exponentText = '0'] = match;
  const padded = whole + fraction;
  const digits = padded.replace(/^0+/, '').replace(/0+$/, '');
  if (digits === '') return '0';
  const trailingZeros = padded.length - padded.replace(/0+$/, '').length;
  // The value is digits × 10^exponent. BigInt, since the sender may write an exponent of any length.
  const exponent = BigInt(exponentText.replace('+', '')) - BigInt(fraction.length) + BigInt(trailingZeros);
  return sign + plainOf(digits, exponent);
}

function plainOf(digits: string, exponent: bigint): string {
  const leadingZeros = -exponent - BigInt(digits.length);
  if (exponent > paddingZerosMax || leadingZeros > paddingZerosMax) return `${digits}e${exponent}`;
  if (exponent >= 0n) return digits + '0'.repeat(Number(exponent));
  if (leadingZeros >= 0n) return `0.${'0'.repeat(Number(leadingZeros))}${digits}`;
  const point = digits.length + Number(exponent);
  return `${digits.slice(0, point)}.${digits.slice(point)}`;
}

interface DigitBounds {
  /** Digits before the point, inclusive. */
  readonly wholeMax: number;
  /** Digits after the point, inclusive. */
  readonly fractionMax: number;
}

const quantityBounds: DigitBounds = { wholeMax: 20, fractionMax: 18 };
const priceBounds: DigitBounds = { wholeMax: 12, fractionMax: 18 };

/** At most 20 digits before and 18 after the point, trailing zeros not counted. False for what is no decimal. */
export function withinQuantityBounds(text: string): boolean {
  return within(text, quantityBounds);
}

/** At most 12 digits before and 18 after the point, trailing zeros not counted. False for what is no decimal. */
export function withinPriceBounds(text: string): boolean {
  return within(text, priceBounds);
}

function within(text: string, bounds: DigitBounds): boolean {
  const canonical = canonicalDecimal(text);
  if (canonical === null || canonical.includes('e')) return false;
  const [whole, fraction = ''] = canonical.replace('-', '').split('.');
  assert(whole !== undefined, 'A canonical number has digits before the point.');
  return whole.length <= bounds.wholeMax && fraction.length <= bounds.fractionMax;
}
