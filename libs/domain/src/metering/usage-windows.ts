import { assert } from '../assert.js';

export type WindowUnit = 'minute' | 'hour' | 'day' | 'month';

/**
 * How [from, to) is cut. `even` windows have one width and are found by arithmetic; `listed` ones begin at these
 * instants, the first of which is `from`.
 */
export type UsageWindows =
  | { readonly kind: 'whole' }
  | { readonly kind: 'even'; readonly origin: Temporal.Instant; readonly widthSeconds: number }
  | { readonly kind: 'listed'; readonly starts: readonly Temporal.Instant[] };

export interface WindowRange {
  readonly from: Temporal.Instant;
  readonly to: Temporal.Instant;
}

/** More windows than this are never enumerated. */
const windowsMax = 1_200_000;
const transitionsMax = 1_000;
const hourSeconds = 3_600;

/**
 * Windows aligned to a time zone. Days and months begin where the local date does. An hour begins where the local
 * minute is 0, or where a change of the clock lands in another hour; when an hour is shown twice, each is a window.
 */
export function usageWindows(options: WindowRange & { readonly unit: WindowUnit | null; readonly timeZone: string }): UsageWindows {
  const { unit, from, to, timeZone } = options;
  if (unit === null) return { kind: 'whole' };
  if (unit === 'minute') return { kind: 'even', origin: floorTo(from, { widthSeconds: 60, phaseSeconds: 0 }), widthSeconds: 60 };
  if (unit === 'hour') return hourWindows({ from, to }, timeZone);
  return { kind: 'listed', starts: dateStarts({ from, to }, { unit, timeZone }) };
}

/** Where the window that begins at `start` ends, clipped to the range. */
export function windowEnd(windows: UsageWindows, start: Temporal.Instant, range: WindowRange): Temporal.Instant {
  const end = nextStart(windows, start);
  return end === null || Temporal.Instant.compare(end, range.to) > 0 ? range.to : end;
}

/** The beginnings of all windows, the first clipped to the range; null where there are more than `max`. */
export function windowStarts(windows: UsageWindows, range: WindowRange, max: number): readonly Temporal.Instant[] | null {
  if (windows.kind === 'whole') return [range.from];
  if (windows.kind === 'listed') return windows.starts.length > max ? null : windows.starts;
  const starts: Temporal.Instant[] = [];
  for (let start = range.from; Temporal.Instant.compare(start, range.to) < 0; start = windowEnd(windows, start, range)) {
    if (starts.length >= max) return null;
    starts.push(start);
  }
  return starts;
}

function nextStart(windows: UsageWindows, start: Temporal.Instant): Temporal.Instant | null {
  if (windows.kind === 'whole') return null;
  if (windows.kind === 'even') return floorTo(start, { widthSeconds: windows.widthSeconds, phaseSeconds: secondsOf(windows.origin) }).add({ seconds: windows.widthSeconds });
  return windows.starts[indexAfter(windows.starts, start)] ?? null;
}

function indexAfter(starts: readonly Temporal.Instant[], instant: Temporal.Instant): number {
  let [low, high] = [0, starts.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (Temporal.Instant.compare(starts[middle] as Temporal.Instant, instant) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function hourWindows(range: WindowRange, timeZone: string): UsageWindows {
  const stretches = constantOffsets(range, timeZone);
  const minuteOffsets = new Set(stretches.map(({ offsetSeconds }) => modulo(offsetSeconds, { by: hourSeconds })));
  const [only] = minuteOffsets;
  if (minuteOffsets.size === 1 && only !== undefined) return { kind: 'even', origin: floorTo(range.from, { widthSeconds: hourSeconds, phaseSeconds: -only }), widthSeconds: hourSeconds };
  return { kind: 'listed', starts: listedHours(stretches, range) };
}

interface Stretch {
  readonly start: Temporal.Instant;
  readonly end: Temporal.Instant;
  readonly offsetSeconds: number;
}

/** The range in parts in which the zone's distance from UTC does not change. */
function constantOffsets(range: WindowRange, timeZone: string): Stretch[] {
  const stretches: Stretch[] = [];
  let zoned = range.from.toZonedDateTimeISO(timeZone);
  while (Temporal.Instant.compare(zoned.toInstant(), range.to) < 0) {
    assert(stretches.length < transitionsMax, 'A zone changes its clocks a few times a year.');
    const change = zoned.getTimeZoneTransition('next');
    const isWithin = change !== null && Temporal.Instant.compare(change.toInstant(), range.to) < 0;
    stretches.push({ start: zoned.toInstant(), end: isWithin ? change.toInstant() : range.to, offsetSeconds: Math.trunc(zoned.offsetNanoseconds / 1e9) });
    if (!isWithin) return stretches;
    zoned = change;
  }
  return stretches;
}

function hourShown(localSeconds: number): number {
  return Math.floor(modulo(localSeconds, { by: 24 * hourSeconds }) / hourSeconds);
}

/** Where a zone changes its clocks by a part of an hour, its hours have no common grid. */
function listedHours(stretches: readonly Stretch[], range: WindowRange): Temporal.Instant[] {
  const starts: Temporal.Instant[] = [range.from];
  let before = stretches[0]?.offsetSeconds ?? 0;
  for (const { start, end, offsetSeconds } of stretches) {
    const staysInHour = hourShown(secondsOf(start) - 1 + before) === hourShown(secondsOf(start) + offsetSeconds);
    let next = floorTo(start, { widthSeconds: hourSeconds, phaseSeconds: -offsetSeconds });
    if (Temporal.Instant.compare(next, start) < 0 && staysInHour) next = next.add({ seconds: hourSeconds });
    for (; Temporal.Instant.compare(next, end) < 0; next = next.add({ seconds: hourSeconds })) {
      const at = Temporal.Instant.compare(next, start) < 0 ? start : next;
      if (Temporal.Instant.compare(at, starts.at(-1) as Temporal.Instant) > 0) starts.push(at);
      assert(starts.length <= windowsMax, 'The caller bounds the range before its hours are listed.');
    }
    before = offsetSeconds;
  }
  return starts;
}

function dateStarts(range: WindowRange, options: { unit: 'day' | 'month'; timeZone: string }): Temporal.Instant[] {
  const starts: Temporal.Instant[] = [range.from];
  let date = range.from.toZonedDateTimeISO(options.timeZone).toPlainDate();
  if (options.unit === 'month') date = date.with({ day: 1 });
  for (;;) {
    date = date.add(options.unit === 'month' ? { months: 1 } : { days: 1 });
    const start = date.toZonedDateTime(options.timeZone).toInstant();
    if (Temporal.Instant.compare(start, range.to) >= 0) return starts;
    // A zone that skipped a whole date gives that day's start and the next day's as one instant.
    if (Temporal.Instant.compare(start, starts.at(-1) as Temporal.Instant) > 0) starts.push(start);
    assert(starts.length <= windowsMax, 'The caller bounds the range before its days are listed.');
  }
}

/** The last instant at or before this one that lies a whole number of widths from `phaseSeconds` after 1970. */
function floorTo(instant: Temporal.Instant, grid: { readonly widthSeconds: number; readonly phaseSeconds: number }): Temporal.Instant {
  const seconds = secondsOf(instant);
  return Temporal.Instant.fromEpochMilliseconds((seconds - modulo(seconds - grid.phaseSeconds, { by: grid.widthSeconds })) * 1_000);
}

function secondsOf(instant: Temporal.Instant): number {
  return Math.floor(instant.epochMilliseconds / 1_000);
}

/** Never negative. */
function modulo(value: number, divisor: { readonly by: number }): number {
  return ((value % divisor.by) + divisor.by) % divisor.by;
}
