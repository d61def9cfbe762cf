import type { RateablePrice } from '../catalog/price.js';
import { type Decimal, ONE, sumOf, ZERO } from '../money/decimal.js';
import { compareBytewise } from './compare-bytewise.js';

/** A metered quantity of one group; the groups may be finer than those that the price names. */
export interface GroupUsage {
  readonly group: Readonly<Record<string, string>>;
  readonly quantity: Decimal;
}

export interface PooledGroup extends GroupUsage {
  /** Stable: the group's values in the price's order as a JSON array, or "all". */
  readonly ref: string;
  /** For the trace: "region eu"; empty where the price has no groups. */
  readonly name: string;
}

/**
 * The quantities that a price rates one by one: one per group that it names, ordered bytewise by the groups' values, or one
 * of all usage. A missing value is "". Without usage there is one quantity with group {}: 0 of a usage price, 1 of a fee.
 */
export function poolUsage(price: Pick<RateablePrice, 'type' | 'group_by'>, usage: readonly GroupUsage[]): PooledGroup[] {
  const groupBy = price.group_by ?? [];
  const nothing = price.type === 'usage' ? ZERO : ONE;
  if (usage.length === 0) return [{ group: {}, ref: 'all', name: '', quantity: nothing }];
  if (groupBy.length === 0) return [{ group: {}, ref: 'all', name: '', quantity: sumOf(usage, (entry) => entry.quantity) }];
  const pools = new Map<string, { values: string[]; quantity: Decimal }>();
  for (const entry of usage) {
    const values = groupBy.map((key) => (Object.hasOwn(entry.group, key) ? (entry.group[key] ?? '') : ''));
    const ref = JSON.stringify(values);
    const pool = pools.get(ref) ?? { values, quantity: ZERO };
    pools.set(ref, { values, quantity: pool.quantity.plus(entry.quantity) });
  }
  return [...pools]
    .sort(([, a], [, b]) => compareValues(a.values, b.values))
    .map(([ref, { values, quantity }]) => ({
      ref,
      quantity,
      group: Object.fromEntries(groupBy.map((key, index) => [key, values[index] ?? ''])),
      name: groupBy.map((key, index) => `${key} ${JSON.stringify(values[index])}`).join(', '),
    }));
}

function compareValues(a: readonly string[], b: readonly string[]): number {
  for (const [index, value] of a.entries()) {
    const order = compareBytewise(value, b[index] ?? '');
    if (order !== 0) return order;
  }
  return 0;
}
