import { describe, expect, it } from 'vitest';
import type { Matrix } from '../catalog/model.js';
import type { RateablePrice } from '../catalog/price.js';
import { decimal, toPlain } from '../money/decimal.js';
import { matchCell } from './matrix-cell.js';
import type { GroupUsage } from './pool-usage.js';
import { ratePrice } from './rate-price.js';

const perUnit = (unitAmount: string) => ({ type: 'per_unit' as const, unit_amount: unitAmount });
const matrix: Matrix = {
  type: 'matrix',
  dimensions: ['region', 'model'],
  cells: [
    { when: { region: 'eu' }, model: perUnit('0.02') },
    { when: { model: 'large' }, model: perUnit('0.1') },
    { when: { region: 'eu', model: 'large' }, model: { type: 'graduated', tiers: [{ up_to: '10', unit_amount: '1', flat_amount: '5' }, { up_to: null, unit_amount: '0.5' }] } },
    { when: { region: '' }, model: { type: 'package', package_size: '100', package_amount: '3' } },
  ],
  default: perUnit('0.01'),
};
const used = (quantity: string, region?: string, model?: string): GroupUsage => ({
  group: { ...(region !== undefined && { region }), ...(model !== undefined && { model }) },
  quantity: decimal(quantity),
});
const rate = (usage: readonly GroupUsage[], model: Matrix = matrix, terms: Partial<RateablePrice> = {}) =>
  ratePrice({ price: { type: 'usage', model, ...terms }, currency: 'USD', rounding: 'half_away_from_zero', usage });

// Goal: which cell a group falls in. Method: a row for each kind of group; most keys wins, then the order of the list.
describe('matchCell', () => {
  it.each([
    [{ region: 'eu', model: 'large' }, 'cell-3'],
    [{ region: 'eu', model: 'small' }, 'cell-1'],
    [{ region: 'eu' }, 'cell-1'],
    [{ region: 'us', model: 'large' }, 'cell-2'],
    [{ region: '', model: 'large' }, 'cell-2'], // As many keys as cell 4, and earlier.
    [{ model: 'large' }, 'cell-2'],
    [{}, 'cell-4'], // A missing value is "".
    [{ region: '', model: 'small' }, 'cell-4'],
    [{ region: 'us', model: 'small' }, 'default'],
    [{ region: 'EU', model: 'small' }, 'default'],
    [{ region: 'eu ', model: '' }, 'default'],
  ])('puts %j into %s', (group, ref) => {
    expect(matchCell(matrix, group).ref).toBe(ref);
  });

  it('is not misled by dimensions named like parts of an object', () => {
    const odd: Matrix = { type: 'matrix', dimensions: ['constructor'], cells: [{ when: { constructor: '' }, model: perUnit('1') }] };
    expect(matchCell(odd, {}).ref).toBe('cell-1');
  });
});

describe('a matrix', () => {
  const rows: [string, GroupUsage[], string][] = [
    ['nothing used', [], '0'], // No cell is begun, so no flat amount is owed.
    ['one cell', [used('50', 'eu', 'small')], '1'], // 50 × 0.02
    ['a fraction', [used('0.5', 'eu', 'small')], '0.01'],
    ['the cell with more keys', [used('4', 'eu', 'large')], '9'], // 5 + 4
    ['… on its bound', [used('10', 'eu', 'large')], '15'],
    ['… beside its bound', [used('10.5', 'eu', 'large')], '15.25'], // 5 + 10 + 0.25
    ['a cell that was used for 0', [used('0', 'eu', 'large')], '5'],
    ['the default', [used('300', 'us', 'small')], '3'],
    ['a missing value', [used('101')], '6'], // Two packages.
    ['pools what falls into one cell', [used('60', undefined, 'small'), used('40', '', 'tiny')], '3'], // 100: one package
    ['pools before it rounds packages', [used('60', undefined, 'small'), used('41', '', 'tiny')], '6'], // 101: two
    ['pools the default too', [used('1', 'us', 'a'), used('2', 'ap', 'b')], '0.03'],
    ['cells side by side', [used('50', 'eu', 'small'), used('10', 'eu', 'large'), used('3', 'us', 'large'), used('100', 'us', 'small')], '17.3'], // 1 + 15 + 0.3 + 1
    ['a negative group within a cell', [used('50', 'eu', 'small'), used('-20', 'eu', 'tiny')], '0.6'],
    ['a negative cell is 0 by itself', [used('-50', 'eu', 'small'), used('100', 'us', 'small')], '1'],
    ['large quantities', [used('1000000000000', 'eu', 'small')], '20000000000'],
  ];
  it.each(rows)('%s', (_name, usage, amount) => {
    const rated = rate(usage);
    expect(toPlain(rated.unroundedAmount)).toBe(amount);
    expect(rated.lines).toMatchObject([{ ref: 'all', group: {} }]); // One line, whatever the cells.
    expect(rated.trace.at(-1)?.amount).toBe(amount);
  });

  it('converts the units of each cell by itself', () => {
    // eu 1500 → 2 × 0.02, us 500 → 1 × 0.01
    const rated = rate([used('1500', 'eu', 'small'), used('500', 'us', 'small')], matrix, { unit_conversion: { divide_by: '1000', rounding: 'up' } });
    expect(toPlain(rated.unroundedAmount)).toBe('0.05');
  });

  it('bounds the sum of the cells', () => {
    expect(rate([used('50', 'eu', 'small')], matrix, { minimum_amount: '4', maximum_amount: '9' }).amountMinor).toBe(400n);
    expect(rate([used('20', 'eu', 'large')], matrix, { maximum_amount: '9' }).amountMinor).toBe(900n); // 5 + 10 + 5
  });

  it('rates what no cell is for as 0 and lists it', () => {
    const { default: _none, ...open } = matrix;
    const rated = rate([used('5', 'us', 'small'), used('50', 'eu', 'small'), used('7', 'ap', 'a"b')], open);
    expect(rated.amountMinor).toBe(100n);
    expect(toPlain(rated.quantity)).toBe('62');
    expect(rated.trace.filter(({ step }) => step === 'unpriced').map(({ detail, quantity }) => [detail, quantity])).toEqual([
      ['region "ap", model "a\\"b": 7 match no cell and there is no default, so nothing is asked', '7'],
      ['region "us", model "small": 5 match no cell and there is no default, so nothing is asked', '5'],
    ]);
  });

  it('traces each cell and their sum', () => {
    expect(rate([used('50', 'eu', 'small'), used('100', 'us', 'small')]).trace.map(({ step, detail, adds }) => [step, detail, adds])).toEqual([
      ['quantity', 'cell 1: 50 metered', '0'],
      ['model', 'cell 1: 50 × 0.02 = 1', '1'],
      ['quantity', 'default: 100 metered', '0'],
      ['model', 'default: 100 × 0.01 = 1', '1'],
      ['sum', 'the sum of 2 cells', '0'],
    ]);
  });
});
