import { type Decimal } from '../money/decimal.js';
import { assertShares, type Share } from './share.js';
import { askOfTier, type Tier, tierOf, unitRate } from './tier.js';

/** Prices every unit by the tier that the whole quantity falls in; 0 falls in the first. More may cost less. Unrounded. */
export function rateVolume(quantity: Decimal, tiers: readonly Tier[]): Share[] {
  const { tier, number } = tierOf(quantity, tiers);
  const asked = askOfTier(tier, { quantity, number, rate: unitRate });
  const words = () => {
    const { detail, values } = asked.words();
    return { detail: `tier ${number} for the whole quantity: ${detail}`, values };
  };
  const shares = [{ ref: `tier-${number}`, quantity, amount: asked.amount, words }];
  assertShares(shares, quantity);
  return shares;
}
