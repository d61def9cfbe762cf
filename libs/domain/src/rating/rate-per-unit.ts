import { type Decimal, toPlain } from '../money/decimal.js';
import { assertShares, type Share } from './share.js';

/** The same amount for each unit, fractions in proportion. Unrounded. */
export function ratePerUnit(quantity: Decimal, unitAmount: Decimal): Share[] {
  const shares = [{ ref: 'units', quantity, amount: quantity.times(unitAmount), detail: `${toPlain(quantity)} × ${toPlain(unitAmount)}` }];
  assertShares(shares, quantity);
  return shares;
}
