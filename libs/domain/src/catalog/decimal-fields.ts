import { canonicalDecimal } from '../money/decimal-text.js';

/** Fields of a price that hold a decimal. In JSON they may be sent as numbers; the edge turns those into text by their own digits. */
export const priceDecimalFields: ReadonlySet<string> = new Set([
  'above',
  'absorb_below',
  'amount',
  'below',
  'divide_by',
  'fixed_amount',
  'flat_amount',
  'free_amount',
  'included_units',
  'maximum_amount',
  'maximum_per_event',
  'maximum_units',
  'minimum_amount',
  'minimum_per_event',
  'multiplier',
  'package_amount',
  'package_size',
  'percent',
  'rate',
  'unit_amount',
  'up_to',
]);

/** Objects whose names are the user's: a dimension called "rate" holds no decimal. */
export const namesOfTheUser: ReadonlySet<string> = new Set(['metadata', 'when']);

/** The same price, or plan, with each decimal in its one form ("49.00" is "49"), so that equal prices are stored equal. */
export function canonicalPrices<T>(value: T): T {
  return rewrite(value, '') as T;
}

function rewrite(value: unknown, field: string): unknown {
  if (typeof value === 'string') return priceDecimalFields.has(field) ? (canonicalDecimal(value) ?? value) : value;
  if (Array.isArray(value)) return value.map((item) => rewrite(item, field));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, namesOfTheUser.has(key) ? item : rewrite(item, key)]));
}
