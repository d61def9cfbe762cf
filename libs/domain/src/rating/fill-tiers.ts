import { assert } from '../assert.js';
import { Decimal, ZERO } from '../money/decimal.js';
import { assertShares, type Share } from './share.js';
import { askOfTier, assertTiers, type Tier } from './tier.js';

/** Prices each unit by the tier it falls in. Tiers are (from, upTo], so a fractional quantity has exactly one tier. Unrounded. */
export function fillTiers(quantity: Decimal, tiers: readonly Tier[], rate: (tier: Tier) => string): Share[] {
  assert(!quantity.lt(0), 'A net negative quantity is clamped before it gets here.');
  assertTiers(tiers);
  const shares: Share[] = [];
  let from: Decimal = ZERO; // Exclusive.
  for (const [index, tier] of tiers.entries()) {
    const upTo = tier.upTo ?? quantity; // Inclusive.
    const inTier = Decimal.min(quantity, upTo).minus(from);
    if (inTier.lte(0) && index > 0) break; // The first tier's flat amount is owed at quantity 0 too.
    shares.push({ ref: `tier-${index + 1}`, quantity: inTier, ...askOfTier(tier, { quantity: inTier, number: index + 1, rate }) });
    from = upTo;
  }
  assertShares(shares, quantity);
  return shares;
}
