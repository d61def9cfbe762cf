import { describe, expect, it } from 'vitest';
import type { EntitlementReset } from '../catalog/entitlement.js';
import { billingSchedule, type ScheduleChange } from '../subscription/billing-schedule.js';
import { quotaWindow } from './quota-window.js';

// Goal: over which time use counts against a limit. Method: one subscription that began on 10 January, 12:00 in Berlin, one instant a row.
const timeZone = 'Europe/Berlin';
const at = (text: string) => Temporal.PlainDateTime.from(text).toZonedDateTime(timeZone).toInstant();
const local = (instant: Temporal.Instant | null) => instant?.toZonedDateTimeISO(timeZone).toPlainDateTime().toString({ smallestUnit: 'minute' }) ?? null;
const startAt = at('2027-01-10T12:00');
const monthly = { anchor: startAt, timeZone, interval: 'P1M' };
const change = (text: string, more: Partial<ScheduleChange> = {}): ScheduleChange => ({ at: at(text), recurrence: monthly, isProrated: true, isImmediate: true, ...more });

interface Asked {
  readonly plans?: readonly string[];
  readonly changes?: readonly ScheduleChange[];
  readonly trialDays?: number;
  readonly endAt?: string;
}

function windowAt(reset: EntitlementReset, now: string, { plans = ['free'], changes = [], trialDays = 0, endAt }: Asked = {}) {
  const schedule = billingSchedule({ startAt, trialDays, interval: 'P1M', timeZone, changes, endAt: endAt === undefined ? null : at(endAt) });
  const { stretches, resetsAt } = quotaWindow({ reset, schedule, timeZone, planIds: plans, now: at(now) });
  return [stretches.map(({ start, end }) => `${local(start)}/${local(end)}`), local(resetsAt)];
}

describe('the window of a limit', () => {
  it.each<[EntitlementReset, string, string[], string | null]>([
    ['billing_period', '2027-01-10T12:00', ['2027-01-10T12:00/2027-02-10T12:00'], '2027-02-10T12:00'],
    ['billing_period', '2027-02-10T11:59', ['2027-01-10T12:00/2027-02-10T12:00'], '2027-02-10T12:00'],
    ['billing_period', '2027-02-10T12:00', ['2027-02-10T12:00/2027-03-10T12:00'], '2027-03-10T12:00'],
    ['day', '2027-01-10T13:00', ['2027-01-10T12:00/2027-01-11T00:00'], '2027-01-11T00:00'], // The day on which it began.
    ['day', '2027-01-15T00:00', ['2027-01-15T00:00/2027-01-16T00:00'], '2027-01-16T00:00'],
    ['day', '2027-03-28T13:00', ['2027-03-28T00:00/2027-03-29T00:00'], '2027-03-29T00:00'], // 23 hours long.
    ['month', '2027-01-31T23:59', ['2027-01-10T12:00/2027-02-01T00:00'], '2027-02-01T00:00'],
    ['month', '2027-02-01T00:00', ['2027-02-01T00:00/2027-03-01T00:00'], '2027-03-01T00:00'],
    ['never', '2027-06-01T10:00', ['2027-01-10T12:00/2027-06-01T12:00'], null], // Events lie at most an hour ahead.
  ])('that resets by %s is at %s', (reset, now, stretches, resetsAt) => {
    expect(windowAt(reset, now)).toEqual([stretches, resetsAt]);
  });

  it('has what was used under a plan count against that plan alone', () => {
    const upgraded = { plans: ['free', 'pro'], changes: [change('2027-01-20T08:00')] };
    expect(windowAt('billing_period', '2027-01-20T07:59', upgraded)).toEqual([['2027-01-10T12:00/2027-02-10T12:00'], '2027-02-10T12:00']);
    expect(windowAt('billing_period', '2027-01-20T08:00', upgraded)).toEqual([['2027-01-20T08:00/2027-02-10T12:00'], '2027-02-10T12:00']);
    expect(windowAt('day', '2027-01-20T09:00', upgraded)).toEqual([['2027-01-20T08:00/2027-01-21T00:00'], '2027-01-21T00:00']);
    expect(windowAt('never', '2027-03-01T10:00', upgraded)).toEqual([['2027-01-20T08:00/2027-03-01T12:00'], null]);
  });

  it('finds what was used under a plan before, for who comes back to it', () => {
    const back = { plans: ['free', 'pro', 'free'], changes: [change('2027-01-20T08:00'), change('2027-01-25T08:00')] };
    expect(windowAt('billing_period', '2027-01-26T00:00', back)).toEqual([['2027-01-10T12:00/2027-01-20T08:00', '2027-01-25T08:00/2027-02-10T12:00'], '2027-02-10T12:00']);
    expect(windowAt('billing_period', '2027-02-11T00:00', back)).toEqual([['2027-02-10T12:00/2027-03-10T12:00'], '2027-03-10T12:00']);
  });

  it('gives and takes nothing where only the version or the seats change', () => {
    expect(windowAt('billing_period', '2027-01-26T00:00', { plans: ['free', 'free'], changes: [change('2027-01-20T08:00')] })).toEqual([['2027-01-10T12:00/2027-02-10T12:00'], '2027-02-10T12:00']);
  });

  it('begins with the change where periods of another length do', () => {
    const yearly = { plans: ['free', 'year'], changes: [change('2027-01-20T08:00', { recurrence: { anchor: at('2027-01-20T08:00'), timeZone, interval: 'P1Y' } })] };
    expect(windowAt('billing_period', '2027-05-01T00:00', yearly)).toEqual([['2027-01-20T08:00/2028-01-20T08:00'], '2028-01-20T08:00']);
  });

  it('has a trial as a period of its own', () => {
    const trial = { trialDays: 14 };
    expect(windowAt('billing_period', '2027-01-24T11:59', trial)).toEqual([['2027-01-10T12:00/2027-01-24T12:00'], '2027-01-24T12:00']);
    expect(windowAt('billing_period', '2027-01-24T12:00', trial)).toEqual([['2027-01-24T12:00/2027-02-24T12:00'], '2027-02-24T12:00']);
    expect(windowAt('never', '2027-01-24T12:00', trial)).toEqual([['2027-01-10T12:00/2027-01-24T14:00'], null]);
  });

  it('does not begin anew where the subscription ends first', () => {
    expect(windowAt('month', '2027-01-20T00:00', { endAt: '2027-02-01T00:00' })).toEqual([['2027-01-10T12:00/2027-02-01T00:00'], null]);
    expect(windowAt('month', '2027-01-20T00:00', { endAt: '2027-02-01T00:01' })).toEqual([['2027-01-10T12:00/2027-02-01T00:00'], '2027-02-01T00:00']);
  });
});
