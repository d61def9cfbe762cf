import { describe, expect, it } from 'vitest';
import { decimal, sumOf, toPlain } from '../money/decimal.js';
import { rateGraduatedPercentage } from './rate-graduated-percentage.js';
import { percentTiersOf } from './tier.js';

type Tiers = Parameters<typeof percentTiersOf>[0];

function rate(value: string, tiers: Tiers) {
  const shares = rateGraduatedPercentage(decimal(value), percentTiersOf(tiers));
  return { amounts: shares.map((share) => toPlain(share.amount)), total: toPlain(sumOf(shares, (share) => share.amount)) };
}

// Goal: each part of a value at the rate of its tier. Method: a row on and beside each bound, the sum in its comment.
describe('rateGraduatedPercentage', () => {
  const tiers: Tiers = [{ up_to: '1000', rate: '2', flat_amount: '1' }, { up_to: '5000', rate: '1.5' }, { up_to: null, rate: '1', flat_amount: '0.5' }];
  it.each([
    ['0', ['1'], '1'], // The first tier's flat amount is owed at 0.
    ['0.000000000000000001', ['1.00000000000000000002'], '1.00000000000000000002'],
    ['0.01', ['1.0002'], '1.0002'],
    ['1', ['1.02'], '1.02'],
    ['100', ['3'], '3'], // 1 + 2% of 100
    ['333.33', ['7.6666'], '7.6666'],
    ['999.99', ['20.9998'], '20.9998'],
    ['1000', ['21'], '21'], // On the bound: still tier 1.
    ['1000.000000000000000001', ['21', '0.000000000000000000015'], '21.000000000000000000015'],
    ['1000.5', ['21', '0.0075'], '21.0075'],
    ['1001', ['21', '0.015'], '21.015'],
    ['3000', ['21', '30'], '51'], // 1.5% of 2000
    ['4999.99', ['21', '59.99985'], '80.99985'],
    ['5000', ['21', '60'], '81'],
    ['5000.01', ['21', '60', '0.5001'], '81.5001'], // 0.5 + 1% of 0.01
    ['5001', ['21', '60', '0.51'], '81.51'],
    ['10000', ['21', '60', '50.5'], '131.5'],
    ['1000000000000', ['21', '60', '9999999950.5'], '10000000031.5'], // 1% of 10^12 − 5000
    ['99999999999999999999', ['21', '60', '999999999999999950.49'], '1000000000000000031.49'], // 1% of 10^20 − 5001, + 0.5
  ])('takes of %s what its tiers say', (value, amounts, total) => {
    expect(rate(value, tiers)).toEqual({ amounts, total });
  });

  const capped: Tiers = [{ up_to: '100', rate: '10', flat_amount: '1', maximum_amount: '5' }, { up_to: null, rate: '1', maximum_amount: '2' }];
  it.each([
    ['0', ['1']],
    ['39.99', ['4.999']], // 1 + 3.999
    ['40', ['5']], // Just the maximum.
    ['40.01', ['5']], // 5.001 is too much.
    ['100', ['5']],
    ['150', ['5', '0.5']],
    ['300', ['5', '2']],
    ['1000000000000', ['5', '2']],
  ])('asks of a tier at most its maximum: %s', (value, amounts) => {
    expect(rate(value, capped).amounts).toEqual(amounts);
  });

  it('takes nothing at rate 0, and more than all above 100', () => {
    expect(rate('50', [{ up_to: null, rate: '0' }]).total).toBe('0');
    expect(rate('50', [{ up_to: null, rate: '250.5' }]).total).toBe('125.25');
  });

  it('says the rate in percent', () => {
    const [share] = rateGraduatedPercentage(decimal('300'), percentTiersOf(capped)).toReversed();
    expect(share?.words()).toEqual({ detail: '200 × 1%, at most 2', values: { tier: '2', rate: '1', unit_amount: '0.01', flat_amount: '0', maximum_amount: '2' } });
  });
});
