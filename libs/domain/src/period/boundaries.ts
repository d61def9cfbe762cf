import { assert } from '../assert.js';
import { type Interval, parseInterval } from './interval.js';
import { contains, type Period, period } from './period.js';

/** What all boundaries of a subscription follow from. */
export interface Recurrence {
  /** Boundary 0. */
  readonly anchor: Temporal.Instant;
  /** IANA name; the anchor's local date and time in it repeats. */
  readonly timeZone: string;
  /** ISO 8601 duration of one part, such as P1M. */
  readonly interval: string;
}

/** A period between two neighbouring boundaries; `index` is that of the boundary at its start and may be negative. */
export interface IndexedPeriod {
  readonly index: number;
  readonly period: Period;
}

/**
 * The anchor's original local date and time + index × interval, in the zone. A day that the month lacks becomes its last day,
 * and the next month has the original day again. A local time that the clock skips is taken after the gap; one that it
 * shows twice is the first. The index may be negative.
 */
export function boundaryAt(at: Recurrence & { index: number }): Temporal.Instant {
  if (at.index === 0) return at.anchor; // Also where the anchor is the second of two equal local times.
  const { unit, count } = parseInterval(at.interval);
  const local = at.anchor.toZonedDateTimeISO(at.timeZone).toPlainDateTime();
  return local
    .add({ [unit]: count * at.index }, { overflow: 'constrain' })
    .toZonedDateTime(at.timeZone, { disambiguation: 'compatible' })
    .toInstant();
}

/** The period between two boundaries that the instant lies in. */
export function periodContaining(recurrence: Recurrence, instant: Temporal.Instant): IndexedPeriod {
  let index = estimatedIndex(recurrence, parseInterval(recurrence.interval), instant);
  // The estimate is at most a step off, because of month ends, clock changes and dates that a zone skipped.
  for (let step = 0; step < indexStepsMax; step += 1) {
    const start = boundaryAt({ ...recurrence, index });
    const end = boundaryAt({ ...recurrence, index: index + 1 });
    if (Temporal.Instant.compare(instant, start) < 0) index -= 1;
    else if (Temporal.Instant.compare(instant, end) >= 0) index += 1;
    else return { index, period: period(start, end) };
  }
  assert(false, 'An instant lies within a few steps of the estimated period.');
}

const indexStepsMax = 8;

function estimatedIndex(recurrence: Recurrence, interval: Interval, instant: Temporal.Instant): number {
  const from = recurrence.anchor.toZonedDateTimeISO(recurrence.timeZone).toPlainDateTime();
  const to = instant.toZonedDateTimeISO(recurrence.timeZone).toPlainDateTime();
  return Math.floor(from.until(to, { largestUnit: interval.unit })[interval.unit] / interval.count);
}

const boundariesMax = 10_000;

/** Every boundary in [range.start, range.end), in order, each instant once. At most `max` (10,000 unless told); more is a bug of the caller. */
export function boundariesBetween(recurrence: Recurrence, range: Period, max = boundariesMax): Temporal.Instant[] {
  const boundaries: Temporal.Instant[] = [];
  for (let { index } = periodContaining(recurrence, range.start); ; index += 1) {
    const boundary = boundaryAt({ ...recurrence, index });
    if (Temporal.Instant.compare(boundary, range.end) >= 0) return boundaries;
    // A zone that skipped a whole date gives that day's boundary and the next day's as one instant.
    if (contains(range, boundary) && boundaries.at(-1)?.equals(boundary) !== true) {
      assert(boundaries.length < max, 'A range holds no more boundaries than its caller allows.');
      boundaries.push(boundary);
    }
  }
}
