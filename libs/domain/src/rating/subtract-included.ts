import { assert } from '../assert.js';
import { type Decimal, greaterOf, isBelowZero, toPlain, ZERO } from '../money/decimal.js';
import { fractionWords, isWhole, scaleByFraction } from './scale-by-fraction.js';
import type { Fraction } from '../period/proration-fraction.js';
import { type Note, traceStep } from './trace.js';

/** Takes the included units (converted ones) off; the model sees the rest from 0. A partial period includes its share, fractions kept. */
export function subtractIncluded(quantity: Decimal, options: { included: Decimal; fraction: Fraction; note: Note }): Decimal {
  assert(!isBelowZero(quantity), 'A net negative quantity is clamped before it gets here.');
  const included = scaleByFraction(options.included, options.fraction);
  const rest = greaterOf(ZERO, quantity.minus(included));
  options.note(() => {
    const share = isWhole(options.fraction) ? '' : ` (${toPlain(options.included)} for ${fractionWords(options.fraction)})`;
    const detail = `${toPlain(quantity)} less ${toPlain(included)} included${share} leaves ${toPlain(rest)}`;
    const values = { before: toPlain(quantity), included_units: toPlain(included) };
    return traceStep({ step: 'included_units', words: { detail, values }, quantity: rest, amount: ZERO });
  });
  return rest;
}
