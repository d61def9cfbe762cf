import type { RateablePrice } from '../catalog/price.js';
import { type Decimal, toPlain, ZERO } from '../money/decimal.js';
import type { Fraction } from '../period/proration-fraction.js';
import type { GroupUsage } from './pool-usage.js';
import { haveSameUnits } from './same-units.js';
import { type Note, traceStep } from './trace.js';

/** How a price's tiers count on over the periods of its invoices. With it, the usage that is rated is all since the count began. */
export interface TierCount {
  /** Null where a price is only tried out. */
  readonly since: Temporal.Instant | null;
  /** Usage from there until the period that is rated; null where the count begins with that period. */
  readonly before: readonly GroupUsage[] | null;
  /** The share of a tier period that was left when the count began; scales what is included in it. */
  readonly share: Fraction;
}

/** Amounts and quantities of one rating, by line. */
export interface CountedAmounts {
  readonly quantity: Decimal;
  readonly amount: Decimal;
  readonly groups: readonly CountedGroup[];
}

interface CountedGroup {
  readonly ref: string;
  readonly group: Readonly<Record<string, string>>;
  readonly quantity: Decimal;
  readonly modelAmount: Decimal;
}

/** Whether tiers go on counting where one price takes another's place: over the same stretch, and units that are the same. */
export function countsOnInto(before: RateablePrice, next: RateablePrice, currency: string): boolean {
  return next.tier_period !== undefined && before.tier_period === next.tier_period && haveSameUnits(before, next, currency);
}

/** For a trace: "since 2027-01-01T00:00:00Z". */
export function sinceWords({ since }: TierCount): string {
  return since === null ? 'since the tiers began to count' : `since ${since.toString()}`;
}

/**
 * What a period adds to its tier period: what all usage since the count began comes to, less what came to until the period. So the
 * periods of a tier period sum to it exactly, and more may cost less (volume): then something is given back.
 */
export function takeOffEarlier(all: CountedAmounts, earlier: CountedAmounts, note: Note): CountedAmounts {
  const quantity = all.quantity.minus(earlier.quantity);
  const amount = all.amount.minus(earlier.amount);
  note(() => {
    const detail = `less ${toPlain(earlier.amount)} for ${toPlain(earlier.quantity)} used before this period leaves ${toPlain(amount)} for ${toPlain(quantity)}`;
    const values = { before: toPlain(all.amount), earlier_quantity: toPlain(earlier.quantity), earlier_amount: toPlain(earlier.amount) };
    return traceStep({ step: 'tier_period', words: { detail, values }, quantity, amount, adds: earlier.amount.negated() });
  });
  return { quantity, amount, groups: differences(all.groups, earlier.groups) };
}

function differences(all: readonly CountedGroup[], earlier: readonly CountedGroup[]): CountedGroup[] {
  const taken = new Map(earlier.map((line) => [line.ref, line]));
  const known = new Set(all.map(({ ref }) => ref));
  // Where nothing at all was used before, its one line has no group, and may have owed a flat part.
  const gone = earlier.filter(({ ref, quantity, modelAmount }) => !known.has(ref) && !(quantity.isZero() && modelAmount.isZero()));
  return [...all, ...gone.map((line) => ({ ...line, quantity: ZERO, modelAmount: ZERO }))].map((line) => {
    const off = taken.get(line.ref);
    return off === undefined ? line : { ...line, quantity: line.quantity.minus(off.quantity), modelAmount: line.modelAmount.minus(off.modelAmount) };
  });
}
