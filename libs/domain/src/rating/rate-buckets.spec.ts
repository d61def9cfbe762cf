import { describe, expect, it } from 'vitest';
import type { RateablePrice } from '../catalog/price.js';
import { decimal, sumOf, toPlain } from '../money/decimal.js';
import type { Fraction } from '../period/proration-fraction.js';
import type { GroupUsage } from './pool-usage.js';
import { ratePrice } from './rate-price.js';

const hour = (index: number): Temporal.Instant => Temporal.Instant.from('2027-01-01T00:00:00Z').add({ hours: index });
/** One quantity for each hour, in the order of time. */
const hours = (...quantities: string[]): GroupUsage[] => quantities.map((quantity, index) => ({ group: {}, bucket: hour(index), quantity: decimal(quantity) }));
const perUnit = (unitAmount: string) => ({ type: 'per_unit' as const, unit_amount: unitAmount });
const graduated = { type: 'graduated' as const, tiers: [{ up_to: '10', unit_amount: '1', flat_amount: '5' }, { up_to: null, unit_amount: '0.5' }] };
const volume = { type: 'volume' as const, tiers: [{ up_to: '10', unit_amount: '2' }, { up_to: null, unit_amount: '1' }] };
const half: Fraction = { numerator: 1n, denominator: 2n };

function rate(terms: Partial<RateablePrice> & Pick<RateablePrice, 'model'>, usage: readonly GroupUsage[], fraction?: Fraction) {
  const rated = ratePrice({ price: { type: 'usage', bucket: 'hour', ...terms }, currency: 'USD', rounding: 'half_away_from_zero', usage, fraction });
  expect(rated.trace.at(-1)?.amount).toBe(toPlain(rated.unroundedAmount));
  expect(toPlain(sumOf(rated.trace, (step) => decimal(step.adds)))).toBe(toPlain(rated.unroundedAmount));
  return rated;
}

// Goal: each bucket from tier 0, and included units used up in time order. Method: a few hours, sums by hand.
describe('buckets', () => {
  const rows: [string, Partial<RateablePrice> & Pick<RateablePrice, 'model'>, string[], string][] = [
    ['nothing used: the quantity 0 once', { model: graduated }, [], '5'],
    ['one bucket is as the whole', { model: graduated }, ['12'], '16'], // 5 + 10 + 1
    ['each bucket has tiers of its own', { model: graduated }, ['12', '12'], '32'],
    ['per_unit does not care', { model: perUnit('0.5') }, ['3', '4.5', '0'], '3.75'],
    ['a bucket of 0 owes the flat amount too', { model: graduated }, ['0', '4'], '14'], // 5 + 5 + 4
    ['on a bound in each', { model: graduated }, ['10', '10'], '30'],
    ['beside a bound in each', { model: graduated }, ['10.5', '10.5'], '30.5'], // 2 × (5 + 10 + 0.25)
    ['volume by the bucket', { model: volume }, ['10', '11', '1'], '33'], // 20 + 11 + 2
    ['packages by the bucket', { model: { type: 'package', package_size: '10', package_amount: '3' } }, ['1', '11', '10'], '12'], // 1 + 2 + 1
    ['stairs by the bucket', { model: { type: 'stairstep', tiers: [{ up_to: '5', amount: '1' }, { up_to: null, amount: '4' }] } }, ['5', '5.1', '0'], '6'],
    ['a flat amount for each bucket', { model: { type: 'flat', amount: '0.1' } }, ['1', '9', '9'], '0.3'],
    ['a negative bucket is 0 by itself', { model: perUnit('1') }, ['5', '-3', '2'], '7'],
    ['conversion of each', { model: perUnit('3'), unit_conversion: { divide_by: '1000', rounding: 'up' } }, ['1', '1001', '0'], '9'], // 1 + 2 + 0
    ['included units in time order', { model: perUnit('1'), included_units: '5' }, ['3', '4', '2'], '4'], // 3 free, 2 free and 2, 2
    ['included units end on a bound', { model: perUnit('1'), included_units: '7' }, ['3', '4', '2'], '2'],
    ['included units for all', { model: perUnit('1'), included_units: '100' }, ['3', '4', '2'], '0'],
    ['included units are converted ones', { model: perUnit('1'), unit_conversion: { divide_by: '10', rounding: 'up' }, included_units: '2' }, ['1', '15', '1'], '2'], // 1 free, 1 of 2 free, 1
    ['a bucket that is included still owes a flat part', { model: graduated, included_units: '3' }, ['3', '4'], '14'], // 5, 5 + 4
    ['a negative bucket frees nothing', { model: perUnit('1'), included_units: '5' }, ['-10', '6'], '1'],
    ['tiers see the rest from 0', { model: graduated, included_units: '2' }, ['12', '12'], '31'], // 15 + 16
    ['the maximum is of the sum', { model: perUnit('1'), maximum_amount: '6' }, ['5', '5'], '6'],
    ['the minimum is of the sum', { model: perUnit('1'), minimum_amount: '20' }, ['5', '5'], '20'],
    ['the discount is of the sum', { model: perUnit('1'), discount: { percent: '50', amount: '1' } }, ['5', '5'], '4'],
    ['a fraction of a unit in each', { model: perUnit('0.0000001') }, ['0.5', '0.000000000000000001'], '0.0000000500000000000000001'],
    ['large buckets', { model: perUnit('0.0000001') }, ['1000000000000', '1000000000000'], '200000'],
  ];
  it.each(rows)('%s', (_name, terms, quantities, amount) => {
    expect(toPlain(rate(terms, hours(...quantities)).unroundedAmount)).toBe(amount);
  });

  it('scales included units with the period, to be shared all the same', () => {
    // 5 of 10: 3 + 2 free, then 4 − 2 = 2.
    expect(toPlain(rate({ model: perUnit('1'), included_units: '10', prorate: 'second' }, hours('3', '4'), half).unroundedAmount)).toBe('2');
  });

  it('have the groups of the price, and included units for each of them', () => {
    const usage = [0, 1].flatMap((index) => ['eu', 'us'].map((region) => ({ group: { region }, bucket: hour(index), quantity: decimal(region === 'eu' ? '4' : '1') })));
    // eu 4 + 4 − 5, us 2 of 5.
    expect(rate({ model: perUnit('1'), included_units: '5', group_by: ['region'] }, usage).lines.map(({ ref, amountMinor }) => [ref, amountMinor])).toEqual([['["eu"]', 300n], ['["us"]', 0n]]);
  });

  it('pool finer groups of one hour before they are priced, in whatever order they come', () => {
    const usage = [1, 0, 1].map((index) => ({ group: { region: `r${index}` }, bucket: hour(index), quantity: decimal('6') }));
    // 6 → 12; 12 → 12 by volume.
    expect(toPlain(rate({ model: volume }, usage).unroundedAmount)).toBe('24');
  });

  it('stand in the cells of a matrix', () => {
    const model: RateablePrice['model'] = { type: 'matrix', dimensions: ['region'], cells: [{ when: { region: 'eu' }, model: volume }], default: perUnit('1') };
    const usage = [0, 1].flatMap((index) => ['eu', 'us'].map((region) => ({ group: { region }, bucket: hour(index), quantity: decimal('6') })));
    expect(toPlain(rate({ model }, usage).unroundedAmount)).toBe('36'); // eu 12 + 12, us 6 + 6
  });

  it('are traced one by one, up to the fiftieth', () => {
    expect(rate({ model: perUnit('1'), included_units: '4' }, hours('3', '4')).trace.map(({ step, detail, adds }) => [step, detail, adds])).toEqual([
      ['quantity', '7 metered', '0'],
      ['bucket', 'from 2027-01-01T00:00:00Z: 3 metered, 3 of it included, 0 priced = 0', '0'],
      ['bucket', 'from 2027-01-01T01:00:00Z: 4 metered, 1 of it included, 3 priced = 3', '3'],
      ['model', 'the sum of 2 buckets = 3', '0'],
    ]);
    const many = rate({ model: perUnit('1') }, hours(...Array.from({ length: 60 }, () => '1'))).trace;
    expect(many).toHaveLength(52);
    expect(many.at(-1)).toMatchObject({ detail: 'the sum of 60 buckets; 10 of them are priced in the same way and left out above = 60', amount: '60', adds: '10' });
  });
});
