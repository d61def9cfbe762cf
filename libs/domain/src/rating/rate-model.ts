import type { Model } from '../catalog/model.js';
import type { Decimal } from '../money/decimal.js';
import { priceDecimal } from './price-decimal.js';
import { rateFlat } from './rate-flat.js';
import { rateGraduated } from './rate-graduated.js';
import { ratePackage } from './rate-package.js';
import { ratePerUnit } from './rate-per-unit.js';
import { rateVolume } from './rate-volume.js';
import type { Share } from './share.js';
import { tiersOf } from './tier.js';

/** The only place that knows which function prices which model. A model without one does not compile. */
export function rateModel(quantity: Decimal, model: Model): Share[] {
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
  }
}
