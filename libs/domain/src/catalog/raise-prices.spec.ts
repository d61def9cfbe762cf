import { describe, expect, it } from 'vitest';
import { decimal } from '../money/decimal.js';
import { raisePrices } from './raise-prices.js';

// Goal: each amount of money rises, and nothing else. Method: one price a row, the product in a comment.
const raise = (prices: unknown, percent: string, digits: number | null = null) => raisePrices(prices, { percent: decimal(percent), digits });

describe('a rise of prices', () => {
  it.each<[string, unknown, string, number | null, unknown]>([
    ['a flat fee', { type: 'flat', amount: '49' }, '10', null, { type: 'flat', amount: '53.9' }], // 49 × 1.1
    ['to so many digits, half up', { type: 'flat', amount: '49.5' }, '1', 1, { type: 'flat', amount: '50' }], // 49.995 is 50.0
    ['down', { unit_amount: '0.002' }, '-50', null, { unit_amount: '0.001' }],
    ['tiers, but not their bounds', { tiers: [{ up_to: '1000', unit_amount: '0.01', flat_amount: '5' }, { up_to: null, unit_amount: '0.004' }] }, '25', null,
      { tiers: [{ up_to: '1000', unit_amount: '0.0125', flat_amount: '6.25' }, { up_to: null, unit_amount: '0.005' }] }],
    ['a package, but not its size', { package_size: '1000', package_amount: '5' }, '3.5', null, { package_size: '1000', package_amount: '5.175' }],
    ['bounds, but no units', { minimum_amount: '10', maximum_amount: '20', included_units: '100' }, '100', null, { minimum_amount: '20', maximum_amount: '40', included_units: '100' }],
    ['the fixed part of a percentage, but not its rate', { type: 'percentage', rate: '2.9', fixed_amount: '0.30' }, '10', null, { type: 'percentage', rate: '2.9', fixed_amount: '0.33' }],
    ['no path to an amount', { type: 'dynamic', amount: '$.cost' }, '10', null, { type: 'dynamic', amount: '$.cost' }],
    ['nothing', { amount: '0', name: '5' }, '10', null, { amount: '0', name: '5' }],
  ])('raises %s', (_name, prices, percent, digits, expected) => {
    expect(raise([prices], percent, digits)).toEqual([expected]);
  });
});
