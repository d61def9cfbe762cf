import type { Decimal } from '../money/decimal.js';
import { fillTiers } from './fill-tiers.js';
import type { Share } from './share.js';
import { type Tier, unitRate } from './tier.js';

/** Prices each unit by the tier it falls in, at an amount per unit. Unrounded. */
export function rateGraduated(quantity: Decimal, tiers: readonly Tier[]): Share[] {
  return fillTiers(quantity, tiers, unitRate);
}
