import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decimal, decimalOf } from '../money/decimal.js';
import type { LateUsage } from '../catalog/late-usage.js';
import { adjustmentLine, settleLateUsage, type LateUsageLine } from './settle-late-usage.js';

// Goal: what becomes of late usage. Method: lines with what they come to now, what was billed and what was absorbed, all in cents.

function line(given: { ref?: string; priceId?: string; now: bigint; billed: bigint; absorbed?: bigint; quantity?: string; settledQuantity?: string }): LateUsageLine {
  const { ref = 'all', priceId = 'price_a', now, billed, absorbed = 0n } = given;
  return {
    priceId, priceKey: 'requests', ref, description: 'Requests', groupValues: {}, trace: [],
    quantity: decimal(given.quantity ?? now.toString()), unroundedAmount: decimalOf(now), amountMinor: now,
    settled: { quantity: decimal(given.settledQuantity ?? (billed + absorbed).toString()), unroundedAmount: decimalOf(billed + absorbed), billedMinor: billed, absorbedMinor: absorbed },
  };
}

const next: LateUsage = { policy: 'next_invoice' };
const absorb: LateUsage = { policy: 'absorb' };
const small: LateUsage = { policy: 'next_invoice', absorb_below: '0.50' };

describe('late usage', () => {
  it.each([
    // now, billed, absorbed before; billed, absorbed now
    ['more is billed', next, [500n, 300n, 0n], [200n, 0n]],
    ['less is returned', next, [100n, 300n, 0n], [-200n, 0n]],
    ['more is absorbed', absorb, [500n, 300n, 0n], [0n, 200n]],
    ['less is returned though more is absorbed', absorb, [100n, 300n, 0n], [-200n, 0n]],
    ['what was absorbed and has gone was never paid', absorb, [300n, 300n, 200n], [0n, -200n]],
    ['only what was paid comes back: 150 of 350', absorb, [150n, 300n, 200n], [-150n, -200n]],
    ['a small amount is absorbed: 0.49', small, [349n, 300n, 0n], [0n, 49n]],
    ['one at the bound is billed: 0.50', small, [350n, 300n, 0n], [50n, 0n]],
    ['what was absorbed stays absorbed when more comes', small, [449n, 300n, 49n], [100n, 0n]],
    ['a small amount is returned all the same', small, [299n, 300n, 0n], [-1n, 0n]],
    ['a bound narrows absorb', { policy: 'absorb', absorb_below: '1' }, [400n, 300n, 0n], [100n, 0n]],
  ] as const)('%s', (_name, lateUsage, [now, billed, absorbed], expected) => {
    const [settled] = settleLateUsage([line({ now, billed, absorbed })], { lateUsage, currency: 'USD' });
    expect([settled?.billedMinor, settled?.absorbedMinor]).toEqual(expected);
  });

  it('leaves out what did not change, and keeps what changed in quantity only', () => {
    expect(settleLateUsage([line({ now: 300n, billed: 300n })], { lateUsage: next, currency: 'USD' })).toEqual([]);
    const [free] = settleLateUsage([line({ now: 0n, billed: 0n, quantity: '7', settledQuantity: '5' })], { lateUsage: next, currency: 'USD' });
    expect([free?.quantity.toFixed(), free?.billedMinor, free?.absorbedMinor]).toEqual(['2', 0n, 0n]);
  });

  it('decides by price: groups that net to a positive amount are absorbed together, each with its sign', () => {
    const lines = [line({ ref: '["eu"]', now: 500n, billed: 300n }), line({ ref: '["us"]', now: 100n, billed: 200n }), line({ priceId: 'price_b', now: 100n, billed: 150n })];
    const settled = settleLateUsage(lines, { lateUsage: absorb, currency: 'USD' });
    expect(settled.map(({ billedMinor, absorbedMinor }) => [billedMinor, absorbedMinor])).toEqual([[0n, 200n], [0n, -100n], [-50n, 0n]]);
  });

  it('is a line of its own kind that names its period and says how it came about', () => {
    const of = { period: { start: Temporal.Instant.from('2027-01-01T00:00:00Z'), end: Temporal.Instant.from('2027-02-01T00:00:00Z') }, periodIndex: 3, currency: 'USD' };
    const [settled] = settleLateUsage([line({ now: 150n, billed: 300n, absorbed: 200n })], { lateUsage: absorb, currency: 'USD' });
    const made = settled === undefined ? null : adjustmentLine(settled, of);
    expect(made).toMatchObject({ ref: 'adjustment:3:price_a:all', kind: 'adjustment', description: 'Late usage: Requests', amountMinor: -150n, period: of.period });
    expect(made?.trace.map(({ detail }) => detail)).toEqual(['1.50 for all usage of the period; 5.00 settled before; 2.00 of that was absorbed and never paid: -1.50']);
    const [dropped] = settleLateUsage([line({ now: 500n, billed: 300n })], { lateUsage: absorb, currency: 'USD' });
    expect(dropped === undefined ? undefined : adjustmentLine(dropped, of)).toBeNull();
  });
});

describe('however often usage changes', () => {
  const policies: LateUsage[] = [next, absorb, small, { policy: 'absorb', absorb_below: '2.00' }];
  const amounts = fc.array(fc.bigInt({ min: -400n, max: 400n }), { minLength: 2, maxLength: 2 });

  it('documents and absorbed amounts add up to the rate of all usage, and nobody gets back what he did not pay', () => {
    fc.assert(fc.property(fc.constantFrom(...policies), fc.array(amounts, { minLength: 1, maxLength: 12 }), (lateUsage, ratings) => {
      const state = [0, 1].map(() => ({ billed: 0n, absorbed: 0n }));
      for (const rating of ratings) {
        const lines = rating.map((now, index) => line({ ref: String(index), now, billed: state[index]?.billed ?? 0n, absorbed: state[index]?.absorbed ?? 0n }));
        for (const { line: { ref }, billedMinor, absorbedMinor } of settleLateUsage(lines, { lateUsage, currency: 'USD' })) {
          const one = state[Number(ref)];
          if (one === undefined) throw new Error('A settled line is one of the given.');
          one.billed += billedMinor;
          one.absorbed += absorbedMinor;
        }
        expect(state.map(({ billed, absorbed }) => billed + absorbed)).toEqual(rating);
        const sum = (of: 'billed' | 'absorbed'): bigint => state.reduce((total, one) => total + one[of], 0n);
        expect(sum('absorbed') >= 0n).toBe(true);
        if (lateUsage.policy === 'next_invoice' && lateUsage.absorb_below === undefined) expect(sum('absorbed')).toBe(0n);
      }
    }));
  });
});
