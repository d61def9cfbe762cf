import { describe, expect, it } from 'vitest';
import type { RateablePrice } from '../catalog/price.js';
import { decimal, sumOf, toPlain } from '../money/decimal.js';
import { formatMinor, type Rounding } from '../money/minor-units.js';
import type { Fraction } from '../period/proration-fraction.js';
import type { GroupUsage } from './pool-usage.js';
import { rateAmountMinor, ratePrice } from './rate-price.js';

type Terms = Omit<RateablePrice, 'type'> & { type?: RateablePrice['type'] };
interface Situation {
  readonly currency?: string;
  readonly rounding?: Rounding;
  readonly fraction?: Fraction;
}

const perUnit = (unitAmount: string) => ({ type: 'per_unit' as const, unit_amount: unitAmount });
const used = (quantity: string, group: Record<string, string> = {}): GroupUsage => ({ group, quantity: decimal(quantity) });
const half: Fraction = { numerator: 1n, denominator: 2n };
const third: Fraction = { numerator: 10n, denominator: 30n };

function rate(terms: Terms, usage: readonly GroupUsage[], { currency = 'USD', rounding = 'half_away_from_zero', fraction }: Situation = {}) {
  const input = { price: { type: 'usage' as const, ...terms }, currency, rounding, usage, fraction };
  const rated = ratePrice(input);
  // What holds for every rating.
  expect(rated.trace.at(-1)?.amount).toBe(toPlain(rated.unroundedAmount));
  expect(toPlain(sumOf(rated.trace, (step) => decimal(step.adds)))).toBe(toPlain(rated.unroundedAmount));
  expect(toPlain(sumOf(rated.lines, (line) => line.unroundedAmount))).toBe(toPlain(rated.unroundedAmount));
  expect(rateAmountMinor(input)).toBe(rated.amountMinor);
  return { rated, amount: formatMinor(rated.amountMinor, currency), unrounded: toPlain(rated.unroundedAmount), steps: rated.trace.map(({ step }) => step) };
}

describe('the steps of a price', () => {
  const graduated = { type: 'graduated' as const, tiers: [{ up_to: '10', unit_amount: '1' }, { up_to: null, unit_amount: '0.5' }] };
  const convert = (divideBy: string, rounding: 'none' | 'up' | 'down' | 'nearest') => ({ divide_by: divideBy, rounding });

  // Goal: each step, and their order. Method: one row per interesting combination, the sum in its comment.
  const rows: [string, Terms, string, string, string][] = [
    // name, price, quantity, unrounded, posted
    ['nothing', { model: perUnit('2') }, '0', '0', '0.00'],
    ['one unit', { model: perUnit('2') }, '1', '2', '2.00'],
    ['rounds once, away from zero', { model: perUnit('0.01') }, '1234.5', '12.345', '12.35'],
    ['a net negative quantity is 0', { model: perUnit('2') }, '-5', '0', '0.00'],
    ['… where the flat part stays owed', { model: { type: 'volume', tiers: [{ up_to: null, unit_amount: '1', flat_amount: '7' }] } }, '-5', '7', '7.00'],
    ['conversion without rounding', { model: perUnit('3'), unit_conversion: convert('1000', 'none') }, '1500', '4.5', '4.50'], // 1.5×3
    ['conversion up', { model: perUnit('3'), unit_conversion: convert('1000', 'up') }, '1001', '6', '6.00'], // 2×3
    ['conversion up of a whole', { model: perUnit('3'), unit_conversion: convert('1000', 'up') }, '1000', '3', '3.00'],
    ['conversion down', { model: perUnit('3'), unit_conversion: convert('1000', 'down') }, '1999', '3', '3.00'],
    ['conversion to the nearest', { model: perUnit('3'), unit_conversion: convert('1000', 'nearest') }, '1499', '3', '3.00'],
    ['… where a half goes up', { model: perUnit('3'), unit_conversion: convert('1000', 'nearest') }, '2500', '9', '9.00'],
    ['a third is carried to 40 digits', { model: perUnit('3'), unit_conversion: convert('3', 'none') }, '1', '0.9999999999999999999999999999999999999999', '1.00'],
    ['bytes to GB', { model: perUnit('0.09'), unit_conversion: convert('1000000000', 'none') }, '9800000001', '0.88200000009', '0.88'], // 9.800000001×0.09
    ['included units', { model: perUnit('0.01'), included_units: '100' }, '150', '0.5', '0.50'], // 50×0.01
    ['included units on the bound', { model: perUnit('0.01'), included_units: '100' }, '100', '0', '0.00'],
    ['included units above the usage', { model: perUnit('0.01'), included_units: '100' }, '99.5', '0', '0.00'],
    ['included units are converted ones', { model: perUnit('3'), unit_conversion: convert('1000', 'up'), included_units: '1' }, '1001', '3', '3.00'], // (2 − 1)×3
    ['tiers see the rest from 0', { model: graduated, included_units: '100' }, '115', '12.5', '12.50'], // 15: 10×1 + 5×0.5
    ['maximum', { model: perUnit('2'), maximum_amount: '15' }, '10', '15', '15.00'],
    ['maximum not reached', { model: perUnit('2'), maximum_amount: '25' }, '10', '20', '20.00'],
    ['a maximum of 0', { model: perUnit('2'), maximum_amount: '0' }, '10', '0', '0.00'],
    ['minimum', { model: perUnit('2'), minimum_amount: '25' }, '10', '25', '25.00'],
    ['minimum exceeded', { model: perUnit('2'), minimum_amount: '15' }, '10', '20', '20.00'],
    ['minimum without usage', { model: perUnit('2'), minimum_amount: '25' }, '0', '25', '25.00'],
    ['minimum of a negative quantity', { model: perUnit('2'), minimum_amount: '25' }, '-3', '25', '25.00'],
    ['minimum equal to maximum', { model: perUnit('2'), minimum_amount: '25', maximum_amount: '25' }, '100', '25', '25.00'],
    ['a minimum finer than a cent', { model: perUnit('2'), minimum_amount: '0.005' }, '0', '0.005', '0.01'],
    ['packages of converted units', { model: { type: 'package', package_size: '10', package_amount: '1' }, unit_conversion: convert('1000', 'none') }, '10001', '2', '2.00'], // 10.001 start 2
    ['included units before packages', { model: { type: 'package', package_size: '1000', package_amount: '5' }, included_units: '500' }, '1500', '5', '5.00'], // 1000 is 1
    ['a flat usage price without usage', { model: { type: 'flat', amount: '49.00' } }, '0', '49', '49.00'],
    ['decimals of any form', { model: { type: 'per_unit', unit_amount: '2.50e-1' } }, '4', '1', '1.00'],
  ];
  it.each(rows)('%s', (_name, terms, quantity, unrounded, amount) => {
    expect(rate(terms, [used(quantity)])).toMatchObject({ unrounded, amount });
  });

  it.each<[string, Rounding, string, string]>([
    ['JPY', 'half_away_from_zero', '2.5', '3'],
    ['JPY', 'half_even', '2.5', '2'],
    ['BHD', 'half_away_from_zero', '1.2305', '1.231'],
    ['BHD', 'half_even', '1.2305', '1.230'],
    ['USD', 'half_even', '12.345', '12.34'],
    ['USD', 'half_even', '12.3450000000000000001', '12.35'],
  ])('posts %s %s %s as %s', (currency, rounding, quantity, amount) => {
    expect(rate({ model: perUnit('1') }, [used(quantity)], { currency, rounding }).amount).toBe(amount);
  });

  it('keeps the metered quantity, whatever is rated', () => {
    const { rated } = rate({ model: perUnit('3'), unit_conversion: convert('1000', 'up'), included_units: '1' }, [used('-5')]);
    expect(toPlain(rated.quantity)).toBe('-5');
    expect(rated.trace.map(({ step, quantity }) => [step, quantity])).toEqual([
      ['quantity', '-5'],
      ['net_negative', '0'],
      ['unit_conversion', '0'],
      ['included_units', '0'],
      ['model', '0'],
    ]);
  });

  it('traces every step in words and numbers', () => {
    const { rated } = rate({ model: graduated, unit_conversion: convert('1000', 'up'), included_units: '5', discount: { percent: '10', amount: '1' }, maximum_amount: '10', minimum_amount: '1' }, [used('19500')]);
    expect(rated.trace).toEqual([
      { step: 'quantity', detail: '19500 metered', values: {}, quantity: '19500', amount: '0', adds: '0' },
      { step: 'unit_conversion', detail: '19500 / 1000 = 20, rounded up to whole units', values: { before: '19500', divide_by: '1000', rounding: 'up' }, quantity: '20', amount: '0', adds: '0' },
      { step: 'included_units', detail: '20 less 5 included leaves 15', values: { before: '20', included_units: '5' }, quantity: '15', amount: '0', adds: '0' },
      { step: 'tier-1', detail: '10 × 1', values: { tier: '1', unit_amount: '1', flat_amount: '0' }, quantity: '10', amount: '10', adds: '10' },
      { step: 'tier-2', detail: '5 × 0.5', values: { tier: '2', unit_amount: '0.5', flat_amount: '0' }, quantity: '5', amount: '2.5', adds: '2.5' },
      { step: 'model', detail: '10 + 2.5 = 12.5', values: { parts: '2' }, quantity: '15', amount: '12.5', adds: '0' },
      { step: 'discount', detail: '12.5 less 10% and then 1 is 10.25', values: { before: '12.5', percent: '10', amount: '1' }, quantity: '19500', amount: '10.25', adds: '-2.25' },
      { step: 'maximum', detail: 'at most 10: 10.25 becomes 10', values: { before: '10.25', bound: '10' }, quantity: '19500', amount: '10', adds: '-0.25' },
      { step: 'minimum', detail: 'at least 1: 10 stays', values: { before: '10', bound: '1' }, quantity: '19500', amount: '10', adds: '0' },
    ]);
  });
});

describe('groups', () => {
  const lines = (terms: Terms, usage: readonly GroupUsage[]) =>
    rate(terms, usage).rated.lines.map(({ ref, quantity, amountMinor }) => [ref, toPlain(quantity), amountMinor]);

  it('rates each group by itself and rounds their sum once', () => {
    // 3 × 0.335 = 1.005, posted as 1.01: 33 cents each, and the 2 left over go to the first of equals.
    const usage = [used('1', { region: 'us' }), used('1', { region: 'eu' }), used('1', { region: 'ap' })];
    expect(lines({ model: perUnit('0.335'), group_by: ['region'] }, usage)).toEqual([
      ['["ap"]', '1', 34n],
      ['["eu"]', '1', 34n],
      ['["us"]', '1', 33n],
    ]);
  });

  it('gives each group its own conversion, included units and tiers', () => {
    const usage = [used('150', { region: 'eu' }), used('90', { region: 'us' })];
    // eu 150 − 100 = 50 × 0.01; us 90 is included.
    expect(lines({ model: perUnit('0.01'), included_units: '100', group_by: ['region'] }, usage)).toEqual([
      ['["eu"]', '150', 50n],
      ['["us"]', '90', 0n],
    ]);
  });

  it('pools finer groups, and reads a missing value as ""', () => {
    const usage = [used('1', { region: 'eu', model: 'a' }), used('2', { region: 'eu', model: 'b' }), used('4', { model: 'a' })];
    expect(lines({ model: perUnit('1'), group_by: ['region'] }, usage)).toEqual([
      ['[""]', '4', 400n],
      ['["eu"]', '3', 300n],
    ]);
    expect(lines({ model: perUnit('1') }, usage)).toEqual([['all', '7', 700n]]);
  });

  it('clamps each group that is negative, not their sum', () => {
    const { rated, amount } = rate({ model: perUnit('1'), group_by: ['region'] }, [used('-5', { region: 'eu' }), used('3', { region: 'us' })]);
    expect([amount, toPlain(rated.quantity)]).toEqual(['3.00', '-2']);
  });

  it('bounds the sum, and shares the result by what the model asked of each', () => {
    const usage = [used('10', { region: 'eu' }), used('20', { region: 'us' })];
    // At most 10.00 of 30: a third and two thirds.
    expect(lines({ model: perUnit('1'), maximum_amount: '10', group_by: ['region'] }, usage)).toEqual([
      ['["eu"]', '10', 333n],
      ['["us"]', '20', 667n],
    ]);
    // At least 50.01: 16.67 and 33.34.
    expect(lines({ model: perUnit('1'), minimum_amount: '50.01', group_by: ['region'] }, usage)).toEqual([
      ['["eu"]', '10', 1667n],
      ['["us"]', '20', 3334n],
    ]);
  });

  it('shares a minimum equally where no group owes anything', () => {
    const usage = [used('0', { region: 'us' }), used('0', { region: 'eu' })];
    expect(lines({ model: perUnit('1'), minimum_amount: '0.05', group_by: ['region'] }, usage)).toEqual([
      ['["eu"]', '0', 3n],
      ['["us"]', '0', 2n],
    ]);
  });

  it('has one line with no group where nothing was used', () => {
    const { rated } = rate({ model: perUnit('1'), minimum_amount: '5', group_by: ['region'] }, []);
    expect(rated.lines.map(({ ref, group, amountMinor }) => ({ ref, group, amountMinor }))).toEqual([{ ref: 'all', group: {}, amountMinor: 500n }]);
  });

  it('breaks ties by the bytes of the values, in the order of group_by', () => {
    // U+FF5E comes before U+1F600 in UTF-8 and after it in UTF-16.
    const usage = ['\u{1f600}', '\uff5e', 'b', 'B', 'é', 'Ba'].map((region) => used('1', { region, zone: 'z' }));
    const groups = rate({ model: perUnit('0.001'), minimum_amount: '0.01', group_by: ['zone', 'region'] }, usage).rated.lines.map(({ group, amountMinor }) => [group['region'], amountMinor]);
    expect(groups).toEqual([['B', 1n], ['Ba', 0n], ['b', 0n], ['é', 0n], ['\uff5e', 0n], ['\u{1f600}', 0n]]);
  });

  it('is not misled by groups named like parts of an object', () => {
    const usage = [used('1', { constructor: 'x' }), used('2', {})];
    expect(lines({ model: perUnit('1'), group_by: ['constructor', '__proto__'] }, usage)).toEqual([
      ['["",""]', '2', 200n],
      ['["x",""]', '1', 100n],
    ]);
  });

  it('names the group in the trace, and leaves out steps beyond the fiftieth group', () => {
    const few = rate({ model: perUnit('1'), group_by: ['region'] }, [used('2', { region: 'eu' })]).rated.trace;
    expect(few.map(({ step, detail }) => [step, detail])).toEqual([
      ['quantity', 'region "eu": 2 metered'],
      ['model', 'region "eu": 2 × 1 = 2'],
      ['sum', 'the sum of 1 group'],
    ]);
    const many = Array.from({ length: 60 }, (_, index) => used('1', { region: `r${index}` }));
    const trace = rate({ model: perUnit('1'), group_by: ['region'] }, many).rated.trace;
    expect(trace).toHaveLength(101); // 50 groups × 2 steps + the sum.
    expect(trace.at(-1)).toMatchObject({ detail: 'the sum of 60 groups; 10 of them are rated in the same way and left out above', amount: '60' });
  });
});

describe('partial periods', () => {
  const fee = { type: 'recurring' as const, model: { type: 'flat' as const, amount: '49.00' } };

  const rows: [string, Terms, string | null, Fraction, string, string][] = [
    // name, price, quantity (null: none given), fraction, unrounded, posted
    ['a fee by the second', fee, null, half, '24.5', '24.50'],
    ['a fee of a third', fee, null, third, '16.33333333333333333333333333333333333333', '16.33'], // 490/30
    ['a fee that is not prorated', { ...fee, prorate: 'none' }, null, half, '49', '49.00'],
    ['false is none', { ...fee, prorate: false }, null, half, '49', '49.00'],
    ['true is second', { ...fee, prorate: true }, null, half, '24.5', '24.50'],
    ['a fee by the day', { ...fee, prorate: 'day' }, null, half, '24.5', '24.50'],
    ['no time at all', fee, null, { numerator: 0n, denominator: 30n }, '0', '0.00'],
    ['the whole, in other numbers', fee, null, { numerator: 30n, denominator: 30n }, '49', '49.00'],
    ['a fee with a minimum is scaled whole', { ...fee, minimum_amount: '60' }, null, half, '30', '30.00'],
    ['a fee for seats', { type: 'recurring', model: perUnit('10') }, '5', half, '25', '25.00'], // 5×10/2
    ['a fee for no seats', { type: 'recurring', model: perUnit('10') }, '0', half, '0', '0.00'],
    ['a fee without a quantity is for one', { type: 'recurring', model: perUnit('10') }, null, half, '5', '5.00'],
    ['included seats of a fee stay whole', { type: 'recurring', model: perUnit('10'), included_units: '3' }, '5', half, '10', '10.00'], // (5 − 3)×10/2
    ['usage is not prorated by itself', { model: perUnit('1'), minimum_amount: '100' }, '10', half, '100', '100.00'],
    ['a prorated minimum', { model: perUnit('1'), minimum_amount: '100', prorate: 'day' }, '10', half, '50', '50.00'],
    ['a prorated maximum', { model: perUnit('1'), maximum_amount: '100', prorate: 'second' }, '80', half, '50', '50.00'],
    ['prorated included units', { model: perUnit('1'), included_units: '101', prorate: 'day' }, '60', half, '9.5', '9.50'], // 60 − 50.5
    ['their fractions stay', { model: perUnit('3'), included_units: '100', prorate: 'day' }, '34', third, '2.00000000000000000000000000000000000001', '2.00'], // (34 − 33.33333333333333333333333333333333333333) × 3
    ['tiers and flat parts stay', { model: { type: 'graduated', tiers: [{ up_to: '10', unit_amount: '1', flat_amount: '4' }, { up_to: null, unit_amount: '2' }] }, prorate: 'day' }, '12', half, '18', '18.00'], // 4 + 10 + 4
    ['packages stay', { model: { type: 'package', package_size: '10', package_amount: '4' }, prorate: 'day' }, '12', half, '8', '8.00'],
    ['one time is one time', { type: 'one_time', model: { type: 'flat', amount: '99' } }, null, half, '99', '99.00'],
  ];
  it.each(rows)('%s', (_name, terms, quantity, fraction, unrounded, amount) => {
    expect(rate(terms, quantity === null ? [] : [used(quantity)], { fraction })).toMatchObject({ unrounded, amount });
  });

  it('says in the trace what part of a period it is', () => {
    expect(rate(fee, [], { fraction: { numerator: 15n, denominator: 30n } }).rated.trace.at(-1)).toEqual({
      step: 'proration', detail: '49 for 1/2 of a period is 24.5', values: { before: '49', fraction: '1/2' }, quantity: '1', amount: '24.5', adds: '-24.5',
    });
    const { steps, rated } = rate({ model: perUnit('1'), included_units: '100', minimum_amount: '10', prorate: 'day' }, [used('60')], { fraction: half });
    expect(steps).toEqual(['quantity', 'included_units', 'model', 'minimum']);
    expect(rated.trace[1]?.detail).toBe('60 less 50 included (100 for 1/2 of a period) leaves 10');
    expect(rated.trace[3]?.detail).toBe('at least 5 (10 for 1/2 of a period): 10 stays');
  });
});
