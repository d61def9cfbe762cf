import type { RateablePrice } from '../catalog/price.js';
import { modelIn, prorateUnit } from '../catalog/price.js';
import { Decimal, sumOf, ZERO } from '../money/decimal.js';
import { type Fraction, WHOLE } from '../period/proration-fraction.js';
import { type GroupUsage, poolUsage, type UsagePool } from './pool-usage.js';
import { optionalDecimal } from './price-decimal.js';
import { haveSameUnits } from './same-units.js';
import { scaleByFraction } from './scale-by-fraction.js';
import { soldUnits } from './sold-units.js';

/** The period before the one that is rated, on the terms that it had. */
export interface PreviousPeriod {
  readonly price: RateablePrice;
  /** All of its usage, as it is known now. */
  readonly usage: readonly GroupUsage[];
  /** The share of a whole period that it was; left out it was whole. */
  readonly fraction?: Fraction | undefined;
}

/**
 * The included units that a period left unused, by the ref of their group, bounded by its rollover. A period uses its own units
 * first and then those of the period before, so what is left is always of its own: units live for one period more, and nothing
 * before that one matters. A group that used nothing left all of them.
 */
export function unitsLeft(previous: PreviousPeriod, currency: string): (ref: string) => Decimal {
  const { price, usage } = previous;
  const fraction = prorateUnit(price) === 'none' ? WHOLE : (previous.fraction ?? WHOLE);
  const included = scaleByFraction(optionalDecimal(price.included_units) ?? ZERO, fraction);
  const maximum = optionalDecimal(price.rollover?.maximum_units) ?? included;
  const leftOf = (used: Decimal): Decimal => Decimal.min(maximum, Decimal.max(ZERO, included.minus(used)));
  const pools = poolUsage({ type: price.type, group_by: price.group_by, model: modelIn(price, currency) }, usage);
  const left = new Map(pools.map((pool) => [pool.ref, leftOf(convertedUnits(pool, price))]));
  return (ref) => left.get(ref) ?? leftOf(ZERO);
}

/** Whether units that one price left are there for another: both roll over, and their units are the same. */
export function rollsOverInto(left: RateablePrice, next: RateablePrice, currency: string): boolean {
  return left.rollover !== undefined && next.rollover !== undefined && haveSameUnits(left, next, currency);
}

function convertedUnits({ quantity, buckets = [{ quantity }] }: Pick<UsagePool, 'quantity'> & { buckets?: readonly { readonly quantity: Decimal }[] | undefined }, price: RateablePrice): Decimal {
  return sumOf(buckets, (part) => soldUnits(part.quantity, price.unit_conversion));
}
