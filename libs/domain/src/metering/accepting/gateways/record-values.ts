import { canonicalNumber } from '../canonical-number.js';
import { isJsonObject } from '../canonical-data.js';
import { isoTime } from '../combined-line.js';
import { ExactNumber } from '../exact-json.js';
import type { ExactValue } from '../http-data.js';
import { textOfInstant } from '../micro-instant.js';

/** Longer texts are no number that a gateway writes. */
const numberLengthMax = 64;
const plainDecimal = /^-?\d+(?:\.\d+)?$/;

/** The first of the values that is a text which says something; a number is its digits. "-" and "" are how logs write nothing. */
export function textOfFirst(...values: readonly unknown[]): string | null {
  for (const value of values) {
    const text = typeof value === 'number' || value instanceof ExactNumber ? digitsOf(value) : value;
    if (typeof text === 'string' && text !== '' && text !== '-') return text;
  }
  return null;
}

/** The value of a header; the first one where it was sent more than once. */
export function headerOf(headers: unknown, name: string): string | null {
  if (!isJsonObject(headers) || !Object.hasOwn(headers, name)) return null;
  const value = headers[name];
  return textOfFirst(...(Array.isArray(value) ? (value as readonly unknown[]) : [value]));
}

/** The first of the values that is a number, or text that writes one, with all its digits. */
export function numberOfFirst(...values: readonly unknown[]): ExactValue | null {
  for (const value of values) {
    const digits = digitsOf(value);
    if (digits !== null) return exactValue(digits);
  }
  return null;
}

/** As `numberOfFirst`, for what can't be below zero: there a gateway writes -1 for what it does not know. */
export function amountOfFirst(...values: readonly unknown[]): ExactValue | null {
  return numberOfFirst(...values.map((value) => (digitsOf(value)?.startsWith('-') === true ? null : value)));
}

/** A number of bytes in an answer, where "-" says that there were none. */
export function bytesOfFirst(...values: readonly unknown[]): ExactValue | null {
  return amountOfFirst(...values.map((value) => (value === '-' ? 0 : value)));
}

/** Seconds as milliseconds, with all their digits. */
export function millisecondsOf(seconds: ExactValue | null): ExactValue | null {
  const digits = digitsOf(seconds);
  return digits === null || digits.includes('e') ? null : exactValue(canonicalNumber(`${digits}e3`) ?? '0');
}

/** A status; the last one where tries with several upstreams are listed ("502, 200"). */
export function statusOfFirst(...values: readonly unknown[]): ExactValue | null {
  return numberOfFirst(...values.map((value) => (typeof value === 'string' && value.length <= numberLengthMax ? (value.split(/[,:]/).at(-1)?.trim() ?? '') : value)));
}

function digitsOf(value: unknown): string | null {
  if (typeof value === 'number') return canonicalNumber(String(value));
  if (value instanceof ExactNumber) return value.text;
  if (typeof value !== 'string' || value.length > numberLengthMax || !plainDecimal.test(value)) return null;
  return canonicalNumber(value);
}

/** Digits that a float holds for certain. */
const floatLengthMax = 15;

function exactValue(digits: string): ExactValue {
  return digits.length <= floatLengthMax && !digits.includes('e') ? Number(digits) : new ExactNumber(digits);
}

/** A target as the log has it, parted at its first question mark. */
export function targetOf(target: string | null): { readonly path: string | null; readonly query: string | null } {
  if (target === null) return { path: null, query: null };
  const queryAt = target.indexOf('?');
  return queryAt < 0 ? { path: target, query: null } : { path: target.slice(0, queryAt), query: target.slice(queryAt + 1) };
}

/** `203.0.113.9:4711` or `[2001:db8::1]:4711` without the port. */
export function hostOf(address: string | null): string | null {
  if (address === null) return null;
  const match = /^\[([^\]]{1,64})\](?::\d+)?$/.exec(address) ?? /^([^:]{1,255}):\d+$/.exec(address);
  return match?.[1] ?? address;
}

const unitDigits = { seconds: 6, milliseconds: 3, nanoseconds: -3 } as const;
/** The end of the year 9999, beyond which RFC 3339 can't write an instant. */
const microsMax = 253_402_300_800_000_000n;

/**
 * Time since 1970 as RFC 3339, cut to the microsecond. Undefined where there is none; what is no such time is given back
 * as it is, so that the event is refused for it instead of taking the time of its receipt.
 */
export function epochTime(value: unknown, unit: keyof typeof unitDigits): unknown {
  if (isAbsent(value)) return undefined;
  const digits = digitsOf(value);
  const match = digits === null ? null : /^(\d{1,25})(?:\.(\d+))?$/.exec(digits);
  if (match === null) return digits ?? (value instanceof ExactNumber ? '' : value);
  const [, whole = '', fraction = ''] = match;
  const shift = unitDigits[unit];
  const micros = shift >= 0 ? BigInt(whole + fraction.padEnd(shift, '0').slice(0, shift)) : BigInt(whole) / 10n ** BigInt(-shift);
  if (micros >= microsMax) return digits;
  return textOfInstant({ seconds: Number(micros / 1_000_000n), micros: Number(micros % 1_000_000n) });
}

/** `10/Oct/2026:13:55:36 -0700` as RFC 3339; else as `epochTime` does. */
export function accessLogTime(value: unknown): unknown {
  if (isAbsent(value)) return undefined;
  return typeof value === 'string' ? (isoTime(value) ?? value) : value;
}

/** The first of the times that is there. */
export function firstTime(...times: readonly unknown[]): unknown {
  return times.find((time) => !isAbsent(time));
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === '' || value === '-';
}
