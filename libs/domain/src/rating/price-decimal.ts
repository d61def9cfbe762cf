import { assert } from '../assert.js';
import { canonicalDecimal, withinQuantityBounds } from '../money/decimal-text.js';
import { type Decimal, decimal } from '../money/decimal.js';

/** Few prices rate many lines, and reading a decimal costs more than using it. Decimals are immutable, so they can be kept. */
const readBefore = new Map<string, Decimal>();
const readBeforeMax = 10_000;

/** A decimal of a price or an input that was found sound where it entered. */
export function priceDecimal(text: string): Decimal {
  const known = readBefore.get(text);
  if (known !== undefined) return known;
  const canonical = canonicalDecimal(text);
  assert(canonical !== null && withinQuantityBounds(canonical), 'Decimals are checked and bounded where they enter.');
  const value = decimal(canonical);
  if (readBefore.size >= readBeforeMax) readBefore.clear();
  readBefore.set(text, value);
  return value;
}

/** The same, where it may be absent. */
export function optionalDecimal(text: string | undefined): Decimal | null {
  return text === undefined ? null : priceDecimal(text);
}
