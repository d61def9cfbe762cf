import { addOnStart, type AddOnStep } from '#domain';
import type { AddOnVersionOfAddOn, SubscriptionAddOn, SubscriptionRecord } from '#persistence';
import { accepted, assert, refused, type Outcome } from '#platform';
import { addFaults, quantityFaults, requirementFaults } from './add-on-faults.js';
import { endedBy, lastsBeyond, presentAddOns, withAddOns } from './fit-add-ons.js';
import type { HoldRefusal } from './hold-subscription.js';
import { periodEndOf, type SubscriptionView } from './subscription-schedule.js';

export type AddOnActRefusal = HoldRefusal | 'already_added' | 'required_by' | 'too_many_add_ons' | 'invalid_request';

export interface AddOnAct {
  readonly when: 'now' | 'period_end';
  readonly isProrated: boolean;
  /** Only shows what it would lead to. */
  readonly isPreview: boolean;
}

export interface ChangeInput extends AddOnAct {
  /** Null leaves the version. */
  readonly version: number | null;
  /** Null leaves the quantity. */
  readonly quantity: string | null;
}

/** What an act makes of a subscription, and of which of its add-ons. */
export interface Acted {
  readonly subscription: SubscriptionRecord;
  readonly addOnIds: readonly string[];
}

interface QuantityInput extends AddOnAct {
  readonly quantity: string;
}

/** Later ones would make a subscription slow to read; nobody adds so many. */
export const addOnsMax = 200;

export type Present = ReturnType<typeof presentAddOns>[number];

/** The one of an add-on that the subscription has, or will have. */
export function presentOf(view: SubscriptionView, reference: string): Outcome<Present, 'not_found'> {
  const found = presentAddOns(view).findLast(({ version }) => version.addOnKey === reference || version.addOnId === reference);
  return found === undefined ? refused('not_found', 'The subscription does not have this add-on.') : accepted(found);
}

/** Without a version that was to take its place: what it has now goes on. */
export function withoutNext(view: SubscriptionView, found: Present): { readonly view: SubscriptionView; readonly found: Present } {
  const { addOn } = found;
  const { subscription, now } = view;
  const before = addOn.replaces === undefined || !isUnbegun(addOn, now) ? undefined : presentAddOns(view).find(({ addOn: { id } }) => id === addOn.replaces);
  if (before === undefined) return { view, found };
  const goesOn = { ...before.addOn, end: null };
  const addOns = subscription.addOns.filter(({ id }) => id !== addOn.id).map((one) => (one.id === goesOn.id ? goesOn : one));
  return { view: { ...view, subscription: withAddOns(subscription, addOns) }, found: { ...before, addOn: goesOn } };
}

/**
 * Another version of it, from where it begins, or from the end of the period: within one, each of its prices has one amount. What is owed once was
 * owed with the version before.
 */
export function withVersion(view: SubscriptionView, to: { found: Present; version: AddOnVersionOfAddOn; input: ChangeInput; newId: string }): Outcome<Acted, AddOnActRefusal> {
  const { found: { addOn }, version, input } = to;
  const { subscription, plan, now } = view;
  const quantity = input.quantity ?? addOn.steps.at(-1)?.quantity ?? '1';
  const begins = isUnbegun(addOn, now) ? addOnStart(addOn) : periodEndOf(subscription, plan, now);
  const ended = isUnbegun(addOn, now) ? null : endedBy(addOn, { at: begins, isImmediate: false, isProrated: true, isByChange: false });
  if (ended !== null && input.when === 'now') {
    return refused('invalid_request', 'The add-on can not be changed so.', [{ pointer: '/when', code: 'not_allowed', detail: `A billing period has one version of an add-on, and this one goes on until ${begins.toString()}: give "period_end".` }]);
  }
  const others = subscription.addOns.flatMap((one) => (one.id === addOn.id ? (ended ?? []) : one));
  const faults = [...addFaults({ ...view, subscription: { ...subscription, addOns: others } }, { version, at: begins }), ...quantityFaults(quantity, version)].map((fault) => (fault.pointer === '/add_on' ? { ...fault, pointer: '/version' } : fault));
  if (faults.length > 0) return refused('invalid_request', 'The add-on can not be changed so.', faults);
  if (ended === null) return accepted({ subscription: replaced(subscription, { ...addOn, version: version.version, steps: addOn.steps.slice(0, 1).map((step) => ({ ...step, quantity })) }), addOnIds: [addOn.id] });
  if (subscription.addOns.length >= addOnsMax) return tooMany();
  const next: SubscriptionAddOn = { id: to.newId, addOnId: addOn.addOnId, version: version.version, steps: [{ at: begins, isImmediate: false, isProrated: true, quantity }], end: null, replaces: addOn.id };
  return accepted({ subscription: withAddOns(subscription, [...others, next]), addOnIds: [addOn.id, next.id] });
}

function isUnbegun(addOn: SubscriptionAddOn, now: Temporal.Instant): boolean {
  return Temporal.Instant.compare(addOnStart(addOn), now) > 0;
}

export function tooMany(): Outcome<never, AddOnActRefusal> {
  return refused('too_many_add_ons', `A subscription takes at most ${addOnsMax} add-ons in its life; make another subscription.`);
}

/** What was set for later, its removal included, is replaced. */
export function withQuantity(view: SubscriptionView, at: { found: Present; input: QuantityInput }): Outcome<Acted, AddOnActRefusal> {
  const { addOn, version } = at.found;
  const { subscription, now } = view;
  const { quantity } = at.input;
  const end = addOn.end?.isByChange === true ? addOn.end : null;
  const past = addOn.steps.filter((step, index) => index === 0 || Temporal.Instant.compare(step.at, now) <= 0);
  const steps = withStep(past, { view, input: at.input });
  const faults = [...quantityFaults(quantity, version), ...requirementFaults(view, { version, at: now })];
  const last = steps.at(-1);
  if (end !== null && last !== undefined && Temporal.Instant.compare(last.at, end.at) >= 0) faults.push({ pointer: '/when', code: 'not_allowed', detail: `The add-on ends at ${end.at.toString()} with a change of the plan, and no period of it follows; change it now.` });
  if (faults.length > 0) return refused('invalid_request', 'The add-on can not be changed so.', faults);
  if (end === addOn.end && sameSteps(steps, addOn.steps)) return accepted({ subscription, addOnIds: [addOn.id] });
  return accepted({ subscription: replaced(subscription, { ...addOn, steps, end }), addOnIds: [addOn.id] });
}

/** One that has not begun begins with the new quantity; two made at one instant are one. What was set for the boundary at that instant was billed there. */
export function withStep(past: readonly AddOnStep[], to: { view: Pick<SubscriptionView, 'subscription' | 'plan' | 'now'>; input: QuantityInput }): AddOnStep[] {
  const { view: { subscription, plan, now }, input } = to;
  const { quantity } = input;
  const last = past.at(-1);
  assert(last !== undefined, 'An add-on begins with its first step.');
  if (Temporal.Instant.compare(last.at, now) > 0) return [{ ...last, quantity }];
  if (input.when === 'now' && last.isImmediate && last.at.equals(now)) return [...past.slice(0, -1), { ...last, isProrated: input.isProrated, quantity }];
  if (last.quantity === quantity) return [...past];
  const next = input.when === 'now' ? { at: now, isImmediate: true, isProrated: input.isProrated } : { at: periodEndOf(subscription, plan, now), isImmediate: false, isProrated: true };
  return [...past, { ...next, quantity }];
}

function sameSteps(a: readonly AddOnStep[], b: readonly AddOnStep[]): boolean {
  return a.length === b.length && a.every((step, index) => b[index]?.at.equals(step.at) === true && b[index].quantity === step.quantity);
}

export function withoutAddOn(view: SubscriptionView, at: { found: Present; input: AddOnAct }): Outcome<Acted, AddOnActRefusal> {
  const { addOn, version } = at.found;
  const { subscription, plan, now } = view;
  const { when, isProrated } = at.input;
  const end = when === 'now' ? { at: now, isImmediate: true, isProrated, isByChange: false } : { at: periodEndOf(subscription, plan, now), isImmediate: false, isProrated, isByChange: false };
  const needing = presentAddOns(view).filter((other) => other.version.requires.includes(version.addOnKey) && lastsBeyond(other.addOn, end.at)).map((other) => other.version.addOnKey);
  if (needing.length > 0) {
    return { ...refused('required_by', `${needing.join(', ')} require ${version.addOnKey}: remove ${needing.length === 1 ? 'it' : 'them'} first, or at the same time at the period's end.`), extensions: { required_by: needing } };
  }
  const ended = isUnbegun(addOn, now) ? null : endedBy(addOn, end);
  const subscriptionAfter = ended === null ? withAddOns(subscription, subscription.addOns.filter(({ id }) => id !== addOn.id)) : replaced(subscription, ended);
  return accepted({ subscription: subscriptionAfter, addOnIds: [addOn.id] });
}

function replaced(subscription: SubscriptionRecord, addOn: SubscriptionAddOn): SubscriptionRecord {
  return withAddOns(subscription, subscription.addOns.map((one) => (one.id === addOn.id ? addOn : one)));
}
