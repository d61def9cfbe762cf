import type { Fraction } from '../period/proration-fraction.js';
import { Decimal, toPlain } from '../money/decimal.js';
import { fractionWords, isWhole, scaleByFraction } from './scale-by-fraction.js';
import { type Note, traceStep } from './trace.js';

interface BoundOptions {
  readonly bound: Decimal;
  /** Scales the bound: a partial period owes its share of it. */
  readonly fraction: Fraction;
  readonly quantity: Decimal;
  readonly note: Note;
}

/** A maximum is what is paid at most. */
export function limitToMaximum(amount: Decimal, options: BoundOptions): Decimal {
  const maximum = scaleByFraction(options.bound, options.fraction);
  const bounded = Decimal.min(amount, maximum);
  noteBound({ step: 'maximum', words: 'at most', before: amount, after: bounded, scaled: maximum }, options);
  return bounded;
}

/** A minimum is what is paid at least, without any usage too. It follows the maximum, and is never above it. */
export function raiseToMinimum(amount: Decimal, options: BoundOptions): Decimal {
  const minimum = scaleByFraction(options.bound, options.fraction);
  const bounded = Decimal.max(amount, minimum);
  noteBound({ step: 'minimum', words: 'at least', before: amount, after: bounded, scaled: minimum }, options);
  return bounded;
}

function noteBound(bound: { step: string; words: string; before: Decimal; after: Decimal; scaled: Decimal }, options: BoundOptions): void {
  options.note(() => {
    const share = isWhole(options.fraction) ? '' : ` (${toPlain(options.bound)} for ${fractionWords(options.fraction)})`;
    const result = bound.after.eq(bound.before) ? `${toPlain(bound.before)} stays` : `${toPlain(bound.before)} becomes ${toPlain(bound.after)}`;
    const detail = `${bound.words} ${toPlain(bound.scaled)}${share}: ${result}`;
    const values = { before: toPlain(bound.before), bound: toPlain(bound.scaled) };
    return traceStep({ step: bound.step, words: { detail, values }, quantity: options.quantity, amount: bound.after, adds: bound.after.minus(bound.before) });
  });
}
