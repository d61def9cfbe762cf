import type { CatalogFault } from './catalog-fault.js';
import type { Price } from './price.js';

/** What an add-on refuses of a price that a plan may have, and why. */
const refusedFields = {
  tier_period: 'The tiers of an add-on begin anew with each billing period; remove tier_period.',
  rollover: 'An add-on has its included units for the time that it is there, and none roll over; remove rollover.',
} as const;

/** What is wrong with prices as those of an add-on, beside what would be wrong with them as a plan's. */
export function addOnPriceFaults(prices: readonly Price[]): CatalogFault[] {
  if (prices.length === 0) return [{ pointer: '/prices', code: 'missing_field', detail: 'An add-on adds prices to a plan; give it one at least.' }];
  return prices.flatMap((price, index) =>
    (['tier_period', 'rollover'] as const).flatMap((field) => (price[field] === undefined ? [] : [{ pointer: `/prices/${index}/${field}`, code: 'not_allowed' as const, detail: refusedFields[field] }])));
}

/** The first way around from an add-on back to itself, by keys, over what the others require; null where there is none. */
export function requirementCycle(start: { readonly key: string; readonly requires: readonly string[] }, others: ReadonlyMap<string, readonly string[]>): readonly string[] | null {
  const seen = new Set<string>();
  const open: string[][] = start.requires.map((key) => [key]);
  for (let path = open.shift(); path !== undefined; path = open.shift()) {
    const key = path.at(-1) ?? '';
    if (key === start.key) return [start.key, ...path];
    if (seen.has(key)) continue;
    seen.add(key);
    for (const next of others.get(key) ?? []) open.push([...path, next]);
  }
  return null;
}

/** What of an add-on says which subscriptions it fits. */
export interface AddOnFit {
  readonly currency: string;
  readonly billingPeriod: string;
  /** Keys; null for all plans that it fits otherwise. */
  readonly plans: readonly string[] | null;
  readonly prices: readonly Price[];
}

/** A plan that a subscription is on, and what it pays in. */
export interface FittedPlan {
  readonly planKey: string;
  readonly billingPeriod: string;
  readonly prices: readonly Price[];
  readonly currency: string;
}

/** Why an add-on does not fit a plan, each in a sentence that says how to mend it. */
export function addOnFitFaults(addOn: AddOnFit, plan: FittedPlan): { code: AddOnFitCode; detail: string }[] {
  const faults: { code: AddOnFitCode; detail: string }[] = [];
  if (addOn.plans !== null && !addOn.plans.includes(plan.planKey)) {
    faults.push({ code: 'plan_mismatch', detail: `It may be added to the plans ${addOn.plans.join(', ')}, and this is ${plan.planKey}: name ${plan.planKey} in its plans, or choose another add-on.` });
  }
  if (addOn.billingPeriod !== plan.billingPeriod) {
    faults.push({ code: 'interval_mismatch', detail: `It is billed every ${addOn.billingPeriod} and ${plan.planKey} every ${plan.billingPeriod}: choose an add-on with the billing_period ${plan.billingPeriod}.` });
  }
  const lacking = addOn.currency === plan.currency ? [] : addOn.prices.filter(({ currencies }) => currencies === undefined || !Object.hasOwn(currencies, plan.currency)).map(({ key }) => key);
  if (lacking.length > 0) {
    faults.push({ code: 'currency_mismatch', detail: `It is priced in ${addOn.currency} and the subscription pays in ${plan.currency}. The prices ${lacking.join(', ')} have no model in ${plan.currency}: add it to their currencies.` });
  }
  const taken = addOn.prices.map(({ key }) => key).filter((key) => plan.prices.some((price) => price.key === key));
  if (taken.length > 0) faults.push({ code: 'duplicate_key', detail: `${plan.planKey} has prices with the keys ${taken.join(', ')} already: give the add-on's others.` });
  return faults;
}

export type AddOnFitCode = 'plan_mismatch' | 'interval_mismatch' | 'currency_mismatch' | 'duplicate_key';
