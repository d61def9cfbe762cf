/** Zeros that plain notation may add. Every quantity that Tollway bills (20 digits before the point, 18 after) stays plain. */
const plainZerosMax = 40;
/** Digits of an exponent. A longer one describes no quantity, and its arithmetic is not worth a request's time. */
const exponentDigitsMax = 9;
const zero = 48;

/**
 * The one text of a JSON number's exact value: shortest plain decimal notation, `1.10` and `11e-1` both `1.1`, `-0` is `0`.
 * Where plain notation would need more than 40 zeros, the value is its digits and a power of ten (`1e400` and `10e399`
 * are `1e400`), so that a few bytes never grow to a page. Null where the exponent has more than nine digits.
 */
export function canonicalNumber(source: string): string | null {
  const exponentAt = source.search(/[eE]/);
  const exponent = exponentAt < 0 ? 0 : exponentOf(source.slice(exponentAt + 1));
  const sign = source.startsWith('-') ? '-' : '';
  const mantissa = source.slice(sign.length, exponentAt < 0 ? source.length : exponentAt);
  const pointAt = mantissa.indexOf('.');
  const digits = pointAt < 0 ? mantissa : mantissa.slice(0, pointAt) + mantissa.slice(pointAt + 1);
  const start = leadingZeros(digits);
  if (start === digits.length) return '0';
  if (exponent === null) return null;
  const end = digits.length - trailingZeros(digits);
  const fractionDigits = pointAt < 0 ? 0 : mantissa.length - pointAt - 1;
  return sign + notation(digits.slice(start, end), exponent - fractionDigits + digits.length - end);
}

/** The same text for a number whose digits a float holds: at most 15 significant ones. */
export function canonicalFloat(value: number): string {
  const text = String(value);
  return text.includes('e') ? (canonicalNumber(text) ?? text) : text;
}

/** `significand` × 10^`power`; the significand has no zeros around it. */
function notation(significand: string, power: number): string {
  if (power >= 0) return power <= plainZerosMax ? significand + '0'.repeat(power) : `${significand}e${power}`;
  const pointAt = significand.length + power;
  if (pointAt > 0) return `${significand.slice(0, pointAt)}.${significand.slice(pointAt)}`;
  return -pointAt <= plainZerosMax ? `0.${'0'.repeat(-pointAt)}${significand}` : `${significand}e${power}`;
}

function exponentOf(text: string): number | null {
  const sign = text.startsWith('-') ? -1 : 1;
  const digits = text.startsWith('-') || text.startsWith('+') ? text.slice(1) : text;
  const start = leadingZeros(digits);
  if (digits.length - start > exponentDigitsMax) return null;
  return start === digits.length ? 0 : sign * Number.parseInt(digits.slice(start), 10);
}

function leadingZeros(digits: string): number {
  let count = 0;
  while (count < digits.length && digits.charCodeAt(count) === zero) count += 1;
  return count;
}

function trailingZeros(digits: string): number {
  let count = 0;
  while (count < digits.length && digits.charCodeAt(digits.length - 1 - count) === zero) count += 1;
  return count;
}
