import { describe, expect, it } from 'vitest';
import { decimal, toPlain, ZERO } from '../money/decimal.js';
import { rateVolume } from './rate-volume.js';
import type { Tier } from './tier.js';

const tier = (upTo: string | null, unitAmount: string, flatAmount = '0'): Tier => ({
  upTo: upTo === null ? null : decimal(upTo),
  unitAmount: decimal(unitAmount),
  flatAmount: decimal(flatAmount),
});

// Goal: every unit by the tier of the whole. Method: one tier table, a row on and beside each bound, amounts by hand.
describe('rateVolume', () => {
  const tiers = [tier('100', '2', '10'), tier('1000', '1'), tier(null, '0.5', '3')];
  it.each([
    ['0', 'tier-1', '10'], // The first tier's flat amount is owed at 0.
    ['0.000000000000000001', 'tier-1', '10.000000000000000002'],
    ['0.5', 'tier-1', '11'], // 0.5×2 + 10
    ['1', 'tier-1', '12'],
    ['50', 'tier-1', '110'],
    ['99.999', 'tier-1', '209.998'],
    ['100', 'tier-1', '210'], // On the bound: still tier 1.
    ['100.000000000000000001', 'tier-2', '100.000000000000000001'], // More costs less.
    ['100.5', 'tier-2', '100.5'],
    ['101', 'tier-2', '101'],
    ['500.25', 'tier-2', '500.25'],
    ['999.999', 'tier-2', '999.999'],
    ['1000', 'tier-2', '1000'],
    ['1000.001', 'tier-3', '503.0005'], // 1000.001×0.5 + 3
    ['1001', 'tier-3', '503.5'],
    ['2000', 'tier-3', '1003'],
    ['1000000000000', 'tier-3', '500000000003'],
    ['99999999999999999999', 'tier-3', '50000000000000000002.5'], // (10^20 − 1)/2 + 3
    ['99999999999999999999.999999999999999999', 'tier-3', '50000000000000000002.9999999999999999995'],
  ])('rates %s by %s', (quantity, ref, amount) => {
    expect(rateVolume(decimal(quantity), tiers).map((share) => [share.ref, toPlain(share.amount)])).toEqual([[ref, amount]]);
  });

  it.each([
    ['0', '0'],
    ['7', '7'],
    ['10.5', '21'], // Between 10 and 11: the tier that ends at 11.
    ['11', '22'],
    ['11.5', '34.5'],
  ])('puts a fraction of %s into one tier', (quantity, amount) => {
    const narrow = [tier('10', '1'), tier('11', '2'), tier(null, '3')];
    expect(rateVolume(decimal(quantity), narrow).map((share) => toPlain(share.amount))).toEqual([amount]);
  });

  it('rates tiny prices of many units exactly', () => {
    // 10^12 × 0.0000001
    expect(rateVolume(decimal('1000000000000'), [tier(null, '0.0000001')]).map((share) => toPlain(share.amount))).toEqual(['100000']);
  });

  it('takes no tiers that are not sound, and no negative quantity', () => {
    expect(() => rateVolume(ZERO, [])).toThrow('The last tier must be open-ended.');
    expect(() => rateVolume(ZERO, [tier('20', '1'), tier('10', '1'), tier(null, '1')])).toThrow('Each tier but the last must end above');
    expect(() => rateVolume(decimal('-1'), tiers)).toThrow('clamped before');
  });
});
