import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocate } from './allocate.js';
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
