import { describe, expect, it } from 'vitest';
import { toPlain, type BillingPeriod } from '#domain';
import type { RatedPeriod, SubscribedPlan } from '#persistence';
import { backtestBreakEvens, type BacktestBreakEven } from './backtest-break-even.js';
import type { RatedRun } from './replay-plan.js';

// Goal: which terms are compared, on what usage. Method: replays written down, quantities and points by hand.

type IdentifiedPrice = SubscribedPlan['prices'][number];

const usage = (meter: string, unit_amount: string, rest: Partial<IdentifiedPrice> = {}): IdentifiedPrice => ({ id: meter, key: meter, name: meter, type: 'usage', meter, model: { type: 'per_unit', unit_amount }, ...rest });
const fee = (amount: string, rest: Partial<IdentifiedPrice> = {}): IdentifiedPrice => ({ id: 'base', key: 'base', name: 'Base', type: 'recurring', model: { type: 'per_unit', unit_amount: amount }, ...rest });
const plan = (planKey: string, ...prices: IdentifiedPrice[]) => ({ planKey, version: 1, prices, currency: 'USD', billingPeriod: 'P1M' }) as unknown as SubscribedPlan;

/** A replay with the quantities of its whole periods by price, and of a part of one behind them. */
function run(customerId: string, of: { plan: SubscribedPlan; isCurrent?: boolean; used: Record<string, string[]>; part?: Record<string, string> }): RatedRun {
  const count = Math.max(0, ...Object.values(of.used).map(({ length }) => length));
  const parts = [...Array.from({ length: count }, (_, index) => Object.entries(of.used).map(([key, quantities]) => [key, quantities[index] ?? '0'] as const)), ...(of.part === undefined ? [] : [Object.entries(of.part)])];
  return {
    customerId, isCurrent: of.isCurrent ?? false, plan: of.plan,
    periods: parts.map((_, index) => ({ billing: { isPartial: index >= count } as BillingPeriod }) as RatedRun['periods'][number]),
    rated: parts.map((days) => ({ days: days.map(([priceKey, quantity]) => ({ priceKey, quantity })) }) as unknown as RatedPeriod),
  };
}

const both = (customerId: string, of: { tried: SubscribedPlan; current: SubscribedPlan; used: Record<string, string[]>; part?: Record<string, string> }): RatedRun[] => [
  run(customerId, { ...of, plan: of.tried }), run(customerId, { ...of, plan: of.current, isCurrent: true }),
];
const compare = (tried: SubscribedPlan, runs: readonly RatedRun[]) => backtestBreakEvens({ tried, runs, rounding: 'half_away_from_zero', countingMeters: new Set(['calls']) });
const rangesOf = ({ found }: { found: BacktestBreakEven['found'] }) => found?.ranges.map(({ from, to, cheaper }) => `${cheaper} ${toPlain(from)}..${to === null ? '' : toPlain(to)}`);

describe('break-even points of a backtest', () => {
  it('holds the other meters at what a customer used of them in a whole period on average', async () => {
    const tried = plan('tried', usage('calls', '0.01'), usage('bytes', '2'));
    const current = plan('current', usage('calls', '0.02'), usage('bytes', '1'));
    const runs = [...both('a', { tried, current, used: { calls: ['100', '200'], bytes: ['10', '20'] }, part: { calls: '9999', bytes: '9999' } }), ...both('b', { tried, current, used: { calls: ['0', '0'], bytes: ['3', '0'] } })];
    const { comparisons } = await compare(tried, runs);
    // Calls: (10 + 20 + 3 + 0) / 4 = 8.25 bytes. 0.01 c + 16.5 = 0.02 c + 8.25 at 825. Bytes: (100 + 200) / 4 = 75 calls. 0.75 + 2 b = 1.5 + b at 0.75.
    expect(comparisons.map(({ customers, meter, meanQuantity, usage: others, found, notCompared }) => [customers, meter, toPlain(meanQuantity), Object.fromEntries(others), found === null ? null : rangesOf({ found }), notCompared])).toEqual([
      [2, 'bytes', '8.25', { calls: '75' }, ['a 0..0.749999999999999999', 'same 0.75..0.75', 'b 0.750000000000000001..'], []],
      [2, 'calls', '75', { bytes: '8.25' }, ['b 0..824', 'same 825..825', 'a 826..'], []],
    ]);
  });

  it('takes parts of periods where none is whole, and rounds a mean to 18 digits', async () => {
    const [tried, current] = [plan('tried', usage('calls', '1')), plan('current', usage('calls', '2'))];
    const runs = ['1', '0', '0'].flatMap((calls, index) => both(String(index), { tried, current, used: {}, part: { calls } }));
    expect((await compare(tried, runs)).comparisons.map(({ meanQuantity }) => toPlain(meanQuantity))).toEqual(['0.333333333333333333']);
  });

  it('compares each terms by themselves, those of most customers first, with the seats that they have', async () => {
    const tried = plan('tried', usage('calls', '1'), fee('10'));
    const [one, five] = [plan('current', usage('calls', '2'), fee('4', { billedQuantity: '1' })), plan('current', usage('calls', '2'), fee('4', { billedQuantity: '5' }))];
    const used = { calls: ['1'], base: ['1'] };
    const runs = [...both('a', { tried, current: one, used }), ...both('b', { tried, current: five, used }), ...both('c', { tried, current: five, used })];
    // Five seats: c + 50 = 2 c + 20 at 30; one: c + 10 = 2 c + 4 at 6.
    expect((await compare(tried, runs)).comparisons.map((found) => [found.customers, Object.fromEntries(found.quantities), rangesOf(found)])).toEqual([
      [2, { base: '5' }, ['b 0..29', 'same 30..30', 'a 31..']], [1, { base: '1' }, ['b 0..5', 'same 6..6', 'a 7..']],
    ]);
  });

  it('compares packages until the most that a customer used in a period', async () => {
    const tried = plan('tried', usage('calls', '0', { model: { type: 'package', package_size: '10', package_amount: '5' } }));
    const current = plan('current', usage('calls', '1'));
    const [found] = (await compare(tried, both('a', { tried, current, used: { calls: ['3', '14'] } }))).comparisons;
    // 5 for up to 10 and 10 from 11 on, against 1 each.
    expect(found?.found?.to?.toFixed()).toBe('14');
    expect(found === undefined ? [] : rangesOf(found)).toEqual(['same 0..0', 'b 1..4', 'same 5..5', 'a 6..14']);
  });

  it('says why prices can not be compared by a quantity, and who has two plans is left out', async () => {
    const tried = plan('tried', usage('calls', '1', { group_by: ['region'] }));
    const current = plan('current', usage('calls', '2'));
    expect((await compare(tried, both('a', { tried, current, used: { calls: ['1'] } }))).comparisons.map(({ found, notCompared }) => [found, notCompared])).toEqual([
      [null, ['The price "calls" tells region apart; say in which shares the quantity lies in their values.']],
    ]);
    const second = run('a', { plan: current, isCurrent: true, used: { calls: ['1'] } });
    expect(await compare(tried, [...both('a', { tried, current, used: { calls: ['1'] } }), second])).toEqual({ comparisons: [], leftOut: 0 });
  });

  it('makes twenty comparisons and counts the rest', async () => {
    const tried = plan('tried', usage('calls', '1'));
    const runs = Array.from({ length: 23 }, (_, index) => both(String(index), { tried, current: plan('current', usage('calls', `1.${index + 10}`)), used: { calls: ['1'] } })).flat();
    const { comparisons, leftOut } = await compare(tried, runs);
    expect([comparisons.length, leftOut]).toEqual([20, 3]);
  });
});
