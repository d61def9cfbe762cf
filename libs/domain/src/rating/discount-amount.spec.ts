import { describe, expect, it } from 'vitest';
import type { Discount, RateablePrice } from '../catalog/price.js';
import { decimal, toPlain } from '../money/decimal.js';
import type { Fraction } from '../period/proration-fraction.js';
import { ratePrice } from './rate-price.js';

const half: Fraction = { numerator: 1n, denominator: 2n };
const third: Fraction = { numerator: 1n, denominator: 3n };
const whole: Fraction = { numerator: 1n, denominator: 1n };

function rate(discount: Discount, quantity: string, { fraction = whole, ...terms }: Partial<RateablePrice> & { fraction?: Fraction } = {}): string {
  const price: RateablePrice = { type: 'usage', model: { type: 'per_unit', unit_amount: '1' }, discount, ...terms };
  return toPlain(ratePrice({ price, currency: 'USD', rounding: 'half_away_from_zero', usage: [{ group: {}, quantity: decimal(quantity) }], fraction }).unroundedAmount);
}

// Goal: the percent, then the amount, never below 0, before the bounds. Method: one unit costs 1, so that the quantity is the amount.
describe('a discount', () => {
  it.each<[string, Discount, string, string]>([
    ['a percent', { percent: '10' }, '50', '45'],
    ['a percent with a fraction', { percent: '12.5' }, '80', '70'],
    ['of nothing', { percent: '10' }, '0', '0'],
    ['0 percent', { percent: '0' }, '50', '50'],
    ['100 percent', { percent: '100' }, '50', '0'],
    ['the finest percent', { percent: '0.000000000000000001' }, '1', '0.99999999999999999999'],
    ['of a fraction', { percent: '33' }, '0.01', '0.0067'],
    ['an amount', { amount: '5' }, '50', '45'],
    ['just the amount', { amount: '50' }, '50', '0'],
    ['an amount above it', { amount: '50.01' }, '50', '0'],
    ['an amount off nothing', { amount: '5' }, '0', '0'],
    ['an amount of 0', { amount: '0' }, '50', '50'],
    ['both: the percent first', { percent: '10', amount: '5' }, '50', '40'], // 45 − 5, not 45 × 0.9
    ['both, just to 0', { percent: '50', amount: '25' }, '50', '0'],
    ['both, below 0', { percent: '50', amount: '26' }, '50', '0'],
    ['a large amount', { percent: '25' }, '1000000000000', '750000000000'],
    ['of a net negative quantity', { amount: '5' }, '-50', '0'],
  ])('%s', (_name, discount, quantity, amount) => {
    expect(rate(discount, quantity)).toBe(amount);
  });

  it.each<[string, Partial<RateablePrice> & { fraction?: Fraction }, string, string]>([
    ['comes before the maximum', { maximum_amount: '30' }, '50', '30'], // 50 → 40 → 30, not 30 − 10
    ['may bring it below the maximum', { maximum_amount: '45' }, '50', '40'],
    ['comes before the minimum', { minimum_amount: '45' }, '50', '45'], // 40 → 45
    ['comes after included units', { included_units: '20' }, '50', '20'], // 30 − 10
    ['is whole where usage is not prorated', { fraction: half }, '50', '40'],
    ['is scaled with a usage price', { prorate: 'day', fraction: half }, '50', '45'], // 50 − 5
    ['keeps its fractions', { prorate: 'second', fraction: third }, '50', '46.666666666666666666666666666666666666667'], // 50 − 3.333… with 39 digits after the point
    ['is part of what a fee is scaled by', { type: 'recurring', fraction: half }, '50', '20'], // (50 − 10) / 2
  ])('of 10 %s', (_name, terms, quantity, amount) => {
    expect(rate({ amount: '10' }, quantity, terms)).toBe(amount);
  });

  it('is shared among groups as their sum is', () => {
    const price: RateablePrice = { type: 'usage', model: { type: 'per_unit', unit_amount: '1' }, discount: { amount: '10' }, group_by: ['g'] };
    const usage = ['a', 'b'].map((g, index) => ({ group: { g }, quantity: decimal(String(10 + 20 * index)) }));
    // 40 − 10 = 30: a quarter and three quarters.
    expect(ratePrice({ price, currency: 'USD', rounding: 'half_even', usage }).lines.map(({ amountMinor }) => amountMinor)).toEqual([750n, 2250n]);
  });

  it('says what it took off', () => {
    const price: RateablePrice = { type: 'usage', model: { type: 'per_unit', unit_amount: '1' }, discount: { percent: '10', amount: '5' }, prorate: 'day' };
    const rated = ratePrice({ price, currency: 'USD', rounding: 'half_even', usage: [{ group: {}, quantity: decimal('50') }], fraction: half });
    expect(rated.trace.at(-1)).toEqual({
      step: 'discount', detail: '50 less 10% and then 2.5 (5 for 1/2 of a period) is 42.5', values: { before: '50', percent: '10', amount: '2.5' }, quantity: '50', amount: '42.5', adds: '-7.5',
    });
  });
});
