import { assert } from '../assert.js';
import { type Decimal, isBelowZero, ZERO } from '../money/decimal.js';
import { assertShares, type Share } from './share.js';
import { askOfTier, assertTiers, type Tier, type UnitWords } from './tier.js';

/** Prices each unit by the tier it falls in. Tiers are (from, upTo], so a fractional quantity has exactly one tier. Unrounded. */
export function fillTiers(quantity: Decimal, tiers: readonly Tier[], rate: UnitWords): Share[] {
  assert(!isBelowZero(quantity), 'A net negative quantity is clamped before it gets here.');
  assertTiers(tiers);
  const shares: Share[] = [];
  let from: Decimal = ZERO; // Exclusive.
  for (const [index, tier] of tiers.entries()) {
    const isLast = tier.upTo === null || !quantity.gt(tier.upTo); // Inclusive.
    const upTo = isLast ? quantity : (tier.upTo ?? quantity);
    const inTier = index === 0 ? upTo : upTo.minus(from);
    shares.push({ ref: `tier-${index + 1}`, quantity: inTier, ...askOfTier(tier, { quantity: inTier, number: index + 1, rate }) });
    if (isLast) break; // The first tier's flat amount is owed at quantity 0 too.
    from = upTo;
  }
  assertShares(shares, quantity);
  return shares;
}
