import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { heldInWindows, partsOfText, textOfParts, unitHours, type GaugeChange } from './time-weighted-sum.js';

// Goal: unit-hours to the last digit. Method: single quotients by hand; then values that last over random windows, against what each window
// holds when it is looked at by itself.

const one = 10n ** 18n;
const hour = 3_600_000_000n;

describe('unitHours', () => {
  it.each([
    ['1', hour, '1'],
    ['3', hour / 3n, '1'], // Multiplied first, divided last.
    ['1', hour / 3n, '0.333333333333333333'],
    ['2', hour / 3n, '0.666666666666666667'],
    ['-2', hour / 3n, '-0.666666666666666667'],
    ['1', 1n, '0.000000000277777778'],
    ['1', 9n, '0.0000000025'],
    ['0.000000000000000001', hour / 2n, '0.000000000000000001'], // Half of the last digit, away from zero.
    ['-0.000000000000000001', hour / 2n, '-0.000000000000000001'],
    ['0.000000000000000001', hour / 2n - 1n, '0'],
    ['99999999999999999999.999999999999999999', hour * 876_600n, '87659999999999999999999999.9999999999991234'], // A century: less 876600 × 10⁻¹⁸.
    ['0', hour, '0'],
  ])('of %s for %s µs are %s', (value, micros, hours) => {
    expect(textOfParts(unitHours(partsOfText(value) * micros))).toBe(hours);
  });
});

describe('texts', () => {
  it.each([['0', 0n], ['-0.5', -one / 2n], ['12', 12n * one], ['0.000000000000000001', 1n], ['123456789012345678901234567890.1', 123456789012345678901234567890n * one + one / 10n]])('%s', (text, parts) => {
    expect(partsOfText(text)).toBe(parts);
    expect(textOfParts(parts)).toBe(text);
  });
});

describe('heldInWindows', () => {
  const lasts = fc.record({ value: fc.bigInt({ min: -5n, max: 5n }), from: fc.bigInt({ min: 0n, max: 59n }), for: fc.bigInt({ min: 1n, max: 60n }) });
  const widths = fc.array(fc.bigInt({ min: 1n, max: 20n }), { minLength: 1, maxLength: 12 });

  it('gives each window what lasted in it, and a row only where something did', () => {
    fc.assert(fc.property(fc.array(lasts, { minLength: 1, maxLength: 6 }), widths, (stretches, wide) => {
      const bounds = [0n, ...wide.map((_, index) => wide.slice(0, index + 1).reduce((a, b) => a + b))];
      const windows = wide.map((_, index) => ({ key: index, from: bounds[index] ?? 0n, to: bounds[index + 1] ?? 0n }));
      const last = bounds.at(-1) ?? 0n;
      const within = stretches.map(({ value, from, for: length }) => ({ value, from, to: from + length > last ? last : from + length })).filter(({ value, from, to }) => value !== 0n && from < to);
      const overlap = (a: { from: bigint; to: bigint }, b: { from: bigint; to: bigint }): bigint => (a.to < b.to ? a.to : b.to) - (a.from > b.from ? a.from : b.from);
      const expected = windows.flatMap((window) => {
        const inIt = within.filter((stretch) => overlap(stretch, window) > 0n);
        return inIt.length === 0 ? [] : [{ key: window.key, held: inIt.reduce((sum, stretch) => sum + stretch.value * overlap(stretch, window), 0n) }];
      });
      const changes = new Map<number, GaugeChange>();
      const add = (at: bigint, change: GaugeChange): void => {
        const { key } = windows.find(({ to }) => to > at) ?? { key: -1 };
        const known = changes.get(key) ?? { delta: 0n, area: 0n, opened: 0n };
        changes.set(key, { delta: known.delta + change.delta, area: known.area + change.area, opened: known.opened + change.opened });
      };
      for (const { value, from, to } of within) {
        add(from, { delta: value, area: -value * from, opened: 1n });
        add(to - 1n, { delta: -value, area: value * to, opened: -1n });
      }
      const firstKey = Math.min(...changes.keys());
      const told = changes.size === 0 ? [] : [...heldInWindows(windows.slice(firstKey), ({ key }) => changes.get(key), changes.size)];
      expect(told.map(({ window: { key }, held }) => ({ key, held }))).toEqual(expected);
    }));
  });

  it('asserts that each change lies in a window', () => {
    expect(() => [...heldInWindows([{ from: 0n, to: 1n }], () => undefined, 1)]).toThrow('Each change lies in one of the windows.');
  });
});
