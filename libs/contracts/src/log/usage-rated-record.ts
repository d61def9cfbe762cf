import type { RatedPeriodFact } from './rated-period-fact.js';

/**
 * What stands in `tollway.usage-rated`: a period as it was just rated, whole, keyed by organization. Of several about one period the
 * one with the greatest generation holds; a final one is the last. It may come twice.
 */
export interface UsageRatedRecord extends RatedPeriodFact {
  readonly final: boolean;
  /** A whole number as text. */
  readonly generation: string;
  /** Every event acknowledged before is in these amounts. */
  readonly usage_complete_as_of: string;
  readonly rated_at: string;
  /** Null, and the total 0, where the period has no line. */
  readonly currency: string | null;
  readonly total: string;
  /** Null where there are more than `factLinesMax`: `GET /v1/rated-usage` has them. */
  readonly lines: readonly RatedLineFact[] | null;
}

export interface RatedLineFact {
  /** Stable over ratings of the period. */
  readonly ref: string;
  readonly price: string;
  readonly price_key: string;
  readonly kind: 'usage' | 'advance' | 'arrears';
  readonly group: Readonly<Record<string, string>>;
  readonly quantity: string;
  readonly unrounded_amount: string;
  readonly amount: string;
}

/** Lines of one fact at most, so that a record stays below what brokers take. */
export const factLinesMax = 1_000;

export function decodeUsageRatedRecord(text: string): UsageRatedRecord {
  const value = JSON.parse(text) as Partial<UsageRatedRecord> | null;
  if (value === null || typeof value !== 'object' || value.v !== 1 || typeof value.organization !== 'string' || typeof value.subscription !== 'string') {
    throw new TypeError('The record is no rated usage of version 1.');
  }
  return value as UsageRatedRecord;
}
