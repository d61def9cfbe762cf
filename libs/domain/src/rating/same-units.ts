import type { RateablePrice } from '../catalog/price.js';
import { readingOf } from './price-reading.js';

/** Whether the units of two prices are the same ones: of the same meter, read, grouped and converted in the same way. */
export function haveSameUnits(a: RateablePrice, b: RateablePrice, currency: string): boolean {
  const unitsOf = (price: RateablePrice): string => JSON.stringify([price.meter, readingOf(price, currency), price.unit_conversion?.divide_by, price.unit_conversion?.rounding]);
  return unitsOf(a) === unitsOf(b);
}
