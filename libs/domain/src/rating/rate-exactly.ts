import { modelIn, prorateUnit, type RateablePrice } from '../catalog/price.js';
import { type Decimal, sumOf, toPlain, ZERO } from '../money/decimal.js';
import { type Fraction, WHOLE } from '../period/proration-fraction.js';
import { limitToMaximum, raiseToMinimum } from './bound-amount.js';
import { clampNegative } from './clamp-negative.js';
import { convertUnits } from './convert-units.js';
import { type CountedAmounts, sinceWords, takeOffEarlier, type TierCount } from './count-tiers.js';
import { creditSla } from './credit-sla.js';
import { discountAmount } from './discount-amount.js';
import { type GroupUsage, poolUsage, type UsagePool } from './pool-usage.js';
import { optionalDecimal } from './price-decimal.js';
import { prorateAmount } from './prorate-amount.js';
import { rateBuckets } from './rate-buckets.js';
import { rateModel } from './rate-model.js';
import type { GroupLevel, RatingLevels, SumLevel } from './reach-thresholds.js';
import { unitsLeft } from './roll-over.js';
import { scaleByFraction } from './scale-by-fraction.js';
import type { Share } from './share.js';
import { subtractIncluded } from './subtract-included.js';
import { subtractRolledOver } from './subtract-rolled-over.js';
import { noNote, type Note, noteFor, traceStep } from './trace.js';
import type { UsageAround } from './usage-around.js';

export interface ExactRating {
  /** As metered: the sum of all groups, before any clamp or conversion. */
  readonly quantity: Decimal;
  /** Major units, after every step but the rounding. */
  readonly amount: Decimal;
  /** One for each line. */
  readonly groups: readonly ExactGroup[];
}

export interface ExactGroup {
  readonly ref: string;
  readonly group: Readonly<Record<string, string>>;
  readonly quantity: Decimal;
  /** What the model asks for the group, before bounds and proration. */
  readonly modelAmount: Decimal;
}

export interface ExactRatingInput {
  readonly price: RateablePrice;
  /** Chooses the model, where the price has several. */
  readonly currency: string;
  readonly usage: readonly GroupUsage[];
  /** The share of a whole period that this one is; kept from a price that is not prorated. */
  readonly fraction?: Fraction | undefined;
  readonly around?: UsageAround | undefined;
  readonly note: Note;
  /** Gets what was held against the price's bounds, where somebody asks. */
  readonly levels?: RatingLevels | undefined;
}

type RatedPool = ExactGroup & Pick<UsagePool, 'name'>;

const tracedGroupsMax = 50;

/**
 * Every step of a price but the rounding, in their one order: for each group quantity, unit conversion, included units, model; their
 * sum, less what came before in the tier period; on that discount, maximum, minimum, a credit for service that was worse than agreed on, and for fees the proration of the result.
 */
export function rateExactly(input: ExactRatingInput): ExactRating {
  const { price, currency, around, note, levels } = input;
  const isProrated = prorateUnit(price) !== 'none';
  const fraction = isProrated ? (input.fraction ?? WHOLE) : WHOLE;
  // A partial period scales what a usage price grants and bounds, but of a fee the whole result.
  const bounds = price.type === 'usage' ? fraction : WHOLE;
  const count = price.tier_period === undefined ? null : (around?.tierCount ?? null);
  const previous = price.rollover === undefined ? undefined : around?.previous;
  const terms = {
    price, currency, count,
    // What is included in a tier period belongs to all of it, whichever invoice it is used on.
    fraction: count === null ? bounds : isProrated ? count.share : WHOLE,
    rolledOver: previous === undefined ? null : unitsLeft(previous, currency),
  };
  const all = ratePools(input.usage, { ...terms, note, levels: levels?.groups });
  const before = count?.before ?? null;
  const rated = before === null ? all : takeOffEarlier(all, ratePools(before, { ...terms, note: noNote, levels: levels?.earlier }), note);
  const { quantity } = rated;
  const charged = boundSum(rated.amount, { price, fraction: bounds, quantity, note, levels: levels?.sums });
  const bounded = price.sla_credit === undefined ? charged : creditSla(charged, { credit: price.sla_credit, value: around?.slaValue ?? null, quantity, note });
  const amount = price.type === 'usage' ? bounded : prorateAmount(bounded, { fraction, quantity, note });
  return { quantity, amount, groups: rated.groups };
}

/** What the model asks for each group, cell or bucket, and in all. */
function ratePools(usage: readonly GroupUsage[], terms: PoolCircumstances & { readonly currency: string }): CountedAmounts {
  const { price, note } = terms;
  const pools = poolUsage({ type: price.type, group_by: price.group_by, model: modelIn(price, terms.currency) }, usage).map((pool, index): RatedPool => {
    const poolNote = index < tracedGroupsMax ? (pool.name === '' ? note : noteFor(note, pool.name)) : noNote;
    const { ref, name, group, quantity } = pool;
    return { ref, name, group, quantity, modelAmount: ratePool(pool, { ...terms, note: poolNote }) };
  });
  const quantity = sumOf(pools, (pool) => pool.quantity);
  const amount = sumOf(pools, (pool) => pool.modelAmount);
  if (pools.length > 1 || pools[0]?.name !== '') noteSum({ pools, quantity, sum: amount }, note);
  return { quantity, amount, groups: linesOf(pools) };
}

interface Circumstances {
  readonly price: RateablePrice;
  readonly fraction: Fraction;
  readonly note: Note;
}

interface PoolCircumstances extends Circumstances {
  /** By the ref of a pool; null where nothing can roll over. */
  readonly rolledOver: ((ref: string) => Decimal) | null;
  /** Null where each period begins in tier 0. */
  readonly count: TierCount | null;
  readonly levels: GroupLevel[] | undefined;
}

function ratePool(pool: UsagePool, { price, fraction, rolledOver, count, levels, note }: PoolCircumstances): Decimal {
  if (note !== noNote) noteQuantity(pool, { price, count, note });
  if (pool.model === null) {
    const detail = `${toPlain(pool.quantity)} match no cell and there is no default, so nothing is asked`;
    note(() => traceStep({ step: 'unpriced', words: { detail, values: {} }, quantity: pool.quantity, amount: ZERO }));
    return ZERO;
  }
  const { model, buckets } = pool;
  if (buckets !== undefined) {
    const included = scaleByFraction(optionalDecimal(price.included_units) ?? ZERO, fraction);
    return rateBuckets(buckets, { unitConversion: price.unit_conversion, included, rolledOver: rolledOver?.(pool.ref) ?? null, rate: (part) => rateModel({ quantity: part }, model), note });
  }
  // What was charged event by event was never net.
  let quantity = pool.charged === undefined ? clampNegative(pool.quantity, note) : pool.quantity;
  if (price.unit_conversion !== undefined) quantity = convertUnits(quantity, price.unit_conversion, note);
  const sold = quantity;
  const included = optionalDecimal(price.included_units);
  if (included !== null) quantity = subtractIncluded(quantity, { included, fraction, note });
  if (rolledOver !== null) quantity = subtractRolledOver(quantity, { rolledOver: rolledOver(pool.ref), note });
  const shares = rateModel({ quantity, charged: pool.charged, stated: pool.stated }, model);
  const amount = sumOf(shares, (share) => share.amount);
  levels?.push({ ref: pool.ref, group: pool.group, sold, included: scaleByFraction(included ?? ZERO, fraction).plus(rolledOver?.(pool.ref) ?? ZERO), priced: quantity, shares, amount });
  if (note === noNote) return amount;
  noteMissing(pool, note);
  noteShares({ shares, quantity, amount }, note);
  return amount;
}

/** Discount, maximum and minimum of what the models ask in all. */
export function boundSum(sum: Decimal, { price, levels, ...options }: Circumstances & { readonly quantity: Decimal; readonly levels?: SumLevel[] | undefined }): Decimal {
  let amount = sum;
  if (price.discount !== undefined) amount = discountAmount(amount, { ...options, discount: price.discount });
  const maximum = optionalDecimal(price.maximum_amount);
  if (maximum !== null) {
    levels?.push({ kind: 'maximum', bound: scaleByFraction(maximum, options.fraction), quantity: options.quantity, amount });
    amount = limitToMaximum(amount, { ...options, bound: maximum });
  }
  const minimum = optionalDecimal(price.minimum_amount);
  if (minimum !== null) levels?.push({ kind: 'minimum', bound: scaleByFraction(minimum, options.fraction), quantity: options.quantity, amount });
  return minimum === null ? amount : raiseToMinimum(amount, { ...options, bound: minimum });
}

/** Pools of one line together; their order is that of their first pools. */
function linesOf(pools: readonly RatedPool[]): readonly ExactGroup[] {
  const [only] = pools;
  if (only !== undefined && pools.length === 1) return [only.ref === 'all' ? { ref: 'all', group: {}, quantity: only.quantity, modelAmount: only.modelAmount } : only];
  const lines = new Map<string, ExactGroup>();
  for (const { ref, group, quantity, modelAmount } of pools) {
    const known = lines.get(ref);
    lines.set(ref, known === undefined ? { ref, group: ref === 'all' ? {} : group, quantity, modelAmount } : { ...known, quantity: known.quantity.plus(quantity), modelAmount: known.modelAmount.plus(modelAmount) });
  }
  return [...lines.values()];
}

function noteQuantity({ quantity }: UsagePool, { price: { type, exempt }, count, note }: Pick<PoolCircumstances, 'price' | 'count' | 'note'>): void {
  note(() => {
    const without = exempt === undefined ? '' : `, without the events for which ${JSON.stringify(exempt)} holds`;
    const since = count === null ? '' : ` ${sinceWords(count)}`;
    const detail = `${toPlain(quantity)} ${type === 'usage' ? 'metered' : 'billed'}${since}${without}`;
    return traceStep({ step: 'quantity', words: { detail, values: exempt === undefined ? {} : { exempt: JSON.stringify(exempt) } }, quantity, amount: ZERO });
  });
}

function noteMissing({ stated, quantity }: UsagePool, note: Note): void {
  if (stated === undefined || stated.missing === 0) return;
  const events = stated.missing === 1 ? '1 event states no amount and adds' : `${stated.missing} events state no amount and add`;
  note(() => traceStep({ step: 'unpriced', words: { detail: `${events} 0`, values: { events: String(stated.missing) } }, quantity, amount: ZERO }));
}

/** One step per share with its own numbers, then one with the model's; a single share is the model's step itself. */
function noteShares(rated: { shares: readonly Share[]; quantity: Decimal; amount: Decimal }, note: Note): void {
  const { shares, quantity, amount } = rated;
  const [first, ...others] = shares;
  if (first !== undefined && others.length === 0) {
    note(() => {
      const { detail, values } = first.words();
      return traceStep({ step: 'model', words: { detail: `${detail} = ${toPlain(amount)}`, values }, quantity, amount, adds: amount });
    });
    return;
  }
  for (const share of shares) note(() => traceStep({ step: share.ref, words: share.words(), quantity: share.quantity, amount: share.amount, adds: share.amount }));
  note(() => {
    const detail = `${shares.map((share) => toPlain(share.amount)).join(' + ')} = ${toPlain(amount)}`;
    return traceStep({ step: 'model', words: { detail, values: { parts: String(shares.length) } }, quantity, amount });
  });
}

function noteSum(rating: { pools: readonly RatedPool[]; quantity: Decimal; sum: Decimal }, note: Note): void {
  note(() => {
    const untraced = rating.pools.slice(tracedGroupsMax);
    const noun = rating.pools[0]?.ref === 'all' ? 'cell' : 'group';
    const rest = untraced.length === 0 ? '' : `; ${untraced.length} of them are rated in the same way and left out above`;
    const words = {
      detail: `the sum of ${rating.pools.length} ${rating.pools.length === 1 ? noun : `${noun}s`}${rest}`,
      values: { parts: String(rating.pools.length), left_out: String(untraced.length) },
    };
    return traceStep({ step: 'sum', words, quantity: rating.quantity, amount: rating.sum, adds: sumOf(untraced, (pool) => pool.modelAmount) });
  });
}
