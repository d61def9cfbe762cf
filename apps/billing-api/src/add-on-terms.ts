import type { EntityManager } from 'typeorm';
import type { AddOnReplace } from '#contracts';
import { addOnFitFaults, addOnPriceFaults, canonicalDecimal, canonicalPrices, decimalFaults, planFaults, requirementCycle, type Price } from '#domain';
import { planTable, readCurrentTerms, readLatestAddOnVersions, resolveMeteredPrices, unusable, type AddOn, type AddOnVersion, type AddOnVersionOfAddOn, addOnTable, readByReferences } from '#persistence';
import { accepted, refused, type InputFault, type Outcome } from '#platform';
import { productIdOf } from './plans.js';
import { sortedText } from './plan-terms.js';

export const addOnIntervalDefault = 'P1M';

/** What makes a version of an add-on. */
export type AddOnTerms = Pick<AddOnVersion, 'name' | 'currency' | 'billingPeriod' | 'plans' | 'requires' | 'maxQuantity'> & { readonly prices: readonly Price[] };

export interface ResolvedAddOn {
  readonly terms: AddOnTerms;
  readonly productId: string | null;
}

/** Checks an add-on with everything that it refers to; all that is wrong is told at once. */
export async function resolveAddOn(manager: EntityManager, input: AddOnReplace & { key: string }): Promise<Outcome<ResolvedAddOn, 'invalid_request'>> {
  const billingPeriod = input.billing_period ?? addOnIntervalDefault;
  const metered = await resolveMeteredPrices(manager, input.prices, '/prices');
  const prices = canonicalPrices(metered.prices);
  const priced = { currency: input.currency, billingPeriod, prices };
  const product = await productIdOf(manager, input.product ?? null);
  const plans = await resolvePlans(manager, input.plans ?? null, priced);
  const requires = await resolveRequired(manager, input, priced);
  const faults: InputFault[] = [
    ...(product.ok ? [] : (product.errors ?? [])),
    ...planFaults({ key: input.key, name: input.name, currency: input.currency, billing_period: billingPeriod, prices: [...input.prices] }),
    ...addOnPriceFaults(input.prices),
    ...metered.faults,
    ...plans.faults,
    ...requires.faults,
    ...quantityFaults(input.max_quantity),
  ];
  if (faults.length > 0 || !product.ok) return refused('invalid_request', `The add-on has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}.`, faults);
  const maxQuantity = input.max_quantity === undefined || input.max_quantity === null ? null : (canonicalDecimal(String(input.max_quantity)) ?? null);
  return accepted({ productId: product.value, terms: { name: input.name, ...priced, plans: plans.keys, requires: requires.keys, maxQuantity } });
}

function quantityFaults(given: AddOnReplace['max_quantity']): InputFault[] {
  return given === undefined || given === null ? [] : decimalFaults({ text: String(given), pointer: '/max_quantity', kind: 'quantity', aboveZero: true });
}

type Priced = Pick<AddOnTerms, 'currency' | 'billingPeriod' | 'prices'>;

/** The keys of the plans that are named, each of which it has to fit as that is now. */
async function resolvePlans(manager: EntityManager, references: readonly string[] | null, priced: Priced): Promise<{ keys: string[] | null; faults: InputFault[] }> {
  if (references === null) return { keys: null, faults: [] };
  const plans = await readByReferences(manager, planTable, references);
  const terms = await readCurrentTerms(manager, plans);
  const keys: string[] = [];
  const faults = references.flatMap((reference, index): InputFault[] => {
    const pointer = `/plans/${index}`;
    const plan = plans.find(({ id, key }) => id === reference || key === reference) ?? null;
    const version = plan === null ? undefined : terms.get(plan.id);
    if (plan === null || plan.archivedAt !== null || version === undefined) return [unusable({ pointer, noun: 'plan', found: plan })];
    if (keys.includes(plan.key)) return [{ pointer, code: 'duplicate_plan', detail: 'This plan is named above; name it once.' }];
    keys.push(plan.key);
    return addOnFitFaults({ ...priced, plans: null }, { planKey: plan.key, ...version }).map((fault) => ({ pointer, ...fault }));
  });
  return { keys, faults };
}

/** The keys of the add-ons that are required, each of which has to go together with it, and none of which may lead back to it. */
async function resolveRequired(manager: EntityManager, input: AddOnReplace & { key: string }, priced: Priced): Promise<{ keys: string[]; faults: InputFault[] }> {
  const references = input.requires ?? [];
  if (references.length === 0) return { keys: [], faults: [] };
  const addOns = await readByReferences<AddOn>(manager, addOnTable, references);
  const latest = await readLatestAddOnVersions(manager);
  const graph = new Map(latest.map(({ addOnKey, requires }) => [addOnKey, requires]));
  const keys: string[] = [];
  const faults = references.flatMap((reference, index): InputFault[] => {
    const pointer = `/requires/${index}`;
    if (reference === input.key) return [{ pointer, code: 'requirement_cycle', detail: 'An add-on can not require itself; remove this.' }];
    const addOn = addOns.find(({ id, key }) => id === reference || key === reference) ?? null;
    if (addOn === null || addOn.archivedAt !== null) return [unusable({ pointer, noun: 'add_on', found: addOn })];
    if (keys.includes(addOn.key)) return [{ pointer, code: 'duplicate_add_on', detail: 'This add-on is named above; name it once.' }];
    keys.push(addOn.key);
    const cycle = requirementCycle({ key: input.key, requires: [addOn.key] }, graph);
    if (cycle !== null) return [{ pointer, code: 'requirement_cycle', detail: `${cycle.join(' requires ')}: nobody could have one before the other. Remove this, or what ${cycle.at(-2) ?? addOn.key} requires.` }];
    const version = latest.find(({ addOnId }) => addOnId === addOn.id);
    return version === undefined ? [] : togetherFaults(priced, version).map((detail) => ({ pointer, ...detail }));
  });
  return { keys, faults };
}

/** Why two add-ons can't be on one subscription. */
function togetherFaults(priced: Priced, other: AddOnVersionOfAddOn): Omit<InputFault, 'pointer'>[] {
  const faults: Omit<InputFault, 'pointer'>[] = [];
  if (other.billingPeriod !== priced.billingPeriod) {
    faults.push({ code: 'interval_mismatch', detail: `It is billed every ${other.billingPeriod} and this one every ${priced.billingPeriod}, so no subscription could have both: give them the same billing_period.` });
  }
  const shared = priced.prices.map(({ key }) => key).filter((key) => other.prices.some((price) => price.key === key));
  if (shared.length > 0) faults.push({ code: 'duplicate_key', detail: `Both have prices with the keys ${shared.join(', ')}: give one of them others.` });
  return faults;
}

export function areSameAddOns(a: AddOnTerms, b: AddOnTerms): boolean {
  const textOf = ({ name, currency, billingPeriod, prices, plans, requires, maxQuantity }: AddOnTerms) => sortedText({ name, currency, billingPeriod, prices, plans, requires, maxQuantity });
  return textOf(a) === textOf(b);
}
