import { describe, expect, it } from 'vitest';
import { decimal, toPlain, ZERO } from '../money/decimal.js';
import type { Fraction } from '../period/proration-fraction.js';
import { limitToMaximum, raiseToMinimum } from './bound-amount.js';
import { noNote } from './trace.js';

const of = (numerator: bigint, denominator: bigint): Fraction => ({ numerator, denominator });
const whole = of(1n, 1n);
const bounded = (bound: string, fraction: Fraction) => ({ bound: decimal(bound), fraction, quantity: ZERO, note: noNote });

// Goal: at most and at least. Method: below, on and above the bound, of whole periods and of parts, by hand. What is given back is negative.
describe('a maximum', () => {
  it.each<[string, string, Fraction, string]>([
    ['0', '0', whole, '0'],
    ['0', '30', whole, '0'],
    ['10', '0', whole, '0'],
    ['29', '30', whole, '29'],
    ['29.999999999999999999', '30', whole, '29.999999999999999999'],
    ['30', '30', whole, '30'],
    ['30.000000000000000001', '30', whole, '30'],
    ['30.5', '30', whole, '30'],
    ['31', '30', whole, '30'],
    ['1000000000000', '30', whole, '30'],
    ['0.005', '0.0049', whole, '0.0049'], // Rounded later, and once.
    ['12.345', '12.344', whole, '12.344'],
    ['99999999999899999999000000000001', '999999999999', whole, '999999999999'],
    ['0.3', '0.1', whole, '0.1'],
    ['-5', '30', whole, '-5'],
    ['-5', '0', whole, '-5'],
    ['80', '100', of(1n, 2n), '50'],
    ['50', '100', of(1n, 2n), '50'],
    ['49.99', '100', of(15n, 30n), '49.99'],
    ['80', '100', of(1n, 3n), '33.33333333333333333333333333333333333333'],
    ['33.33', '100', of(1n, 3n), '33.33'],
    ['80', '100', of(21n, 31n), '67.74193548387096774193548387096774193548'],
    ['80', '100', of(0n, 31n), '0'],
    ['80', '100', of(31n, 31n), '80'],
    ['0.01', '0.01', of(1n, 2n), '0.005'],
  ])('%s, at most %s for %o, is %s', (amount, bound, fraction, expected) => {
    expect(toPlain(limitToMaximum(decimal(amount), bounded(bound, fraction)))).toBe(expected);
  });
});

describe('a minimum', () => {
  it.each<[string, string, Fraction, string]>([
    ['0', '0', whole, '0'],
    ['0', '25', whole, '25'],
    ['10', '0', whole, '10'],
    ['24', '25', whole, '25'],
    ['24.999999999999999999', '25', whole, '25'],
    ['25', '25', whole, '25'],
    ['25.000000000000000001', '25', whole, '25.000000000000000001'],
    ['25.5', '25', whole, '25.5'],
    ['1000000000000', '25', whole, '1000000000000'],
    ['0', '0.005', whole, '0.005'],
    ['0.004', '0.005', whole, '0.005'],
    ['12.344', '12.345', whole, '12.345'],
    ['0.1', '0.3', whole, '0.3'],
    ['0', '999999999999.999999999999999999', whole, '999999999999.999999999999999999'],
    ['-5', '25', whole, '25'],
    ['-5', '0', whole, '0'], // What tiers that count on would give back is not given below the minimum.
    ['0', '25', of(1n, 2n), '12.5'],
    ['12.5', '25', of(1n, 2n), '12.5'],
    ['12.51', '25', of(15n, 30n), '12.51'],
    ['8.33', '25', of(1n, 3n), '8.333333333333333333333333333333333333333'],
    ['0', '500', of(21n, 31n), '338.7096774193548387096774193548387096774'],
    ['340', '500', of(21n, 31n), '340'],
    ['0', '25', of(0n, 31n), '0'],
    ['0', '25', of(31n, 31n), '25'],
    ['0', '0.01', of(1n, 2n), '0.005'],
  ])('%s, at least %s for %o, is %s', (amount, bound, fraction, expected) => {
    expect(toPlain(raiseToMinimum(decimal(amount), bounded(bound, fraction)))).toBe(expected);
  });
});
