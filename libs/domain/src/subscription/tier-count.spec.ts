import { describe, expect, it } from 'vitest';
import { billingPeriodContaining, billingSchedule, type ScheduleTerms } from './billing-schedule.js';
import { haveSameBoundaries, tierPeriodOf } from './tier-count.js';

// Goal: where a count of tiers begins and ends. Method: schedules, an instant in one of their periods, and the two instants by hand.
const at = (text: string): Temporal.Instant => Temporal.Instant.from(text.length > 10 ? text : `${text}T00:00:00Z`);

function countAt(terms: Partial<ScheduleTerms>, of: { instant: string; tierPeriod: string; firstStage?: number | undefined }): string[] {
  const schedule = billingSchedule({ startAt: at('2027-01-31'), interval: 'P1M', timeZone: 'UTC', ...terms });
  const billing = billingPeriodContaining(schedule, at(of.instant));
  if (billing === null) return [];
  const { whole, counted } = tierPeriodOf(schedule, { billing, tierPeriod: of.tierPeriod, firstStage: of.firstStage ?? billing.stage });
  expect(counted.end.equals(whole.end)).toBe(true);
  return [whole.start, counted.start, whole.end].map((instant) => instant.toString().replace('T00:00:00Z', ''));
}

describe('tierPeriodOf', () => {
  const change = (when: string, interval = 'P1M') => ({ at: at(when), recurrence: { anchor: at('2027-01-31'), timeZone: 'UTC', interval }, isProrated: true, isImmediate: true });
  const rows: [string, Partial<ScheduleTerms>, string, string, string[], number?][] = [
    ['the first year', {}, '2027-02-01', 'P1Y', ['2027-01-31', '2027-01-31', '2028-01-31']],
    ['its last period', {}, '2028-01-30', 'P1Y', ['2027-01-31', '2027-01-31', '2028-01-31']],
    ['the second year, from its first instant', {}, '2028-01-31', 'P1Y', ['2028-01-31', '2028-01-31', '2029-01-31']],
    ['quarters end where months do', {}, '2027-05-01', 'P3M', ['2027-04-30', '2027-04-30', '2027-07-31']],
    ['a trial is before it', { trialDays: 14 }, '2027-03-01', 'P1Y', ['2027-02-14', '2027-02-14', '2028-02-14']],
    ['an anchor in the past: the first count begins midway', { billingAnchor: at('2026-07-01') }, '2027-02-15', 'P1Y', ['2026-07-01', '2027-01-31', '2027-07-01']],
    ['a stub before the anchor counts by itself', { billingAnchor: at('2027-02-15') }, '2027-02-01', 'P1Y', ['2026-02-15', '2027-01-31', '2027-02-15']],
    ['and the year begins with the anchor', { billingAnchor: at('2027-02-15') }, '2027-02-15', 'P1Y', ['2027-02-15', '2027-02-15', '2028-02-15']],
    ['a change begins anew', { changes: [change('2027-03-10')] }, '2027-03-10', 'P1Y', ['2027-01-31', '2027-03-10', '2028-01-31']],
    ['and what was before it stays', { changes: [change('2027-03-10')] }, '2027-03-09', 'P1Y', ['2027-01-31', '2027-01-31', '2028-01-31']],
    ['a change of the second year', { changes: [change('2028-03-10')] }, '2028-06-01', 'P1Y', ['2028-01-31', '2028-03-10', '2029-01-31']],
    ['a change that the count goes on over', { changes: [change('2027-03-10')] }, '2027-03-10', 'P1Y', ['2027-01-31', '2027-01-31', '2028-01-31'], 0],
    ['two changes, and the count goes on over the second', { changes: [change('2027-03-10'), change('2027-05-01')] }, '2027-06-10', 'P1Y', ['2027-01-31', '2027-03-10', '2028-01-31'], 1],
    ['a count that goes on ends with its year all the same', { changes: [change('2027-03-10')] }, '2028-02-10', 'P1Y', ['2028-01-31', '2028-01-31', '2029-01-31'], 0],
    ['an end takes nothing away', { endAt: at('2027-04-15') }, '2027-04-14', 'P1Y', ['2027-01-31', '2027-01-31', '2028-01-31']],
    ['the zone of the customer', { startAt: at('2027-01-01'), timeZone: 'America/New_York' }, '2027-12-31T23:59:59Z', 'P1Y', ['2027-01-01', '2027-01-01', '2028-01-01']],
    ['weeks of days', { startAt: at('2027-01-01'), interval: 'P1D' }, '2027-01-09', 'P1W', ['2027-01-08', '2027-01-08', '2027-01-15']],
  ];
  it.each(rows)('%s', (_name, terms, instant, tierPeriod, expected, firstStage) => {
    expect(countAt(terms, { instant, tierPeriod, firstStage })).toEqual(expected);
  });

  it('goes on only where boundaries stay where they are', () => {
    const other = { ...change('2027-05-01'), recurrence: { anchor: at('2027-05-01'), timeZone: 'UTC', interval: 'P1M' } };
    const schedule = billingSchedule({ startAt: at('2027-01-31'), interval: 'P1M', timeZone: 'UTC', changes: [change('2027-03-10'), other, { ...other, recurrence: { ...other.recurrence, interval: 'P3M' } }] });
    expect(([[0, 1], [1, 2], [2, 3], [3, 3]] as const).map((pair) => haveSameBoundaries(schedule, pair))).toEqual([true, false, false, true]);
  });
});
