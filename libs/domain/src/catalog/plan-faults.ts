import { isCurrency } from '../money/currency.js';
import { isInterval } from '../period/interval.js';
import type { CatalogFault } from './catalog-fault.js';
import { entitlementFaults, repeatedFeatureFaults } from './entitlement-faults.js';
import { lateUsageFaults } from './late-usage.js';
import type { Plan } from './plan.js';
import type { Price } from './price.js';
import { priceFaults } from './price-faults.js';
import { tierPeriodOfPlanFaults } from './tier-period.js';

/** Everything wrong with a plan whose shape is right, all at once. Whether its meters, features and product exist, the caller knows. */
export function planFaults(plan: Plan): CatalogFault[] {
  return [
    ...currencyFaults(plan.currency),
    ...intervalFaults(plan.billing_period),
    ...plan.prices.flatMap((price, index) => priceFaults(price, `/prices/${index}`)),
    ...plan.prices.flatMap((price, index) => ownCurrencyFaults(price, { currency: plan.currency, pointer: `/prices/${index}` })),
    ...plan.prices.flatMap((price, index) => tierPeriodOfPlanFaults(price.tier_period, { billingPeriod: plan.billing_period, pointer: `/prices/${index}/tier_period` })),
    ...repeated(plan.prices.map((price) => price.key)).map((index) => ({
      pointer: `/prices/${index}/key`,
      code: 'duplicate_key' as const,
      detail: 'Another price here has this key; choose a different one.',
    })),
    ...lateUsageFaults(plan.late_usage),
    ...(plan.entitlements ?? []).flatMap((entitlement, index) => entitlementFaults(entitlement, `/entitlements/${index}`)),
    ...repeatedFeatureFaults(plan.entitlements ?? [], '/entitlements'),
  ];
}

/** What is wrong with a currency, at /currency. */
export function currencyFaults(currency: string): CatalogFault[] {
  if (isCurrency(currency)) return [];
  return [{ pointer: '/currency', code: 'unknown_currency', detail: 'This must be an ISO 4217 currency in capitals, such as "USD".' }];
}

/** Two models of one currency would leave open which of them counts. */
function ownCurrencyFaults(price: Price, at: { currency: string; pointer: string }): CatalogFault[] {
  if (price.currencies === undefined || !Object.hasOwn(price.currencies, at.currency)) return [];
  const detail = 'The model prices in the currency of the plan already; put this one in its place or remove it.';
  return [{ pointer: `${at.pointer}/currencies/${at.currency}`, code: 'duplicate_currency', detail }];
}

function intervalFaults(billingPeriod: string): CatalogFault[] {
  if (isInterval(billingPeriod)) return [];
  const detail = 'This must be a whole number of days, weeks, months or years as an ISO 8601 duration, such as "P1M", and at most ten years.';
  return [{ pointer: '/billing_period', code: 'invalid_interval', detail }];
}

/** The indexes of values that stood there before. */
function repeated(values: readonly string[]): number[] {
  const seen = new Set<string>();
  return values.flatMap((value, index) => {
    if (seen.has(value)) return [index];
    seen.add(value);
    return [];
  });
}
