import type { EntityManager } from 'typeorm';
import { invoicingQueue, sweepJob } from '#contracts';
import type { AddOnStep } from '#domain';
import { subscriptionTable, updateRow, type SubscriptionAddOn, type SubscriptionRecord } from '#persistence';
import { accepted, assert, refused, type JobQueue, type Outcome } from '#platform';
import { addOnStart } from '#domain';
import { addFaults, quantityFaults, requirementFaults, resolveAddOnVersion } from './add-on-faults.js';
import { endedBy, lastsBeyond, presentAddOns, withAddOns } from './fit-add-ons.js';
import { holdSubscription, type ActedSubscription, type HeldSubscription, type HoldRefusal } from './hold-subscription.js';
import { addOnPreview, currentPeriodOf, periodEndOf, withStages, type SubscriptionView } from './subscription-schedule.js';
import type { Surroundings } from './surroundings.js';

export type AddOnActRefusal = HoldRefusal | 'already_added' | 'required_by' | 'too_many_add_ons' | 'invalid_request';

export interface AddOnAct {
  readonly when: 'now' | 'period_end';
  readonly isProrated: boolean;
  /** Only shows what it would lead to. */
  readonly isPreview: boolean;
}

export interface AddInput extends AddOnAct {
  readonly addOn: string;
  /** Null takes the latest. */
  readonly version: number | null;
  readonly quantity: string;
}

export interface ChangeQuantityInput extends AddOnAct {
  readonly quantity: string;
}

/** What an act makes of a subscription, and of which of its add-ons. */
interface Acted {
  readonly subscription: SubscriptionRecord;
  readonly addOnId: string;
}

/** Later ones would make a subscription slow to read; nobody adds so many. */
const addOnsMax = 200;

/** Adds add-ons to a subscription, changes how many there are of one, and removes them, now or at the end of the period. */
export class SubscriptionAddOns {
  constructor(
    private readonly surroundings: Surroundings,
    private readonly jobs: JobQueue,
  ) {}

  async add(organizationId: string, at: { id: string; input: AddInput }): Promise<Outcome<ActedSubscription, AddOnActRefusal>> {
    return this.run(organizationId, at, (manager, held) => this.added(manager, held, at.input));
  }

  async changeQuantity(organizationId: string, at: { id: string; addOn: string; input: ChangeQuantityInput }): Promise<Outcome<ActedSubscription, AddOnActRefusal>> {
    return this.run(organizationId, at, async (_manager, { view }) => withQuantity(view, at));
  }

  async remove(organizationId: string, at: { id: string; addOn: string; input: AddOnAct }): Promise<Outcome<ActedSubscription, AddOnActRefusal>> {
    return this.run(organizationId, at, async (_manager, { view }) => removed(view, at));
  }

  private async run(
    organizationId: string,
    at: { id: string; input: AddOnAct },
    act: (manager: EntityManager, held: HeldSubscription) => Promise<Outcome<Acted, AddOnActRefusal>>,
  ): Promise<Outcome<ActedSubscription, AddOnActRefusal>> {
    const now = await this.surroundings.businessClock.now(organizationId);
    const outcome = await this.surroundings.database.inOrganization(organizationId, async (manager): Promise<Outcome<ActedSubscription, AddOnActRefusal>> => {
      const held = await holdSubscription(manager, { organizationId, id: at.id, now });
      if (!held.ok) return held;
      const { view: before, organization } = held.value;
      const acted = await act(manager, held.value);
      if (!acted.ok) return acted;
      const { subscription, addOnId } = acted.value;
      if (subscription !== before.subscription && !at.input.isPreview) {
        await updateRow(manager, subscriptionTable, { id: subscription.id, set: { addOns: subscription.addOns, revision: subscription.revision } });
      }
      const [view] = await withStages(manager, [{ ...before, subscription }]);
      assert(view !== undefined, 'A subscription has its plan versions.');
      return accepted({ view, period: currentPeriodOf(view), fees: addOnPreview(view, { addOnId, organization }) });
    });
    if (outcome.ok && !at.input.isPreview) await this.jobs.add(invoicingQueue, [sweepJob]);
    return outcome;
  }

  private async added(manager: EntityManager, { view }: HeldSubscription, input: AddInput): Promise<Outcome<Acted, AddOnActRefusal>> {
    const found = await resolveAddOnVersion(manager, input);
    if (!found.ok) return found;
    const version = found.value;
    const { subscription } = view;
    const begins = beginOf(view, input);
    const present = presentAddOns(view).find(({ addOn }) => addOn.addOnId === version.addOnId && lastsBeyond(addOn, begins.at));
    if (present !== undefined) {
      return { ...refused('already_added', `The subscription has ${version.addOnKey} already: change its quantity, or remove it first.`), extensions: { allowed: ['change', 'remove'] } };
    }
    const faults = [...addFaults(view, { version, at: begins.at }), ...quantityFaults(input.quantity, version)];
    if (faults.length > 0) return refused('invalid_request', 'The add-on can not be added so.', faults);
    if (subscription.addOns.length >= addOnsMax) return refused('too_many_add_ons', `A subscription takes at most ${addOnsMax} add-ons in its life; make another subscription.`);
    const addOn: SubscriptionAddOn = { id: this.surroundings.ids.make('sao'), addOnId: version.addOnId, version: version.version, steps: [{ ...begins, quantity: input.quantity }], end: null };
    return accepted({ subscription: withAddOns(subscription, [...subscription.addOns, addOn]), addOnId: addOn.id });
  }
}

/** An add-on never begins before the first period: in a trial nothing is charged. What begins there is billed there, with the rest of a stub. */
function beginOf({ subscription, plan, now }: SubscriptionView, input: AddOnAct): Omit<AddOnStep, 'quantity'> {
  const firstStart = subscription.trialEndAt ?? subscription.startAt;
  const isBefore = Temporal.Instant.compare(now, firstStart) < 0;
  if (input.when === 'now') return isBefore ? { at: firstStart, isImmediate: false, isProrated: true } : { at: now, isImmediate: true, isProrated: input.isProrated };
  return { at: periodEndOf(subscription, plan, now), isImmediate: false, isProrated: true };
}

/** The one of an add-on that the subscription has, or will have. */
function presentOf(view: SubscriptionView, reference: string): Outcome<ReturnType<typeof presentAddOns>[number], 'not_found'> {
  const found = presentAddOns(view).findLast(({ version }) => version.addOnKey === reference || version.addOnId === reference);
  return found === undefined ? refused('not_found', 'The subscription does not have this add-on.') : accepted(found);
}

/** What was set for later, its removal included, is replaced. */
function withQuantity(view: SubscriptionView, at: { addOn: string; input: ChangeQuantityInput }): Outcome<Acted, AddOnActRefusal> {
  const found = presentOf(view, at.addOn);
  if (!found.ok) return found;
  const { addOn, version } = found.value;
  const { subscription, now } = view;
  const { quantity } = at.input;
  const end = addOn.end?.isByChange === true ? addOn.end : null;
  const past = addOn.steps.filter((step, index) => index === 0 || Temporal.Instant.compare(step.at, now) <= 0);
  const steps = withStep(past, { view, input: at.input });
  const faults = [...quantityFaults(quantity, version), ...requirementFaults(view, { version, at: now })];
  const last = steps.at(-1);
  if (end !== null && last !== undefined && Temporal.Instant.compare(last.at, end.at) >= 0) faults.push({ pointer: '/when', code: 'not_allowed', detail: `The add-on ends at ${end.at.toString()} with a change of the plan, and no period of it follows; change it now.` });
  if (faults.length > 0) return refused('invalid_request', 'The add-on can not be changed so.', faults);
  if (end === addOn.end && sameSteps(steps, addOn.steps)) return accepted({ subscription, addOnId: addOn.id });
  return accepted({ subscription: replaced(subscription, { ...addOn, steps, end }), addOnId: addOn.id });
}

/** One that has not begun begins with the new quantity; two made at one instant are one. What was set for the boundary at that instant was billed there. */
export function withStep(past: readonly AddOnStep[], to: { view: Pick<SubscriptionView, 'subscription' | 'plan' | 'now'>; input: ChangeQuantityInput }): AddOnStep[] {
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

function removed(view: SubscriptionView, at: { addOn: string; input: AddOnAct }): Outcome<Acted, AddOnActRefusal> {
  const found = presentOf(view, at.addOn);
  if (!found.ok) return found;
  const { addOn, version } = found.value;
  const { subscription, plan, now } = view;
  const { when, isProrated } = at.input;
  const end = when === 'now' ? { at: now, isImmediate: true, isProrated, isByChange: false } : { at: periodEndOf(subscription, plan, now), isImmediate: false, isProrated, isByChange: false };
  const needing = presentAddOns(view).filter((other) => other.version.requires.includes(version.addOnKey) && lastsBeyond(other.addOn, end.at)).map((other) => other.version.addOnKey);
  if (needing.length > 0) {
    return { ...refused('required_by', `${needing.join(', ')} require ${version.addOnKey}: remove ${needing.length === 1 ? 'it' : 'them'} first, or at the same time at the period's end.`), extensions: { required_by: needing } };
  }
  const isUnbegun = Temporal.Instant.compare(addOnStart(addOn), now) > 0;
  const ended = isUnbegun ? null : endedBy(addOn, end);
  const subscriptionAfter = ended === null ? withAddOns(subscription, subscription.addOns.filter(({ id }) => id !== addOn.id)) : replaced(subscription, ended);
  return accepted({ subscription: subscriptionAfter, addOnId: addOn.id });
}

function replaced(subscription: SubscriptionRecord, addOn: SubscriptionAddOn): SubscriptionRecord {
  return withAddOns(subscription, subscription.addOns.map((one) => (one.id === addOn.id ? addOn : one)));
}
