import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocate, allocateParts } from './allocate.js';
import { canonicalDecimal } from './decimal-text.js';
import { decimal } from './decimal.js';

// Goal: no cent is lost or made. Method: shares by hand, then the promise itself on random input.
describe('allocate', () => {
  it.each<[bigint, string[], bigint[]]>([
    [100n, ['1'], [100n]],
    [100n, ['1', '1'], [50n, 50n]],
    [100n, ['1', '1', '1'], [34n, 33n, 33n]], // 33.33 each: the unit left over goes to the first of equals.
    [101n, ['1', '1', '1'], [34n, 34n, 33n]],
    [100n, ['2', '1'], [67n, 33n]], // 66.67 and 33.33.
    [10n, ['0.5', '0.25', '0.25'], [5n, 3n, 2n]], // 5, 2.5, 2.5: the tie goes to the earlier.
    [5n, ['0', '0'], [3n, 2n]], // All weights 0: equal parts.
    [0n, ['1', '2'], [0n, 0n]],
    [0n, ['0', '0'], [0n, 0n]],
    [7n, ['0', '3'], [0n, 7n]],
    [-100n, ['1', '1', '1'], [-34n, -33n, -33n]],
    [1n, ['0.000000000000000001', '0.000000000000000002'], [0n, 1n]],
    [10n ** 20n, ['1', '2'], [33333333333333333333n, 66666666666666666667n]],
  ])('splits %s by %s into %s', (total, weights, parts) => {
    expect(allocate(total, weights.map(decimal))).toEqual(parts);
  });

  it('sums to the total, and no part is a unit or more off its exact share', () => {
    const weights = fc.array(fc.bigInt({ min: 0n, max: 10n ** 20n }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }), weights, (total, wholes) => {
        const parts = allocate(total, wholes.map((whole) => decimal(whole.toString())));
        const sum = wholes.reduce((a, b) => a + b, 0n);
        expect(parts.reduce((a, b) => a + b, 0n)).toBe(total);
        if (sum === 0n) return;
        for (const [index, part] of parts.entries()) {
          const off = part * sum - total * (wholes[index] ?? 0n); // (part − exact share) × sum.
          expect(off < sum && off > -sum).toBe(true);
        }
      }),
    );
  });

  it('gives the same parts whatever the scale of the weights', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 6n }), fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 8 }), (total, wholes) => {
        const plain = allocate(total, wholes.map((whole) => decimal(whole.toString())));
        expect(allocate(total, wholes.map((whole) => decimal(whole.toString()).times('0.001')))).toEqual(plain);
      }),
    );
  });

  it('refuses a negative weight and an empty list', () => {
    expect(() => allocate(1n, [decimal('-1')])).toThrow('never negative');
    expect(() => allocate(1n, [])).toThrow('someone');
  });
});

describe('allocateParts', () => {
  it.each<[bigint, string[], bigint[]]>([
    [-1764n, ['-1797', '33.3'], [-1797n, 33n]], // −1763.7
    [-1764n, ['-1797.3', '33.3'], [-1797n, 33n]], // Down to −1798 and 33: one is left, for the larger rest of −1797.3.
    [0n, ['-0.5', '0.5'], [0n, 0n]], // Down to −1 and 0: the tie goes to the earlier.
    [1n, ['-0.25', '0.75'], [0n, 1n]], // 0.5 away from 0
    [-3n, ['-2.5', '0'], [-3n, 0n]], // −2.5 away from 0
    [-2n, ['-2.5', '0'], [-2n, 0n]], // and to the even one
    [3n, ['1', '1', '1'], [1n, 1n, 1n]],
    [10n ** 20n, ['99999999999999999999.6', '-0.1', '0.5'], [100000000000000000000n, 0n, 0n]],
  ])('makes %s of %s as %s', (total, parts, expected) => {
    expect(allocateParts(total, parts.map(decimal))).toEqual(expected);
  });

  it('sums to the rounded total, each part next to its own amount', () => {
    fc.assert(fc.property(fc.array(fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), { minLength: 1, maxLength: 12 }), (thousandths) => {
      const sum = thousandths.reduce((a, b) => a + b, 0n);
      const size = sum < 0n ? -sum : sum;
      const total = ((2n * size + 1000n) / 2000n) * (sum < 0n ? -1n : 1n);
      const minors = allocateParts(total, thousandths.map((part) => decimal(canonicalDecimal(`${part}e-3`) ?? '0')));
      expect(minors.reduce((a, b) => a + b, 0n)).toBe(total);
      for (const [index, minor] of minors.entries()) {
        const off = minor * 1000n - (thousandths[index] ?? 0n);
        expect(off <= 1000n && off > -1000n).toBe(true);
      }
    }));
  });
});
