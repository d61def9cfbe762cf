import { describe, expect, it } from 'vitest';
import { decimal, toPlain } from '../money/decimal.js';
import type { Fraction } from '../period/proration-fraction.js';
import { subtractIncluded } from './subtract-included.js';
import { noNote } from './trace.js';

const whole: Fraction = { numerator: 1n, denominator: 1n };
const of = (numerator: bigint, denominator: bigint): Fraction => ({ numerator, denominator });

// Goal: what is left to price. Method: below, on and above the bound, of whole periods and of parts, by hand.
describe('subtractIncluded', () => {
  it.each<[string, string, Fraction, string]>([
    ['0', '0', whole, '0'],
    ['0', '100', whole, '0'],
    ['7', '0', whole, '7'],
    ['1', '100', whole, '0'],
    ['99', '100', whole, '0'],
    ['99.999999999999999999', '100', whole, '0'],
    ['100', '100', whole, '0'],
    ['100.000000000000000001', '100', whole, '0.000000000000000001'],
    ['100.5', '100', whole, '0.5'],
    ['101', '100', whole, '1'],
    ['250', '100', whole, '150'],
    ['10.5', '10', whole, '0.5'],
    ['10.5', '10.25', whole, '0.25'],
    ['0.3', '0.1', whole, '0.2'], // A float says 0.19999999999999998.
    ['1000000000000', '999999999999.999999999999999999', whole, '0.000000000000000001'],
    ['99999999999999999999', '99999999999999999999', whole, '0'],
    ['100', '100', of(1n, 2n), '50'],
    ['50', '100', of(15n, 30n), '0'],
    ['50.5', '101', of(1n, 2n), '0'],
    ['51', '101', of(1n, 2n), '0.5'],
    ['34', '100', of(10n, 30n), '0.66666666666666666666666666666666666667'], // 34 − 33.33333333333333333333333333333333333333
    ['33', '100', of(1n, 3n), '0'],
    ['7', '100', of(0n, 31n), '7'], // Of no time at all nothing is included.
    ['68', '100', of(21n, 31n), '0.25806451612903225806451612903225806452'], // 68 − 67.74193548387096774193548387096774193548
    ['100', '100', of(31n, 31n), '0'],
  ])('%s less %s for %o leaves %s', (quantity, included, fraction, rest) => {
    expect(toPlain(subtractIncluded(decimal(quantity), { included: decimal(included), fraction, note: noNote }))).toBe(rest);
  });
});
