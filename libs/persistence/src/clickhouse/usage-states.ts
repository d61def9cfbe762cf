import { decimal, type Aggregation, type Meter } from '#domain';
import { assert } from '#platform';

/**
 * The exact states of an aggregation: what is made of raw events, how it lies in the rollups, how parts are joined, and
 * what the answer is. Numbers are Decimal(76, 18) throughout: sums keep their type, so nothing is rounded.
 */
export interface UsageState {
  readonly name: string;
  /** From rows with `value` (never null), `time`, `appended_at`, `position` and `partition`. */
  readonly fromRaw: string;
  /** From rows of usage_rollups. */
  readonly fromRollup: string;
  /** From parts: `column` has this state, `events` how many events are in it. */
  readonly merged: (column: string, events: string) => string;
  /** A state that changes nothing when it is merged, for the zero rows of a recompute. */
  readonly empty: string;
}

const zero = 'toDecimal256(0, 18)';
const sum: UsageState = { name: 'sum', fromRaw: 'sum(assumeNotNull(value))', fromRollup: 'sum(sum)', merged: (column) => `sum(${column})`, empty: zero };

/** Zero rows have no least or greatest value, so parts without events are left aside. */
const min: UsageState = {
  name: 'min', fromRaw: 'min(assumeNotNull(value))', fromRollup: 'minIf(min, count > 0)', merged: (column, events) => `minIf(${column}, ${events} > 0)`, empty: zero,
};
const max: UsageState = {
  name: 'max', fromRaw: 'max(assumeNotNull(value))', fromRollup: 'maxIf(max, count > 0)', merged: (column, events) => `maxIf(${column}, ${events} > 0)`, empty: zero,
};

const latestType = `Tuple(time DateTime64(6, \\'UTC\\'), appended_at DateTime64(6, \\'UTC\\'), position UInt64, partition UInt16, value Decimal(76, 18))`;
/** The greatest time wins; among equal times what the log took last. The partition only makes the order a total one. */
const latest: UsageState = {
  name: 'latest',
  fromRaw: 'max(tuple(time, appended_at, position, partition, assumeNotNull(value)))',
  fromRollup: 'max(latest)',
  merged: (column) => `max(${column})`,
  empty: `CAST(tuple(0, 0, 0, 0, 0), '${latestType}')`,
};

const uniq: UsageState = {
  name: 'uniq',
  fromRaw: 'uniqExactState(assumeNotNull(value))',
  fromRollup: 'uniqExactMergeState(uniq)',
  merged: (column) => `uniqExactMergeState(${column})`,
  empty: `uniqExactIfState('', 0)`,
};

/** The sorted values, each once, and how often each occurred. */
const distribution: UsageState = {
  name: 'distribution',
  fromRaw: 'sumMap([assumeNotNull(value)], [toUInt64(1)])',
  fromRollup: 'sumMap(tupleElement(distribution, 1), tupleElement(distribution, 2))',
  merged: (column) => `sumMap(tupleElement(${column}, 1), tupleElement(${column}, 2))`,
  empty: `CAST(tuple([], []), 'Tuple(Array(Decimal(76, 18)), Array(UInt64))')`,
};

/** The state that an aggregation needs beside the number of events, which every row has. */
export const stateOf: Readonly<Record<Aggregation, UsageState | null>> = { count: null, sum, min, max, avg: sum, unique_count: uniq, latest, percentile: distribution };

/** What a merged state is asked by: its column and that of the number of events. */
export interface MergedColumns {
  readonly state: string;
  readonly events: string;
}

/**
 * The answer as text. Two are finished outside of SQL, where decimals divide exactly: avg comes as its exact sum, percentile
 * as the two values around its place with a blank between them.
 */
export function answerSql(meter: Meter, columns: MergedColumns): string {
  return answerOf[meter.aggregation](columns, meter);
}

/** What groups are ranked by, as a number that grows with the answer. */
export function rankSql(meter: Meter, columns: MergedColumns): string {
  return rankOf[meter.aggregation](columns, meter);
}

type OfMerged = Readonly<Record<Aggregation, (columns: MergedColumns, meter: Meter) => string>>;

const answerOf: OfMerged = {
  count: ({ events }) => `toString(${events})`,
  sum: ({ state }) => `toString(${state})`,
  min: ({ state }) => `toString(${state})`,
  max: ({ state }) => `toString(${state})`,
  avg: ({ state }) => `toString(${state})`,
  unique_count: ({ state }) => `toString(finalizeAggregation(${state}))`,
  latest: ({ state }) => `toString(tupleElement(${state}, 5))`,
  percentile: (columns, meter) => {
    const { lower, upper } = neighboursSql(columns, meter);
    return `concat(toString(${lower}), ' ', toString(${upper}))`;
  },
};

/** The answer itself, an average to 18 digits after the point, a percentile times what its place was divided by. */
const rankOf: OfMerged = {
  count: ({ events }) => events,
  sum: ({ state }) => state,
  min: ({ state }) => state,
  max: ({ state }) => state,
  avg: ({ state, events }) => `${state} / ${events}`,
  unique_count: ({ state }) => `finalizeAggregation(${state})`,
  latest: ({ state }) => `tupleElement(${state}, 5)`,
  percentile: (columns, meter) => {
    const { lower, upper, rest, divisor } = neighboursSql(columns, meter);
    return `${lower} * toDecimal256('${divisor}', 0) + (${upper} - ${lower}) * toDecimal256(${rest}, 0)`;
  },
};

/** Aggregations whose groups add up to the whole. */
export const addsUp: ReadonlySet<Aggregation> = new Set(['count', 'sum']);

/** The states that have a column in usage_rollups, each of its state's name; those that an aggregation does not need stay empty. */
export const rollupStates: readonly UsageState[] = [sum, min, max, latest, uniq, distribution];

/**
 * The values at the percentile's place and behind it, which is the place itself where it is the last. A place is worked out
 * in integers, never in floats: it is the whole part of a division by `divisor`, whose `rest` lies between the two.
 */
function neighboursSql({ state, events }: MergedColumns, { percentile }: Meter): { lower: string; upper: string; rest: string; divisor: number } {
  assert(percentile !== null, 'A meter of percentile has one.');
  const scale = 10 ** decimal(percentile).decimalPlaces();
  const divisor = 100 * scale;
  const dividend = `(toUInt128(${events}) - 1) * toUInt128('${decimal(percentile).times(scale).toFixed()}')`;
  const place = `intDiv(${dividend}, toUInt128('${divisor}'))`;
  const valueAt = (index: string): string => `tupleElement(${state}, 1)[arrayFirstIndex(seen -> seen > ${index}, arrayCumSum(tupleElement(${state}, 2)))]`;
  return { lower: valueAt(place), upper: valueAt(`least(${place} + 1, toUInt128(${events}) - 1)`), rest: `modulo(${dividend}, toUInt128('${divisor}'))`, divisor };
}
