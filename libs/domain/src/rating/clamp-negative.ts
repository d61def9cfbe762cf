import { type Decimal, isBelowZero, toPlain, ZERO } from '../money/decimal.js';
import { type Note, traceStep } from './trace.js';

/** A net negative quantity is rated as 0, and the trace says so: corrections never pay money out by themselves. */
export function clampNegative(quantity: Decimal, note: Note): Decimal {
  if (!isBelowZero(quantity)) return quantity;
  note(() => {
    const words = { detail: `the net quantity ${toPlain(quantity)} is negative and is rated as 0`, values: { net: toPlain(quantity) } };
    return traceStep({ step: 'net_negative', words, quantity: ZERO, amount: ZERO });
  });
  return ZERO;
}
