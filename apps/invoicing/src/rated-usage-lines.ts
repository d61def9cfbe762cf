import { addOnPart, decimal, ratePrice, tierPeriodOf, usageLine, WHOLE, type IdentifiedPrice, type InvoiceLine, type Period, type UsageAround } from '#domain';
import { scheduleOf, type Organization, type RatedPeriodLines, type SubscriptionAddOn } from '#persistence';
import { assert } from '#platform';
import { planOfStage, type BilledSubscription } from './subscription-terms.js';

/** A rated period's usage as lines of an invoice. Fees stand in it too, for reports; the boundary bills those. */
export function ratedUsageLines(rated: RatedPeriodLines, options: { currency: string; period: Period; addOns: readonly SubscriptionAddOn[] }): InvoiceLine[] {
  return rated.lines.filter(({ kind }) => kind === 'usage').map((line) => {
    assert(line.currency === options.currency, 'A period is rated in the currency of its subscription.');
    const { priceId, priceKey, ref, description, amountMinor, trace, usage } = line;
    const amounts = { quantity: decimal(line.quantity), unroundedAmount: decimal(line.unroundedAmount), amountMinor };
    return usageLine({ priceId, priceKey, ref, description, ...amounts, groupValues: line.group, trace, usage }, timeOf(ref, options));
  });
}

/** The lines of an add-on are named by it first, and are of its own time. */
function timeOf(ref: string, of: { period: Period; addOns: readonly SubscriptionAddOn[] }): Period {
  const addOn = of.addOns.find(({ id }) => ref.startsWith(`${id}/`));
  return addOn === undefined ? of.period : (addOnPart(addOn, of.period) ?? of.period);
}

/** What usage prices owe before anything was used: for a period that has not been rated yet. */
export function unusedUsageLines(one: BilledSubscription, options: { organization: Organization; period: Period; stage: number }): InvoiceLine[] {
  const { currency } = one.subscription;
  const plan = planOfStage(one, options.stage);
  const own = plan.prices.map((price) => ({ price, period: options.period, by: '' }));
  const added = plan.addOns.flatMap(({ id, prices, ...addOn }) => {
    const period = addOnPart(addOn, options.period);
    return period === null ? [] : prices.map((price) => ({ price, period, by: `${id}/` }));
  });
  return [...own, ...added].filter(({ price: { type } }) => type === 'usage').flatMap(({ price, period, by }) => {
    const rated = ratePrice({ price, currency, rounding: options.organization.rounding, usage: [], around: nothingMore(price, { one, ...options }) });
    const rest = { priceId: price.id, priceKey: price.key, description: price.name, trace: rated.trace };
    return rated.lines.map(({ ref, group, quantity, unroundedAmount, amountMinor }) =>
      usageLine({ ...rest, ref: `${by}${ref}`, quantity, unroundedAmount, amountMinor, groupValues: group }, period));
  });
}

/** Where tiers count on since an earlier period, nothing more was used; what that period owed at quantity 0 is owed once. */
function nothingMore(price: IdentifiedPrice, of: { one: BilledSubscription; period: Period; stage: number }): UsageAround {
  const { one, period, stage } = of;
  if (price.tier_period === undefined) return {};
  const { counted } = tierPeriodOf(scheduleOf(one), { billing: { period, stage }, tierPeriod: price.tier_period, firstStage: stage });
  return counted.start.equals(period.start) ? {} : { tierCount: { since: counted.start, before: [], share: WHOLE } };
}
