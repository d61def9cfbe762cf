import type { Aggregation } from '#domain';

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

/** The state that an aggregation needs beside the number of events, which every row has. */
export const stateOf: Readonly<Record<Aggregation, UsageState | null>> = { count: null, sum, min, max, avg: sum, unique_count: uniq, latest };

/** The answer as text, from a merged state and the number of events; avg comes as its exact sum, to be divided by that number. */
export const answerOf: Readonly<Record<Aggregation, (state: string, events: string) => string>> = {
  count: (_state, events) => `toString(${events})`,
  sum: (state) => `toString(${state})`,
  min: (state) => `toString(${state})`,
  max: (state) => `toString(${state})`,
  avg: (state) => `toString(${state})`,
  unique_count: (state) => `toString(finalizeAggregation(${state}))`,
  latest: (state) => `toString(tupleElement(${state}, 5))`,
};

/** What groups are ranked by, as a number: the answer itself, an average to 18 digits after the point. */
export const rankOf: Readonly<Record<Aggregation, (state: string, events: string) => string>> = {
  count: (_state, events) => events,
  sum: (state) => state,
  min: (state) => state,
  max: (state) => state,
  avg: (state, events) => `${state} / ${events}`,
  unique_count: (state) => `finalizeAggregation(${state})`,
  latest: (state) => `tupleElement(${state}, 5)`,
};

/** Aggregations whose groups add up to the whole. */
export const addsUp: ReadonlySet<Aggregation> = new Set(['count', 'sum']);

/** The states that have a column in usage_rollups, each of its state's name; those that an aggregation does not need stay empty. */
export const rollupStates: readonly UsageState[] = [sum, min, max, latest, uniq];
