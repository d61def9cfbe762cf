import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { billingPeriodAt, billingSchedule, type ScheduleChange, type ScheduleTerms } from '../subscription/billing-schedule.js';
import type { MinimumCommitment } from '../subscription/minimum-commitment.js';
import { nextBoundary } from './boundary.js';
import { commitmentWindows, countedPeriodOf, isClosedBy, type CommitmentWindow } from './commitment-window.js';

const at = (text: string) => Temporal.Instant.from(text.length === 10 ? `${text}T00:00Z` : text);
const monthly = { interval: 'P1M', timeZone: 'UTC', startAt: at('2027-01-01') };
const hundred: MinimumCommitment = { amount: '100', per: 'billing_period' };
const thousand: MinimumCommitment = { amount: '1000', per: 'year' };

function change(when: string, more: Partial<ScheduleChange> & { interval?: string; anchor?: string } = {}): ScheduleChange {
  const { interval = 'P1M', anchor = '2027-01-01', ...rest } = more;
  return { at: at(when), recurrence: { anchor: at(anchor), timeZone: 'UTC', interval }, isProrated: true, isImmediate: true, ...rest };
}

const shown = ({ first, last, period, fraction, commitment }: CommitmentWindow) =>
  `${first}-${last} ${period.start.toString().slice(0, 13)} ${period.end.toString().slice(0, 13)} ${Number(fraction.numerator) / Number(fraction.denominator)} of ${commitment.amount}`;

// Goal: which periods a commitment is held against as one, and for which share. Method: schedules by hand.
describe('windows of a commitment', () => {
  const rows: [string, ScheduleTerms, (MinimumCommitment | null)[], number, string[]][] = [
    ['one for each period', monthly, [hundred], 2, ['1-1 2027-01-01T00 2027-02-01T00 1 of 100', '2-2 2027-02-01T00 2027-03-01T00 1 of 100']],
    ['a stub commits to its share: 15.5 of 31 days', { ...monthly, startAt: at('2027-01-16T12:00Z'), billingAnchor: at('2027-02-01') }, [hundred], 1, ['1-1 2027-01-16T12 2027-02-01T00 0.5 of 100']],
    ['an end too', { ...monthly, endAt: at('2027-01-16T12:00Z') }, [hundred], 1, ['1-1 2027-01-01T00 2027-01-16T12 0.5 of 100']],
    ['a change midway does not divide it', { ...monthly, changes: [change('2027-01-16T12:00Z')] }, [hundred, hundred], 3, ['1-2 2027-01-01T00 2027-02-01T00 1 of 100', '3-3 2027-02-01T00 2027-03-01T00 1 of 100']],
    ['it is not over before the regular boundary', { ...monthly, changes: [change('2027-01-16T12:00Z')] }, [hundred, hundred], 1, []],
    ['another amount midway divides it', { ...monthly, changes: [change('2027-01-16T12:00Z')] }, [hundred, { ...hundred, amount: '200' }], 2, [
      '1-1 2027-01-01T00 2027-01-16T12 0.5 of 100', '2-2 2027-01-16T12 2027-02-01T00 0.5 of 200',
    ]],
    ['it may begin with a change, and end with one', { ...monthly, changes: [change('2027-02-01', { isImmediate: false }), change('2027-03-01', { isImmediate: false })] }, [null, hundred, null], 9, ['2-2 2027-02-01T00 2027-03-01T00 1 of 100']],
    ['periods of another length begin anew', { ...monthly, changes: [change('2027-01-16T12:00Z', { interval: 'P3M', anchor: '2027-01-16T12:00Z' })] }, [hundred, hundred], 2, [
      '1-1 2027-01-01T00 2027-01-16T12 0.5 of 100', '2-2 2027-01-16T12 2027-04-16T12 1 of 100',
    ]],
    ['a period that a change emptied belongs to the next', { ...monthly, changes: [change('2027-01-01')] }, [hundred, hundred], 3, ['1-2 2027-01-01T00 2027-02-01T00 1 of 100', '3-3 2027-02-01T00 2027-03-01T00 1 of 100']],
    ['a year has the periods that start in it', monthly, [thousand], 24, ['1-12 2027-01-01T00 2028-01-01T00 1 of 1000', '13-24 2028-01-01T00 2029-01-01T00 1 of 1000']],
    ['a year is not over before its last period', monthly, [thousand], 11, []],
    ['a year that ends early commits to its share: 73 of 365 days', { ...monthly, endAt: at('2027-03-15') }, [thousand], 3, ['1-3 2027-01-01T00 2027-03-15T00 0.2 of 1000']],
    ['a period that a change emptied at a boundary too', { ...monthly, changes: [change('2027-02-01')] }, [hundred, hundred], 3, ['1-1 2027-01-01T00 2027-02-01T00 1 of 100', '2-3 2027-02-01T00 2027-03-01T00 1 of 100']],
    ['a year begins with the commitment', { ...monthly, changes: [change('2027-03-01', { isImmediate: false })] }, [null, thousand], 14, ['3-14 2027-03-01T00 2028-03-01T00 1 of 1000']],
    ['a year goes on over changes of the plan', { ...monthly, changes: [change('2027-03-10')] }, [thousand, thousand], 13, ['1-13 2027-01-01T00 2028-01-01T00 1 of 1000']],
    // 53 weeks start in 2027: on 1 January + 0, 7, … 364 days.
    ['weeks do not divide a year', { ...monthly, interval: 'P1W' }, [thousand], 53, ['1-53 2027-01-01T00 2028-01-07T00 1 of 1000']],
    ['a trial is in none', { ...monthly, trialDays: 10 }, [hundred], 1, ['1-1 2027-01-11T00 2027-02-11T00 1 of 100']],
  ];
  it.each(rows)('%s', (_name, terms, commitments, through, expected) => {
    expect(commitmentWindows(billingSchedule(terms), commitments, through).map(shown)).toEqual(expected);
  });

  it('cover each period once, and each is closed by the first boundary after it', () => {
    const days = fc.uniqueArray(fc.integer({ min: 0, max: 200 }), { maxLength: 4 }).map((list) => list.toSorted((a, b) => a - b));
    fc.assert(fc.property(days, fc.option(fc.integer({ min: 1, max: 300 }), { nil: undefined }), fc.constantFrom(hundred, thousand), fc.boolean(), (changed, endAfter, commitment, isSame) => {
      const start = at('2027-01-01');
      const changes = changed.map((day) => change(start.add({ hours: 24 * day }).toString()));
      const schedule = billingSchedule({ ...monthly, changes, endAt: endAfter === undefined ? undefined : start.add({ hours: 24 * endAfter }) });
      const commitments = [commitment, ...changes.map((_change, index) => (isSame ? commitment : { ...commitment, amount: String(index) }))];
      const windows = commitmentWindows(schedule, commitments, 30);
      let next = 1;
      for (const { first, last } of windows) {
        expect(first).toBe(next);
        next = last + 1;
      }
      const closedAt = windows.map(() => 0);
      for (let index = 1; index < 40; index += 1) {
        const boundary = nextBoundary(schedule, index);
        if (boundary === null) break;
        for (const [place, window] of windows.entries()) if (closedAt[place] === 0 && isClosedBy(window, boundary, schedule)) closedAt[place] = boundary.index;
        if (boundary.isLast) break;
        index = boundary.index;
      }
      for (const [place, window] of windows.entries()) {
        expect(closedAt[place]).toBeGreaterThan(window.last);
        const after = Array.from({ length: (closedAt[place] ?? 0) - window.last - 1 }, (_, step) => billingPeriodAt(schedule, window.last + 1 + step));
        expect(after.every((period) => period === null)).toBe(true);
      }
    }));
  });
});

describe('what counts to which period', () => {
  const document = { periodIndex: 5, closesIndex: 4 };
  it.each([
    ['usage', 'usage:price_a:all', 4], ['arrears', 'arrears:price_a', 4], ['proration', 'proration:price_a', 4], ['advance', 'advance:price_a', 5],
    ['adjustment', 'adjustment:2:price_a:all', 2], ['adjustment', 'adjustment:commitment:1', null], ['minimum', 'minimum:commitment:4', null],
    ['one_time', 'one_time:price_a', null], ['carried_over', 'carried_over:next', null],
  ] as const)('%s %s', (kind, ref, number) => {
    expect(countedPeriodOf({ kind, ref }, document)).toBe(number);
  });

  it('knows the period before where a document closes no usage', () => {
    expect(countedPeriodOf({ kind: 'arrears', ref: 'arrears:price_a' }, { periodIndex: 5, closesIndex: null })).toBe(4);
  });
});
