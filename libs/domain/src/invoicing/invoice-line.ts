import type { Decimal } from '../money/decimal.js';
import type { Period } from '../period/period.js';
import type { TraceStep } from '../rating/trace.js';

/** Kinds of lines, in the public contract's words. */
export const lineKinds = [
  'advance', 'arrears', 'usage', 'one_time', 'minimum', 'proration', 'adjustment', 'discount', 'tax', 'credit', 'carried_over',
] as const;
export type LineKind = (typeof lineKinds)[number];

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
  readonly period: Period;
  readonly groupValues: Readonly<Record<string, string>>;
  readonly trace: readonly TraceStep[];
  /** Of the events that it is made of; absent where there are none, or where that is not settled yet. */
  readonly usage?: LineUsageProof | undefined;
}

/** By which a line shows later that it is made of the same events still. */
export interface LineUsageProof {
  readonly events: bigint;
  /** SHA-256 in hexadecimal over the events' sources, ids and payload hashes. */
  readonly digest: string;
}
