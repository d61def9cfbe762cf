import type { Decimal } from '../money/decimal.js';

/** Kinds of lines, in the public contract's words. */
export const lineKinds = [
  'advance', 'arrears', 'usage', 'one_time', 'minimum', 'proration', 'adjustment', 'discount', 'tax', 'credit', 'carried_over',
] as const;
export type LineKind = (typeof lineKinds)[number];

/** One step of how an amount came about, in words and numbers. */
export interface LineTraceStep {
  readonly step: string;
  readonly detail: string;
  readonly quantity: string | null;
  readonly amount: string | null;
}

/** Rounded money for a reason. Its `ref` says what it is made from and is unique within its invoice, so that making it again makes the same line. */
export interface InvoiceLine {
  readonly ref: string;
  readonly kind: LineKind;
  readonly priceId: string | null;
  readonly priceKey: string | null;
  readonly description: string;
  readonly quantity: Decimal | null;
  /** Before rounding; null where the amount was never more exact than posted money. */
  readonly unroundedAmount: Decimal | null;
  readonly amountMinor: bigint;
  /** Half-open. */
  readonly period: { readonly start: Temporal.Instant; readonly end: Temporal.Instant };
  readonly groupValues: Readonly<Record<string, string>>;
  readonly trace: readonly LineTraceStep[];
}
