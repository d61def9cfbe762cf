import type { IdentifiedPrice } from '#domain';
import { addOnPart } from '#domain';
import type { SubscribedAddOn } from '#persistence';
import type { PeriodToRate } from './period-to-rate.js';

/** An add-on's own time of a period: rated by its prices as if it were a period of its own, and proration knows the whole. */
export interface AddOnPart extends PeriodToRate {
  readonly addOn: SubscribedAddOn;
}

/** The add-ons that the subscription has in some part of a period, each with that part. */
export function addOnParts(period: PeriodToRate): AddOnPart[] {
  return period.plan.addOns.flatMap((addOn): AddOnPart[] => {
    const part = addOnPart(addOn, period.billing.period);
    return part === null ? [] : [{ ...period, addOn, plan: { ...period.plan, prices: addOn.prices, addOns: [] }, billing: { ...period.billing, period: part } }];
  });
}

/** Every price of a period with the time that it is there for: the plan's for all of it. */
export function pricedParts(period: PeriodToRate): { readonly part: PeriodToRate; readonly price: IdentifiedPrice; readonly addOn: SubscribedAddOn | null }[] {
  const parts = [{ part: period, addOn: null }, ...addOnParts(period).map((part) => ({ part, addOn: part.addOn }))];
  return parts.flatMap(({ part, addOn }) => part.plan.prices.map((price) => ({ part, price, addOn })));
}
