import type { Dynamic } from '../catalog/model.js';
import { Decimal, ONE, toPlain, ZERO } from '../money/decimal.js';
import { optionalDecimal } from './price-decimal.js';
import { assertShares, type Share } from './share.js';

/** What counted events say that they cost. */
export interface StatedAmounts {
  /** The sum of the decimals at the model's path. */
  readonly sum: Decimal;
  /** How many counted events have none there. */
  readonly missing: number;
}

export const nothingStated: StatedAmounts = { sum: ZERO, missing: 0 };

/** What the events say, times the multiplier; a net negative sum asks nothing, as a net negative quantity does. Unrounded. */
export function rateDynamic(quantity: Decimal, stated: StatedAmounts, model: Dynamic): Share[] {
  const multiplier = optionalDecimal(model.multiplier) ?? ONE;
  const net = Decimal.max(ZERO, stated.sum);
  const words = () => {
    const negative = stated.sum.lt(0) ? `the net amount ${toPlain(stated.sum)} is negative and is rated as 0, ` : '';
    return {
      detail: `${negative}${toPlain(net)} stated by the events × ${toPlain(multiplier)}`,
      values: { stated: toPlain(stated.sum), multiplier: toPlain(multiplier), missing: String(stated.missing) },
    };
  };
  const shares = [{ ref: 'events', quantity, amount: net.times(multiplier), words }];
  assertShares(shares, quantity);
  return shares;
}
