import type { Discount } from '../catalog/price.js';
import { Decimal, toPlain, ZERO } from '../money/decimal.js';
import type { Fraction } from '../period/proration-fraction.js';
import { optionalDecimal } from './price-decimal.js';
import { fractionWords, isWhole, scaleByFraction } from './scale-by-fraction.js';
import { type Note, traceStep } from './trace.js';

interface DiscountOptions {
  readonly discount: Discount;
  /** Scales the amount that is taken off: a partial period takes off its share. A percent needs no scaling. */
  readonly fraction: Fraction;
  readonly quantity: Decimal;
  readonly note: Note;
}

/** Takes the percent off, then the amount off what is left, and never goes below 0 by that. */
export function discountAmount(amount: Decimal, options: DiscountOptions): Decimal {
  const percent = optionalDecimal(options.discount.percent) ?? ZERO;
  const whole = optionalDecimal(options.discount.amount) ?? ZERO;
  const off = scaleByFraction(whole, options.fraction);
  const afterPercent = amount.times(ONE_HUNDRED.minus(percent)).times('0.01');
  // What is given back stays, less the percent.
  const rest = Decimal.max(Decimal.min(ZERO, afterPercent), afterPercent.minus(off));
  options.note(() => {
    const share = isWhole(options.fraction) ? '' : ` (${toPlain(whole)} for ${fractionWords(options.fraction)})`;
    const parts = [...(percent.isZero() ? [] : [`${toPlain(percent)}%`]), ...(whole.isZero() ? [] : [`${toPlain(off)}${share}`])];
    const taken = parts.length === 0 ? 'nothing' : parts.join(' and then ');
    const detail = `${toPlain(amount)} less ${taken} is ${toPlain(rest)}`;
    const values = { before: toPlain(amount), percent: toPlain(percent), amount: toPlain(off) };
    return traceStep({ step: 'discount', words: { detail, values }, quantity: options.quantity, amount: rest, adds: rest.minus(amount) });
  });
  return rest;
}

const ONE_HUNDRED = new Decimal(100);
