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

/**
 * What a series did in an hour: when its first and its last event were, the value since the last one, and between the two the sum of
 * value × microseconds. What was before the first event only earlier hours know, so an hour never depends on another. Made of rows
 * that also have `at`, their instant in microseconds, and `held`, the microseconds until the series' next event in the hour.
 */
const gauge: UsageState = {
  name: 'gauge',
  fromRaw: 'tuple(min(time), max(time), tupleElement(max(tuple(time, appended_at, position, partition, assumeNotNull(value))), 5), sum(assumeNotNull(value) * held))',
  fromRollup: 'argMax(gauge, count)',
  merged: (column, events) => `argMax(${column}, ${events})`,
  empty: `CAST(tuple(0, 0, 0, 0), 'Tuple(first DateTime64(6, \\'UTC\\'), last DateTime64(6, \\'UTC\\'), value Decimal(76, 18), area Decimal(76, 18))')`,
};

/** What gauges do in a window of a line of an answer (see GaugeChange): delta, area and opened. Adds up, unlike what rollups keep. */
const gaugeChange: UsageState = { ...gauge, name: 'change', merged: (column) => `sumForEach(${column})` };

/** The state that an aggregation needs beside the number of events, which every row has. */
export const stateOf: Readonly<Record<Aggregation, UsageState | null>> = { count: null, sum, min, max, avg: sum, unique_count: uniq, latest, percentile: distribution, time_weighted_sum: gauge };

/** The state of a line of an answer. */
export function lineStateOf(aggregation: Aggregation): UsageState | null {
  return aggregation === 'time_weighted_sum' ? gaugeChange : stateOf[aggregation];
}

/** What a merged state is asked by: its column and that of the number of events. */
export interface MergedColumns {
  readonly state: string;
  readonly events: string;
}

/**
 * The answer as text. Three are finished outside of SQL, where decimals divide exactly: avg comes as its exact sum, percentile
 * as the two values around its place, a time-weighted sum as the parts of its change, with blanks between them.
 */
export function answerSql(meter: Meter, columns: MergedColumns): string {
  return answerOf[meter.aggregation](columns, meter);
}

/** What an hour's rollup comes to as text; a time-weighted sum as what it held from its first event until the hour's end. */
export function rollupAnswerSql(meter: Meter, columns: MergedColumns): string {
  if (meter.aggregation !== 'time_weighted_sum') return answerSql(meter, columns);
  const untilEnd = `(toInt64(toUnixTimestamp(hour) + 3600) * 1000000 - toUnixTimestamp64Micro(tupleElement(${columns.state}, 2)))`;
  return `toString(tupleElement(${columns.state}, 4) + tupleElement(${columns.state}, 3) * ${untilEnd})`;
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
  time_weighted_sum: ({ state }) => `arrayStringConcat(arrayMap(part -> toString(part), ${state}), ' ')`,
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
  // Over a whole range every change is taken back at its end, so what it held is its area.
  time_weighted_sum: ({ state }) => `${state}[2]`,
};

/** Aggregations whose groups add up to the whole. */
export const addsUp: ReadonlySet<Aggregation> = new Set(['count', 'sum', 'time_weighted_sum']);

/** The states that have a column in usage_rollups, each of its state's name; those that an aggregation does not need stay empty. */
export const rollupStates: readonly UsageState[] = [sum, min, max, latest, uniq, distribution, gauge];

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
