import { assert } from '../assert.js';
import { type Decimal, sumOf } from '../money/decimal.js';
import type { Words } from './trace.js';

/** What one part of a model asks for one part of the quantity. The ref is stable: the same part of the same model has it for ever. */
export interface Share {
  readonly ref: string;
  readonly quantity: Decimal;
  /** Major units, unrounded. */
  readonly amount: Decimal;
  /** How the amount came about. Made only where somebody reads it. */
  readonly words: () => Words;
}

/** Every unit is rated exactly once: both ends of each model check it. */
export function assertShares(shares: readonly Share[], quantity: Decimal): void {
  assert(shares.length > 0, 'A model rates every quantity, 0 too.');
  const sum = sumOf(shares, (share) => share.quantity);
  assert(sum === quantity || sum.eq(quantity), 'Every unit must be rated exactly once.');
}
