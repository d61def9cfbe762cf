import { type Decimal, toPlain } from '../money/decimal.js';
import { assertShares, type Share } from './share.js';

/** One amount whatever the quantity, 0 included. Unrounded. */
export function rateFlat(quantity: Decimal, amount: Decimal): Share[] {
  const shares = [{ ref: 'flat', quantity, amount, words: () => ({ detail: `${toPlain(amount)} flat, whatever the quantity`, values: { flat_amount: toPlain(amount) } }) }];
  assertShares(shares, quantity);
  return shares;
}
