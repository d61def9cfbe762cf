import { assert } from '../assert.js';
import { canonicalDecimal, withinQuantityBounds } from '../money/decimal-text.js';
import { type Decimal, decimal } from '../money/decimal.js';

/** A decimal of a price or an input that was found sound where it entered. */
export function priceDecimal(text: string): Decimal {
  const canonical = canonicalDecimal(text);
  assert(canonical !== null && withinQuantityBounds(canonical), 'Decimals are checked and bounded where they enter.');
  return decimal(canonical);
}

/** The same, where it may be absent. */
export function optionalDecimal(text: string | undefined): Decimal | null {
  return text === undefined ? null : priceDecimal(text);
}
