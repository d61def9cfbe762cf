import { describe, expect, it } from 'vitest';
import { compareBacktests } from './compare-backtests.js';

// Goal: totals, who pays more or less, and how amounts are spread. Method: a few customers each, all by hand.
const customer = (planMinor: bigint, currentMinor: bigint | null = null) => ({ planMinor, currentMinor });

describe('a comparison of backtests', () => {
  it('sums all, and compares those that have a present plan', () => {
    expect(compareBacktests([customer(100n, 120n), customer(300n, 250n), customer(50n, 50n), customer(1_000n)])).toMatchObject({
      planMinor: 1_450n, compared: { planMinor: 450n, currentMinor: 420n }, payLess: 1, payMore: 1, payTheSame: 1,
    });
  });

  it.each<[bigint[], (bigint | undefined)[]]>([
    [[], []],
    [[7n], [7n, 7n, 7n, 7n, 7n, 7n]],
    [[4n, 1n, 3n, 2n], [1n, 1n, 2n, 3n, 4n, 4n]], // Ranks 1, 1, 2, 3, ceil(3.8) = 4, 4.
    [[-5n, 0n, 5n], [-5n, -5n, 0n, 5n, 5n, 5n]], // ceil(0.75) = 1, ceil(1.5) = 2, ceil(2.25) = 3, ceil(2.85) = 3.
  ])('spreads %s', (amounts, expected) => {
    const { distribution } = compareBacktests(amounts.map((amount) => customer(amount)));
    expect(distribution === null ? [] : Object.values(distribution)).toEqual(expected);
  });
});
