import type { UnitConversion } from '../catalog/price.js';
import { Decimal, sumOf, toPlain, ZERO } from '../money/decimal.js';
import type { BucketUsage } from './pool-usage.js';
import type { Share } from './share.js';
import { soldUnits } from './sold-units.js';
import { type Note, traceStep } from './trace.js';

interface BucketTerms {
  readonly unitConversion: UnitConversion | undefined;
  /** Units of all buckets together, already a partial period's share. */
  readonly included: Decimal;
  /** Units that the period before left, used up after those; null where nothing can roll over. */
  readonly rolledOver?: Decimal | null;
  readonly rate: (quantity: Decimal) => Share[];
  readonly note: Note;
}

const tracedBucketsMax = 50;

/**
 * Prices each bucket by itself: a net negative one is 0, then unit conversion, then what is left of the included units, which
 * the buckets use up in the order of time, then the model from 0. The result is their sum.
 */
export function rateBuckets(buckets: readonly BucketUsage[], terms: BucketTerms): Decimal {
  const rolledOver = terms.rolledOver ?? null;
  if (rolledOver !== null) noteRolledOver(rolledOver, { quantity: sumOf(buckets, ({ quantity }) => quantity), note: terms.note });
  const { rated } = useUpUnits(buckets, { ...terms, left: terms.included.plus(rolledOver ?? ZERO) });
  const amount = sumOf(rated, (bucket) => bucket.amount);
  for (const bucket of rated.slice(0, tracedBucketsMax)) {
    terms.note(() => {
      const free = bucket.included.isZero() ? '' : `, ${toPlain(bucket.included)} of it included`;
      const priced = `${toPlain(bucket.charged)} priced`;
      const detail = `from ${bucket.start.toString()}: ${toPlain(bucket.quantity)} metered${free}, ${priced} = ${toPlain(bucket.amount)}`;
      const values = { start: bucket.start.toString(), metered: toPlain(bucket.quantity), included: toPlain(bucket.included) };
      return traceStep({ step: 'bucket', words: { detail, values }, quantity: bucket.charged, amount: bucket.amount, adds: bucket.amount });
    });
  }
  noteBuckets(rated, { amount, note: terms.note });
  return amount;
}

interface RatedBucket extends BucketUsage {
  readonly included: Decimal;
  readonly charged: Decimal;
  readonly amount: Decimal;
}

/** Buckets one after the other, each with what those before it left of the included units. */
export function useUpUnits(buckets: readonly BucketUsage[], terms: Pick<BucketTerms, 'unitConversion' | 'rate'> & { readonly left: Decimal }): { rated: RatedBucket[]; left: Decimal } {
  let { left } = terms;
  const rated = buckets.map(({ start, quantity }) => {
    const converted = soldUnits(quantity, terms.unitConversion);
    const included = Decimal.min(left, converted);
    left = left.minus(included);
    const charged = converted.minus(included);
    return { start, quantity, included, charged, amount: sumOf(terms.rate(charged), (share) => share.amount) };
  });
  return { rated, left };
}

function noteRolledOver(rolledOver: Decimal, of: { quantity: Decimal; note: Note }): void {
  of.note(() => {
    const words = { detail: `${toPlain(rolledOver)} rolled over from the period before are included too`, values: { rolled_over: toPlain(rolledOver) } };
    return traceStep({ step: 'rollover', words, quantity: of.quantity, amount: ZERO });
  });
}

function noteBuckets(rated: readonly { charged: Decimal; amount: Decimal }[], sum: { amount: Decimal; note: Note }): void {
  sum.note(() => {
    const untraced = rated.slice(tracedBucketsMax);
    const rest = untraced.length === 0 ? '' : `; ${untraced.length} of them are priced in the same way and left out above`;
    const words = {
      detail: `the sum of ${rated.length} ${rated.length === 1 ? 'bucket' : 'buckets'}${rest} = ${toPlain(sum.amount)}`,
      values: { parts: String(rated.length), left_out: String(untraced.length) },
    };
    const quantity = sumOf(rated, ({ charged }) => charged);
    return traceStep({ step: 'model', words, quantity, amount: sum.amount, adds: untraced.length === 0 ? ZERO : sumOf(untraced, ({ amount }) => amount) });
  });
}
