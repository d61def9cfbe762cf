import { assert } from '../assert.js';

/** A range of time [start, end): the start belongs to it, the end does not. Never empty. */
export interface Period {
  readonly start: Temporal.Instant;
  readonly end: Temporal.Instant;
}

export function period(start: Temporal.Instant, end: Temporal.Instant): Period {
  assert(Temporal.Instant.compare(start, end) < 0, 'A period ends after it starts.');
  return { start, end };
}

export function contains(range: Period, instant: Temporal.Instant): boolean {
  return Temporal.Instant.compare(range.start, instant) <= 0 && Temporal.Instant.compare(instant, range.end) < 0;
}

/** True when two ranges share at least one instant. */
export function overlaps(a: Period, b: Period): boolean {
  return Temporal.Instant.compare(a.start, b.end) < 0 && Temporal.Instant.compare(b.start, a.end) < 0;
}

export function earlier(a: Temporal.Instant, b: Temporal.Instant): Temporal.Instant {
  return Temporal.Instant.compare(a, b) <= 0 ? a : b;
}

export function later(a: Temporal.Instant, b: Temporal.Instant): Temporal.Instant {
  return Temporal.Instant.compare(a, b) >= 0 ? a : b;
}

/** True for an IANA time zone that the runtime knows, or UTC; fixed offsets such as +02:00 are none, since they know no summer time. */
export function isTimeZone(name: string): boolean {
  if (/^[+-]/.test(name)) return false;
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name);
    return true;
  } catch {
    return false;
  }
}
