import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decimal } from '../../money/decimal.js';
import { canonicalFloat, canonicalNumber } from './canonical-number.js';

describe('canonicalNumber', () => {
  it.each([
    ['0', '0'], ['-0', '0'], ['0.000', '0'], ['-0.0e5', '0'], ['0e999999999999', '0'],
    ['1', '1'], ['1.10', '1.1'], ['11e-1', '1.1'], ['110E-2', '1.1'], ['0.11e1', '1.1'], ['0.011e+2', '1.1'],
    ['-5', '-5'], ['100', '100'], ['1e2', '100'], ['1E+2', '100'], ['10e1', '100'], ['1e007', '10000000'],
    ['1e-7', '0.0000001'], ['0.0000001', '0.0000001'],
    ['123456789012.123456789012345678', '123456789012.123456789012345678'],
    ['12345678901234567890123456789012345678901234', '12345678901234567890123456789012345678901234'],
    ['1e40', `1${'0'.repeat(40)}`], ['1e41', '1e41'], [`1${'0'.repeat(41)}`, '1e41'], ['10e40', '1e41'], ['0.1e42', '1e41'],
    ['1e-41', `0.${'0'.repeat(40)}1`], ['1e-42', '1e-42'], [`0.${'0'.repeat(41)}1`, '1e-42'], ['-1.5e-50', '-15e-51'],
    ['1e400000', '1e400000'], ['100e399998', '1e400000'], ['1.50e999999999', '15e999999998'],
  ])('writes %s as %s', (source, text) => {
    expect(canonicalNumber(source)).toBe(text);
  });

  it('refuses an exponent of ten digits and more, but not zeros before it', () => {
    expect(canonicalNumber('1e1000000000')).toBeNull();
    expect(canonicalNumber('1e-99999999999999999999')).toBeNull();
    expect(canonicalNumber(`1e${'0'.repeat(1_000)}2`)).toBe('100');
  });

  // Goal: equal numbers have equal text and the text has the number's value. Method: one value written in several ways.
  it('gives one text per value', () => {
    const value = fc.record({ digits: fc.stringMatching(/^[1-9]\d{0,30}$/), power: fc.integer({ min: -60, max: 60 }), shift: fc.integer({ min: 0, max: 30 }) });
    fc.assert(
      fc.property(value, ({ digits, power, shift }) => {
        const text = canonicalNumber(`${digits}e${power}`);
        expect(canonicalNumber(`${digits}${'0'.repeat(shift)}e${power - shift}`)).toBe(text);
        expect(canonicalNumber(`0.${digits}E${power + digits.length}`)).toBe(text);
        expect(canonicalNumber(text!)).toBe(text);
        const Exact = Decimal.clone({ precision: 200 });
        expect(new Exact(text!).eq(new Exact(`${digits}e${power}`))).toBe(true);
      }),
    );
  });
});

describe('canonicalFloat', () => {
  it.each([[0, '0'], [-0, '0'], [1.1, '1.1'], [1e-7, '0.0000001'], [0.000012, '0.000012'], [999_999_999_999_999, '999999999999999']])('writes %s as %s', (value, text) => {
    expect(canonicalFloat(value)).toBe(text);
  });
});
