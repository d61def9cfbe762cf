import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decimal, sumOf } from '../money/decimal.js';
import { formatMinor, fromMinor, toMinor } from '../money/minor-units.js';
import type { CommitmentWindow } from './commitment-window.js';
import { committedMinorOf, trueUpLine } from './true-up-line.js';

const period = { start: Temporal.Instant.from('2027-01-01T00:00:00Z'), end: Temporal.Instant.from('2027-02-01T00:00:00Z') };
const windowOf = (amount: string, fraction: [bigint, bigint] = [1n, 1n]): CommitmentWindow =>
  ({ commitment: { amount, per: 'billing_period' }, first: 3, last: 3, period, fraction: { numerator: fraction[0], denominator: fraction[1] } });

describe('the committed amount', () => {
  it.each([
    ['500', [1n, 1n], 'USD', 50_000n],
    ['500', [21n, 31n], 'USD', 33_871n], // 500 × 21 / 31 = 338.709…
    ['100.005', [1n, 1n], 'USD', 10_001n], // Half away from zero.
    ['1000', [1n, 3n], 'JPY', 333n],
    ['1', [2n, 3n], 'BHD', 667n], // 0.6666…
  ] as const)('%s × %s in %s', (amount, fraction, currency, expected) => {
    expect(committedMinorOf(windowOf(amount, [...fraction]), { currency, rounding: 'half_away_from_zero' })).toBe(expected);
  });
});

describe('docs/pricing.md', () => {
  const document = readFileSync(new URL('../../../../docs/pricing.md', import.meta.url), 'utf8');
  const rows = [...document.matchAll(/^\| `([\d.]+)` \| `(\d+)\/(\d+)` \| `([\d.]+)` \| `([\d.]+)` \|/gm)].map(([, amount = '', part = '', whole = '', charged = '', asked = '']) => ({ amount, part, whole, charged, asked }));

  it('has examples', () => {
    expect(rows.length).toBeGreaterThanOrEqual(5);
  });

  it.each(rows)('at least $amount for $part/$whole, charged $charged: asks for $asked', ({ amount, part, whole, charged, asked }) => {
    const window = windowOf(amount, [BigInt(part), BigInt(whole)]);
    const committedMinor = committedMinorOf(window, { currency: 'USD', rounding: 'half_away_from_zero' });
    const line = trueUpLine({ window, currency: 'USD', committedMinor, countedMinor: toMinor(decimal(charged), 'USD'), settledMinor: null });
    expect(formatMinor(line?.amountMinor ?? 0n, 'USD')).toBe(asked);
  });
});

describe('what lacks to a commitment', () => {
  it.each([
    // charged, asked for before; asked for now
    ['all of it', 0n, null, 50_000n],
    ['the rest', 32_000n, null, 18_000n],
    ['nothing on the bound', 50_000n, null, null],
    ['nothing above', 62_000n, null, null],
    ['more than it where charges were returned', -1_000n, null, 51_000n],
    ['less after late usage', 42_000n, 18_000n, -10_000n],
    ['nothing of it after more', 62_000n, 18_000n, -18_000n],
    ['more after a void', 12_000n, 18_000n, 20_000n],
    ['the same as before', 32_000n, 18_000n, null],
    ['some where there was none', 32_000n, 0n, 18_000n],
  ] as const)('%s', (_name, countedMinor, settledMinor, expected) => {
    const line = trueUpLine({ window: windowOf('500'), currency: 'USD', committedMinor: 50_000n, countedMinor, settledMinor });
    expect(line?.amountMinor ?? null).toBe(expected);
    expect(line?.kind ?? null).toBe(expected === null ? null : settledMinor === null ? 'minimum' : 'adjustment');
  });

  it('says how it came about', () => {
    const first = trueUpLine({ window: windowOf('500', [21n, 31n]), currency: 'USD', committedMinor: 33_871n, countedMinor: 12_000n, settledMinor: null });
    expect(first).toMatchObject({ ref: 'minimum:commitment:3', description: 'Minimum commitment', amountMinor: 21_871n, priceId: null, period });
    expect(first?.trace.map(({ step, detail, amount, adds }) => [step, detail, amount, adds])).toEqual([
      ['minimum_commitment', 'at least 500 a billing period, for 21/31 of it: 338.71', '338.71', '338.71'],
      ['charged', '120.00 was charged for it: 218.71 is missing', '218.71', '-120'],
    ]);
    const later = trueUpLine({ window: windowOf('500'), currency: 'USD', committedMinor: 50_000n, countedMinor: 62_000n, settledMinor: 18_000n });
    expect(later).toMatchObject({ ref: 'adjustment:commitment:3', kind: 'adjustment' });
    expect(later?.trace.map(({ detail, adds }) => [detail, adds])).toEqual([
      ['at least 500 a billing period', '500'], ['620.00 was charged for it: nothing is missing', '-500'], ['180.00 was asked for before: -180.00', '-180'],
    ]);
  });

  it('adds up with the charges to the greater of both, however often they change, and each trace to its amount', () => {
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: 1_000n }), fc.array(fc.bigInt({ min: -200n, max: 1_200n }), { minLength: 1, maxLength: 8 }), (committedMinor, charges) => {
      let settledMinor: bigint | null = null;
      for (const countedMinor of charges) {
        const line = trueUpLine({ window: windowOf('10'), currency: 'USD', committedMinor, countedMinor, settledMinor });
        settledMinor = (settledMinor ?? 0n) + (line?.amountMinor ?? 0n);
        expect(countedMinor + settledMinor).toBe(countedMinor > committedMinor ? countedMinor : committedMinor);
        if (line !== null) expect(sumOf(line.trace, ({ adds }) => decimal(adds)).eq(fromMinor(line.amountMinor, 'USD'))).toBe(true);
      }
    }));
  });
});
