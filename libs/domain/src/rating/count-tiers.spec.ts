import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RateablePrice } from '../catalog/price.js';
import { canonicalDecimal } from '../money/decimal-text.js';
import { decimal, sumOf, toPlain } from '../money/decimal.js';
import { type Fraction, WHOLE } from '../period/proration-fraction.js';
import { countsOnInto } from './count-tiers.js';
import type { GroupUsage } from './pool-usage.js';
import { rateDays } from './rate-days.js';
import { ratePrice } from './rate-price.js';

type Terms = Partial<RateablePrice> & Pick<RateablePrice, 'model'>;
const perUnit = (unitAmount: string) => ({ type: 'per_unit' as const, unit_amount: unitAmount });
const graduated = { type: 'graduated' as const, tiers: [{ up_to: '100', unit_amount: '1', flat_amount: '5' }, { up_to: null, unit_amount: '0.5' }] };
const volume = { type: 'volume' as const, tiers: [{ up_to: '100', unit_amount: '2' }, { up_to: null, unit_amount: '1' }] };
const stairs = { type: 'stairstep' as const, tiers: [{ up_to: '100', amount: '10' }, { up_to: null, amount: '25' }] };
const half: Fraction = { numerator: 1n, denominator: 2n };
const used = (quantity: string): GroupUsage[] => (quantity === '' ? [] : [{ group: {}, quantity: decimal(quantity) }]);
const regions = (...entries: [string, string][]): GroupUsage[] => entries.map(([region, quantity]) => ({ group: { region }, quantity: decimal(quantity) }));
const since = Temporal.Instant.from('2027-01-01T00:00:00Z');

/** `before` null: the count begins with the period. */
function rate(terms: Terms, used: { before: readonly GroupUsage[] | null; now: readonly GroupUsage[]; share?: Fraction; fraction?: Fraction }) {
  const price: RateablePrice = { type: 'usage', tier_period: 'P1Y', ...terms };
  const { before, now, share = WHOLE, fraction } = used;
  const rated = ratePrice({ price, currency: 'USD', rounding: 'half_away_from_zero', usage: [...(before ?? []), ...now], fraction, around: { tierCount: { since, before, share } } });
  expect(rated.trace.at(-1)?.amount).toBe(toPlain(rated.unroundedAmount));
  expect(toPlain(sumOf(rated.trace, (step) => decimal(step.adds)))).toBe(toPlain(rated.unroundedAmount));
  return rated;
}

// Goal: a period's part of a longer count. Method: a quantity before and one now; by hand, what both come to less what the first does.
describe('tiers that count on', () => {
  const rows: [string, Terms, string | null, string, string][] = [
    ['the count begins: as any period', { model: graduated }, null, '150', '130'], // 5 + 100 + 25
    ['the count begins with nothing', { model: graduated }, null, '', '5'],
    ['the flat amount was owed before', { model: graduated }, '', '60', '60'], // 65 − 5
    ['nothing more is used', { model: graduated }, '60', '', '0'],
    ['nothing at all, before and now', { model: graduated }, '', '', '0'],
    ['through the bound', { model: graduated }, '60', '90', '65'], // 5 + 100 + 25 − 65
    ['until the bound', { model: graduated }, '60', '40', '40'],
    ['from the bound', { model: graduated }, '100', '40', '20'],
    ['a hair beyond the bound', { model: graduated }, '60', '40.000000000000000001', '40.0000000000000000005'],
    ['beyond it', { model: graduated }, '1000', '40', '20'],
    ['half units on both sides', { model: graduated }, '99.5', '1', '0.75'], // 0.5 + 0.25
    ['a tier that asks at most', { model: { type: 'graduated', tiers: [{ up_to: '100', unit_amount: '1', maximum_amount: '70' }, { up_to: null, unit_amount: '0.5' }] } }, '60', '60', '20'], // 70 + 10 − 60
    ['per unit: as any period', { model: perUnit('0.002') }, '1234', '1000', '2'],
    ['a package that was begun', { model: { type: 'package', package_size: '100', package_amount: '5' } }, '150', '50', '0'],
    ['and the next one', { model: { type: 'package', package_size: '100', package_amount: '5' } }, '150', '51', '5'],
    ['a stair that was paid', { model: stairs }, '40', '60', '0'],
    ['the difference to the next stair', { model: stairs }, '40', '60.5', '15'],
    ['a flat price is owed once', { model: { type: 'flat', amount: '9' } }, '1', '1', '0'],
    ['graduated percentages', { model: { type: 'graduated_percentage', tiers: [{ up_to: '1000', rate: '2', flat_amount: '1' }, { up_to: null, rate: '1' }] } }, '800', '400', '6'], // 20 + 2 + 1 − 17
    ['volume gives back what was dearer', { model: volume }, '90', '30', '-60'], // 120 − 180
    ['volume in the same tier', { model: volume }, '40', '60', '120'],
    ['what was taken back is given back', { model: graduated }, '60', '-20', '-20'],
    ['more is taken back than there was', { model: graduated }, '60', '-80', '-60'], // 0 owes the flat amount
    ['included units of the whole count', { model: graduated, included_units: '100' }, '60', '90', '50'], // 50: 55 − 5
    ['included units that were used up', { model: graduated, included_units: '50' }, '60', '90', '90'], // 100: 105 − 15
    ['converted before they count', { model: graduated, unit_conversion: { divide_by: '10', rounding: 'up' } }, '601', '390', '39'], // 100: 105; 61: 66
    ['conversion does not begin anew', { model: perUnit('1'), unit_conversion: { divide_by: '10', rounding: 'up' } }, '5', '5', '0'],
    ['discount of the period', { model: graduated, discount: { percent: '10', amount: '20' } }, '60', '90', '38.5'], // 65 × 0.9 − 20
    ['a percent of what is given back, and no amount', { model: volume, discount: { percent: '10', amount: '20' } }, '90', '30', '-54'],
    ['an amount takes nothing below 0', { model: graduated, discount: { amount: '20' } }, '60', '10', '0'],
    ['maximum of the period', { model: graduated, maximum_amount: '60' }, '60', '90', '60'],
    ['minimum of the period', { model: graduated, minimum_amount: '70' }, '60', '90', '70'],
    ['a minimum is paid though something is given back', { model: volume, minimum_amount: '7' }, '90', '30', '7'],
    ['very many units', { model: { type: 'graduated', tiers: [{ up_to: '1000000000000', unit_amount: '0.0000001' }, { up_to: null, unit_amount: '0' }] } }, '600000000000', '600000000000', '40000'],
  ];
  it.each(rows)('%s', (_name, terms, before, now, amount) => {
    const rated = rate(terms, { before: before === null ? null : used(before), now: used(now) });
    expect(toPlain(rated.unroundedAmount)).toBe(amount);
    expect(toPlain(rated.quantity)).toBe(toPlain(decimal(now === '' ? '0' : now)));
  });

  it('have included units by the share of the count that was left, and bounds by that of the period', () => {
    const terms: Terms = { model: perUnit('1'), included_units: '100', maximum_amount: '60', prorate: 'second' };
    // 50 included: 90 − 50 − (60 − 50) = 30, at most half of 60.
    expect(toPlain(rate({ ...terms, maximum_amount: '50' }, { before: used('60'), now: used('30'), share: half, fraction: half }).unroundedAmount)).toBe('25');
    expect(toPlain(rate(terms, { before: used('60'), now: used('30'), share: half, fraction: half }).unroundedAmount)).toBe('30');
    const { prorate: _prorate, ...whole } = terms;
    expect(toPlain(rate(whole, { before: used('60'), now: used('30'), share: half, fraction: half }).unroundedAmount)).toBe('0');
  });

  it('are of each group by itself; a group that is new owes its flat part, and one that used nothing more owes nothing', () => {
    const { lines } = rate({ model: graduated, group_by: ['region'] }, { before: regions(['eu', '60'], ['us', '10']), now: regions(['eu', '90'], ['ap', '1']) });
    expect(lines.map(({ ref, amountMinor, quantity }) => [ref, amountMinor, toPlain(quantity)])).toEqual([['["ap"]', 600n, '1'], ['["eu"]', 6_500n, '90'], ['["us"]', 0n, '0']]);
    // Where there was no group before, the flat part of nothing stands by itself and is given back.
    const first = rate({ model: graduated, group_by: ['region'] }, { before: [], now: regions(['eu', '1']) });
    expect(first.lines.map(({ ref, amountMinor }) => [ref, amountMinor])).toEqual([['["eu"]', 600n], ['all', -500n]]);
  });

  it('post lines of either sign that sum to the posted amount', () => {
    const grouped: Terms = { model: { ...volume, tiers: [{ up_to: '100', unit_amount: '0.333' }, { up_to: null, unit_amount: '0.1' }] }, group_by: ['region'] };
    const { lines, amountMinor } = rate(grouped, { before: regions(['eu', '90'], ['us', '1']), now: regions(['eu', '30'], ['us', '1']) });
    // eu 12 − 29.97 = −17.97, us 0.333: −17.637
    expect([amountMinor, lines.map((line) => line.amountMinor)]).toEqual([-1_764n, [-1_797n, 33n]]);
    const discounted = rate({ ...grouped, discount: { percent: '50' } }, { before: regions(['eu', '90'], ['us', '1']), now: regions(['eu', '30'], ['us', '1']) });
    expect(discounted.amountMinor).toBe(-882n); // −8.8185
    expect(discounted.lines.reduce((sum, line) => sum + line.amountMinor, 0n)).toBe(-882n);
    expect(toPlain(sumOf(discounted.lines, (line) => line.unroundedAmount))).toBe('-8.8185');
  });

  it('count in each cell of a matrix', () => {
    const model: RateablePrice['model'] = { type: 'matrix', dimensions: ['region'], cells: [{ when: { region: 'eu' }, model: graduated }], default: perUnit('1') };
    const rated = rate({ model }, { before: regions(['eu', '60'], ['us', '5']), now: regions(['eu', '90'], ['us', '7']) });
    expect(rated.lines.map(({ ref, amountMinor }) => [ref, amountMinor])).toEqual([['all', 7_200n]]); // 65 + 7
  });

  it('say so in words and numbers', () => {
    expect(rate({ model: perUnit('2') }, { before: used('60'), now: used('90') }).trace.map(({ step, detail, quantity, amount, adds }) => [step, detail, quantity, amount, adds])).toEqual([
      ['quantity', '150 metered since 2027-01-01T00:00:00Z', '150', '0', '0'],
      ['model', '150 × 2 = 300', '150', '300', '300'],
      ['tier_period', 'less 120 for 60 used before this period leaves 180 for 90', '90', '180', '-120'],
    ]);
  });

  it('have days that sum to the period, the first of which adds to what was before', () => {
    const price: RateablePrice = { type: 'usage', tier_period: 'P1Y', model: graduated, minimum_amount: '70' };
    const days = ['60', '90', '150', '150'].map((quantity, index) => ({ day: `2027-02-0${index + 1}`, cumulative: used(quantity) }));
    const rated = rateDays({ price, currency: 'USD', rounding: 'half_away_from_zero', days, over: true, around: { tierCount: { since, before: used('60'), share: WHOLE } } });
    // 0, 30, 10 + 25, and 5 more by the minimum.
    expect(rated.map(({ quantity, amountMinor }) => [toPlain(quantity), amountMinor])).toEqual([['0', 0n], ['30', 3_000n], ['60', 3_500n], ['0', 500n]]);
  });

  it.each<[string, Partial<RateablePrice>, boolean]>([
    ['another model and other units included', { model: volume, included_units: '7' }, true],
    ['another stretch', { tier_period: 'P3M' }, false],
    ['no stretch any more', { tier_period: undefined }, false],
    ['another meter', { meter: 'bytes' }, false],
    ['other groups', { group_by: ['region'] }, false],
    ['another conversion', { unit_conversion: { divide_by: '10', rounding: 'up' } }, false],
  ])('go on into a price with %s: %s %s', (_name, change, expected) => {
    const price: RateablePrice = { type: 'usage', meter: 'calls', model: graduated, tier_period: 'P1Y' };
    expect(countsOnInto(price, { ...price, ...change }, 'USD')).toBe(expected);
  });

  it('sum over the periods to what the whole count comes to, however it is cut', () => {
    const quantity = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 21n }).map((n) => canonicalDecimal(`${n}e-18`) ?? '0');
    const models = fc.constantFrom<RateablePrice['model']>(graduated, volume, stairs, perUnit('0.37'), { type: 'package', package_size: '70', package_amount: '3' });
    fc.assert(fc.property(models, fc.option(fc.constantFrom('0.5', '100', '333'), { nil: undefined }), fc.array(quantity, { minLength: 1, maxLength: 12 }), (model, included, months) => {
      const terms: Terms = { model, ...(included !== undefined && { included_units: included }) };
      const parts = months.map((now, index) => rate(terms, { before: index === 0 ? null : months.slice(0, index).flatMap(used), now: used(now) }));
      const whole = rate(terms, { before: null, now: months.flatMap(used) });
      expect(toPlain(sumOf(parts, (part) => part.unroundedAmount))).toBe(toPlain(whole.unroundedAmount));
    }), { numRuns: 60 });
  });
});
