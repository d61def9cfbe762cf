import type { Fraction } from '../period/proration-fraction.js';
import { type Decimal, toPlain } from '../money/decimal.js';
import { fractionText, fractionWords, isWhole, scaleByFraction } from './scale-by-fraction.js';
import { type Note, traceStep } from './trace.js';

/** Scales a fee's whole result to a partial period. A whole period takes no step. */
export function prorateAmount(amount: Decimal, options: { fraction: Fraction; quantity: Decimal; note: Note }): Decimal {
  if (isWhole(options.fraction)) return amount;
  const scaled = scaleByFraction(amount, options.fraction);
  options.note(() => {
    const detail = `${toPlain(amount)} for ${fractionWords(options.fraction)} is ${toPlain(scaled)}`;
    const values = { before: toPlain(amount), fraction: fractionText(options.fraction) };
    return traceStep({ step: 'proration', words: { detail, values }, quantity: options.quantity, amount: scaled, adds: scaled.minus(amount) });
  });
  return scaled;
}
