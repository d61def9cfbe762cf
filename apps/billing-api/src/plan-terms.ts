import type { EntityManager } from 'typeorm';
import type { PlanReplace } from '#contracts';
import { canonicalPrices, lateUsageDefault, planFaults, type LateUsage, type Price } from '#domain';
import { resolveEntitlements, resolveMeteredPrices, type PlanPrice, type PlanVersion } from '#persistence';
import { accepted, assert, refused, type Ids, type InputFault, type Outcome } from '#platform';

/** What makes a version of a plan. */
export type PlanTerms = Pick<PlanVersion, 'currency' | 'billingPeriod' | 'trialDays' | 'entitlements' | 'lateUsage'> & { readonly prices: readonly Price[] };

/** Checks the terms with everything that they refer to, and brings decimals and references into their one form. */
export async function resolveTerms(manager: EntityManager, input: PlanReplace & { key: string }): Promise<Outcome<PlanTerms, 'invalid_request'>> {
  const { product: _product, metadata: _metadata, ...plan } = input;
  const metered = await resolveMeteredPrices(manager, input.prices, '/prices');
  const granted = await resolveEntitlements(manager, input.entitlements ?? [], { pointer: '/entitlements', isHeld: true });
  const faults: InputFault[] = [...planFaults({ ...plan, prices: [...plan.prices] }), ...metered.faults, ...granted.faults];
  if (faults.length > 0) return refused('invalid_request', `The plan has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}.`, faults);
  return accepted({
    currency: input.currency, billingPeriod: input.billing_period, trialDays: input.trial_days ?? 0,
    prices: canonicalPrices(metered.prices), entitlements: granted.entitlements, lateUsage: lateUsageOf(input.late_usage),
  });
}

function lateUsageOf(given: PlanReplace['late_usage']): LateUsage {
  const { policy = lateUsageDefault.policy, ...rest } = canonicalPrices(given ?? {});
  assert(policy !== 'credit_or_debit_note', 'Unsupported policies are refused before.');
  return { policy, ...rest };
}

/** Gives each price its id: the one that it had, where nothing about it changed, else a new one. */
export function withPriceIds(prices: readonly Price[], earlier: readonly PlanPrice[], ids: Ids): PlanPrice[] {
  return prices.map((price) => {
    const same = earlier.find((candidate) => candidate.key === price.key && sortedText(withoutId(candidate)) === sortedText(price));
    return { ...price, id: same?.id ?? ids.make('price') };
  });
}

export function withoutId({ id: _id, ...price }: PlanPrice): Price {
  return price;
}

export function areSameTerms(a: PlanTerms, b: PlanTerms): boolean {
  const textOf = ({ currency, billingPeriod, trialDays, prices, entitlements, lateUsage }: PlanTerms) => sortedText({ currency, billingPeriod, trialDays, prices, entitlements, lateUsage });
  return textOf(a) === textOf(b);
}

/** JSON with sorted keys, since Postgres keeps objects in an order of its own. */
export function sortedText(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : item);
}
