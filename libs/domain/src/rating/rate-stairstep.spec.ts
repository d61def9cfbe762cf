import { describe, expect, it } from 'vitest';
import { decimal, toPlain, ZERO } from '../money/decimal.js';
import { rateStairstep, stairsOf } from './rate-stairstep.js';

const amountOf = (quantity: string, tiers: Parameters<typeof stairsOf>[0]) => rateStairstep(decimal(quantity), stairsOf(tiers)).map((share) => [share.ref, toPlain(share.quantity), toPlain(share.amount)]);

// Goal: one amount by the tier of the whole quantity. Method: one row on and beside each bound; nothing is ever multiplied.
describe('rateStairstep', () => {
  const rising = [{ up_to: '10', amount: '10' }, { up_to: '100', amount: '50.005' }, { up_to: '100.5', amount: '60' }, { up_to: null, amount: '999' }];
  it.each([
    ['0', 'tier-1', '10'], // The first tier's amount is owed at 0.
    ['0.000000000000000001', 'tier-1', '10'],
    ['0.5', 'tier-1', '10'],
    ['1', 'tier-1', '10'],
    ['9.999999999999999999', 'tier-1', '10'],
    ['10', 'tier-1', '10'], // On the bound: still tier 1.
    ['10.000000000000000001', 'tier-2', '50.005'],
    ['10.5', 'tier-2', '50.005'], // Between whole bounds.
    ['11', 'tier-2', '50.005'],
    ['50', 'tier-2', '50.005'],
    ['99.5', 'tier-2', '50.005'],
    ['100', 'tier-2', '50.005'],
    ['100.1', 'tier-3', '60'],
    ['100.5', 'tier-3', '60'], // A bound may be a fraction.
    ['100.500000000000000001', 'tier-4', '999'],
    ['101', 'tier-4', '999'],
    ['1000', 'tier-4', '999'],
    ['1000000000000', 'tier-4', '999'],
    ['99999999999999999999', 'tier-4', '999'],
    ['99999999999999999999.999999999999999999', 'tier-4', '999'],
  ])('rates %s by %s', (quantity, ref, amount) => {
    expect(amountOf(quantity, rising)).toEqual([[ref, quantity, amount]]);
  });

  const falling = [{ up_to: '1', amount: '5' }, { up_to: '2', amount: '3' }, { up_to: null, amount: '0' }];
  it.each([
    ['0', '5'],
    ['1', '5'],
    ['1.5', '3'], // More costs less where stairs fall.
    ['2', '3'],
    ['2.000000000000000001', '0'],
    ['3', '0'],
  ])('takes stairs down: %s costs %s', (quantity, amount) => {
    expect(amountOf(quantity, falling)).toMatchObject([[expect.any(String), quantity, amount]]);
  });

  it('is flat with one open tier', () => {
    expect(amountOf('7', [{ up_to: null, amount: '2.5' }])).toEqual([['tier-1', '7', '2.5']]);
  });

  it('says which tier it was', () => {
    expect(rateStairstep(decimal('10.5'), stairsOf(rising))[0]?.words()).toEqual({ detail: 'tier 2 for the whole quantity of 10.5: 50.005', values: { tier: '2', tier_amount: '50.005' } });
  });

  it('takes no tiers that are not sound, and no negative quantity', () => {
    expect(() => rateStairstep(ZERO, [])).toThrow('The last tier must be open-ended.');
    expect(() => rateStairstep(decimal('-1'), stairsOf(rising))).toThrow('clamped before');
  });
});
