import { prorateUnit, type Price } from '../catalog/price.js';
import type { Rounding } from '../money/minor-units.js';
import { period, type Period } from '../period/period.js';
import { prorationFraction, WHOLE, type Fraction } from '../period/proration-fraction.js';
import type { GroupUsage } from './pool-usage.js';
import { priceDecimal } from './price-decimal.js';
import { ratePrice, type RatedPrice } from './rate-price.js';

/** A price of a stored plan version, as a subscription has it. */
export interface IdentifiedPrice extends Price {
  readonly id: string;
  /** Units that a fee is owed for, such as seats; one where none are given. Not for usage. */
  readonly billedQuantity?: string | undefined;
}

export interface FeeInput {
  readonly price: IdentifiedPrice;
  readonly currency: string;
  readonly rounding: Rounding;
  readonly timeZone: string;
  /** From boundary to boundary. */
  readonly whole: Period;
}

/** A recurring price's fee for the part of a period that is owed, by the price's own proration. */
export function rateFee(input: FeeInput & { part: Period }): RatedPrice {
  return ratePrice({ price: input.price, currency: input.currency, rounding: input.rounding, usage: feeQuantity(input.price), fraction: feeFraction(input) });
}

/** What a fee is owed for; empty where it is one. */
export function feeQuantity(price: IdentifiedPrice): readonly GroupUsage[] {
  return price.billedQuantity === undefined ? [] : [{ group: {}, quantity: priceDecimal(price.billedQuantity) }];
}

/**
 * What an early end gives back of a fee that was paid in advance: the unused rest, rounded by itself, as a positive amount;
 * null where the price is not prorated or nothing is unused.
 */
export function rateUnusedFee(input: FeeInput & { endedAt: Temporal.Instant }): RatedPrice | null {
  if (prorateUnit(input.price) === 'none' || Temporal.Instant.compare(input.endedAt, input.whole.end) >= 0) return null;
  return rateFee({ ...input, part: period(input.endedAt, input.whole.end) });
}

export function feeFraction(input: { price: IdentifiedPrice; part: Period; whole: Period; timeZone: string }): Fraction {
  const unit = prorateUnit(input.price);
  return unit === 'none' ? WHOLE : prorationFraction({ part: input.part, whole: input.whole, unit, timeZone: input.timeZone });
}
