import { assert } from '../assert.js';
import { type Decimal, greaterOf, isBelowZero, toPlain, ZERO } from '../money/decimal.js';
import { type Note, traceStep } from './trace.js';

/** Takes off what the period before left of its included units, after the period's own are used up. The model sees the rest from 0. */
export function subtractRolledOver(quantity: Decimal, options: { rolledOver: Decimal; note: Note }): Decimal {
  assert(!isBelowZero(quantity), 'A net negative quantity is clamped before it gets here.');
  const rest = greaterOf(ZERO, quantity.minus(options.rolledOver));
  options.note(() => {
    const detail = `${toPlain(quantity)} less ${toPlain(options.rolledOver)} rolled over from the period before leaves ${toPlain(rest)}`;
    const values = { before: toPlain(quantity), rolled_over: toPlain(options.rolledOver) };
    return traceStep({ step: 'rollover', words: { detail, values }, quantity: rest, amount: ZERO });
  });
  return rest;
}
