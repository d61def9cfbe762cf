import { describe, expect, it } from 'vitest';
import { billingSchedule, type ScheduleChange, type ScheduleTerms } from '../subscription/billing-schedule.js';
import { nextBoundary, type Boundary } from './boundary.js';
import { boundaryFees, type FeeTerms } from './boundary-fees.js';
import type { IdentifiedPrice } from '../rating/rate-fee.js';
import { invoicePeriod, previewInvoice } from './preview-invoice.js';

const at = (text: string) => Temporal.Instant.from(text);
const terms = (more: Partial<ScheduleTerms> = {}): ScheduleTerms => ({ startAt: at('2026-01-31T00:00:00Z'), interval: 'P1M', timeZone: 'UTC', ...more });

const base: IdentifiedPrice = { id: 'price_base', key: 'base', name: 'Base fee', type: 'recurring', model: { type: 'flat', amount: '31.00' } };
const support: IdentifiedPrice = { ...base, id: 'price_support', key: 'support', name: 'Support', pay: 'in_arrears', model: { type: 'flat', amount: '10' } };
const setup: IdentifiedPrice = { ...base, id: 'price_setup', key: 'setup', name: 'Setup', type: 'one_time', model: { type: 'flat', amount: '99' } };
const listing: IdentifiedPrice = { ...base, id: 'price_listing', key: 'listing', name: 'Listing', prorate: 'none', model: { type: 'flat', amount: '5' } };

const feeTerms = (prices: IdentifiedPrice[], more: Partial<FeeTerms> = {}): FeeTerms => ({ stages: [prices], currency: 'USD', timeZone: 'UTC', rounding: 'half_away_from_zero', returnsUnused: true, ...more });

function boundaries(schedule: ScheduleTerms, count: number): Boundary[] {
  const found: Boundary[] = [];
  for (let index = 0; found.length < count; ) {
    const next = nextBoundary(billingSchedule(schedule), index);
    if (next === null) break;
    found.push(next);
    if (next.isLast) break;
    index = next.index + 1;
  }
  return found;
}

const amounts = (boundary: Boundary | undefined, fees: FeeTerms) => (boundary === undefined ? [] : boundaryFees(boundary, fees).map(({ kind, amountMinor }) => [kind, amountMinor]));

describe('the boundaries of a subscription', () => {
  it('fall on the last day of a month that lacks the 31st, and on the 31st again', () => {
    const days = boundaries(terms(), 13).map((boundary) => boundary.at.toString().slice(0, 10));
    expect(days).toEqual([
      '2026-01-31', '2026-02-28', '2026-03-31', '2026-04-30', '2026-05-31', '2026-06-30', '2026-07-31', '2026-08-31', '2026-09-30', '2026-10-31', '2026-11-30',
      '2026-12-31', '2027-01-31',
    ]);
  });

  it('begin at 1 and close what the one before opened', () => {
    const [first, second] = boundaries(terms(), 2);
    expect(first).toMatchObject({ index: 1, closes: null, firstStage: 0, isLast: false });
    expect(second).toMatchObject({ index: 2, closes: { number: 1 }, opens: { number: 2 }, firstStage: null });
    expect(second?.closes?.period.end.equals(second.at)).toBe(true);
  });

  it('begin at 0 where a trial starts, which closes nothing', () => {
    const found = boundaries(terms({ trialDays: 14 }), 3);
    expect(found.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(found[0]).toMatchObject({ closes: null, opens: null, firstStage: 0 });
    expect(found[1]).toMatchObject({ closes: null, opens: { number: 1 }, firstStage: null });
    expect(found[1]?.at.toString()).toBe('2026-02-14T00:00:00Z');
  });

  it.each([
    ['in the middle of a period', '2026-03-10T00:00:00Z', ['2026-01-31', '2026-02-28', '2026-03-10'], { number: 2 }, true],
    ['on a boundary', '2026-03-31T00:00:00Z', ['2026-01-31', '2026-02-28', '2026-03-31'], { number: 2 }, false],
    ['before the start', '2026-01-01T00:00:00Z', [], null, false],
  ])('end with a cancellation %s', (_name, endAt, days, closes, hasUnused) => {
    const found = boundaries(terms({ endAt: at(endAt) }), 20);
    expect(found.map((boundary) => boundary.at.toString().slice(0, 10))).toEqual(days);
    if (closes === null) return;
    expect(found.at(-1)).toMatchObject({ isLast: true, opens: null, closes });
    expect(found.at(-1)?.unused !== null).toBe(hasUnused);
  });

  it('give a whole period back that was begun at the very instant of the end', () => {
    // The boundary of February 28 was billed before the cancellation came, at the same instant of a test clock.
    const last = nextBoundary(billingSchedule(terms({ endAt: at('2026-02-28T00:00:00Z') })), 3);
    expect(last).toMatchObject({ index: 3, closes: null, opens: null, isLast: true });
    expect(last?.unused?.period.start.toString()).toBe('2026-02-28T00:00:00Z');
    expect(last?.unused?.period.end.toString()).toBe('2026-03-31T00:00:00Z');
    expect(amounts(last ?? undefined, feeTerms([base]))).toEqual([['proration', -3_100n]]);
  });

  it('end with a trial that is canceled', () => {
    expect(boundaries(terms({ trialDays: 14, endAt: at('2026-02-05T00:00:00Z') }), 5).map(({ index }) => index)).toEqual([0]);
  });
});

describe('the fees of a boundary', () => {
  it('are advance of what starts and arrears of what ended', () => {
    const [first, second] = boundaries(terms(), 2);
    expect(amounts(first, feeTerms([base, support, setup]))).toEqual([['one_time', 9_900n], ['advance', 3_100n]]);
    expect(amounts(second, feeTerms([base, support, setup]))).toEqual([['arrears', 1_000n], ['advance', 3_100n]]);
  });

  it('owe what is owed once even where a trial starts', () => {
    const [first, second] = boundaries(terms({ trialDays: 14 }), 2);
    expect(amounts(first, feeTerms([base, setup]))).toEqual([['one_time', 9_900n]]);
    expect(amounts(second, feeTerms([base, setup]))).toEqual([['advance', 3_100n]]);
  });

  it('scale a stub at the start', () => {
    // Anchored on the 1st, from January 17 on: 15 of 31 days of 31.00 are 15.00; what is not prorated is owed whole.
    const [first] = boundaries(terms({ startAt: at('2026-01-17T00:00:00Z'), billingAnchor: at('2026-01-01T00:00:00Z') }), 1);
    expect(amounts(first, feeTerms([base, listing]))).toEqual([['advance', 1_500n], ['advance', 500n]]);
  });

  it.each([
    // March has 31 days; the period runs from March 1 to April 1.
    ['2026-03-11T00:00:00Z', 'second' as const, true, [['proration', -2_100n]]], // 21 of 31 days of 31.00
    ['2026-03-11T12:00:00Z', 'second' as const, true, [['proration', -2_050n]]], // 20.5 of 31 days
    ['2026-03-11T12:00:00Z', 'day' as const, true, [['proration', -2_100n]]], // The day of the end belongs to the state after it.
    ['2026-03-11T00:00:00Z', 'none' as const, true, []],
    ['2026-03-11T00:00:00Z', 'second' as const, false, []],
  ])('give back what an end at %s leaves unused (prorate %s, wanted %s)', (endAt, prorate, returnsUnused, expected) => {
    const last = boundaries(terms({ startAt: at('2026-01-01T00:00:00Z'), endAt: at(endAt) }), 10).at(-1);
    expect(amounts(last, feeTerms([{ ...base, prorate }], { returnsUnused }))).toEqual(expected);
  });

  it('ask for the part of arrears that was had', () => {
    // 10 of 31 days of 10.00 are 3.2258…
    const last = boundaries(terms({ startAt: at('2026-01-01T00:00:00Z'), endAt: at('2026-03-11T00:00:00Z') }), 10).at(-1);
    expect(amounts(last, feeTerms([support]))).toEqual([['arrears', 323n]]);
  });
});

describe('the boundary of a change', () => {
  // From March 1 on a fee of 31.00 a month; from March 16, 12:00 on one of 62.00: 15.5 of 31 days are left.
  const larger: IdentifiedPrice = { ...base, id: 'price_larger', key: 'larger', model: { type: 'flat', amount: '62.00' } };
  const recurrence = { anchor: at('2026-03-01T00:00:00Z'), timeZone: 'UTC', interval: 'P1M' };
  const changed = (more: Partial<ScheduleChange> = {}, rest: Partial<ScheduleTerms> = {}) =>
    boundaries(terms({ startAt: recurrence.anchor, changes: [{ at: at('2026-03-16T12:00:00Z'), recurrence, isProrated: true, isImmediate: true, ...more }], ...rest }), 3);
  const staged = (more: Partial<FeeTerms> = {}): FeeTerms => ({ ...feeTerms([]), stages: [[base, support, setup], [larger, setup]], ...more });

  it('gives back the unused rest and asks for the rest of the new', () => {
    const [first, second, third] = changed();
    expect(amounts(first, staged())).toEqual([['one_time', 9_900n], ['advance', 3_100n]]);
    // 15.5 of 31 days of 10.00 in arrears; 15.5 of 31 days unused and asked for anew.
    expect(amounts(second, staged())).toEqual([['arrears', 500n], ['proration', -1_550n], ['advance', 3_100n]]);
    expect(amounts(third, staged())).toEqual([['advance', 6_200n]]);
    expect(second).toMatchObject({ index: 2, closes: { number: 1, stage: 0 }, opens: { number: 2, stage: 1 }, unused: { stage: 0 } });
  });

  it('does neither where it is not prorated', () => {
    const [, second, third] = changed({ isProrated: false });
    expect(amounts(second, staged())).toEqual([['arrears', 500n]]);
    expect(amounts(third, staged())).toEqual([['advance', 6_200n]]);
  });

  it('gives back, where a later one or an end does, what was billed for that time and not what stands in its place', () => {
    // The first plan's 31.00 stand until April 1; 12 of 31 days are left from March 20 on.
    const ended = changed({ isProrated: false }, { endAt: at('2026-03-20T00:00:00Z') });
    expect(ended.map(({ isLast }) => isLast)).toEqual([false, false, true]);
    expect(amounts(ended[2], staged())).toEqual([['proration', -1_200n]]);
    const twice = boundaries(terms({ startAt: recurrence.anchor, changes: [
      { at: at('2026-03-16T12:00:00Z'), recurrence, isProrated: false, isImmediate: true }, { at: at('2026-03-20T00:00:00Z'), recurrence, isProrated: true, isImmediate: true },
    ] }), 3);
    expect(amounts(twice[2], staged({ stages: [[base], [larger], [larger]] }))).toEqual([['proration', -1_200n], ['advance', 2_400n]]);
  });

  // The fee of 31.00 for the time until the next boundary stands, then it is 62.00; an end on the 11th gives 21 of 31 days of it back in March, 20 of 30 in April.
  it.each<[string, string, [string, bigint][], bigint]>([
    ['at the very start', '2026-03-01T00:00:00Z', [['03-01', 3_100n], ['04-01', 6_200n], ['05-01', 6_200n]], -2_100n],
    ['right after a boundary was billed', '2026-04-01T00:00:00Z', [['03-01', 3_100n], ['04-01', 3_100n], ['05-01', 6_200n]], -2_067n],
  ])('that gives nothing back lets what was billed stand, %s', (_name, instant, expected, returned) => {
    const from = (more: Partial<ScheduleTerms> = {}) => boundaries(terms({ startAt: recurrence.anchor, changes: [{ at: at(instant), recurrence, isProrated: false, isImmediate: true }], ...more }), 4);
    const fees = staged({ stages: [[base], [larger]] });
    expect(from().flatMap((boundary) => amounts(boundary, fees).map(([, amount]) => [boundary.at.toString().slice(5, 10), amount])).slice(0, 3)).toEqual(expected);
    expect(amounts(from({ endAt: at(instant).add({ hours: 240 }) }).at(-1), fees)).toEqual([['proration', returned]]);
  });

  it('gives a whole period back that was begun at its very instant', () => {
    const [first, second] = changed({ at: recurrence.anchor });
    expect([first?.at.equals(recurrence.anchor), second?.at.equals(recurrence.anchor)]).toEqual([true, true]);
    expect(amounts(first, staged())).toEqual([['one_time', 9_900n], ['advance', 3_100n]]);
    expect(amounts(second, staged())).toEqual([['proration', -3_100n], ['advance', 6_200n]]);
    expect(second?.closes).toBeNull();
  });

  it('is an ordinary one where it was set for the period\'s end', () => {
    const [, second] = changed({ at: at('2026-04-01T00:00:00Z'), isImmediate: false });
    expect(amounts(second, staged())).toEqual([['arrears', 1_000n], ['advance', 6_200n]]);
  });

  it('begins with the terms of the trial\'s end, and owes once those of the start', () => {
    const found = boundaries(terms({ startAt: recurrence.anchor, trialDays: 10, changes: [{ at: at('2026-03-05T00:00:00Z'), recurrence, isProrated: true, isImmediate: true }], billingAnchor: recurrence.anchor }), 2);
    expect(amounts(found[0], staged())).toEqual([['one_time', 9_900n]]);
    expect(amounts(found[1], staged())).toEqual([['advance', 4_200n]]); // 21 of 31 days of 62.00
  });

  it('asks for a fee as often as it has units', () => {
    const seats: IdentifiedPrice = { ...base, model: { type: 'per_unit', unit_amount: '3.10' }, billedQuantity: '5' };
    const more: IdentifiedPrice = { ...seats, billedQuantity: '8' };
    const [first, second] = changed();
    const fees = staged({ stages: [[seats], [more]] });
    expect(amounts(first, fees)).toEqual([['advance', 1_550n]]); // 5 × 3.10
    expect(amounts(second, fees)).toEqual([['proration', -775n], ['advance', 1_240n]]); // half of 15.50 back, half of 24.80
  });
});

describe('previewInvoice', () => {
  it('is of the period in arrears, else of that in advance', () => {
    const [first, second] = boundaries(terms(), 2);
    if (first === undefined || second === undefined) throw new Error('Two boundaries are there.');
    expect(invoicePeriod(first, { stages: [[base, support]] })?.start.toString()).toBe('2026-01-31T00:00:00Z');
    expect(invoicePeriod(second, { stages: [[base, support]] })?.start.toString()).toBe('2026-01-31T00:00:00Z');
    expect(invoicePeriod(second, { stages: [[base]] })?.start.toString()).toBe('2026-02-28T00:00:00Z');
    const preview = previewInvoice({ boundary: second, terms: { stages: [[base, support]] }, lines: boundaryFees(second, feeTerms([base, support])), payable: { minimumMinor: 50n, stepMinor: 1n } });
    expect(preview?.totals.amountDueMinor).toBe(4_100n); // 10.00 + 31.00
  });
});
