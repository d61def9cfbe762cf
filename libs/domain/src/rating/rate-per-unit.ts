import { type Decimal, toPlain } from '../money/decimal.js';
import { assertShares, type Share } from './share.js';

/** The same amount for each unit, fractions in proportion. Unrounded. */
export function ratePerUnit(quantity: Decimal, unitAmount: Decimal): Share[] {
  const words = () => ({ detail: `${toPlain(quantity)} × ${toPlain(unitAmount)}`, values: { unit_amount: toPlain(unitAmount) } });
  const shares = [{ ref: 'units', quantity, amount: quantity.times(unitAmount), words }];
  assertShares(shares, quantity);
  return shares;
}
