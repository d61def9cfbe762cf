import { namesOfTheUser } from './decimal-fields.js';
import { decimal, Decimal, divide, ONE, toPlain } from '../money/decimal.js';

/** Fields of a price that hold money. Rates, sizes and bounds of tiers are none. */
const moneyFields: ReadonlySet<string> = new Set(['amount', 'unit_amount', 'flat_amount', 'package_amount', 'fixed_amount', 'minimum_per_event', 'maximum_per_event', 'minimum_amount', 'maximum_amount']);

export interface PriceRise {
  /** Above -100; negative lowers. */
  readonly percent: Decimal;
  /** Digits after the point that raised amounts keep, half away from zero; null keeps all. */
  readonly digits: number | null;
}

/** The same prices with every amount of money raised by a percentage, at any depth. Amounts are canonical decimals. */
export function raisePrices<T>(prices: T, rise: PriceRise): T {
  const factor = ONE.plus(divide(rise.percent, new Decimal(100)));
  const raised = (text: string): string => {
    const exact = decimal(text).times(factor);
    return toPlain(rise.digits === null ? exact : exact.toDecimalPlaces(rise.digits, Decimal.ROUND_HALF_UP));
  };
  const rewrite = (value: unknown, field: string): unknown => {
    if (typeof value === 'string') return moneyFields.has(field) && !value.startsWith('$') ? raised(value) : value;
    if (Array.isArray(value)) return value.map((item) => rewrite(item, ''));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, namesOfTheUser.has(name) ? item : rewrite(item, name)]));
  };
  return rewrite(prices, '') as T;
}
