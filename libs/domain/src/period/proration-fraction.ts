import { assert } from '../assert.js';
import { type Period } from './period.js';

/** How finely a partial period is measured. */
export type ProrationUnit = 'second' | 'day';

/** An exact share of a whole, from 0 to 1. */
export interface Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

export const WHOLE: Fraction = { numerator: 1n, denominator: 1n };

/**
 * The share of a whole period that a part of it takes. `second`: real time, to the nanosecond, so days of 23 and 25 hours
 * weigh what they last. `day`: local dates, where the date of a change belongs to the new state: a part has its first
 * date and lacks its last. Parts that make up the whole have fractions that sum to 1. The part lies within the whole.
 */
export function prorationFraction(options: { part: Period; whole: Period; unit: ProrationUnit; timeZone: string }): Fraction {
  const { part, whole } = options;
  assert(
    Temporal.Instant.compare(whole.start, part.start) <= 0 && Temporal.Instant.compare(part.end, whole.end) <= 0,
    'A part lies within its whole.',
  );
  const lengthOf = options.unit === 'second' ? nanosecondsIn : (range: Period) => datesIn(range, options.timeZone);
  const fraction = { numerator: lengthOf(part), denominator: lengthOf(whole) };
  assert(fraction.denominator > 0n, 'A whole period has at least one day.');
  return fraction;
}

function nanosecondsIn(range: Period): bigint {
  return range.end.epochNanoseconds - range.start.epochNanoseconds;
}

function datesIn(range: Period, timeZone: string): bigint {
  const first = range.start.toZonedDateTimeISO(timeZone).toPlainDate();
  const last = range.end.toZonedDateTimeISO(timeZone).toPlainDate();
  return BigInt(first.until(last, { largestUnit: 'days' }).days);
}
