import { describe, expect, it } from 'vitest';
import { bucketPeriods } from './bucket-periods.js';
import { localDays } from './local-days.js';
import { period } from './period.js';

const at = (text: string): Temporal.Instant => Temporal.Instant.from(text);
const buckets = (unit: 'hour' | 'day', start: string, end: string, timeZone = 'UTC') => bucketPeriods(localDays(period(at(start), at(end)), timeZone), { unit, timeZone });

// Goal: hours and days that fill a period without a gap. Method: clipped ends, zones off the hour, and days when clocks change.
describe('bucketPeriods', () => {
  it('gives the local days', () => {
    expect(buckets('day', '2027-01-01T10:30:00Z', '2027-01-03T00:00:00Z').map(({ start }) => start.toString())).toEqual(['2027-01-01T10:30:00Z', '2027-01-02T00:00:00Z']);
  });

  it('counts hours from local midnight, clipped to the period', () => {
    expect(buckets('hour', '2027-01-01T10:30:00Z', '2027-01-01T12:15:00Z').map(({ start, end }) => `${start}/${end}`)).toEqual([
      '2027-01-01T10:30:00Z/2027-01-01T11:00:00Z', '2027-01-01T11:00:00Z/2027-01-01T12:00:00Z', '2027-01-01T12:00:00Z/2027-01-01T12:15:00Z',
    ]);
  });

  it.each([
    ['a day', '2027-01-01T00:00:00Z', '2027-01-02T00:00:00Z', 'UTC', 24],
    ['a month', '2027-01-01T00:00:00Z', '2027-02-01T00:00:00Z', 'UTC', 744],
    ['a zone off the hour', '2026-12-31T18:30:00Z', '2027-01-01T18:30:00Z', 'Asia/Kolkata', 24],
    ['a day of 23 hours', '2027-03-27T23:00:00Z', '2027-03-28T22:00:00Z', 'Europe/Berlin', 23],
    ['a day of 25 hours', '2027-10-30T22:00:00Z', '2027-10-31T23:00:00Z', 'Europe/Berlin', 25],
    ['a day of 24.5 hours', '2027-04-03T13:00:00Z', '2027-04-04T13:30:00Z', 'Australia/Lord_Howe', 25],
  ])('fills %s', (_name, start, end, timeZone, count) => {
    const hours = buckets('hour', start, end, timeZone);
    expect(hours).toHaveLength(count);
    for (const [index, hour] of hours.entries()) expect(hour.start.equals(hours[index - 1]?.end ?? at(start))).toBe(true);
    expect(hours.at(-1)?.end.equals(at(end))).toBe(true);
  });
});
