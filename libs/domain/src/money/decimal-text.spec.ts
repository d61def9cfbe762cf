import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalDecimal, withinPriceBounds, withinQuantityBounds } from './decimal-text.js';

// Goal: one text for each number, whatever the sender wrote. Method: a table of forms, and round trips through every form.
describe('canonicalDecimal', () => {
  it.each([
    ['0', '0'],
    ['-0', '0'],
    ['0.000', '0'],
    ['0e999999999999999999999', '0'],
    ['1.10', '1.1'],
    ['001.10', '1.1'],
    ['1e3', '1000'],
    ['1E+3', '1000'],
    ['11e-1', '1.1'],
    ['1200e-2', '12'],
    ['1.5e1', '15'],
    ['-2.50', '-2.5'],
    ['100', '100'],
    ['0.1', '0.1'],
    ['5e-18', '0.000000000000000005'],
    ['123456789012.123456789012345678', '123456789012.123456789012345678'],
    ['1e400', '1e400'], // Kept short: no bound admits it.
    ['10e399', '1e400'],
    ['0.1e401', '1e400'],
    ['-1.5e-400', '-15e-401'],
    ['1e999999999999999999999999', '1e999999999999999999999999'],
  ])('writes %s as %s', (text, canonical) => {
    expect(canonicalDecimal(text)).toBe(canonical);
  });

  it.each(['', ' ', 'abc', '1.', '.5', '+1', '1 ', '1_000', '1,000', 'NaN', 'Infinity', '0x1f', '--1', '1e', '1e1.5', '١'])('finds no decimal in "%s"', (text) => {
    expect(canonicalDecimal(text)).toBeNull();
  });

  it('gives every way to write a number the same text, and leaves that text alone', () => {
    const digits = fc.stringMatching(/^[1-9]\d{0,30}$/);
    const scale = fc.integer({ min: 0, max: 40 });
    fc.assert(
      fc.property(digits, scale, fc.integer({ min: 0, max: 20 }), (whole, places, zeros) => {
        const plain = canonicalDecimal(`${whole}e-${places}`);
        expect(canonicalDecimal(`${whole}${'0'.repeat(zeros)}e-${places + zeros}`)).toBe(plain);
        expect(canonicalDecimal(`${'0'.repeat(zeros)}${whole}.0${'0'.repeat(zeros)}e-${places}`)).toBe(plain);
        expect(canonicalDecimal(plain ?? '')).toBe(plain);
      }),
    );
  });

  it('keeps a hostile exponent short', () => {
    expect(canonicalDecimal('1e1000000000')?.length).toBeLessThan(20);
    expect(canonicalDecimal('1e-1000000000')?.length).toBeLessThan(20);
  });
});

describe('bounds', () => {
  it.each([
    ['99999999999999999999', true, false], // 20 digits before.
    ['100000000000000000000', false, false], // 21.
    ['999999999999', true, true], // 12 digits before.
    ['1000000000000', true, false], // 13.
    ['-999999999999.999999999999999999', true, true],
    ['0.000000000000000001', true, true], // 18 after.
    ['0.0000000000000000001', false, false], // 19.
    ['1.0000000000000000000000', true, true], // Trailing zeros are no digits.
    ['000000000000000000000001', true, true], // Nor are leading ones.
    ['1e19', true, false],
    ['1e20', false, false],
    ['1e400', false, false],
    ['NaN', false, false],
  ])('%s: a quantity %s, a price %s', (text, quantity, price) => {
    expect(withinQuantityBounds(text)).toBe(quantity);
    expect(withinPriceBounds(text)).toBe(price);
  });
});
