import { describe, expect, it } from 'vitest';
import { Decimal } from '../money/decimal.js';
import { canonicalPercentile, interpolate, percentileOf } from './percentile.js';

// Goal: a percentile to the last digit. Method: few values, their places by hand.

const of = (values: readonly string[]) => values.map((value) => new Decimal(value)) as [Decimal, ...Decimal[]];

describe('percentileOf', () => {
  it.each([
    [['7'], '50', '7'], // One value is every percentile.
    [['1', '2'], '0', '1'],
    [['1', '2'], '100', '2'],
    [['1', '2'], '50', '1.5'],
    [['1', '2', '3', '4'], '95', '3.85'], // Place 3 × 0.95 = 2.85: 3 + 0.85 × 1
    [['1', '2', '3', '4'], '99.9', '3.997'], // Place 2.997
    [['10', '20', '30', '40', '50'], '25', '20'], // Place 1 exactly.
    [['-4', '-1', '5'], '75', '2'], // Place 1.5: -1 + 0.5 × 6
    // Place 0.95: 0.95 × (b − a) = 0.00000000000000000095, more digits than either value has.
    [['0.000000000000000001', '0.000000000000000002'], '95', '0.00000000000000000195'],
    [['0', '12345678901234567890.123456789012345678'], '33.3333333333', '4115226300407407403.740740740374074073736995884774'], // The product / 100, by Python's decimal.
  ])('of %j at %s is %s', (values, percentile, answer) => {
    expect(percentileOf(of(values), percentile).toFixed()).toBe(answer);
  });

  it('interpolates between the neighbours of a place in any number of values', () => {
    // (10^18 − 1) × 0.5 = 499999999999999999.5
    expect(interpolate({ lower: new Decimal(1), upper: new Decimal(2) }, { count: 10n ** 18n, percentile: '50' }).toFixed()).toBe('1.5');
  });
});

describe('canonicalPercentile', () => {
  it.each([
    ['95', '95'], ['95.0', '95'], ['099.90', '99.9'], ['0', '0'], ['-0', '0'], ['100', '100'], ['1e2', '100'], ['0.0000000001', '0.0000000001'],
    ['100.0000000001', null], ['-1', null], ['0.00000000001', null], ['1e400', null], ['1e-400', null], ['', null], ['x', null],
  ])('%j is %j', (text, canonical) => {
    expect(canonicalPercentile(text)).toBe(canonical);
  });
});
