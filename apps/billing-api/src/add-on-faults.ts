import type { EntityManager } from 'typeorm';
import { addOnPart, addOnStart, billingPeriodContaining, decimal, decimalFaults, takesQuantity } from '#domain';
import { addOnTable, findByIdOrKey, readAddOnVersions, scheduleOf, unusable, type AddOnVersionOfAddOn, type SubscriptionAddOn } from '#persistence';
import { accepted, refused, type InputFault, type Outcome } from '#platform';
import { fitFaults, lastsBeyond, presentAddOns } from './fit-add-ons.js';
import { stageAt, type SubscriptionView } from './subscription-schedule.js';

/** The version of an add-on that is to be added: the latest, or the one that is named. */
export async function resolveAddOnVersion(manager: EntityManager, wanted: { addOn: string; version: number | null }): Promise<Outcome<AddOnVersionOfAddOn, 'invalid_request'>> {
  const addOn = await findByIdOrKey(manager, addOnTable, wanted.addOn);
  const sentence = 'The add-on can not be added so.';
  if (addOn === null || addOn.archivedAt !== null) return refused('invalid_request', sentence, [unusable({ pointer: '/add_on', noun: 'add_on', found: addOn })]);
  const [version] = await readAddOnVersions(manager, [{ addOnId: addOn.id, version: wanted.version ?? addOn.latestVersion }]);
  if (version !== undefined) return accepted(version);
  return refused('invalid_request', sentence, [{ pointer: '/version', code: 'unknown_version', detail: `The add-on has no such version; its latest is ${addOn.latestVersion}.` }]);
}

interface Added {
  readonly version: AddOnVersionOfAddOn;
  readonly at: Temporal.Instant;
}

/** Everything that stands against an add-on on a subscription from an instant on. */
export function addFaults(view: SubscriptionView, added: Added): InputFault[] {
  return [...endFaults(view, added), ...planFaults(view, added), ...besideFaults(view, added), ...requirementFaults(view, added)];
}

function endFaults({ subscription: { cancelAt } }: SubscriptionView, { at }: Added): InputFault[] {
  if (cancelAt === null || Temporal.Instant.compare(at, cancelAt) < 0) return [];
  return [{ pointer: '/when', code: 'subscription_ends', detail: `The subscription ends at ${cancelAt.toString()}, before the add-on would begin; add it now, or to another subscription.` }];
}

/** It has to fit the plan that holds then, and each that follows. */
function planFaults({ subscription, stages }: SubscriptionView, { version, at }: Added): InputFault[] {
  const first = stageAt(subscription, at);
  return stages.slice(first).flatMap((plan, index) =>
    fitFaults(version, { plan, currency: subscription.currency }).map(({ code, detail }): InputFault => {
      const from = index === 0 ? '' : `From ${subscription.changes[first + index - 1]?.at.toString() ?? ''} on the subscription is on ${plan.planKey}. `;
      return { pointer: '/add_on', code, detail: `${from}${detail}` };
    }));
}

/** Two add-ons of one period are told apart by the keys of their prices. */
function besideFaults(view: SubscriptionView, { version, at }: Added): InputFault[] {
  const { subscription, plan } = view;
  const period = billingPeriodContaining({ ...scheduleOf(view), endAt: null }, at)?.period ?? null;
  const start = period?.start ?? at;
  return plan.addOns.flatMap((other): InputFault[] => {
    const isThere = subscription.addOns.some((one) => one.id === other.id && lastsBeyond(one, start) && (lastsBeyond(one, at) || (period !== null && addOnPart(one, period) !== null)));
    if (!isThere) return [];
    if (other.of.addOnId === version.addOnId) {
      return [{ pointer: '/when', code: 'same_period', detail: `The subscription had ${version.addOnKey} in this period already, until ${other.end?.at.toString() ?? 'later'}; add it again with when "period_end".` }];
    }
    const taken = version.prices.map(({ key }) => key).filter((key) => other.prices.some((price) => price.key === key));
    return taken.length === 0 ? [] : [{ pointer: '/add_on', code: 'duplicate_key', detail: `${other.of.addOnKey}, which the subscription has in the same period, has prices with the keys ${taken.join(', ')} too: give one of them others.` }];
  });
}

/** What it requires has to be there by then, and to stay. */
export function requirementFaults(view: SubscriptionView, { version, at }: Added): InputFault[] {
  const present = presentAddOns(view);
  const lasts = ({ id, end }: SubscriptionAddOn): boolean => end === null || present.some(({ addOn }) => addOn.replaces === id);
  return version.requires.flatMap((key): InputFault[] => {
    const isThere = present.some(({ addOn, version: other }) => other.addOnKey === key && lasts(addOn) && Temporal.Instant.compare(addOnStart(addOn), at) <= 0);
    return isThere ? [] : [{ pointer: '/add_on', code: 'missing_requirement', detail: `It requires ${key}, which the subscription does not have from ${at.toString()} on without an end: add ${key} first.` }];
  });
}

export function quantityFaults(quantity: string, version: AddOnVersionOfAddOn): InputFault[] {
  const pointer = '/quantity';
  const faults: InputFault[] = decimalFaults({ text: quantity, pointer, kind: 'quantity', aboveZero: true });
  if (faults.length > 0) return faults;
  if (quantity !== '1' && !version.prices.some((price) => takesQuantity(price))) {
    return [{ pointer, code: 'not_allowed', detail: 'The add-on has no fee that is priced by units: leave quantity out, or price it per unit, or in tiers.' }];
  }
  if (version.maxQuantity === null || decimal(quantity).lte(decimal(version.maxQuantity))) return [];
  return [{ pointer, code: 'number_out_of_range', detail: `A subscription may have at most ${version.maxQuantity} of it.` }];
}
