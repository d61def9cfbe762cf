import { type LocalDay, startOfLocalDay } from './local-days.js';
import { earlier, later, type Period } from './period.js';

/** How usage is cut into buckets that are priced by themselves. */
export type BucketUnit = 'hour' | 'day';

/** The buckets of local days: the days, or their hours counted from the day's first instant, clipped to the days. On days when clocks change a last hour may be shorter. */
export function bucketPeriods(days: readonly LocalDay[], options: { unit: BucketUnit; timeZone: string }): Period[] {
  if (options.unit === 'day') return days.map(({ start, end }) => ({ start, end }));
  return days.flatMap((day) => hoursOf(day, options.timeZone));
}

function hoursOf(day: LocalDay, timeZone: string): Period[] {
  const hours: Period[] = [];
  let at = startOfLocalDay(Temporal.PlainDate.from(day.day), timeZone);
  while (Temporal.Instant.compare(at, day.end) < 0) {
    const next = at.add({ hours: 1 });
    if (Temporal.Instant.compare(next, day.start) > 0) hours.push({ start: later(at, day.start), end: earlier(next, day.end) });
    at = next;
  }
  return hours;
}
