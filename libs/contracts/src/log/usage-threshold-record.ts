import type { RatedPeriodFact } from './rated-period-fact.js';

/**
 * What stands in `tollway.usage-thresholds`: the usage of a price reached a bound of the price's own terms for the first time in a
 * period, keyed by organization. It is told once per period, subscription, price and `ref`, also where the usage is taken back later. It may come twice.
 */
export interface UsageThresholdRecord extends RatedPeriodFact {
  readonly price: string;
  readonly price_key: string;
  readonly kind: 'included_units' | 'tier' | 'tier_maximum' | 'maximum' | 'minimum';
  /** Stable over ratings of the period. */
  readonly ref: string;
  /** Which tier was entered, from 2 on, or has reached its maximum, from 1 on; null of other kinds. */
  readonly tier: number | null;
  /** Empty where the bound is for all usage of the price. */
  readonly group: Readonly<Record<string, string>>;
  /** A decimal as text, as the two that follow: units of included units and tiers, money of maxima and minima. */
  readonly bound: string;
  readonly quantity: string;
  readonly unrounded_amount: string;
  readonly currency: string;
  /** Business time of the rating that saw it, at most the period's end. */
  readonly at: string;
}

export function decodeUsageThresholdRecord(text: string): UsageThresholdRecord {
  const value = JSON.parse(text) as Partial<UsageThresholdRecord> | null;
  if (value === null || typeof value !== 'object' || value.v !== 1 || typeof value.organization !== 'string' || typeof value.ref !== 'string') {
    throw new TypeError('The record is no threshold of usage of version 1.');
  }
  return value as UsageThresholdRecord;
}
