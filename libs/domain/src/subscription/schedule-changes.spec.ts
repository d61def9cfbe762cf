import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { billingPeriodAt, billingPeriodContaining, billingSchedule, uncutPeriodAt, type BillingSchedule, type ScheduleChange } from './billing-schedule.js';

// Goal: periods under changing terms. Method: a monthly schedule from March 1, changed by hand; then random changes, whose
// periods must follow one another without a gap.
const at = (text: string) => Temporal.Instant.from(text);
const monthly = { anchor: at('2026-03-01T00:00:00Z'), timeZone: 'UTC', interval: 'P1M' };
const change = (instant: string, more: Partial<ScheduleChange> = {}): ScheduleChange => ({ at: at(instant), recurrence: monthly, isProrated: true, isImmediate: true, ...more });
const schedule = (changes: ScheduleChange[], more: object = {}): BillingSchedule => billingSchedule({ startAt: monthly.anchor, interval: 'P1M', timeZone: 'UTC', changes, ...more });
const told = (from: BillingSchedule, count: number) =>
  Array.from({ length: count }, (_, index) => billingPeriodAt(from, index + 1)).map((found) => found && `${found.period.start.toString().slice(0, 13)} ${found.period.end.toString().slice(0, 13)} ${found.stage}`);

describe('a schedule with changes', () => {
  it('ends the period that a change falls in, and begins the next there, on the same boundaries', () => {
    const changed = schedule([change('2026-03-16T12:00:00Z')]);
    expect(told(changed, 3)).toEqual(['2026-03-01T00 2026-03-16T12 0', '2026-03-16T12 2026-04-01T00 1', '2026-04-01T00 2026-05-01T00 1']);
    expect(billingPeriodAt(changed, 2)).toMatchObject({ number: 2, isPartial: true, owesAdvance: true });
    expect(billingPeriodAt(changed, 2)?.whole.start.toString()).toBe('2026-03-01T00:00:00Z');
    expect(uncutPeriodAt(changed, 1)?.period.end.toString()).toBe('2026-04-01T00:00:00Z');
    expect(billingPeriodContaining(changed, at('2026-03-16T12:00:00Z'))?.number).toBe(2);
    expect(billingPeriodContaining(changed, at('2026-03-16T11:59:59Z'))?.number).toBe(1);
  });

  it('begins nothing midway that was set for a boundary', () => {
    const changed = schedule([change('2026-04-01T00:00:00Z', { isImmediate: false })]);
    expect(told(changed, 3)).toEqual(['2026-03-01T00 2026-04-01T00 0', '2026-04-01T00 2026-05-01T00 1', '2026-05-01T00 2026-06-01T00 1']);
    expect(billingPeriodAt(changed, 1)?.cutBy).toBeNull();
    expect(billingPeriodAt(changed, 2)?.owesAdvance).toBe(true);
  });

  it('counts a period of which nothing is left, since its start was billed', () => {
    // Changed at the very instant at which the period began, as on a test clock that stands.
    const changed = schedule([change('2026-04-01T00:00:00Z')]);
    expect(told(changed, 4)).toEqual(['2026-03-01T00 2026-04-01T00 0', null, '2026-04-01T00 2026-05-01T00 1', '2026-05-01T00 2026-06-01T00 1']);
    expect(uncutPeriodAt(changed, 2)).toMatchObject({ stage: 0, owesAdvance: true });
    // Without proration its fees stand, unless periods of another length begin.
    const kept = [change('2026-04-01T00:00:00Z', { isProrated: false })];
    expect(told(schedule(kept), 2)).toEqual(['2026-03-01T00 2026-04-01T00 0', '2026-04-01T00 2026-05-01T00 1']);
    const yearly = [change('2026-04-01T00:00:00Z', { isProrated: false, recurrence: { anchor: at('2026-04-01T00:00:00Z'), timeZone: 'UTC', interval: 'P1Y' } })];
    expect(told(schedule(yearly), 3)).toEqual(['2026-03-01T00 2026-04-01T00 0', null, '2026-04-01T00 2027-04-01T00 1']);
    const twice = schedule([change('2026-03-01T00:00:00Z'), change('2026-03-01T00:00:00Z')]);
    expect(told(twice, 4)).toEqual([null, null, '2026-03-01T00 2026-04-01T00 2', '2026-04-01T00 2026-05-01T00 2']);
    expect(uncutPeriodAt(twice, 2)?.period.end.toString()).toBe('2026-04-01T00:00:00Z');
  });

  it('takes periods of another length from the change on', () => {
    const yearly = { anchor: at('2026-03-16T12:00:00Z'), timeZone: 'UTC', interval: 'P1Y' };
    const changed = schedule([change('2026-03-16T12:00:00Z', { recurrence: yearly })]);
    expect(told(changed, 3)).toEqual(['2026-03-01T00 2026-03-16T12 0', '2026-03-16T12 2027-03-16T12 1', '2027-03-16T12 2028-03-16T12 1']);
    expect(billingPeriodAt(changed, 2)?.isPartial).toBe(false);
  });

  it('is as it is when its first period begins, where it was changed in the trial', () => {
    const changed = schedule([change('2026-03-05T00:00:00Z', { isProrated: false })], { trialDays: 10, billingAnchor: monthly.anchor });
    expect(told(changed, 2)).toEqual(['2026-03-11T00 2026-04-01T00 1', '2026-04-01T00 2026-05-01T00 1']);
    expect(billingPeriodAt(changed, 1)?.owesAdvance).toBe(true);
  });

  it('owes no fees in advance for a rest that was not to be prorated', () => {
    const changed = schedule([change('2026-03-16T12:00:00Z', { isProrated: false })]);
    expect([1, 2, 3].map((number) => billingPeriodAt(changed, number)?.owesAdvance)).toEqual([true, false, true]);
  });

  it('ends with the subscription, whatever was to change later', () => {
    const ended = schedule([change('2026-04-10T00:00:00Z')], { endAt: at('2026-03-20T00:00:00Z') });
    expect(told(ended, 2)).toEqual(['2026-03-01T00 2026-03-20T00 0', null]);
  });

  it('leaves no instant without its period, and none with two', () => {
    const day = fc.integer({ min: 0, max: 400 });
    fc.assert(fc.property(fc.uniqueArray(day, { maxLength: 5 }), day, fc.boolean(), (days, asked, isImmediate) => {
      const changes = days.toSorted((a, b) => a - b).map((days): ScheduleChange => {
        const instant = monthly.anchor.add({ hours: days * 24 + 7 });
        return { at: instant, recurrence: days % 2 === 0 ? monthly : { ...monthly, anchor: instant, interval: 'P1W' }, isProrated: true, isImmediate };
      });
      const changed = schedule(changes);
      const instant = monthly.anchor.add({ hours: asked * 24 });
      const found = billingPeriodContaining(changed, instant);
      expect(found).not.toBeNull();
      const number = found?.number ?? 0;
      expect(billingPeriodAt(changed, number)?.period).toEqual(found?.period);
      let end: Temporal.Instant | null = null;
      for (let at = 1; at <= number; at += 1) {
        const period = billingPeriodAt(changed, at);
        if (period === null) continue;
        if (end !== null) expect(period.period.start.equals(end)).toBe(true);
        end = period.period.end;
      }
    }));
  });
});
