import type { Curve, Dynamic, Percentage } from '../catalog/model.js';
import type { Decimal } from '../money/decimal.js';
import { type ChargedEvents, noEventsYet } from './charge-events.js';
import { priceDecimal } from './price-decimal.js';
import { nothingStated, rateDynamic, type StatedAmounts } from './rate-dynamic.js';
import { rateFlat } from './rate-flat.js';
import { rateGraduated } from './rate-graduated.js';
import { rateGraduatedPercentage } from './rate-graduated-percentage.js';
import { ratePackage } from './rate-package.js';
import { ratePercentage } from './rate-percentage.js';
import { ratePerUnit } from './rate-per-unit.js';
import { rateStairstep, stairsOf } from './rate-stairstep.js';
import { rateVolume } from './rate-volume.js';
import type { Share } from './share.js';
import { percentTiersOf, tiersOf } from './tier.js';

/** What a model rates: a quantity, and beside it what only some models look at. */
export interface RateableUsage {
  readonly quantity: Decimal;
  /** What a model that prices event by event asks for the quantity. */
  readonly charged?: ChargedEvents | undefined;
  /** What the events say that they cost. */
  readonly stated?: StatedAmounts | undefined;
}

/** The only place that knows which function prices which model; a matrix is taken apart into its cells before. A model without one does not compile. */
export function rateModel(usage: RateableUsage, model: Curve | Percentage | Dynamic): Share[] {
  const { quantity } = usage;
  switch (model.type) {
    case 'flat':
      return rateFlat(quantity, priceDecimal(model.amount));
    case 'per_unit':
      return ratePerUnit(quantity, priceDecimal(model.unit_amount));
    case 'package':
      return ratePackage(quantity, { packageSize: priceDecimal(model.package_size), packageAmount: priceDecimal(model.package_amount) });
    case 'graduated':
      return rateGraduated(quantity, tiersOf(model.tiers));
    case 'volume':
      return rateVolume(quantity, tiersOf(model.tiers));
    case 'stairstep':
      return rateStairstep(quantity, stairsOf(model.tiers));
    case 'graduated_percentage':
      return rateGraduatedPercentage(quantity, percentTiersOf(model.tiers));
    case 'percentage':
      return ratePercentage(quantity, usage.charged ?? noEventsYet, model);
    case 'dynamic':
      return rateDynamic(quantity, usage.stated ?? nothingStated, model);
  }
}
