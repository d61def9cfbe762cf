import type { Decimal } from '../money/decimal.js';
import { fillTiers } from './fill-tiers.js';
import type { Share } from './share.js';
import { percentRate, type Tier } from './tier.js';

/** Takes of each part of a value the share of the tier that it falls in. The tiers are those of `percentTiersOf`. Unrounded. */
export function rateGraduatedPercentage(value: Decimal, tiers: readonly Tier[]): Share[] {
  return fillTiers(value, tiers, percentRate);
}
