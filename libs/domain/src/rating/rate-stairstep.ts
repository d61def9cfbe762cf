import type { Curve } from '../catalog/model.js';
import { type Decimal, toPlain } from '../money/decimal.js';
import { optionalDecimal, priceDecimal } from './price-decimal.js';
import { assertShares, type Share } from './share.js';
import { type Band, tierOf } from './tier.js';

export interface Stair extends Band {
  /** Owed once for the whole quantity. */
  readonly amount: Decimal;
}

export function stairsOf(tiers: Extract<Curve, { type: 'stairstep' }>['tiers']): Stair[] {
  return tiers.map((tier) => ({ upTo: optionalDecimal(tier.up_to ?? undefined), amount: priceDecimal(tier.amount) }));
}

/** One amount for the whole quantity, by the tier that it falls in; 0 falls in the first. Where stairs fall, more costs less. Unrounded. */
export function rateStairstep(quantity: Decimal, stairs: readonly Stair[]): Share[] {
  const { tier, number } = tierOf(quantity, stairs);
  const words = () => ({
    detail: `tier ${number} for the whole quantity of ${toPlain(quantity)}: ${toPlain(tier.amount)}`,
    values: { tier: String(number), tier_amount: toPlain(tier.amount) },
  });
  const shares = [{ ref: `tier-${number}`, quantity, amount: tier.amount, words }];
  assertShares(shares, quantity);
  return shares;
}
