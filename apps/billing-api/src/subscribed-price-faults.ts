import type { EntityManager } from 'typeorm';
import { meteredPriceFaults, metersOf, overriddenPrice, subscribedTermsFaults, type PriceOverride, type SubscribedTerms } from '#domain';
import { readMeters, resolveSlaCredit, type MeterResource, type Plan, type PlanVersion } from '#persistence';
import type { InputFault } from '#platform';

interface Subscribed {
  readonly terms: SubscribedTerms;
  readonly version: Pick<PlanVersion, 'prices' | 'currency' | 'billingPeriod'>;
  /** Those that the version's prices name. */
  readonly meters: readonly MeterResource[];
  /** What is paid in. */
  readonly currency: string;
  /** Who pays in it: "the customer". */
  readonly payer: string;
}

/** Everything wrong with what a subscription has otherwise than its plan, and with its currency. */
export function subscribedPriceFaults(subscribed: Subscribed): InputFault[] {
  return [...subscribedTermsFaults(subscribed.terms, subscribed.version), ...meteredFaults(subscribed), ...currencyFaults(subscribed)];
}

/** Why a plan has not the version that was asked for, be it its latest. */
export function unknownVersion(plan: Plan): InputFault {
  if (plan.latestVersion > 0) return { pointer: '/version', code: 'unknown_version', detail: 'The plan has no such version.' };
  return { pointer: '/plan', code: 'not_published', detail: `The plan is a draft: publish it first (POST /v1/plans/${plan.key}/publish), or choose another.` };
}

/** The meters of a version's prices, and of credits that subscriptions have of their own, in one query. */
export async function readMetersOf(manager: EntityManager, version: Pick<PlanVersion, 'prices'>, overrides: readonly PriceOverride[]): Promise<readonly MeterResource[]> {
  const references = [...version.prices, ...overrides].flatMap(metersOf);
  return references.length === 0 ? [] : readMeters(manager, { references });
}

/** An own model may look at what the price's meter does not have. */
function meteredFaults({ terms, version, meters }: Subscribed): InputFault[] {
  return terms.overrides.flatMap((override, index) => {
    const price = version.prices.find(({ key }) => key === override.price);
    const meter = meters.find(({ id, key }) => price?.meter !== undefined && (id === price.meter || key === price.meter));
    const pointer = `/overrides/${index}`;
    const { faults } = resolveSlaCredit(override, { meters, pointer: `${pointer}/sla_credit` });
    return price === undefined || meter === undefined ? faults : [...meteredPriceFaults(overriddenPrice(price, [override]), { meter, pointer }), ...faults];
  });
}

/** Who pays in another currency than the plan's needs a model in it of every price. */
function currencyFaults({ terms, version, currency, payer }: Subscribed): InputFault[] {
  if (currency === version.currency) return [];
  const lacking = version.prices.filter((price) => !hasModelIn(price, { currency, terms })).map(({ key }) => key);
  if (lacking.length === 0 && version.prices.length > 0) return [];
  const mend = lacking.length === 0 ? '' : ` The prices ${lacking.join(', ')} have no model in ${currency}: add it to their currencies, or choose a plan in ${currency}.`;
  return [{ pointer: '/plan', code: 'currency_mismatch', detail: `The plan is priced in ${version.currency} and ${payer} pays in ${currency}.${mend}` }];
}

/** A model of the subscription's own is in its own currency. */
function hasModelIn(price: PlanVersion['prices'][number], { currency, terms }: { currency: string; terms: SubscribedTerms }): boolean {
  const { currencies } = overriddenPrice(price, terms.overrides);
  const hasOwnModel = terms.overrides.some((override) => override.price === price.key && override.model !== undefined);
  return hasOwnModel || (currencies !== undefined && Object.hasOwn(currencies, currency));
}
