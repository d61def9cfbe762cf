import { describe, expect, it } from 'vitest';
import { usageWindows, windowEnd, windowStarts, type WindowUnit } from './usage-windows.js';

const at = (text: string): Temporal.Instant => Temporal.Instant.from(text);

function windows(unit: WindowUnit | null, timeZone: string, range: readonly [string, string]): string[] | null {
  const [from, to] = range.map(at) as [Temporal.Instant, Temporal.Instant];
  const found = usageWindows({ unit, timeZone, from, to });
  const starts = windowStarts(found, { from, to }, 1_000);
  return starts === null ? null : starts.map((start) => `${start.toString().slice(5, 16)} ${windowEnd(found, start, { from, to }).toString().slice(5, 16)}`);
}

describe('usageWindows', () => {
  it.each<[string, WindowUnit | null, string, [string, string], string[]]>([
    ['none', null, 'UTC', ['2026-11-01T10:10:00Z', '2026-11-05T00:00:00Z'], ['11-01T10:10 11-05T00:00']],
    ['minutes, clipped', 'minute', 'UTC', ['2026-11-01T10:10:30Z', '2026-11-01T10:12:20Z'], ['11-01T10:10 11-01T10:11', '11-01T10:11 11-01T10:12', '11-01T10:12 11-01T10:12']],
    ['hours', 'hour', 'Europe/Berlin', ['2026-11-01T10:30:00Z', '2026-11-01T12:00:00Z'], ['11-01T10:30 11-01T11:00', '11-01T11:00 11-01T12:00']],
    ['hours of a half-hour zone', 'hour', 'Asia/Kolkata', ['2026-11-01T10:00:00Z', '2026-11-01T12:00:00Z'], ['11-01T10:00 11-01T10:30', '11-01T10:30 11-01T11:30', '11-01T11:30 11-01T12:00']],
    ['hours of a quarter-hour zone', 'hour', 'Asia/Kathmandu', ['2026-11-01T10:15:00Z', '2026-11-01T11:15:00Z'], ['11-01T10:15 11-01T11:15']],
    // 2026-10-25 03:00 CEST is 02:00 CET again: 00:00Z to 03:00Z are local 2, 2 again and 3.
    ['hours where one is shown twice', 'hour', 'Europe/Berlin', ['2026-10-25T00:00:00Z', '2026-10-25T03:00:00Z'], ['10-25T00:00 10-25T01:00', '10-25T01:00 10-25T02:00', '10-25T02:00 10-25T03:00']],
    ['days', 'day', 'UTC', ['2026-10-31T12:00:00Z', '2026-11-02T00:00:00Z'], ['10-31T12:00 11-01T00:00', '11-01T00:00 11-02T00:00']],
    ['a day of 25 hours', 'day', 'Europe/Berlin', ['2026-10-24T22:00:00Z', '2026-10-26T23:00:00Z'], ['10-24T22:00 10-25T23:00', '10-25T23:00 10-26T23:00']],
    ['a day of 23 hours', 'day', 'Europe/Berlin', ['2026-03-28T23:00:00Z', '2026-03-30T22:00:00Z'], ['03-28T23:00 03-29T22:00', '03-29T22:00 03-30T22:00']],
    ['days of a half-hour zone', 'day', 'Asia/Kolkata', ['2026-11-01T00:00:00Z', '2026-11-02T18:30:00Z'], ['11-01T00:00 11-01T18:30', '11-01T18:30 11-02T18:30']],
    ['a day that begins at 01:00', 'day', 'America/Havana', ['2026-03-07T05:00:00Z', '2026-03-09T04:00:00Z'], ['03-07T05:00 03-08T05:00', '03-08T05:00 03-09T04:00']],
    // Samoa left out 2011-12-30: from 10:00Z of the 30th on, it is the 31st.
    ['a date that was skipped', 'day', 'Pacific/Apia', ['2011-12-29T10:00:00Z', '2011-12-31T10:00:00Z'], ['12-29T10:00 12-30T10:00', '12-30T10:00 12-31T10:00']],
    ['months', 'month', 'America/New_York', ['2026-10-15T00:00:00Z', '2026-12-10T00:00:00Z'], ['10-15T00:00 11-01T04:00', '11-01T04:00 12-01T05:00', '12-01T05:00 12-10T00:00']],
    // Lord Howe's clock goes from 02:00 (+11) back to 01:30 (+10:30) on 2026-04-04T15:00Z: the hour 01 lasts one and a half.
    ['an hour of ninety minutes', 'hour', 'Australia/Lord_Howe', ['2026-04-04T13:00:00Z', '2026-04-04T16:30:00Z'], ['04-04T13:00 04-04T14:00', '04-04T14:00 04-04T15:30', '04-04T15:30 04-04T16:30']],
    // And from 02:00 (+10:30) to 02:30 (+11) on 2026-10-03T15:30Z: the hour 02 has its second half only.
    ['an hour of thirty minutes', 'hour', 'Australia/Lord_Howe', ['2026-10-03T14:30:00Z', '2026-10-03T17:00:00Z'], ['10-03T14:30 10-03T15:30', '10-03T15:30 10-03T16:00', '10-03T16:00 10-03T17:00']],
  ])('cuts into %s', (_, unit, zone, range, expected) => {
    expect(windows(unit, zone, range)).toEqual(expected);
  });

  it('finds hours and minutes by arithmetic wherever the zone has one grid', () => {
    const range = { from: at('2000-01-01T00:00:00Z'), to: at('2026-11-01T00:00:00Z') };
    expect(usageWindows({ unit: 'hour', timeZone: 'America/New_York', ...range })).toMatchObject({ kind: 'even', widthSeconds: 3_600 });
    expect(usageWindows({ unit: 'minute', timeZone: 'Asia/Kathmandu', ...range })).toMatchObject({ kind: 'even', widthSeconds: 60 });
    expect(usageWindows({ unit: 'hour', timeZone: 'Australia/Lord_Howe', ...range }).kind).toBe('listed');
  });

  it('gives up on more windows than it may', () => {
    expect(windows('minute', 'UTC', ['2026-11-01T00:00:00Z', '2026-11-02T00:00:00Z'])).toBeNull(); // 1,440
    expect(windows('minute', 'UTC', ['2026-11-01T00:00:00Z', '2026-11-01T16:40:00Z'])).toHaveLength(1_000);
  });
});
