import { describe, expect, it } from 'vitest';
import { formatMinor } from '../money/minor-units.js';
import type { IdentifiedPrice } from '../rating/rate-fee.js';
import type { AddOnEnd, AddOnStep, AttachedAddOn } from '../subscription/attached-add-on.js';
import { billingSchedule, type ScheduleChange, type ScheduleTerms } from '../subscription/billing-schedule.js';
import { boundaryFees } from './boundary-fees.js';
import { nextBoundary } from './boundary.js';
import { invoicePeriod } from './preview-invoice.js';

// Goal: what an add-on owes at each boundary of a subscription, whenever it comes, changes and goes. Method: a subscription from 1 April (30 days), May has 31,
// June 30; a plan without fees, so each line is the add-on's; amounts by hand.

const at = (text: string) => Temporal.Instant.from(text.length === 10 ? `${text}T00:00:00Z` : text);
const seat: IdentifiedPrice = { id: 'price_seat', key: 'seat', name: 'Seat', type: 'recurring', model: { type: 'per_unit', unit_amount: '3.00' } };
const support: IdentifiedPrice = { ...seat, id: 'price_support', key: 'support', name: 'Support', pay: 'in_arrears', model: { type: 'flat', amount: '60' } };
const setup: IdentifiedPrice = { ...seat, id: 'price_setup', key: 'setup', name: 'Setup', type: 'one_time', model: { type: 'flat', amount: '9' } };
const listing: IdentifiedPrice = { ...seat, id: 'price_listing', key: 'listing', name: 'Listing', prorate: 'none', model: { type: 'per_unit', unit_amount: '5' } };

const step = (text: string, quantity = '1', more: Partial<AddOnStep> = {}): AddOnStep => ({ at: at(text), quantity, isImmediate: true, isProrated: true, ...more });
const set = { isImmediate: false };
const addOn = (prices: IdentifiedPrice[], steps: AddOnStep[], end: AttachedAddOn['end'] = null): AttachedAddOn => ({ id: 'sao_1', prices, steps, end });

/** The lines of each boundary: "kind amount". */
function billed(addOns: AttachedAddOn[], more: Partial<ScheduleTerms> & { returnsUnused?: boolean; count?: number } = {}): string[][] {
  const { returnsUnused = true, count = 3, ...schedule } = more;
  const terms = { stages: [[], [], []], addOns, currency: 'USD', timeZone: 'UTC', rounding: 'half_away_from_zero' as const, returnsUnused };
  const found: string[][] = [];
  for (let index = 0; found.length < count; ) {
    const boundary = nextBoundary(billingSchedule({ startAt: at('2026-04-01'), interval: 'P1M', timeZone: 'UTC', ...schedule }), index);
    if (boundary === null) break;
    const lines = boundaryFees(boundary, terms);
    if (lines.length > 0) expect(new Set(lines.map(({ ref }) => ref)).size).toBe(lines.length);
    found.push(lines.map(({ kind, amountMinor }) => `${kind} ${formatMinor(amountMinor, 'USD')}`));
    if (boundary.isLast) break;
    index = boundary.index + 1;
  }
  return found;
}

describe('an add-on', () => {
  it.each<[string, AttachedAddOn, string[][]]>([
    ['added in mid-period', addOn([seat], [step('2026-04-16')]), [[], ['proration 1.50', 'advance 3.00'], ['advance 3.00']]], // 15 of 30 days
    ['set for the next period', addOn([seat], [step('2026-05-01', '1', set)]), [[], ['advance 3.00'], ['advance 3.00']]],
    ['added right after a boundary was billed', addOn([seat], [step('2026-05-01')]), [[], [], ['proration 3.00', 'advance 3.00']]],
    ['added without proration', addOn([seat], [step('2026-04-16', '1', { isProrated: false })]), [[], ['advance 3.00'], ['advance 3.00']]],
    ['once, and by quantity', addOn([setup, seat], [step('2026-04-16', '2')]), [[], ['one_time 9.00', 'proration 3.00', 'advance 6.00'], ['advance 6.00']]],
    ['once, with the period that it begins with', addOn([setup, seat], [step('2026-05-01', '1', set)]), [[], ['one_time 9.00', 'advance 3.00'], ['advance 3.00']]],
    ['that is not prorated is owed whole', addOn([listing], [step('2026-04-16')]), [[], ['proration 5.00', 'advance 5.00'], ['advance 5.00']]],
    // 20 of 31 days in May: 3.00 * 11/31 = 1.0645 are unused.
    ['removed in mid-period', addOn([seat], [step('2026-04-16')], { ...step('2026-05-21') }), [[], ['proration 1.50', 'advance 3.00'], ['proration -1.06']]],
    ['removed without proration', addOn([seat], [step('2026-04-16')], { ...step('2026-05-21'), isProrated: false }), [[], ['proration 1.50', 'advance 3.00'], []]],
    ['removed at a period\u2019s end', addOn([seat], [step('2026-04-16')], { ...step('2026-05-01'), ...set }), [[], ['proration 1.50'], []]],
    ['removed right after a boundary was billed', addOn([seat], [step('2026-04-16')], step('2026-05-01')), [[], ['proration 1.50', 'advance 3.00'], ['proration -3.00']]],
    ['added and removed in one period', addOn([seat], [step('2026-04-11')], step('2026-04-21')), [[], ['proration 2.00', 'proration -1.00'], []]], // 20 and 10 of 30 days
    ['not billed for what it was removed from', addOn([seat], [step('2026-04-11', '1', { isProrated: false })], step('2026-04-21')), [[], [], []]],
    // May 21: 11/31 of 3.00 back, 11/31 of 9.00 = 3.1935 asked for.
    ['of another quantity', addOn([seat], [step('2026-05-01', '1', set), step('2026-05-21', '3')]), [[], ['advance 3.00'], ['proration -1.06', 'proration 3.19', 'advance 9.00']]],
    ['of another quantity from the next period on', addOn([seat], [step('2026-05-01', '1', set), step('2026-06-01', '3', set)]), [[], ['advance 3.00'], ['advance 9.00']]],
    ['of another quantity that is not prorated', addOn([listing], [step('2026-05-01', '1', set), step('2026-05-21', '3')]), [[], ['advance 5.00'], ['advance 15.00']]],
    ['in arrears', addOn([support], [step('2026-04-16')], step('2026-05-21')), [[], ['arrears 30.00'], ['arrears 38.71']]], // 20 / 31 * 60 = 38.7097
  ])('%s', (_name, given, expected) => {
    expect(billed([given])).toEqual(expected);
  });

  it('in arrears is owed for each quantity by its time, and once where it is not prorated', () => {
    const steps = [step('2026-05-01', '1', set), step('2026-05-11', '3')];
    // 10 / 31 * 3.00 = 0.9677; 21 / 31 * 9.00 = 6.0968.
    expect(billed([addOn([{ ...seat, pay: 'in_arrears' }], steps)])[2]).toEqual(['arrears 0.97', 'arrears 6.10']);
    expect(billed([addOn([{ ...listing, pay: 'in_arrears' }], steps)])[2]).toEqual(['arrears 15.00']);
  });

  const changed = (text: string, more: Partial<ScheduleChange> = {}): ScheduleChange => ({ at: at(text), recurrence: { anchor: at('2026-04-01'), timeZone: 'UTC', interval: 'P1M' }, isProrated: true, isImmediate: true, ...more });

  it('goes on over a change of the plan, and is settled where it is added and removed, on either side of it', () => {
    const over = addOn([seat, support], [step('2026-04-06')], step('2026-05-26'));
    // 25 / 30 * 3.00 at the change; 6 / 31 * 3.00 = 0.5806 after it. Arrears: 10 and 15 of 30 days, then 25 of 31.
    expect(billed([over], { changes: [changed('2026-04-16')], count: 4 })).toEqual([
      [], ['arrears 20.00', 'proration 2.50'], ['arrears 30.00', 'advance 3.00'], ['arrears 48.39', 'proration -0.58'],
    ]);
    expect(billed([addOn([listing].map((price) => ({ ...price, pay: 'in_arrears' as const })), [step('2026-04-06')])], { changes: [changed('2026-04-16')], count: 3 })).toEqual([[], [], ['arrears 5.00']]);
    expect(billed([over], { changes: [changed('2026-04-16', { isProrated: false })], count: 3 })).toEqual([[], ['arrears 20.00', 'proration 2.50'], ['arrears 30.00', 'advance 3.00']]);
    expect(billed([addOn([seat], [step('2026-04-01', '1', set)], step('2026-04-26'))], { changes: [changed('2026-04-16')] })).toEqual([['advance 3.00'], [], ['proration -0.50']]);
  });

  it('ends with a change of the plan that it does not fit, and gives back there', () => {
    const ended = addOn([seat], [step('2026-04-01', '1', set)], { ...step('2026-04-16'), ...set });
    expect(billed([ended], { changes: [changed('2026-04-16')] })).toEqual([['advance 3.00'], ['proration -1.50'], []]);
    const atOnce = addOn([seat], [step('2026-04-01', '1', set)], { ...step('2026-05-01'), ...set });
    expect(billed([atOnce], { changes: [changed('2026-05-01', { isImmediate: false })] })).toEqual([['advance 3.00'], [], []]);
  });

  it('ends with a change made at the very instant of a boundary that billed it, which gives all of it back where it is prorated', () => {
    const ended = (more: Partial<AddOnEnd> = {}) => addOn([setup, seat, support], [step('2026-05-01', '2', set)], { ...step('2026-05-01'), stage: 1, ...more });
    // May 1: 9.00 once and 2 * 3.00; the change right after it gives 6.00 back. No time of it passed, so no support is owed.
    const once = ['one_time 9.00', 'advance 6.00'];
    expect(billed([ended()], { changes: [changed('2026-05-01')], count: 5 })).toEqual([[], once, ['proration -6.00'], [], []]);
    expect(billed([ended()], { changes: [changed('2026-05-01')], endAt: at('2026-05-11'), count: 5 })).toEqual([[], once, ['proration -6.00'], []]);
    expect(billed([ended()], { changes: [changed('2026-05-01')], endAt: at('2026-05-01T00:00:01Z'), count: 5 })).toEqual([[], once, ['proration -6.00'], []]);
    expect(billed([ended({ isProrated: false })], { changes: [changed('2026-05-01', { isProrated: false })], count: 4 })).toEqual([[], once, [], []]);
    // Weeks that begin there are of another plan, and owe nothing of it.
    const weekly = { recurrence: { anchor: at('2026-05-01'), timeZone: 'UTC', interval: 'P1W' } };
    expect(billed([ended()], { changes: [changed('2026-05-01', weekly)], count: 4 })).toEqual([[], once, ['proration -6.00'], []]);
    expect(billed([ended({ isProrated: false })], { changes: [changed('2026-05-01', { ...weekly, isProrated: false })], count: 5 })).toEqual([[], once, [], [], []]);
  });

  it('ends with one of two changes at one instant, which gives back what is left then', () => {
    const ended = addOn([seat], [step('2026-04-01', '1', set)], { ...step('2026-04-16'), stage: 2 });
    expect(billed([ended], { changes: [changed('2026-04-16'), changed('2026-04-16')], count: 4 })).toEqual([['advance 3.00'], [], ['proration -1.50'], []]);
    const byFirst = { ...ended, end: { ...step('2026-04-16'), stage: 1 } };
    expect(billed([byFirst], { changes: [changed('2026-04-16'), changed('2026-04-16')], count: 4 })).toEqual([['advance 3.00'], ['proration -1.50'], [], []]);
  });

  it('ends with its subscription', () => {
    const here = addOn([seat], [step('2026-04-16')]);
    expect(billed([here], { endAt: at('2026-04-26') })).toEqual([[], ['proration 1.50', 'proration -0.50']]);
    expect(billed([here], { endAt: at('2026-04-26'), returnsUnused: false })).toEqual([[], ['proration 1.50']]);
    expect(billed([here], { endAt: at('2026-05-01') })).toEqual([[], ['proration 1.50']]);
    // At the very instant of a boundary that was billed, all of it is unused.
    expect(billed([addOn([seat], [step('2026-04-01', '1', set)])], { endAt: at('2026-04-01'), count: 2 })).toEqual([]);
    const boundary = nextBoundary(billingSchedule({ startAt: at('2026-04-01'), interval: 'P1M', timeZone: 'UTC', endAt: at('2026-05-01') }), 2);
    if (boundary === null) throw new Error('A subscription has its end.');
    expect(invoicePeriod(boundary, { stages: [[]], addOns: [here] })).toBeNull();
    expect(invoicePeriod(boundary, { stages: [[]], addOns: [addOn([support], here.steps as AddOnStep[])] })?.start.toString()).toBe('2026-04-01T00:00:00Z');
  });

  it('begins with the first period after a trial, be it a stub', () => {
    const given = addOn([setup, seat], [step('2026-04-11', '1', set)]);
    // The stub of 11 to 16 April is 5 of the 31 days from 16 March.
    const stub = { trialDays: 10, billingAnchor: at('2026-04-16'), count: 4 };
    expect(billed([given], stub)).toEqual([[], ['one_time 9.00', 'advance 0.48'], ['advance 3.00'], ['advance 3.00']]);
    expect(billed([addOn([seat], [step('2026-04-11', '1', set)], step('2026-04-13'))], stub)).toEqual([[], ['advance 0.48'], ['proration -0.29'], []]); // 3 / 31 * 3.00 = 0.2903
  });

  it('goes on in another version from a boundary, which owes nothing once again', () => {
    const before = addOn([seat, support, setup], [step('2026-04-01', '2', set)], step('2026-05-01', '1', set));
    const after: AttachedAddOn = { ...addOn([{ ...seat, model: { type: 'per_unit', unit_amount: '4' } }, setup], [step('2026-05-01', '2', set)]), id: 'sao_2', replaces: 'sao_1' };
    expect(billed([before, after])).toEqual([['one_time 9.00', 'advance 6.00'], ['arrears 60.00', 'advance 8.00'], ['advance 8.00']]);
    // Removed and added instead, it begins: what is owed once is owed again.
    expect(billed([before, { ...after, replaces: undefined }])).toEqual([['one_time 9.00', 'advance 6.00'], ['arrears 60.00', 'one_time 9.00', 'advance 8.00'], ['advance 8.00']]);
  });
});
