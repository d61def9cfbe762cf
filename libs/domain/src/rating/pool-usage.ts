import { assert } from '../assert.js';
import type { Curve, Dynamic, Matrix, Model, Percentage } from '../catalog/model.js';
import type { RateablePrice } from '../catalog/price.js';
import { type Decimal, ONE, sumOf, ZERO } from '../money/decimal.js';
import { compareBytewise } from './compare-bytewise.js';
import { matchCell, type MatchedCell, valueOf } from './matrix-cell.js';
import type { RateableUsage } from './rate-model.js';

/** A metered quantity of one group; the groups may be finer than those that the price names. */
export interface GroupUsage extends RateableUsage {
  readonly group: Readonly<Record<string, string>>;
  /** The start of the hour or day that the quantity lies in, where the price is for each by itself. */
  readonly bucket?: Temporal.Instant | undefined;
}

/** What lies in one hour or day. */
export interface BucketUsage {
  readonly start: Temporal.Instant;
  readonly quantity: Decimal;
}

/** One quantity that a price rates by itself. */
export interface UsagePool extends Omit<GroupUsage, 'bucket'> {
  /** The parts of the quantity that are priced by themselves, in the order of time; absent where the whole is. */
  readonly buckets?: readonly BucketUsage[] | undefined;
  /** Of the line that it stands on. Stable: the group's values in the price's order as a JSON array, or "all". */
  readonly ref: string;
  /** For the trace: "region eu"; empty where there is only one pool. */
  readonly name: string;
  /** Null asks nothing: no cell of a matrix is for it. */
  readonly model: Curve | Percentage | Dynamic | null;
}

type PoolingPrice = Pick<RateablePrice, 'type' | 'group_by'> & { readonly model: Model };

/**
 * The quantities that a price rates one by one: one per group that it names, ordered bytewise by the groups' values, one per cell
 * of a matrix, or one of all usage. A missing value is "". Without usage there is one quantity with group {}: 0 of a usage
 * price, 1 of a fee.
 */
export function poolUsage(price: PoolingPrice, usage: readonly GroupUsage[]): UsagePool[] {
  const { model } = price;
  const groupBy = price.group_by ?? [];
  const [only] = usage;
  // Most prices are for one quantity, and nothing of it needs to be put together.
  if (only !== undefined && usage.length === 1 && only.bucket === undefined && groupBy.length === 0 && model.type !== 'matrix') {
    return [{ ref: 'all', name: '', group: {}, quantity: only.quantity, charged: only.charged, stated: only.stated, model }];
  }
  const whole = { ref: 'all', name: '', group: {} };
  if (model.type === 'matrix') return usage.length === 0 ? [{ ...whole, quantity: ZERO, model: nothing }] : poolCells(model, usage);
  if (usage.length === 0) return [{ ...whole, quantity: price.type === 'usage' ? ZERO : ONE, model }];
  if (groupBy.length === 0) return [{ ...whole, ...merged(usage), model }];
  return poolGroups(groupBy, usage).map((pool) => ({ ...pool, model }));
}

/** What a matrix asks where nothing was used in any cell. */
const nothing: Curve = { type: 'per_unit', unit_amount: '0' };

function poolGroups(groupBy: readonly string[], usage: readonly GroupUsage[]): Omit<UsagePool, 'model'>[] {
  const pools = new Map<string, { values: string[]; entries: GroupUsage[] }>();
  for (const entry of usage) {
    const values = groupBy.map((key) => valueOf(entry.group, key));
    const ref = JSON.stringify(values);
    const pool = pools.get(ref);
    if (pool === undefined) pools.set(ref, { values, entries: [entry] });
    else pool.entries.push(entry);
  }
  return [...pools]
    .sort(([, a], [, b]) => compareValues(a.values, b.values))
    .map(([ref, { values, entries }]) => ({ ref, ...summed(entries), group: namedValues(groupBy, values), name: groupName(groupBy, values) }));
}

/** All cells stand on one line. What no cell is for stays apart by its group, so that the trace can list it. */
function poolCells(matrix: Matrix, usage: readonly GroupUsage[]): UsagePool[] {
  const pools = new Map<string, { cell: MatchedCell; values: readonly string[]; entries: GroupUsage[] }>();
  for (const entry of usage) {
    const values = matrix.dimensions.map((dimension) => valueOf(entry.group, dimension));
    const cell = matchCell(matrix, entry.group);
    const key = cell.model === null ? JSON.stringify(values) : cell.ref;
    const known = pools.get(key);
    if (known === undefined) pools.set(key, { cell, values, entries: [entry] });
    else known.entries.push(entry);
  }
  return [...pools.values()]
    .sort((a, b) => a.cell.rank - b.cell.rank || compareValues(a.values, b.values))
    .map(({ cell, values, entries }) => {
      const own = cell.model === null ? { name: groupName(matrix.dimensions, values), group: namedValues(matrix.dimensions, values) } : { name: cell.name, group: {} };
      return { ref: 'all', ...own, ...summed(entries), model: cell.model };
    });
}

function merged(usage: readonly GroupUsage[]): Pick<UsagePool, 'quantity' | 'buckets' | 'charged' | 'stated'> {
  const [only] = usage;
  const hasEvents = usage.some(({ charged, stated }) => charged !== undefined || stated !== undefined);
  assert(usage.length === 1 || !hasEvents, 'What was read event by event is of all usage already.');
  return { ...summed(usage), charged: only?.charged, stated: only?.stated };
}

function summed(entries: readonly GroupUsage[]): Pick<UsagePool, 'quantity' | 'buckets'> {
  const quantity = sumOf(entries, (entry) => entry.quantity);
  if (entries[0]?.bucket === undefined) return { quantity };
  const buckets = new Map<bigint, BucketUsage>();
  for (const { bucket: start, quantity: added } of entries) {
    assert(start !== undefined, 'Of one price either all usage is in buckets or none.');
    const known = buckets.get(start.epochNanoseconds);
    buckets.set(start.epochNanoseconds, { start, quantity: known === undefined ? added : known.quantity.plus(added) });
  }
  return { quantity, buckets: [...buckets.values()].sort((a, b) => Temporal.Instant.compare(a.start, b.start)) };
}

function namedValues(keys: readonly string[], values: readonly string[]): Record<string, string> {
  return Object.fromEntries(keys.map((key, index) => [key, values[index] ?? '']));
}

function groupName(keys: readonly string[], values: readonly string[]): string {
  return keys.map((key, index) => `${key} ${JSON.stringify(values[index])}`).join(', ');
}

function compareValues(a: readonly string[], b: readonly string[]): number {
  for (const [index, value] of a.entries()) {
    const order = compareBytewise(value, b[index] ?? '');
    if (order !== 0) return order;
  }
  return 0;
}
