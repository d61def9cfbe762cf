import type { EntityManager } from 'typeorm';
import type { AddOnReplace, AddOnUpdate } from '#contracts';
import { keyPattern } from '#domain';
import { addOnTable, addOnVersionTable, findByIdOrKey, insertRow, isUniqueViolation, readAddOnVersions, updateRow, type AddOn, type AddOnVersionOfAddOn, type PlanPrice } from '#persistence';
import { accepted, assert, refused, type Outcome } from '#platform';
import { areSameAddOns, resolveAddOn, type ResolvedAddOn } from './add-on-terms.js';
import { keyMismatch } from './catalog-items.js';
import { withoutId, withPriceIds } from './plan-terms.js';
import type { Surroundings } from './surroundings.js';

export type AddOnRefusal = 'not_found' | 'key_taken' | 'key_mismatch' | 'invalid_request';

export interface AddOnView {
  readonly addOn: AddOn;
  readonly version: AddOnVersionOfAddOn;
}

interface Replaced {
  readonly view: AddOnView;
  readonly isNew: boolean;
}

/** Creates, replaces, changes and archives add-ons. Other terms make a new version; subscriptions stay on theirs. */
export class AddOns {
  constructor(private readonly surroundings: Surroundings) {}

  async create(organizationId: string, input: AddOnReplace & { key: string }): Promise<Outcome<AddOnView, AddOnRefusal>> {
    try {
      return await this.write(organizationId, (manager) => this.insert(manager, { organizationId, input }));
    } catch (error) {
      if (isUniqueViolation(error, 'add_ons_key')) return refused('key_taken', `Another add-on has the key "${input.key}", maybe an archived one.`);
      throw error;
    }
  }

  /** Creates the add-on with this key, or makes it what the body says, also where it was archived. */
  async replace(organizationId: string, at: { reference: string; input: AddOnReplace }): Promise<Outcome<Replaced, AddOnRefusal>> {
    return this.write(organizationId, async (manager): Promise<Outcome<Replaced, AddOnRefusal>> => {
      const existing = await findAddOn(manager, at.reference);
      if (existing === null && !keyPattern.test(at.reference)) return missingAddOn();
      const key = existing?.addOn.key ?? at.reference;
      if (at.input.key !== undefined && at.input.key !== key) return keyMismatch(key);
      if (existing === null) {
        const inserted = await this.insert(manager, { organizationId, input: { ...at.input, key } });
        return inserted.ok ? accepted({ view: inserted.value, isNew: true }) : inserted;
      }
      const found = await resolveAddOn(manager, { ...at.input, key });
      return found.ok ? accepted({ view: await this.save(manager, existing, { ...found.value, metadata: at.input.metadata ?? {}, archivedAt: null }), isNew: false }) : found;
    });
  }

  async update(organizationId: string, at: { reference: string; change: AddOnUpdate }): Promise<Outcome<AddOnView, AddOnRefusal>> {
    const { change } = at;
    return this.write(organizationId, async (manager) => {
      const existing = await findAddOn(manager, at.reference);
      if (existing === null) return missingAddOn();
      const { addOn, version } = existing;
      const found = await resolveAddOn(manager, {
        key: addOn.key,
        name: change.name ?? addOn.name,
        product: change.product === undefined ? addOn.productId : change.product,
        currency: change.currency ?? version.currency,
        billing_period: change.billing_period ?? version.billingPeriod,
        prices: change.prices ?? version.prices.map(withoutId),
        plans: change.plans === undefined ? (version.plans === null ? null : [...version.plans]) : change.plans,
        requires: change.requires ?? [...version.requires],
        max_quantity: change.max_quantity === undefined ? version.maxQuantity : change.max_quantity,
      });
      return found.ok ? accepted(await this.save(manager, existing, { ...found.value, metadata: change.metadata ?? addOn.metadata, archivedAt: addOn.archivedAt })) : found;
    });
  }

  /** It can be added to no more subscriptions; those that have it keep it. */
  async archive(at: { organizationId: string; reference: string }): Promise<Outcome<AddOnView, AddOnRefusal>> {
    return this.write(at.organizationId, async (manager) => {
      const existing = await findAddOn(manager, at.reference);
      if (existing === null) return missingAddOn();
      if (existing.addOn.archivedAt !== null) return accepted(existing);
      const archivedAt = this.surroundings.clock.now();
      await updateRow(manager, addOnTable, { id: existing.addOn.id, set: { archivedAt } });
      return accepted({ ...existing, addOn: { ...existing.addOn, archivedAt } });
    });
  }

  /** One at a time in an organization: two that come at once could require each other. */
  private async write<T>(organizationId: string, act: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.surroundings.database.inOrganization(organizationId, async (manager) => {
      await manager.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`add_ons/${organizationId}`]);
      return act(manager);
    });
  }

  private async insert(manager: EntityManager, given: { organizationId: string; input: AddOnReplace & { key: string } }): Promise<Outcome<AddOnView, AddOnRefusal>> {
    const { organizationId, input } = given;
    const found = await resolveAddOn(manager, input);
    if (!found.ok) return found;
    const { ids, clock } = this.surroundings;
    const addOn: AddOn = {
      id: ids.make('adn'), organizationId, key: input.key, name: input.name, productId: found.value.productId, latestVersion: 1, archivedAt: null, createdAt: clock.now(), metadata: input.metadata ?? {},
    };
    await insertRow(manager, addOnTable, addOn);
    return accepted({ addOn, version: await this.insertVersion(manager, { addOn, resolved: found.value, earlier: [] }) });
  }

  /** Changes what an add-on is called by, and makes a version of its terms where they are not those of the latest. */
  private async save(manager: EntityManager, existing: AddOnView, next: ResolvedAddOn & Pick<AddOn, 'metadata' | 'archivedAt'>): Promise<AddOnView> {
    const { terms, productId, metadata, archivedAt } = next;
    const isSame = areSameAddOns(terms, { ...existing.version, prices: existing.version.prices.map(withoutId) });
    const set = { name: terms.name, productId, metadata, archivedAt, latestVersion: existing.addOn.latestVersion + (isSame ? 0 : 1) };
    const addOn = { ...existing.addOn, ...set };
    await updateRow(manager, addOnTable, { id: addOn.id, set });
    return { addOn, version: isSame ? existing.version : await this.insertVersion(manager, { addOn, resolved: next, earlier: existing.version.prices }) };
  }

  private async insertVersion(manager: EntityManager, given: { addOn: AddOn; resolved: ResolvedAddOn; earlier: readonly PlanPrice[] }): Promise<AddOnVersionOfAddOn> {
    const { addOn, resolved, earlier } = given;
    const { ids, clock } = this.surroundings;
    const prices = withPriceIds(resolved.terms.prices, earlier, ids);
    const version = { ...resolved.terms, prices, addOnId: addOn.id, version: addOn.latestVersion, organizationId: addOn.organizationId, createdAt: clock.now() };
    await insertRow(manager, addOnVersionTable, version);
    return { ...version, addOnKey: addOn.key };
  }
}

/** An add-on with its latest version. */
export async function findAddOn(manager: EntityManager, reference: string): Promise<AddOnView | null> {
  const addOn = await findByIdOrKey(manager, addOnTable, reference);
  if (addOn === null) return null;
  const [version] = await readAddOnVersions(manager, [{ addOnId: addOn.id, version: addOn.latestVersion }]);
  assert(version !== undefined, 'An add-on has its latest version.');
  return { addOn, version };
}

export function missingAddOn(): Outcome<never, 'not_found'> {
  return refused('not_found', 'There is no such add-on.');
}
