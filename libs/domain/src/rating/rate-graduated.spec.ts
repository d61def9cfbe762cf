import { describe, expect, it } from 'vitest';
import { decimal, sumOf, toPlain, ZERO } from '../money/decimal.js';
import { rateGraduated } from './rate-graduated.js';
import type { Tier } from './tier.js';

const tier = (upTo: string | null, unitAmount: string, flatAmount = '0'): Tier => ({
  upTo: upTo === null ? null : decimal(upTo),
  unitAmount: decimal(unitAmount),
  flatAmount: decimal(flatAmount),
});

function rate(quantity: string, tiers: readonly Tier[]) {
  const shares = rateGraduated(decimal(quantity), tiers);
  return {
    refs: shares.map((share) => share.ref),
    amounts: shares.map((share) => toPlain(share.amount)),
    total: toPlain(sumOf(shares, (share) => share.amount)),
  };
}

// Goal: the bounds. Method: one tier table, one row per interesting quantity, amounts by hand.
describe('rateGraduated', () => {
  const tiers = [tier('100', '1'), tier('200', '0.5'), tier(null, '0.25')];
  it.each([
    ['0', ['0'], '0'],
    ['0.000000000000000001', ['0.000000000000000001'], '0.000000000000000001'],
    ['1', ['1'], '1'],
    ['99.5', ['99.5'], '99.5'],
    ['100', ['100'], '100'], // On the bound: still tier 1.
    ['100.000000000000000001', ['100', '0.0000000000000000005'], '100.0000000000000000005'],
    ['100.5', ['100', '0.25'], '100.25'], // 100×1 + 0.5×0.5
    ['101', ['100', '0.5'], '100.5'],
    ['199.999', ['100', '49.9995'], '149.9995'], // 99.999×0.5
    ['200', ['100', '50'], '150'],
    ['200.1', ['100', '50', '0.025'], '150.025'], // 0.1×0.25
    ['240', ['100', '50', '10'], '160'], // 40×0.25
    ['1000000000000', ['100', '50', '249999999950'], '250000000100'], // (10^12 − 200)×0.25 = 249999999950
    ['99999999999999999999', ['100', '50', '24999999999999999949.75'], '25000000000000000099.75'], // (10^20 − 201)/4
  ])('rates %s', (quantity, amounts, total) => {
    expect(rate(quantity, tiers)).toMatchObject({ amounts, total });
  });

  const flats = [tier('10', '0', '5'), tier('20', '0.1', '7'), tier(null, '0', '100')];
  it.each([
    ['0', ['5'], '5'], // The first tier's flat amount is owed at 0.
    ['0.5', ['5'], '5'],
    ['10', ['5'], '5'],
    ['10.5', ['5', '7.05'], '12.05'], // 7 + 0.5×0.1: a fraction in a tier owes its flat amount whole.
    ['11', ['5', '7.1'], '12.1'],
    ['20', ['5', '8'], '13'], // 7 + 10×0.1
    ['20.000000000000000001', ['5', '8', '100'], '113'],
    ['500', ['5', '8', '100'], '113'],
  ])('owes the flat amounts of the tiers that %s reaches', (quantity, amounts, total) => {
    expect(rate(quantity, flats)).toMatchObject({ amounts, total });
  });

  const fractions = [tier('10', '1'), tier('11', '2'), tier(null, '3')];
  it.each([
    ['10.5', ['10', '1'], '11'], // Between whole bounds: 0.5 of tier 2.
    ['10.999', ['10', '1.998'], '11.998'],
    ['11.001', ['10', '2', '0.003'], '12.003'],
  ])('puts the fraction of %s into one tier', (quantity, amounts, total) => {
    expect(rate(quantity, fractions)).toMatchObject({ amounts, total });
  });

  it('rates tiny prices of many units exactly', () => {
    // 10^12 × 0.0000001 = 100,000
    expect(rate('1000000000000', [tier(null, '0.0000001')]).total).toBe('100000');
    // 100 × 0.0000001 + (10^12 − 100) × 0.00000005 = 0.00001 + 49999.999995
    expect(rate('1000000000000', [tier('100', '0.0000001'), tier(null, '0.00000005')]).total).toBe('50000.000005');
  });

  it('names its shares by tier', () => {
    expect(rate('240', tiers).refs).toEqual(['tier-1', 'tier-2', 'tier-3']);
  });

  it('takes no tiers that are not sound, and no negative quantity', () => {
    expect(() => rateGraduated(ZERO, [tier('10', '1')])).toThrow('The last tier must be open-ended.');
    expect(() => rateGraduated(ZERO, [tier('10', '1'), tier('10', '1'), tier(null, '1')])).toThrow('Each tier but the last must end above');
    expect(() => rateGraduated(ZERO, [tier(null, '1'), tier(null, '1')])).toThrow('Each tier but the last must end above');
    expect(() => rateGraduated(decimal('-1'), tiers)).toThrow('clamped before');
  });
});
