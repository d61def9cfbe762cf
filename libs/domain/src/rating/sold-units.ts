import type { UnitConversion } from '../catalog/price.js';
import type { Decimal } from '../money/decimal.js';
import { clampNegative } from './clamp-negative.js';
import { convertUnits } from './convert-units.js';
import { noNote } from './trace.js';

/** A part of a quantity in the unit that is sold; a net negative one is 0. Told in the trace of the whole, not here. */
export function soldUnits(quantity: Decimal, conversion: UnitConversion | undefined): Decimal {
  const clamped = clampNegative(quantity, noNote);
  return conversion === undefined ? clamped : convertUnits(clamped, conversion, noNote);
}
