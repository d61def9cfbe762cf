import type { EntityManager } from 'typeorm';
import type { PlanReplace, PlanUpdate } from '#contracts';
import { keyPattern } from '#domain';
import { findByIdOrKey, insertRow, isUniqueViolation, planTable, planVersionTable, productTable, readCurrentTerms, updateRow, unusable, type Plan, type PlanPrice, type PlanVersion } from '#persistence';
import { accepted, assert, refused, type Outcome } from '#platform';
import { keyMismatch } from './catalog-items.js';
import { areSameTerms, resolveTerms, withoutId, withPriceIds, type PlanTerms } from './plan-terms.js';
import type { Surroundings } from './surroundings.js';

export type PlanRefusal = 'not_found' | 'key_taken' | 'key_mismatch' | 'not_published' | 'invalid_request';

export interface PlanView {
  readonly plan: Plan;
  /** The latest; where nothing is published, what is drafted, as version 0. */
  readonly version: PlanVersion;
}

const namingFields: ReadonlySet<string> = new Set(['name', 'product', 'metadata']);

/** Creates, replaces, changes and archives plans. A change of terms makes a new version; a change of names does not. */
export class Plans {
  constructor(private readonly surroundings: Surroundings) {}

  async create(organizationId: string, input: PlanReplace & { key: string }): Promise<Outcome<PlanView, PlanRefusal>> {
    try {
      return await this.surroundings.database.inOrganization(organizationId, (manager) => this.insert(manager, { organizationId, input }));
    } catch (error) {
      if (isUniqueViolation(error, 'plans_key')) return refused('key_taken', `Another plan has the key "${input.key}", maybe an archived one.`);
      throw error;
    }
  }

  /** Creates the plan with this key, or makes it what the body says, also where it was archived. */
  async replace(organizationId: string, at: { reference: string; input: PlanReplace }): Promise<Outcome<{ view: PlanView; isNew: boolean }, PlanRefusal>> {
    try {
      return await this.replaceOnce(organizationId, at);
    } catch (error) {
      if (isUniqueViolation(error, 'plans_key')) return this.replaceOnce(organizationId, at);
      throw error;
    }
  }

  async update(organizationId: string, at: { reference: string; change: PlanUpdate }): Promise<Outcome<PlanView, PlanRefusal>> {
    return this.surroundings.database.inOrganization(organizationId, async (manager) => {
      const existing = await lockPlan(manager, at.reference);
      if (existing === null) return missingPlan();
      const { plan, version } = existing;
      const { change } = at;
      if (plan.latestVersion === 0 && Object.keys(change).some((field) => !namingFields.has(field))) {
        return refused('not_published', 'Nothing of the plan is published yet: replace its draft (PUT /v1/plans/{id}/draft), then publish it.');
      }
      const product = change.product === undefined ? accepted(plan.productId) : await productIdOf(manager, change.product);
      const found = bothOf(product, await resolveTerms(manager, {
        key: plan.key,
        name: change.name ?? plan.name,
        currency: change.currency ?? version.currency,
        billing_period: change.billing_period ?? version.billingPeriod,
        trial_days: change.trial_days ?? version.trialDays,
        prices: change.prices ?? version.prices.map(withoutId),
        entitlements: change.entitlements ?? [...version.entitlements],
        late_usage: change.late_usage ?? version.lateUsage,
      }));
      if (!found.ok) return found;
      const { productId, terms } = found.value;
      const naming = { name: change.name ?? plan.name, metadata: change.metadata ?? plan.metadata, productId, archivedAt: plan.archivedAt };
      if (plan.latestVersion === 0) {
        await updateRow(manager, planTable, { id: plan.id, set: naming });
        return accepted({ plan: { ...plan, ...naming }, version });
      }
      return accepted(await savePlanVersion(manager, { existing, next: { terms, naming }, surroundings: this.surroundings }));
    });
  }

  /** New subscriptions can't be made on it; those that are there go on. */
  async archive(at: { organizationId: string; reference: string }): Promise<Outcome<PlanView, PlanRefusal>> {
    return this.surroundings.database.inOrganization(at.organizationId, async (manager) => {
      const existing = await lockPlan(manager, at.reference);
      if (existing === null) return missingPlan();
      if (existing.plan.archivedAt !== null) return accepted(existing);
      const archivedAt = this.surroundings.clock.now();
      await updateRow(manager, planTable, { id: existing.plan.id, set: { archivedAt } });
      return accepted({ ...existing, plan: { ...existing.plan, archivedAt } });
    });
  }

  private async replaceOnce(organizationId: string, at: { reference: string; input: PlanReplace }): Promise<Outcome<{ view: PlanView; isNew: boolean }, PlanRefusal>> {
    return this.surroundings.database.inOrganization(organizationId, async (manager): Promise<Outcome<{ view: PlanView; isNew: boolean }, PlanRefusal>> => {
      const existing = await lockPlan(manager, at.reference);
      if (existing === null && !keyPattern.test(at.reference)) return missingPlan();
      const key = existing?.plan.key ?? at.reference;
      if (at.input.key !== undefined && at.input.key !== key) return keyMismatch(key);
      if (existing === null) {
        const inserted = await this.insert(manager, { organizationId, input: { ...at.input, key } });
        return inserted.ok ? accepted({ view: inserted.value, isNew: true }) : inserted;
      }
      const found = bothOf(await productIdOf(manager, at.input.product ?? null), await resolveTerms(manager, { ...at.input, key }));
      if (!found.ok) return found;
      const { productId, terms } = found.value;
      const naming = { name: at.input.name, metadata: at.input.metadata ?? {}, productId, archivedAt: null };
      return accepted({ view: await savePlanVersion(manager, { existing, next: { terms, naming }, surroundings: this.surroundings }), isNew: false });
    });
  }

  private async insert(manager: EntityManager, given: { organizationId: string; input: PlanReplace & { key: string } }): Promise<Outcome<PlanView, PlanRefusal>> {
    const { organizationId, input } = given;
    const found = bothOf(await productIdOf(manager, input.product ?? null), await resolveTerms(manager, input));
    if (!found.ok) return found;
    const createdAt = this.surroundings.clock.now();
    const plan: Plan = {
      id: this.surroundings.ids.make('plan'),
      organizationId,
      key: input.key,
      name: input.name,
      productId: found.value.productId,
      latestVersion: 1,
      archivedAt: null,
      createdAt,
      metadata: input.metadata ?? {},
    };
    await insertRow(manager, planTable, plan);
    const version = await insertVersion(manager, { plan, terms: found.value.terms, earlier: [], surroundings: this.surroundings });
    return accepted({ plan, version });
  }
}

/** The plan with its latest version, or its draft where nothing is published, held until the transaction ends, so that versions are numbered one by one. */
export async function lockPlan(manager: EntityManager, reference: string): Promise<PlanView | null> {
  const found = await findByIdOrKey(manager, planTable, reference);
  if (found === null) return null;
  await manager.query('select 1 from plans where id = $1 for update', [found.id]);
  const plan = await findByIdOrKey(manager, planTable, found.id);
  assert(plan !== null, 'Plans are never deleted.');
  const version = (await readCurrentTerms(manager, [plan])).get(plan.id);
  assert(version !== undefined, 'A plan has its latest version.');
  return { plan, version };
}

interface SavedVersion {
  readonly existing: PlanView;
  readonly next: { readonly terms: PlanTerms; readonly naming: Pick<Plan, 'name' | 'metadata' | 'productId' | 'archivedAt'> };
  /** Prices of a draft, which keep their ids. */
  readonly drafted?: readonly PlanPrice[];
  readonly surroundings: Surroundings;
}

/** Changes the names of a held plan, and makes a version of the terms where they are not those of the latest. */
export async function savePlanVersion(manager: EntityManager, saved: SavedVersion): Promise<PlanView> {
  const { existing, next, drafted = [], surroundings } = saved;
  const isSame = existing.plan.latestVersion > 0 && areSameTerms(next.terms, { ...existing.version, prices: existing.version.prices.map(withoutId) });
  const latestVersion = existing.plan.latestVersion + (isSame ? 0 : 1);
  const plan = { ...existing.plan, ...next.naming, latestVersion };
  await updateRow(manager, planTable, { id: plan.id, set: { ...next.naming, latestVersion } });
  const version = isSame ? existing.version : await insertVersion(manager, { plan, terms: next.terms, earlier: [...existing.version.prices, ...drafted], surroundings });
  return { plan, version };
}

async function insertVersion(manager: EntityManager, given: { plan: Plan; terms: PlanTerms; earlier: readonly PlanPrice[]; surroundings: Surroundings }): Promise<PlanVersion> {
  const { plan, terms, earlier, surroundings } = given;
  const version: PlanVersion = {
    ...terms,
    prices: withPriceIds(terms.prices, earlier, surroundings.ids),
    planId: plan.id,
    version: plan.latestVersion,
    organizationId: plan.organizationId,
    createdAt: surroundings.clock.now(),
  };
  await insertRow(manager, planVersionTable, version);
  return version;
}

export async function productIdOf(manager: EntityManager, reference: string | null): Promise<Outcome<string | null, 'invalid_request'>> {
  if (reference === null) return accepted(null);
  const product = await findByIdOrKey(manager, productTable, reference);
  if (product !== null && product.archivedAt === null) return accepted(product.id);
  return refused('invalid_request', 'The product can not be used.', [unusable({ pointer: '/product', noun: 'product', found: product })]);
}

/** The faults of both are told at once. */
export function bothOf(product: Outcome<string | null, 'invalid_request'>, terms: Outcome<PlanTerms, 'invalid_request'>): Outcome<{ productId: string | null; terms: PlanTerms }, 'invalid_request'> {
  if (product.ok && terms.ok) return accepted({ productId: product.value, terms: terms.value });
  const errors = [product, terms].flatMap((part) => (part.ok ? [] : (part.errors ?? [])));
  return refused('invalid_request', `The plan has ${errors.length === 1 ? 'a fault' : `${errors.length} faults`}.`, errors);
}

export function missingPlan(): Outcome<never, 'not_found'> {
  return refused('not_found', 'There is no such plan.');
}
