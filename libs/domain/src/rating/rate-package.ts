import { assert } from '../assert.js';
import { type Decimal, isBelowZero, ONE, toPlain } from '../money/decimal.js';
import { assertShares, type Share } from './share.js';

/** Bills started packages: a package that is begun is owed whole. Nothing is owed at quantity 0. Unrounded. */
export function ratePackage(quantity: Decimal, options: { packageSize: Decimal; packageAmount: Decimal }): Share[] {
  const { packageSize, packageAmount } = options;
  assert(packageSize.isPositive() && !packageSize.isZero(), 'A package holds more than nothing.');
  assert(!isBelowZero(quantity), 'A net negative quantity is clamped before it gets here.');
  const started = startedPackages(quantity, packageSize);
  const words = () => ({
    detail: `${toPlain(started)} started ${started.eq(1) ? 'package' : 'packages'} of ${toPlain(packageSize)} × ${toPlain(packageAmount)}`,
    values: { packages: toPlain(started), package_size: toPlain(packageSize), package_amount: toPlain(packageAmount) },
  });
  const shares = [{ ref: 'packages', quantity, amount: started.times(packageAmount), words }];
  assertShares(shares, quantity);
  return shares;
}

/** Counted by whole division and its rest, never by rounding a quotient: a rest of 10^-18 starts a package. */
function startedPackages(quantity: Decimal, packageSize: Decimal): Decimal {
  const full = quantity.divToInt(packageSize);
  const rest = quantity.minus(full.times(packageSize));
  assert(!isBelowZero(rest) && rest.lt(packageSize), 'What is left of full packages is less than one.');
  return rest.isZero() ? full : full.plus(ONE);
}
