import { modelIn, prorateUnit, type RateablePrice } from '../catalog/price.js';
import { type Decimal, sumOf, ZERO } from '../money/decimal.js';
import { roundToCurrency, toMinor } from '../money/minor-units.js';
import { WHOLE } from '../period/proration-fraction.js';
import { type GroupUsage, poolUsage, type UsagePool } from './pool-usage.js';
import { optionalDecimal } from './price-decimal.js';
import { useUpUnits } from './rate-buckets.js';
import { boundSum } from './rate-exactly.js';
import { rateModel } from './rate-model.js';
import { rateAmountMinor, type RatePriceInput } from './rate-price.js';
import { unitsLeft } from './roll-over.js';
import { scaleByFraction } from './scale-by-fraction.js';
import { noNote } from './trace.js';

/** What the buckets of one pool have come to so far, and what they left of its included units. */
interface PoolSoFar {
  readonly left: Decimal;
  readonly amount: Decimal;
}

/**
 * The posted amounts of a price by hours or days until the end of each local day. A bucket lies in one day, so a day goes on where the
 * one before it ended: a month of hours is rated once, and not again for each of its days. Null where the usage of a day does not go
 * on from that of the day before, entry by entry; then each is rated by itself. The price has no credit for service, which is known at the end only.
 */
export function bucketDayAmounts(input: Omit<RatePriceInput, 'usage'>, days: readonly (readonly GroupUsage[])[]): bigint[] | null {
  const added = addedByDay(days);
  if (added === null) return null;
  const start = startOf(input);
  const pools = new Map<string, PoolSoFar>();
  const { price, currency } = input;
  const fraction = prorateUnit(price) === 'none' ? WHOLE : (input.fraction ?? WHOLE);
  const nothingUsed = rateAmountMinor({ ...input, usage: [] });
  let quantity = ZERO;
  let reached = nothingUsed;
  return added.map((entries) => {
    if (entries.length === 0) return reached;
    for (const pool of poolUsage({ type: price.type, group_by: price.group_by, model: modelIn(price, currency) }, entries)) {
      const key = JSON.stringify([pool.ref, pool.name]);
      pools.set(key, goOn(pools.get(key) ?? start(pool), { pool, price }));
    }
    quantity = quantity.plus(sumOf(entries, (entry) => entry.quantity));
    const amount = boundSum(sumOf(pools.values(), (pool) => pool.amount), { price, fraction, quantity, note: noNote });
    reached = toMinor(roundToCurrency(amount, input), currency);
    return reached;
  });
}

/** The entries of each day that the day before has not. */
function addedByDay(days: readonly (readonly GroupUsage[])[]): (readonly GroupUsage[])[] | null {
  const known = new Set<GroupUsage>();
  const added: GroupUsage[][] = [];
  let latest: Temporal.Instant | null = null;
  for (const entries of days) {
    const news = entries.filter((entry) => !known.has(entry));
    const from = latest;
    // Nothing may be gone or stand there twice, and no bucket may get more than it had.
    if (entries.length !== known.size + news.length || news.some(({ bucket }) => bucket === undefined || (from !== null && Temporal.Instant.compare(bucket, from) <= 0))) return null;
    for (const entry of news) known.add(entry);
    if (entries.length !== known.size) return null;
    latest = news.reduce<Temporal.Instant | null>((last, { bucket }) => (bucket === undefined || (last !== null && Temporal.Instant.compare(bucket, last) <= 0) ? last : bucket), latest);
    added.push(news);
  }
  return added;
}

function startOf({ price, currency, fraction, around }: Omit<RatePriceInput, 'usage'>): (pool: UsagePool) => PoolSoFar {
  const share = prorateUnit(price) === 'none' ? WHOLE : (fraction ?? WHOLE);
  const included = scaleByFraction(optionalDecimal(price.included_units) ?? ZERO, share);
  const rolledOver = price.rollover === undefined || around?.previous === undefined ? null : unitsLeft(around.previous, currency);
  return ({ ref }) => ({ left: included.plus(rolledOver?.(ref) ?? ZERO), amount: ZERO });
}

function goOn({ left, amount }: PoolSoFar, { pool: { model, buckets = [] }, price }: { pool: UsagePool; price: RateablePrice }): PoolSoFar {
  if (model === null) return { left, amount };
  const next = useUpUnits(buckets, { left, unitConversion: price.unit_conversion, rate: (charged) => rateModel({ quantity: charged }, model) });
  return { left: next.left, amount: amount.plus(sumOf(next.rated, (bucket) => bucket.amount)) };
}
