import { isCurrency } from '../money/currency.js';
import { isInterval } from '../period/interval.js';
import type { CatalogFault } from './catalog-fault.js';
import { decimalFaults } from './decimal-faults.js';
import type { Entitlement } from './entitlement.js';
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
      detail: 'Another price of this plan has this key; choose a different one.',
    })),
    ...lateUsageFaults(plan.late_usage),
    ...(plan.entitlements ?? []).flatMap((entitlement, index) => entitlementFaults(entitlement, `/entitlements/${index}`)),
    ...repeated((plan.entitlements ?? []).map((entitlement) => entitlement.feature)).map((index) => ({
      pointer: `/entitlements/${index}/feature`,
      code: 'duplicate_feature' as const,
      detail: 'Another entitlement of this plan names this feature; merge the two.',
    })),
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

function entitlementFaults(entitlement: Entitlement, pointer: string): CatalogFault[] {
  const faults: CatalogFault[] = [];
  const { type, value, limit } = entitlement;
  if (type === 'static' && value === undefined) {
    faults.push({ pointer: `${pointer}/value`, code: 'missing_field', detail: 'A static entitlement needs the value that it grants.' });
  }
  if (type !== 'static' && value !== undefined) {
    faults.push({ pointer: `${pointer}/value`, code: 'not_allowed', detail: 'Only a static entitlement has a value; remove it.' });
  }
  if (type === 'metered' && limit === undefined) {
    faults.push({ pointer: `${pointer}/limit`, code: 'missing_field', detail: 'A metered entitlement needs a limit; null means none.' });
  }
  if (type !== 'metered' && limit !== undefined) {
    faults.push({ pointer: `${pointer}/limit`, code: 'not_allowed', detail: 'Only a metered entitlement has a limit; remove it.' });
  }
  const text = limit === null || limit === undefined ? null : String(limit);
  return [...faults, ...decimalFaults({ text, pointer: `${pointer}/limit`, kind: 'quantity' })];
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
