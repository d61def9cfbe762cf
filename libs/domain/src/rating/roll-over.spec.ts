import { describe, expect, it } from 'vitest';
import type { RateablePrice } from '../catalog/price.js';
import { decimal, sumOf, toPlain } from '../money/decimal.js';
import type { Fraction } from '../period/proration-fraction.js';
import type { GroupUsage } from './pool-usage.js';
import { ratePrice } from './rate-price.js';
import { rollsOverInto } from './roll-over.js';

type Terms = Partial<RateablePrice> & Pick<RateablePrice, 'model'>;
const perUnit = (unitAmount: string) => ({ type: 'per_unit' as const, unit_amount: unitAmount });
const graduated = { type: 'graduated' as const, tiers: [{ up_to: '10', unit_amount: '1', flat_amount: '5' }, { up_to: null, unit_amount: '0.5' }] };
const volume = { type: 'volume' as const, tiers: [{ up_to: '10', unit_amount: '2' }, { up_to: null, unit_amount: '1' }] };
const half: Fraction = { numerator: 1n, denominator: 2n };
const used = (quantity: string): GroupUsage[] => (quantity === '' ? [] : [{ group: {}, quantity: decimal(quantity) }]);
const hours = (...quantities: string[]): GroupUsage[] =>
  quantities.map((quantity, index) => ({ group: {}, bucket: Temporal.Instant.from('2027-01-01T00:00:00Z').add({ hours: index }), quantity: decimal(quantity) }));

function rate(terms: Terms, usage: readonly GroupUsage[], before: { usage: readonly GroupUsage[]; fraction?: Fraction; price?: RateablePrice } | null, fraction?: Fraction) {
  const price: RateablePrice = { type: 'usage', rollover: {}, ...terms };
  const around = before === null ? {} : { previous: { price, ...before } };
  const rated = ratePrice({ price, currency: 'USD', rounding: 'half_away_from_zero', usage, fraction, around });
  expect(rated.trace.at(-1)?.amount).toBe(toPlain(rated.unroundedAmount));
  expect(toPlain(sumOf(rated.trace, (step) => decimal(step.adds)))).toBe(toPlain(rated.unroundedAmount));
  return rated;
}

// Goal: what the period before left is free after the period's own units. Method: two quantities, before and now; sums by hand.
describe('rollover', () => {
  const hundred: Terms = { model: perUnit('1'), included_units: '100' };
  const rows: [string, Terms, string, string, string][] = [
    ['nothing used before: all of it rolls over', hundred, '', '250', '50'], // 250 − 100 − 100
    ['0 used before is nothing used', hundred, '0', '250', '50'],
    ['part of it used before', hundred, '60', '250', '110'], // 100 − 60 = 40 left
    ['all of it used, on the bound', hundred, '100', '250', '150'],
    ['a hair below the bound', hundred, '99.999999999999999999', '250', '149.999999999999999999'],
    ['more used than was included', hundred, '1000', '250', '150'],
    ['a net negative period left all', hundred, '-7', '250', '50'],
    ['own units are enough', hundred, '60', '100', '0'],
    ['own units and a part of what rolled over', hundred, '60', '120', '0'],
    ['on the end of what rolled over', hundred, '60', '140', '0'],
    ['beside the end of what rolled over', hundred, '60', '140.5', '0.5'],
    ['nothing used now', hundred, '60', '', '0'],
    ['at most so many', { ...hundred, rollover: { maximum_units: '30' } }, '60', '250', '120'], // 40 left, 30 roll over
    ['fewer are left than may roll over', { ...hundred, rollover: { maximum_units: '30' } }, '90', '250', '140'],
    ['just as many as may roll over', { ...hundred, rollover: { maximum_units: '30' } }, '70', '250', '120'],
    ['a bound above what is included', { ...hundred, rollover: { maximum_units: '5000' } }, '0', '250', '50'],
    ['half a unit at most', { ...hundred, rollover: { maximum_units: '0.5' } }, '0', '101', '0.5'],
    ['tiers see the rest from 0', { model: graduated, included_units: '10' }, '4', '28', '16'], // 28 − 10 − 6 = 12: 5 + 10 + 1
    ['a flat part is owed though all is free', { model: graduated, included_units: '10' }, '4', '12', '5'],
    ['volume by the rest', { model: volume, included_units: '10' }, '4', '26', '20'], // 10 on the bound
    ['volume beside the bound', { model: volume, included_units: '10' }, '4', '26.5', '10.5'],
    ['packages of the rest', { model: { type: 'package', package_size: '10', package_amount: '3' }, included_units: '10' }, '4', '27', '6'], // 11 → 2 packages
    ['converted units', { model: perUnit('3'), unit_conversion: { divide_by: '1000', rounding: 'up' }, included_units: '4' }, '1001', '8000', '6'], // 2 used, 2 left; 8 − 4 − 2
    ['a third is carried to 40 digits', { model: perUnit('3'), unit_conversion: { divide_by: '3', rounding: 'none' }, included_units: '1' }, '2', '5', '1.0000000000000000000000000000000000000011'], // (0.666…67 − 0.333…33) × 3
    ['discount, maximum and minimum come after', { ...hundred, discount: { percent: '50' }, maximum_amount: '40', minimum_amount: '10' }, '60', '250', '40'],
    ['the minimum is owed though all is free', { ...hundred, minimum_amount: '10' }, '60', '130', '10'],
    ['very many units', { model: perUnit('0.0000001'), included_units: '1000000000000' }, '400000000000', '2600000000000', '100000'],
    ['events that are exempt use none up', { ...hundred, exempt: 'data.status >= 500' }, '60', '250', '110'],
  ];
  it.each(rows)('%s', (_name, terms, before, now, amount) => {
    expect(toPlain(rate(terms, used(now), { usage: used(before) }).unroundedAmount)).toBe(amount);
  });

  it('is nothing in the first period', () => {
    expect(rate(hundred, used('250'), null).amountMinor).toBe(15_000n);
    expect(rate(hundred, used('250'), null).trace.some(({ step }) => step === 'rollover')).toBe(false);
  });

  it('is of the share that a partial period before included, and beside the share of this one', () => {
    const prorated: Terms = { ...hundred, prorate: 'second' };
    // 50 − 20 = 30 left; 250 − 100 − 30.
    expect(rate(prorated, used('250'), { usage: used('20'), fraction: half }).amountMinor).toBe(12_000n);
    // 100 − 20 = 80 left; 250 − 50 − 80.
    expect(rate(prorated, used('250'), { usage: used('20') }, half).amountMinor).toBe(12_000n);
    // Without proration a part includes all.
    expect(rate(hundred, used('250'), { usage: used('20'), fraction: half }, half).amountMinor).toBe(7_000n);
  });

  it('is of each group by itself, of one that used nothing too', () => {
    const grouped = (...entries: [string, string][]): GroupUsage[] => entries.map(([region, quantity]) => ({ group: { region }, quantity: decimal(quantity) }));
    const { lines } = rate({ ...hundred, group_by: ['region'] }, grouped(['eu', '250'], ['us', '250']), { usage: grouped(['eu', '60'], ['ap', '0']) });
    // eu 250 − 100 − 40, us 250 − 100 − 100; what ap left is of use to nobody else.
    expect(lines.map(({ ref, amountMinor }) => [ref, amountMinor])).toEqual([['["eu"]', 11_000n], ['["us"]', 5_000n]]);
  });

  it('is used up by buckets in the order of time, after the included units', () => {
    // 10 − (3 + 4) = 3 left, since the negative hour is 0: 13 are free: 8, then 5 of 8.
    expect(toPlain(rate({ model: volume, bucket: 'hour', included_units: '10' }, hours('8', '8', '11'), { usage: hours('3', '-5', '4') }).unroundedAmount)).toBe('17'); // 0, 3 × 2, 11 × 1
  });

  it('rolls over on the terms that the units were left under', () => {
    const left: RateablePrice = { type: 'usage', model: perUnit('9'), included_units: '30', rollover: { maximum_units: '20' } };
    expect(rate(hundred, used('250'), { usage: used('5'), price: left }).amountMinor).toBe(13_000n); // 25 left, at most 20
  });

  it('says so in words and numbers', () => {
    expect(rate(hundred, used('250'), { usage: used('60') }).trace.map(({ step, detail, quantity }) => [step, detail, quantity])).toEqual([
      ['quantity', '250 metered', '250'],
      ['included_units', '250 less 100 included leaves 150', '150'],
      ['rollover', '150 less 40 rolled over from the period before leaves 110', '110'],
      ['model', '110 × 1 = 110', '110'],
    ]);
    expect(rate({ model: volume, bucket: 'hour', included_units: '10' }, hours('8'), { usage: hours('3') }).trace[1]).toMatchObject({
      step: 'rollover', detail: '7 rolled over from the period before are included too', values: { rolled_over: '7' },
    });
  });
});

describe('whether units roll over into another version of a price', () => {
  const price: RateablePrice = { type: 'usage', meter: 'calls', model: perUnit('1'), included_units: '10', rollover: {} };
  const other: [string, Partial<RateablePrice>, boolean][] = [
    ['the same', {}, true],
    ['another model and number of units', { model: volume, included_units: '5', rollover: { maximum_units: '1' } }, true],
    ['the same conversion, otherwise written', { unit_conversion: undefined }, true],
    ['no rollover any more', { rollover: undefined }, false],
    ['another meter', { meter: 'bytes' }, false],
    ['other groups', { group_by: ['region'] }, false],
    ['another conversion', { unit_conversion: { divide_by: '10', rounding: 'up' } }, false],
    ['exempt events', { exempt: 'data.status >= 500' }, false],
    ['buckets', { bucket: 'hour' }, false],
  ];
  it.each(other)('%s', (_name, change, expected) => {
    expect(rollsOverInto(price, { ...price, ...change }, 'USD')).toBe(expected);
  });
});
