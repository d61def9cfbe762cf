import { assert } from '../assert.js';
import type { Aggregation } from '../metering/meter.js';
import { percentileOf } from '../metering/percentile.js';
import { Decimal, decimalOf, divide, sumOf, toPlain } from '../money/decimal.js';
import type { GroupUsage } from './pool-usage.js';
import { priceDecimal } from './price-decimal.js';

interface SimulatedEvent {
  readonly value: string;
  /** For how long the value lasts; only a time-weighted sum looks at it. */
  readonly hours?: string | undefined;
  readonly group?: Readonly<Record<string, string>> | undefined;
}

const averageDigits = 12;

/** How a price's meter makes one quantity of many events; without a meter they are summed. */
export interface SimulatedMeter {
  readonly aggregation: Aggregation;
  readonly percentile: string | null;
}

type Values = readonly [Decimal, ...Decimal[]];

const aggregate: Readonly<Record<Aggregation, (values: Values, meter: SimulatedMeter) => Decimal>> = {
  count: (values) => decimalOf(BigInt(values.length)),
  sum: (values) => sumOf(values, (value) => value),
  min: (values) => Decimal.min(...values),
  max: (values) => Decimal.max(...values),
  avg: (values) =>
    divide(sumOf(values, (value) => value), decimalOf(BigInt(values.length))).toDecimalPlaces(averageDigits, Decimal.ROUND_HALF_UP),
  unique_count: (values) => decimalOf(BigInt(new Set(values.map(toPlain)).size)),
  latest: (values) => values.at(-1) ?? values[0], // The events stand in the order of their time.
  time_weighted_sum: (unitHours) => sumOf(unitHours, (value) => value),
  percentile: (values, { percentile }) => {
    assert(percentile !== null, 'A meter of percentile has one.');
    return percentileOf([...values].sort((a, b) => a.cmp(b)) as [Decimal, ...Decimal[]], percentile);
  },
};

/** The quantities of made-up events, one per group of the price; in the order in which the groups first occur. */
export function aggregateSimulated(
  events: readonly SimulatedEvent[],
  options: { groupBy: readonly string[]; meter: SimulatedMeter },
): GroupUsage[] {
  const groups = new Map<string, { group: Record<string, string>; values: Decimal[] }>();
  for (const event of events) {
    const given = event.group ?? {};
    const group = Object.fromEntries(options.groupBy.map((key) => [key, Object.hasOwn(given, key) ? (given[key] ?? '') : '']));
    const name = JSON.stringify(options.groupBy.map((key) => group[key]));
    const pool = groups.get(name) ?? { group, values: [] };
    pool.values.push(quantityOf(event, options.meter));
    groups.set(name, pool);
  }
  return [...groups.values()].map(({ group, values: [first, ...rest] }) => {
    assert(first !== undefined, 'A group is made by its first event.');
    return { group, quantity: aggregate[options.meter.aggregation]([first, ...rest], options.meter) };
  });
}

function quantityOf({ value, hours }: SimulatedEvent, { aggregation }: SimulatedMeter): Decimal {
  return aggregation === 'time_weighted_sum' ? priceDecimal(value).times(priceDecimal(hours ?? '0')) : priceDecimal(value);
}
