import { assert } from '../assert.js';
import { earlier, later, type Period } from './period.js';

export interface LocalDay extends Period {
  /** YYYY-MM-DD in the zone. */
  readonly day: string;
}

/** Eleven years: a year more than the longest interval. */
const localDaysMax = 4_020;

/** The local days that a period touches, in order, the first and last clipped to the period. They have 23 to 25 hours. */
export function localDays(range: Period, timeZone: string): LocalDay[] {
  const days: LocalDay[] = [];
  let date = range.start.toZonedDateTimeISO(timeZone).toPlainDate();
  let start = range.start;
  while (Temporal.Instant.compare(start, range.end) < 0) {
    assert(days.length < localDaysMax, 'A period is at most eleven years long.');
    const nextDate = date.add({ days: 1 });
    const end = earlier(startOfLocalDay(nextDate, timeZone), range.end);
    // A date that the zone skipped has no instant.
    if (Temporal.Instant.compare(start, end) < 0) days.push({ day: date.toString(), start, end });
    start = later(start, end);
    date = nextDate;
  }
  return days;
}

/** The local date of an instant as YYYY-MM-DD. */
export function localDayOf(instant: Temporal.Instant, timeZone: string): string {
  return instant.toZonedDateTimeISO(timeZone).toPlainDate().toString();
}

/** The first instant of a local date; not always midnight, since some zones change their clocks then. */
export function startOfLocalDay(date: Temporal.PlainDate, timeZone: string): Temporal.Instant {
  return date.toZonedDateTime(timeZone).toInstant();
}
