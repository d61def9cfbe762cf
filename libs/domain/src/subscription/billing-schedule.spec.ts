import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contains } from '../period/period.js';
import { type BillingPeriod, billingPeriodAt, billingPeriodContaining, billingSchedule, periodsThrough, type ScheduleTerms } from './billing-schedule.js';

const at = (text: string) => Temporal.Instant.from(text);
const monthly = { interval: 'P1M', timeZone: 'UTC' };

function listed(terms: ScheduleTerms, through: string, max?: number): string[] {
  const outcome = periodsThrough(billingSchedule(terms), at(through), max);
  if (!outcome.ok) return [outcome.code];
  return outcome.periods.map(describePeriod(terms.timeZone));
}

const describePeriod = (timeZone: string) => ({ number, period, isPartial }: BillingPeriod) => {
  const local = (instant: Temporal.Instant) => instant.toZonedDateTimeISO(timeZone).toPlainDateTime().toString({ smallestUnit: 'minute' });
  return `${number} ${local(period.start)} ${local(period.end)}${isPartial ? ' partial' : ''}`;
};

// Goal: which periods a subscription has. Method: whole lives by hand, in local time.
describe('billing periods', () => {
  const rows: [string, ScheduleTerms, string, string[]][] = [
    ['from the start', { ...monthly, startAt: at('2026-11-01T00:00Z') }, '2026-12-15T00:00Z', ['1 2026-11-01T00:00 2026-12-01T00:00', '2 2026-12-01T00:00 2027-01-01T00:00']],
    ['the start itself has period 1', { ...monthly, startAt: at('2026-11-01T00:00Z') }, '2026-11-01T00:00Z', ['1 2026-11-01T00:00 2026-12-01T00:00']],
    ['none before the start', { ...monthly, startAt: at('2026-11-01T00:00Z') }, '2026-10-31T23:59Z', []],
    ['a boundary starts the next', { ...monthly, startAt: at('2026-11-01T00:00Z') }, '2026-12-01T00:00Z', ['1 2026-11-01T00:00 2026-12-01T00:00', '2 2026-12-01T00:00 2027-01-01T00:00']],
    ['the 31st', { ...monthly, startAt: at('2027-01-31T10:00Z') }, '2027-03-31T10:00Z', [
      '1 2027-01-31T10:00 2027-02-28T10:00', '2 2027-02-28T10:00 2027-03-31T10:00', '3 2027-03-31T10:00 2027-04-30T10:00',
    ]],
    ['an anchor after the start: a stub', { ...monthly, startAt: at('2026-11-10T12:00Z'), billingAnchor: at('2026-12-01T00:00Z') }, '2026-12-01T00:00Z', [
      '1 2026-11-10T12:00 2026-12-01T00:00 partial', '2 2026-12-01T00:00 2027-01-01T00:00',
    ]],
    ['an anchor far after the start: boundaries before it too', { ...monthly, startAt: at('2026-10-10T00:00Z'), billingAnchor: at('2026-12-01T00:00Z') }, '2026-11-15T00:00Z', [
      '1 2026-10-10T00:00 2026-11-01T00:00 partial', '2 2026-11-01T00:00 2026-12-01T00:00',
    ]],
    ['an anchor before the start', { ...monthly, startAt: at('2026-11-10T12:00Z'), billingAnchor: at('2026-01-31T00:00Z') }, '2026-12-01T00:00Z', [
      '1 2026-11-10T12:00 2026-11-30T00:00 partial', '2 2026-11-30T00:00 2026-12-31T00:00',
    ]],
    ['an anchor at the start', { ...monthly, startAt: at('2026-11-10T00:00Z'), billingAnchor: at('2026-11-10T00:00Z') }, '2026-11-10T00:00Z', ['1 2026-11-10T00:00 2026-12-10T00:00']],
    ['a start on another boundary of the anchor', { ...monthly, startAt: at('2026-11-10T00:00Z'), billingAnchor: at('2026-01-10T00:00Z') }, '2026-11-10T00:00Z', ['1 2026-11-10T00:00 2026-12-10T00:00']],
    ['a trial comes first', { ...monthly, startAt: at('2026-11-01T00:00Z'), trialDays: 14 }, '2026-11-15T00:00Z', ['1 2026-11-15T00:00 2026-12-15T00:00']],
    ['nothing within a trial', { ...monthly, startAt: at('2026-11-01T00:00Z'), trialDays: 14 }, '2026-11-14T23:59Z', []],
    ['a trial, then a stub', { ...monthly, startAt: at('2026-11-01T00:00Z'), trialDays: 14, billingAnchor: at('2026-12-01T00:00Z') }, '2026-12-01T00:00Z', [
      '1 2026-11-15T00:00 2026-12-01T00:00 partial', '2 2026-12-01T00:00 2027-01-01T00:00',
    ]],
    ['trial days are local', { interval: 'P1M', timeZone: 'Europe/Berlin', startAt: at('2026-10-20T08:00Z'), trialDays: 7 }, '2026-10-27T09:00Z', ['1 2026-10-27T10:00 2026-11-27T10:00']], // 10:00 before and after the clock change.
    ['an end cuts the period', { ...monthly, startAt: at('2026-11-01T00:00Z'), endAt: at('2026-12-10T00:00Z') }, '2027-06-01T00:00Z', [
      '1 2026-11-01T00:00 2026-12-01T00:00', '2 2026-12-01T00:00 2026-12-10T00:00 partial',
    ]],
    ['an end on a boundary starts no other', { ...monthly, startAt: at('2026-11-01T00:00Z'), endAt: at('2026-12-01T00:00Z') }, '2027-06-01T00:00Z', ['1 2026-11-01T00:00 2026-12-01T00:00']],
    ['an end within the trial', { ...monthly, startAt: at('2026-11-01T00:00Z'), trialDays: 14, endAt: at('2026-11-10T00:00Z') }, '2027-06-01T00:00Z', []],
    ['quarters', { interval: 'P3M', timeZone: 'UTC', startAt: at('2026-11-30T00:00Z') }, '2027-02-28T00:00Z', ['1 2026-11-30T00:00 2027-02-28T00:00', '2 2027-02-28T00:00 2027-05-30T00:00']],
    ['local midnight over the clock change', { interval: 'P1M', timeZone: 'America/New_York', startAt: at('2026-10-01T04:00Z') }, '2026-11-01T04:00Z', ['1 2026-10-01T00:00 2026-11-01T00:00', '2 2026-11-01T00:00 2026-12-01T00:00']],
    ['a day that the zone skipped', { interval: 'P1D', timeZone: 'Pacific/Apia', startAt: at('2011-12-29T10:00Z') }, '2011-12-30T10:00Z', [
      '1 2011-12-29T00:00 2011-12-31T00:00', '3 2011-12-31T00:00 2012-01-01T00:00',
    ]],
  ];
  it.each(rows)('%s', (_name, terms, through, expected) => {
    expect(listed(terms, through)).toEqual(expected);
  });

  it('measures a stub against the whole period between the anchor\'s boundaries', () => {
    const schedule = billingSchedule({ ...monthly, startAt: at('2026-11-16T00:00Z'), billingAnchor: at('2026-12-01T00:00Z') });
    const stub = billingPeriodAt(schedule, 1);
    expect([stub?.whole.start.toString(), stub?.whole.end.toString()]).toEqual(['2026-11-01T00:00:00Z', '2026-12-01T00:00:00Z']);
  });

  it('takes 400 elapsed periods and the one under way, and refuses one more', () => {
    const terms = { interval: 'P1D', timeZone: 'UTC', startAt: at('2026-01-01T00:00Z') };
    expect(listed(terms, '2027-02-05T00:00Z')).toHaveLength(401); // 365 + 31 + 4 = 400 days are over, the 401st has begun.
    expect(listed(terms, '2027-02-06T00:00Z')).toEqual(['too_many_periods']);
    expect(listed(terms, '2026-01-03T00:00Z', 1)).toEqual(['too_many_periods']);
  });

  it('covers the life of a subscription without gap or overlap, and finds each instant\'s period', () => {
    const seconds = (min: number, max: number) => fc.integer({ min, max }).map((n) => Temporal.Instant.fromEpochMilliseconds(n * 1000));
    const year2026 = 1_767_225_600;
    const starts = seconds(year2026, year2026 + 400 * 86_400);
    const anchors = fc.option(seconds(year2026 - 400 * 86_400, year2026 + 800 * 86_400), { nil: undefined });
    const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe');
    fc.assert(
      fc.property(starts, anchors, zones, fc.constantFrom('P1M', 'P1W', 'P3M'), fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 300 }), (startAt, billingAnchor, timeZone, interval, trialDays, later) => {
        const schedule = billingSchedule({ startAt, billingAnchor, timeZone, interval, trialDays });
        const instant = schedule.firstStart.add({ hours: later * 24 + 5 });
        const outcome = periodsThrough(schedule, instant);
        const periods = outcome.ok ? outcome.periods : [];
        expect(periods[0]?.period.start.toString()).toBe(schedule.firstStart.toString());
        for (const [index, one] of periods.entries()) {
          expect(one.number).toBe(index + 1);
          if (index > 0) expect(one.period.start.equals(periods[index - 1]?.period.end ?? instant)).toBe(true);
          expect(billingPeriodAt(schedule, one.number)).toEqual(one);
        }
        const last = periods.at(-1);
        expect(last !== undefined && contains(last.period, instant)).toBe(true);
        expect(billingPeriodContaining(schedule, instant)).toEqual(last);
      }),
    );
  });

  it('has no period before the first and after the end', () => {
    const schedule = billingSchedule({ ...monthly, startAt: at('2026-11-01T00:00Z'), trialDays: 7, endAt: at('2026-12-01T00:00Z') });
    expect(billingPeriodContaining(schedule, at('2026-11-07T00:00Z'))).toBeNull();
    expect(billingPeriodContaining(schedule, at('2026-11-08T00:00Z'))?.number).toBe(1);
    expect(billingPeriodContaining(schedule, at('2026-12-01T00:00Z'))).toBeNull();
    expect(billingPeriodAt(schedule, 2)).toBeNull();
  });
});
