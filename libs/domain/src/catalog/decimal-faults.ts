import { canonicalDecimal, withinPriceBounds, withinQuantityBounds } from '../money/decimal-text.js';
import { type Decimal, decimal } from '../money/decimal.js';
import type { CatalogFault } from './catalog-fault.js';

interface DecimalField {
  readonly text: string | null | undefined;
  readonly pointer: string;
  readonly kind: 'amount' | 'quantity';
  /** A quantity that is divided by, or that a band ends at, can't be 0. */
  readonly aboveZero?: boolean;
  /** Amounts and bounds never are; a net quantity may be. */
  readonly mayBeNegative?: boolean;
}

const bounds = {
  amount: { within: withinPriceBounds, words: 'A price has at most 12 digits before and 18 after the point; shorten it.' },
  quantity: { within: withinQuantityBounds, words: 'A quantity has at most 20 digits before and 18 after the point; shorten it.' },
} as const;

/** What is wrong with one decimal of a price; nothing where it is absent. */
export function decimalFaults(field: DecimalField): CatalogFault[] {
  const { text, pointer, kind } = field;
  if (text === null || text === undefined) return [];
  if (/^[+-]?(nan|inf(inity)?)$/i.test(text)) return [{ pointer, code: 'number_out_of_range', detail: 'This must be a finite number.' }];
  if (canonicalDecimal(text) === null) {
    return [{ pointer, code: 'invalid_decimal', detail: 'This must be a decimal such as "12.50", with a point and without separators.' }];
  }
  if (!bounds[kind].within(text)) return [{ pointer, code: 'number_out_of_range', detail: bounds[kind].words }];
  const value = soundDecimal(field);
  if (field.mayBeNegative !== true && value?.lt(0) === true) {
    return [{ pointer, code: 'negative_amount', detail: 'This can\'t be negative; to pay something back, give a credit.' }];
  }
  if (field.aboveZero === true && value?.isZero() === true) {
    return [{ pointer, code: 'number_out_of_range', detail: 'This must be greater than 0.' }];
  }
  return [];
}

/** The value of a decimal without faults of its own; null where comparing it with others would only repeat them. */
export function soundDecimal(field: Pick<DecimalField, 'text' | 'kind'>): Decimal | null {
  if (field.text === null || field.text === undefined) return null;
  const canonical = canonicalDecimal(field.text);
  return canonical === null || !bounds[field.kind].within(canonical) ? null : decimal(canonical);
}
