import { isInterval, isMultipleOf } from '../period/interval.js';
import type { CatalogFault } from './catalog-fault.js';

/** What is wrong with the period over which a price's tiers count, looked at by itself. */
export function tierPeriodFaults(tierPeriod: string | undefined, of: { readonly isUsage: boolean; readonly hasBuckets: boolean; readonly rollsOver: boolean; readonly pointer: string }): CatalogFault[] {
  if (tierPeriod === undefined) return [];
  const { pointer } = of;
  const refused = (detail: string): CatalogFault[] => [{ pointer, code: 'not_allowed', detail }];
  return [
    ...(isInterval(tierPeriod) ? [] : [{ pointer, code: 'invalid_interval' as const, detail: 'This must be a whole number of days, weeks, months or years as an ISO 8601 duration, such as "P1Y", and at most ten years.' }]),
    ...(of.isUsage ? [] : refused('Only usage is counted through tiers from one invoice to the next; remove tier_period or set type to "usage".')),
    ...(of.hasBuckets ? refused('With a bucket, each hour or day begins in tier 0; remove the bucket or tier_period.') : []),
    ...(of.rollsOver ? refused('With a tier_period, included units last for all of it and none are left at the end of an invoice\u2019s period; remove the rollover or tier_period.') : []),
  ];
}

/** What is wrong with it beside the billing period of its plan. */
export function tierPeriodOfPlanFaults(tierPeriod: string | undefined, of: { readonly billingPeriod: string; readonly pointer: string }): CatalogFault[] {
  const { billingPeriod, pointer } = of;
  if (tierPeriod === undefined || !isInterval(tierPeriod) || !isInterval(billingPeriod) || isMultipleOf(tierPeriod, { part: billingPeriod })) return [];
  const detail = `Tiers can only begin anew where an invoice\u2019s period does; give a whole number of billing periods, such as "P1Y" for "P1M". This plan's is "${billingPeriod}".`;
  return [{ pointer, code: 'invalid_interval', detail }];
}
