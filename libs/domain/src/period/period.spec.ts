import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundariesBetween, boundaryAt, periodContaining } from './boundaries.js';
import { isInterval } from './interval.js';
import { localDayOf, localDays } from './local-days.js';
import { contains, isTimeZone, overlaps, period } from './period.js';
import { prorationFraction, type ProrationUnit } from './proration-fraction.js';

const at = (text: string) => Temporal.Instant.from(text);
const local = (text: string) => Temporal.ZonedDateTime.from(text).toInstant();

describe('boundaryAt', () => {
  // Goal: the original local date and time, for ever. Method: months by hand, with ends of months and clock changes.
  const rows: [string, string, string, number, string][] = [
    // anchor (local), zone, interval, index, expected (local)
    ['2026-01-31T00:00', 'UTC', 'P1M', 0, '2026-01-31T00:00+00:00'],
    ['2026-01-31T00:00', 'UTC', 'P1M', 1, '2026-02-28T00:00+00:00'],
    ['2026-01-31T00:00', 'UTC', 'P1M', 2, '2026-03-31T00:00+00:00'], // 31 again.
    ['2026-01-31T00:00', 'UTC', 'P1M', 3, '2026-04-30T00:00+00:00'],
    ['2028-01-31T00:00', 'UTC', 'P1M', 1, '2028-02-29T00:00+00:00'], // Leap year.
    ['2026-01-30T00:00', 'UTC', 'P1M', 1, '2026-02-28T00:00+00:00'],
    ['2026-01-30T00:00', 'UTC', 'P1M', 2, '2026-03-30T00:00+00:00'],
    ['2026-03-31T00:00', 'UTC', 'P1M', -1, '2026-02-28T00:00+00:00'],
    ['2028-02-29T00:00', 'UTC', 'P1Y', 1, '2029-02-28T00:00+00:00'],
    ['2028-02-29T00:00', 'UTC', 'P1Y', 4, '2032-02-29T00:00+00:00'],
    ['2026-11-30T12:00', 'UTC', 'P3M', 1, '2027-02-28T12:00+00:00'],
    ['2026-11-30T12:00', 'UTC', 'P3M', 2, '2027-05-30T12:00+00:00'],
    ['2026-01-15T10:00', 'UTC', 'P2W', 3, '2026-02-26T10:00+00:00'], // 15 + 42 days.
    ['2026-03-01T00:00', 'Europe/Berlin', 'P1M', 1, '2026-04-01T00:00+02:00'], // Over the change to summer time.
    ['2026-10-01T00:00', 'Europe/Berlin', 'P1M', 1, '2026-11-01T00:00+01:00'],
    ['2026-02-28T02:30', 'Europe/Berlin', 'P1M', 1, '2026-03-28T02:30+01:00'],
    ['2026-03-28T02:30', 'Europe/Berlin', 'P1D', 1, '2026-03-29T03:30+02:00'], // 02:30 does not exist that day: after the gap.
    ['2026-03-28T02:30', 'Europe/Berlin', 'P1D', 2, '2026-03-30T02:30+02:00'], // And 02:30 again.
    ['2026-10-24T02:30', 'Europe/Berlin', 'P1D', 1, '2026-10-25T02:30+02:00'], // 02:30 comes twice: the first.
    ['2026-11-01T00:00', 'America/New_York', 'P1M', 1, '2026-12-01T00:00-05:00'], // Anchor in summer time, boundary in winter.
    ['2026-01-31T23:30', 'Asia/Kolkata', 'P1M', 1, '2026-02-28T23:30+05:30'],
    ['2026-09-30T00:00', 'Australia/Lord_Howe', 'P1M', 1, '2026-10-30T00:00+11:00'], // A change of half an hour.
  ];
  it.each(rows)('%s %s %s × %i: %s', (anchor, timeZone, interval, index, expected) => {
    const instant = local(`${anchor}[${timeZone}]`);
    const boundary = boundaryAt({ anchor: instant, timeZone, interval, index });
    expect(boundary.toZonedDateTimeISO(timeZone).toString()).toBe(Temporal.ZonedDateTime.from(`${expected}[${timeZone}]`).toString());
  });

  it('leaves an anchor in the second of two equal local hours where it is', () => {
    const anchor = at('2026-10-25T01:30:00Z'); // 02:30 for the second time.
    expect(boundaryAt({ anchor, timeZone: 'Europe/Berlin', interval: 'P1M', index: 0 }).equals(anchor)).toBe(true);
  });

  it('lists the boundaries of a range, its start included and its end not', () => {
    const recurrence = { anchor: at('2026-01-31T00:00:00Z'), timeZone: 'UTC', interval: 'P1M' };
    const listed = boundariesBetween(recurrence, period(at('2026-01-31T00:00:00Z'), at('2026-04-30T00:00:00Z')));
    expect(listed.map(String)).toEqual(['2026-01-31T00:00:00Z', '2026-02-28T00:00:00Z', '2026-03-31T00:00:00Z']);
    expect(() => boundariesBetween(recurrence, period(at('2026-01-31T00:00:00Z'), at('2027-01-31T00:00:00Z')), 11)).toThrow('no more boundaries');
  });

  it('gives a day that a zone skipped no boundary of its own', () => {
    // Samoa had no 30 December 2011.
    const recurrence = { anchor: local('2011-12-28T00:00[Pacific/Apia]'), timeZone: 'Pacific/Apia', interval: 'P1D' };
    const listed = boundariesBetween(recurrence, period(recurrence.anchor, local('2012-01-01T00:00[Pacific/Apia]')));
    expect(listed.map((instant) => localDayOf(instant, 'Pacific/Apia'))).toEqual(['2011-12-28', '2011-12-29', '2011-12-31']);
  });

  it('finds the one period that an instant lies in', () => {
    const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'Pacific/Apia');
    const intervals = fc.constantFrom('P1D', 'P1W', 'P1M', 'P3M', 'P1Y', 'P10D');
    const seconds = fc.integer({ min: 1_262_304_000, max: 1_900_000_000 }); // 2010 to 2030.
    fc.assert(
      fc.property(zones, intervals, seconds, seconds, (timeZone, interval, anchorSeconds, instantSeconds) => {
        const anchor = Temporal.Instant.fromEpochMilliseconds(anchorSeconds * 1000);
        const instant = Temporal.Instant.fromEpochMilliseconds(instantSeconds * 1000);
        const found = periodContaining({ anchor, timeZone, interval }, instant);
        expect(contains(found.period, instant)).toBe(true);
        expect(boundaryAt({ anchor, timeZone, interval, index: found.index }).equals(found.period.start)).toBe(true);
        expect(boundaryAt({ anchor, timeZone, interval, index: found.index + 1 }).equals(found.period.end)).toBe(true);
      }),
    );
  });
});

describe('localDays', () => {
  it.each([
    ['2026-11-01T00:00Z', '2026-12-01T00:00Z', 'UTC', 30, 24, 24],
    ['2026-02-28T23:00Z', '2026-03-31T22:00Z', 'Europe/Berlin', 31, 24, 24], // March there.
    ['2026-03-28T23:00Z', '2026-03-29T22:00Z', 'Europe/Berlin', 1, 23, 23], // The day of 23 hours.
    ['2026-10-24T22:00Z', '2026-10-25T23:00Z', 'Europe/Berlin', 1, 25, 25], // The day of 25 hours.
    ['2026-11-01T10:00Z', '2026-11-03T06:00Z', 'UTC', 3, 14, 6], // Clipped at both ends.
    ['2026-11-01T23:00Z', '2026-11-02T01:00Z', 'UTC', 2, 1, 1],
    ['2026-11-01T18:00Z', '2026-11-02T18:30Z', 'Asia/Kolkata', 2, 0.5, 24], // Local midnight is 18:30 UTC.
  ])('%s to %s in %s: %i days, the first %d h, the last %d h', (start, end, timeZone, count, first, last) => {
    const days = localDays(period(at(start), at(end)), timeZone);
    expect(days).toHaveLength(count);
    const hours = days.map((day) => day.start.until(day.end).total('hours'));
    expect([hours[0], hours.at(-1)]).toEqual([first, last]);
  });

  it('names the days and leaves out the one that a zone skipped', () => {
    const range = period(local('2011-12-29T12:00[Pacific/Apia]'), local('2012-01-01T00:00[Pacific/Apia]'));
    expect(localDays(range, 'Pacific/Apia').map((day) => day.day)).toEqual(['2011-12-29', '2011-12-31']);
  });

  it('covers the period without gap or overlap', () => {
    const seconds = fc.integer({ min: 1_262_304_000, max: 1_900_000_000 });
    const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/Sao_Paulo', 'Pacific/Apia', 'Asia/Kathmandu');
    fc.assert(
      fc.property(zones, seconds, fc.integer({ min: 1, max: 100 * 86_400 }), (timeZone, startSeconds, length) => {
        const range = period(Temporal.Instant.fromEpochMilliseconds(startSeconds * 1000), Temporal.Instant.fromEpochMilliseconds((startSeconds + length) * 1000));
        const days = localDays(range, timeZone);
        expect([days[0]?.start.toString(), days.at(-1)?.end.toString()]).toEqual([range.start.toString(), range.end.toString()]);
        for (const [index, day] of days.entries()) {
          if (index > 0) expect(day.start.equals(days[index - 1]?.end ?? range.start)).toBe(true);
          expect(localDayOf(day.start, timeZone)).toBe(day.day);
          expect(localDayOf(day.end.subtract({ nanoseconds: 1 }), timeZone)).toBe(day.day);
        }
      }),
    );
  });
});

describe('prorationFraction', () => {
  const rows: [string, string, string, ProrationUnit, bigint, bigint][] = [
    // part start, part end, zone (whole: November 2026 there), unit, numerator, denominator in seconds or days
    ['2026-11-01T00:00', '2026-12-01T00:00', 'UTC', 'second', 2_592_000n, 2_592_000n], // 30 × 86,400
    ['2026-11-16T00:00', '2026-12-01T00:00', 'UTC', 'second', 1_296_000n, 2_592_000n], // 15 × 86,400
    ['2026-11-01T00:00', '2026-11-10T12:00', 'UTC', 'second', 820_800n, 2_592_000n], // 9.5 × 86,400
    ['2026-11-16T00:00', '2026-12-01T00:00', 'UTC', 'day', 15n, 30n],
    ['2026-11-10T12:00', '2026-12-01T00:00', 'UTC', 'day', 21n, 30n], // The day of change belongs to the new state …
    ['2026-11-01T00:00', '2026-11-10T12:00', 'UTC', 'day', 9n, 30n], // … and not to the old one.
    ['2026-11-10T09:00', '2026-11-10T17:00', 'UTC', 'day', 0n, 30n],
    ['2026-11-01T00:00', '2026-11-02T00:00', 'America/New_York', 'second', 90_000n, 2_595_600n], // 25 hours of 30 × 24 + 1.
    ['2026-11-01T00:00', '2026-11-02T00:00', 'America/New_York', 'day', 1n, 30n],
  ];
  it.each(rows)('[%s, %s) in %s by %s: %s / %s', (start, end, timeZone, unit, numerator, denominator) => {
    const month = period(local(`2026-11-01T00:00[${timeZone}]`), local(`2026-12-01T00:00[${timeZone}]`));
    const part = period(local(`${start}[${timeZone}]`), local(`${end}[${timeZone}]`));
    const scale = unit === 'second' ? 1_000_000_000n : 1n;
    expect(prorationFraction({ part, whole: month, unit, timeZone })).toEqual({ numerator: numerator * scale, denominator: denominator * scale });
  });

  it('counts the fractions of a second', () => {
    const whole = period(at('2026-11-01T00:00:00Z'), at('2026-11-01T00:00:01Z'));
    const part = period(at('2026-11-01T00:00:00Z'), at('2026-11-01T00:00:00.25Z'));
    expect(prorationFraction({ part, whole, unit: 'second', timeZone: 'UTC' })).toEqual({ numerator: 250_000_000n, denominator: 1_000_000_000n });
  });

  it('sums to 1 over the parts of a whole, wherever it is cut', () => {
    const whole = period(local('2026-10-15T10:30[Europe/Berlin]'), local('2026-11-15T10:30[Europe/Berlin]'));
    const length = Number((whole.end.epochNanoseconds - whole.start.epochNanoseconds) / 1_000_000n);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: length - 1 }), fc.constantFrom<ProrationUnit>('second', 'day'), (milliseconds, unit) => {
        const change = whole.start.add({ milliseconds });
        const before = prorationFraction({ part: period(whole.start, change), whole, unit, timeZone: 'Europe/Berlin' });
        const after = prorationFraction({ part: period(change, whole.end), whole, unit, timeZone: 'Europe/Berlin' });
        expect(before.numerator + after.numerator).toBe(before.denominator);
        expect(before.numerator >= 0n && after.numerator >= 0n).toBe(true);
      }),
    );
  });

  it('takes no part outside its whole', () => {
    const whole = period(at('2026-11-01T00:00Z'), at('2026-12-01T00:00Z'));
    const part = period(at('2026-11-16T00:00Z'), at('2026-12-02T00:00Z'));
    expect(() => prorationFraction({ part, whole, unit: 'second', timeZone: 'UTC' })).toThrow('within its whole');
  });
});

describe('period', () => {
  const november = period(at('2026-11-01T00:00Z'), at('2026-12-01T00:00Z'));

  it('has its start and not its end', () => {
    expect(contains(november, november.start)).toBe(true);
    expect(contains(november, november.end)).toBe(false);
    expect(overlaps(november, period(november.end, at('2027-01-01T00:00Z')))).toBe(false);
    expect(overlaps(november, period(at('2026-11-30T00:00Z'), at('2027-01-01T00:00Z')))).toBe(true);
    expect(() => period(november.end, november.end)).toThrow('ends after it starts');
  });

  it.each([
    ['P1M', true],
    ['P12M', true],
    ['P1Y', true],
    ['P2W', true],
    ['P366D', true],
    ['P367D', false],
    ['P11Y', false],
    ['P0M', false],
    ['P1M1D', false],
    ['PT1H', false],
    ['P-1M', false],
    ['monthly', false],
    ['', false],
  ])('%s is an interval: %s', (text, is) => {
    expect(isInterval(text)).toBe(is);
  });

  it.each([
    ['UTC', true],
    ['Europe/Berlin', true],
    ['+02:00', false],
    ['Mars/Olympus', false],
    ['', false],
  ])('%s is a time zone: %s', (name, is) => {
    expect(isTimeZone(name)).toBe(is);
  });
});
