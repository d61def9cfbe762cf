import { modelIn, type RateablePrice } from '../catalog/price.js';
import type { Aggregation } from '../metering/meter.js';
import { type Decimal, ZERO } from '../money/decimal.js';
import type { Fraction } from '../period/proration-fraction.js';
import { chargeEvents, noEventsYet } from './charge-events.js';
import { valueOf } from './matrix-cell.js';
import type { GroupUsage } from './pool-usage.js';
import { readingOf } from './price-reading.js';
import { rateExactly } from './rate-exactly.js';
import { noNote } from './trace.js';
import type { UsageAround } from './usage-around.js';

/** Why nobody can say what a quantity more would cost: by which group it is priced, what its event says that it costs, or that the meter's value is no sum of what is used. */
export type MarginalUnknown = 'depends_on_group' | 'depends_on_event' | 'depends_on_value';

export interface MarginalInput {
  readonly price: RateablePrice;
  readonly currency: string;
  readonly aggregation: Aggregation;
  /** Of the period so far, as the price reads it. */
  readonly usage: readonly GroupUsage[];
  readonly fraction?: Fraction | undefined;
  readonly around?: UsageAround | undefined;
  /** What would be used in addition; not below 0. Of a percentage it is one event of that value. */
  readonly quantity: Decimal;
  /** The dimensions that are known of it. */
  readonly group: Readonly<Record<string, string>>;
  /** Where the hour or day begins that it would lie in, where the price is for each by itself. */
  readonly bucket: Temporal.Instant | null;
}

const additive: ReadonlySet<Aggregation> = new Set(['count', 'sum', 'unique_count', 'latest', 'time_weighted_sum']);

/**
 * What a quantity more adds to what a price asks for a period so far: R(used + quantity) − R(used) in major units, R being every step of the
 * price but the rounding. So a quantity within the included units, or below a minimum, adds 0; negative where more costs less (volume).
 */
export function marginalAmount(input: MarginalInput): { readonly amount: Decimal } | { readonly unknown: MarginalUnknown } {
  const { price, currency, usage, fraction, around, quantity } = input;
  if (quantity.isZero()) return { amount: ZERO };
  const more = withMore(input);
  if (typeof more === 'string') return { unknown: more };
  const amountOf = (used: readonly GroupUsage[]): Decimal => rateExactly({ price, currency, usage: used, fraction, around, note: noNote }).amount;
  return { amount: amountOf(more).minus(amountOf(usage)) };
}

/** The usage with the quantity in addition, or why it can't be said where that belongs. */
function withMore(input: MarginalInput): readonly GroupUsage[] | MarginalUnknown {
  const { price, currency, aggregation, usage, quantity, group } = input;
  const model = modelIn(price, currency);
  const { groupBy, bucket: unit } = readingOf(price, currency);
  if (!additive.has(aggregation)) return 'depends_on_value';
  if (model.type === 'dynamic') return 'depends_on_event';
  if (!groupBy.every((dimension) => Object.hasOwn(group, dimension))) return 'depends_on_group';
  if (model.type === 'percentage') {
    const charged = chargeEvents(usage[0]?.charged ?? noEventsYet, [quantity], model);
    return [{ group: {}, quantity: charged.quantity, charged }];
  }
  const bucket = unit === null ? undefined : (input.bucket ?? undefined);
  const isSame = (entry: GroupUsage): boolean =>
    groupBy.every((dimension) => valueOf(entry.group, dimension) === group[dimension]) && (bucket === undefined || entry.bucket?.equals(bucket) === true);
  const at = usage.findIndex(isSame);
  if (at >= 0) return usage.map((entry, index) => (index === at ? { ...entry, quantity: entry.quantity.plus(quantity) } : entry));
  return [...usage, { group: Object.fromEntries(groupBy.map((dimension) => [dimension, group[dimension] ?? ''])), quantity, ...(bucket === undefined ? {} : { bucket }) }];
}
