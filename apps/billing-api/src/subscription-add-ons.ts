import type { EntityManager } from 'typeorm';
import { invoicingQueue, sweepJob } from '#contracts';
import type { AddOnStep } from '#domain';
import { readAddOnVersions, subscriptionTable, updateRow, type SubscriptionAddOn } from '#persistence';
import { accepted, assert, refused, type JobQueue, type Outcome } from '#platform';
import { addOnsMax, presentOf, tooMany, withoutAddOn, withoutNext, withQuantity, withVersion, type Acted, type AddOnAct, type AddOnActRefusal, type ChangeInput } from './act-on-add-on.js';
import { addFaults, quantityFaults, resolveAddOnVersion } from './add-on-faults.js';
import { lastsBeyond, presentAddOns, withAddOns } from './fit-add-ons.js';
import { holdSubscription, type ActedSubscription, type HeldSubscription } from './hold-subscription.js';
import { addOnPreview, currentPeriodOf, periodEndOf, withStages, type SubscriptionView } from './subscription-schedule.js';
import type { Surroundings } from './surroundings.js';

export interface AddInput extends AddOnAct {
  readonly addOn: string;
  /** Null takes the latest. */
  readonly version: number | null;
  readonly quantity: string;
}

/** Adds add-ons to a subscription, changes how many there are of one and its version, and removes them, now or at the end of the period. */
export class SubscriptionAddOns {
  constructor(
    private readonly surroundings: Surroundings,
    private readonly jobs: JobQueue,
  ) {}

  async add(organizationId: string, at: { id: string; input: AddInput }): Promise<Outcome<ActedSubscription, AddOnActRefusal>> {
    return this.run(organizationId, at, (manager, held) => this.added(manager, held, at.input));
  }

  async change(organizationId: string, at: { id: string; addOn: string; input: ChangeInput }): Promise<Outcome<ActedSubscription, AddOnActRefusal>> {
    return this.run(organizationId, at, (manager, held) => this.changed(manager, held, at));
  }

  async remove(organizationId: string, at: { id: string; addOn: string; input: AddOnAct }): Promise<Outcome<ActedSubscription, AddOnActRefusal>> {
    return this.run(organizationId, at, async (_manager, held) => {
      const present = presentOf(held.view, at.addOn);
      if (!present.ok) return present;
      const { view, found } = withoutNext(held.view, present.value);
      return withoutAddOn(view, { found, input: at.input });
    });
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
      const { subscription, addOnIds } = acted.value;
      if (subscription !== before.subscription && !at.input.isPreview) {
        await updateRow(manager, subscriptionTable, { id: subscription.id, set: { addOns: subscription.addOns, revision: subscription.revision } });
      }
      const [view] = await withStages(manager, [{ ...before, subscription }]);
      assert(view !== undefined, 'A subscription has its plan versions.');
      return accepted({ view, period: currentPeriodOf(view), fees: addOnPreview(view, { addOnIds, organization }) });
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
    if (subscription.addOns.length >= addOnsMax) return tooMany();
    const addOn: SubscriptionAddOn = { id: this.surroundings.ids.make('sao'), addOnId: version.addOnId, version: version.version, steps: [{ ...begins, quantity: input.quantity }], end: null };
    return accepted({ subscription: withAddOns(subscription, [...subscription.addOns, addOn]), addOnIds: [addOn.id] });
  }

  /** What was set for later is replaced, be it a quantity, a version or the end. */
  private async changed(manager: EntityManager, held: HeldSubscription, at: { addOn: string; input: ChangeInput }): Promise<Outcome<Acted, AddOnActRefusal>> {
    const present = presentOf(held.view, at.addOn);
    if (!present.ok) return present;
    const { view, found } = withoutNext(held.view, present.value);
    const { input } = at;
    const { addOnId, version: number } = found.addOn;
    if (input.version !== null && input.version !== number) {
      const [version] = await readAddOnVersions(manager, [{ addOnId, version: input.version }]);
      if (version === undefined) return refused('invalid_request', 'The add-on can not be changed so.', [{ pointer: '/version', code: 'unknown_version', detail: 'The add-on has no such version; GET /v1/add-ons/{id}/versions lists them.' }]);
      return withVersion(view, { found, version, input, newId: this.surroundings.ids.make('sao') });
    }
    const quantity = input.quantity ?? found.addOn.steps.at(-1)?.quantity ?? '1';
    return withQuantity(view, { found, input: { ...input, quantity } });
  }
}

/** An add-on never begins before the first period: in a trial nothing is charged. What begins there is billed there, with the rest of a stub. */
function beginOf({ subscription, plan, now }: SubscriptionView, input: AddOnAct): Omit<AddOnStep, 'quantity'> {
  const firstStart = subscription.trialEndAt ?? subscription.startAt;
  const isBefore = Temporal.Instant.compare(now, firstStart) < 0;
  if (input.when === 'now') return isBefore ? { at: firstStart, isImmediate: false, isProrated: true } : { at: now, isImmediate: true, isProrated: input.isProrated };
  return { at: periodEndOf(subscription, plan, now), isImmediate: false, isProrated: true };
}
