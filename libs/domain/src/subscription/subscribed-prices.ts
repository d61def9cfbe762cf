import type { z } from 'zod';
import type { CatalogFault } from '../catalog/catalog-fault.js';
import { decimalFaults } from '../catalog/decimal-faults.js';
import { keySchema } from '../catalog/key.js';
import { priceFaults } from '../catalog/price-faults.js';
import { priceSchema, type Price } from '../catalog/price.js';
import type { IdentifiedPrice } from '../rating/rate-fee.js';
import { minimumCommitmentFaults, type MinimumCommitment } from './minimum-commitment.js';

/** What a subscription has otherwise than its plan: the named price with these fields in place of the plan's. What is metered, and what it is called, stays. */
export const priceOverrideSchema = priceSchema.omit({ key: true, type: true, meter: true, group_by: true, tier_period: true }).partial().extend({ price: keySchema });

export type PriceOverride = z.infer<typeof priceOverrideSchema>;

/** Terms of a subscription beside its plan. */
export interface SubscribedTerms {
  /** Units by a fee's key, such as seats; one where none are given. */
  readonly quantities: Readonly<Record<string, string>>;
  readonly overrides: readonly PriceOverride[];
  /** What its prices shall come to at least; null for nothing. */
  readonly minimumCommitment: MinimumCommitment | null;
}

/** A plan's price as the override makes it; the same where there is none. */
export function overriddenPrice<P extends Price>(price: P, overrides: readonly PriceOverride[]): P {
  const found = overrides.find((override) => override.price === price.key);
  if (found === undefined) return price;
  const { price: _key, ...fields } = found;
  // A model of its own is in the subscription's currency, whatever the plan has for others.
  const { currencies: _currencies, ...withoutCurrencies } = price;
  return fields.model === undefined ? { ...price, ...fields } : { ...(withoutCurrencies as P), ...fields };
}

/** A plan's prices as a subscription has them. */
export function subscribedPrices(prices: readonly (Price & { readonly id: string })[], terms: Pick<SubscribedTerms, 'quantities' | 'overrides'>): IdentifiedPrice[] {
  return prices.map((price) => {
    const own = overriddenPrice(price, terms.overrides);
    const quantity = Object.hasOwn(terms.quantities, price.key) ? terms.quantities[price.key] : undefined;
    return quantity === undefined ? own : { ...own, billedQuantity: quantity };
  });
}

/** What is wrong with terms of the right shape, held against the plan: each fault with its pointer. */
export function subscribedTermsFaults(terms: SubscribedTerms, plan: { readonly prices: readonly Price[]; readonly billingPeriod: string }): CatalogFault[] {
  const { prices, billingPeriod } = plan;
  return [
    ...quantityFaults(terms, prices),
    ...terms.overrides.flatMap((override, index) => overrideFaults(override, { index, terms, prices })),
    ...minimumCommitmentFaults(terms.minimumCommitment, billingPeriod),
  ];
}

/** Whether a fee depends on how many units it is owed for. */
export function takesQuantity(price: Price): boolean {
  return price.type !== 'usage' && price.model.type !== 'flat';
}

function quantityFaults({ quantities, overrides }: SubscribedTerms, prices: readonly Price[]): CatalogFault[] {
  return Object.entries(quantities).flatMap(([key, text]) => {
    const pointer = `/quantities/${key}`;
    const price = prices.find((candidate) => candidate.key === key);
    if (price === undefined) return [{ pointer, code: 'unknown_price' as const, detail: 'The plan has no price with this key.' }];
    if (price.type === 'usage') return [{ pointer, code: 'not_allowed' as const, detail: 'The quantity of usage is metered; give quantities of fees only.' }];
    if (!takesQuantity(overriddenPrice(price, overrides))) return [{ pointer, code: 'not_allowed' as const, detail: 'A flat fee is the same for any quantity; price it per unit, or in tiers.' }];
    return decimalFaults({ text, pointer, kind: 'quantity' });
  });
}

function overrideFaults(override: PriceOverride, at: { index: number; terms: SubscribedTerms; prices: readonly Price[] }): CatalogFault[] {
  const pointer = `/overrides/${at.index}`;
  const price = at.prices.find(({ key }) => key === override.price);
  if (price === undefined) return [{ pointer: `${pointer}/price`, code: 'unknown_price', detail: 'The plan has no price with this key.' }];
  const isRepeated = at.terms.overrides.findIndex((other) => other.price === override.price) < at.index;
  if (isRepeated) return [{ pointer: `${pointer}/price`, code: 'duplicate_key', detail: 'This price is overridden above; put all of its fields into one override.' }];
  return priceFaults(overriddenPrice(price, [override]), pointer);
}
