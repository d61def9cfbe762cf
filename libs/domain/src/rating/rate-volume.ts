import { assert } from '../assert.js';
import { type Decimal, toPlain } from '../money/decimal.js';
import { assertShares, type Share } from './share.js';
import { assertTiers, type Tier } from './tier.js';

/** Prices every unit by the tier that the whole quantity falls in; 0 falls in the first. More may cost less. Unrounded. */
export function rateVolume(quantity: Decimal, tiers: readonly Tier[]): Share[] {
  assert(!quantity.lt(0), 'A net negative quantity is clamped before it gets here.');
  assertTiers(tiers);
  const index = tiers.findIndex((tier) => tier.upTo === null || quantity.lte(tier.upTo));
  const tier = tiers[index];
  assert(tier !== undefined, 'The open tier takes every quantity.');
  const flat = tier.flatAmount.isZero() ? '' : ` + ${toPlain(tier.flatAmount)} flat`;
  const shares = [
    {
      ref: `tier-${index + 1}`,
      quantity,
      amount: quantity.times(tier.unitAmount).plus(tier.flatAmount),
      detail: `tier ${index + 1} for the whole quantity: ${toPlain(quantity)} × ${toPlain(tier.unitAmount)}${flat}`,
    },
  ];
  assertShares(shares, quantity);
  return shares;
}
