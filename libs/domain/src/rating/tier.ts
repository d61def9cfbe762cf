import { assert } from '../assert.js';
import type { Model } from '../catalog/model.js';
import { type Decimal, ZERO } from '../money/decimal.js';
import { priceDecimal } from './price-decimal.js';

/** A band (from, upTo] of a quantity, where `from` is the upTo of the tier before, or 0; null is open. */
export interface Tier {
  readonly upTo: Decimal | null;
  readonly unitAmount: Decimal;
  /** Owed once any quantity falls in the tier; the first tier's also at quantity 0. */
  readonly flatAmount: Decimal;
}

/** The tiers of a model that `priceFaults` found sound. */
export function tiersOf(tiers: Extract<Model, { tiers: unknown }>['tiers']): Tier[] {
  return tiers.map((tier) => ({
    upTo: tier.up_to === null ? null : priceDecimal(tier.up_to),
    unitAmount: priceDecimal(tier.unit_amount),
    flatAmount: tier.flat_amount === undefined ? ZERO : priceDecimal(tier.flat_amount),
  }));
}

/** Sorted, without overlap, with one open tier at the end: what both tiered models rely on. */
export function assertTiers(tiers: readonly Tier[]): void {
  assert(tiers.at(-1)?.upTo === null, 'The last tier must be open-ended.');
  let from: Decimal = ZERO;
  for (const tier of tiers.slice(0, -1)) {
    assert(tier.upTo?.gt(from) === true, 'Each tier but the last must end above the one before it.');
    from = tier.upTo;
  }
}
