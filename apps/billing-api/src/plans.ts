import type { EntityManager } from 'typeorm';
import type { PlanReplace, PlanUpdate } from '#contracts';
import { keyPattern } from '#domain';
import { findByIdOrKey, insertRow, isUniqueViolation, planTable, planVersionTable, productTable, readPlanVersion, updateRow, unusable, type Plan, type PlanVersion } from '#persistence';
import { accepted, assert, refused, type Outcome } from '#platform';
import { keyMismatch } from './catalog-items.js';
import { areSameTerms, resolveTerms, withoutId, withPriceIds, type PlanTerms } from './plan-terms.js';
import type { Surroundings } from './surroundings.js';

export type PlanRefusal = 'not_found' | 'key_taken' | 'key_mismatch' | 'invalid_request';

export interface PlanView {
  readonly plan: Plan;
  readonly version: PlanVersion;
}

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
      const existing = await this.lock(manager, at.reference);
      if (existing === null) return missing();
      const { plan, version } = existing;
      const { change } = at;
      const product = change.product === undefined ? accepted(plan.productId) : await productIdOf(manager, change.product);
      const found = bothOf(product, await resolveTerms(manager, {
        key: plan.key,
        name: change.name ?? plan.name,
        currency: change.currency ?? version.currency,
        billing_period: change.billing_period ?? version.billingPeriod,
        trial_days: change.trial_days ?? version.trialDays,
        prices: change.prices ?? version.prices.map(withoutId),
        late_usage: change.late_usage ?? version.lateUsage,
      }));
      if (!found.ok) return found;
      const { productId, terms } = found.value;
      const naming = { name: change.name ?? plan.name, metadata: change.metadata ?? plan.metadata, productId, archivedAt: plan.archivedAt };
      return accepted(await this.save(manager, existing, { terms, naming }));
    });
  }

  /** New subscriptions can't be made on it; those that are there go on. */
  async archive(at: { organizationId: string; reference: string }): Promise<Outcome<PlanView, PlanRefusal>> {
    return this.surroundings.database.inOrganization(at.organizationId, async (manager) => {
      const existing = await this.lock(manager, at.reference);
      if (existing === null) return missing();
      if (existing.plan.archivedAt !== null) return accepted(existing);
      const archivedAt = this.surroundings.clock.now();
      await updateRow(manager, planTable, { id: existing.plan.id, set: { archivedAt } });
      return accepted({ ...existing, plan: { ...existing.plan, archivedAt } });
    });
  }

  private async replaceOnce(organizationId: string, at: { reference: string; input: PlanReplace }): Promise<Outcome<{ view: PlanView; isNew: boolean }, PlanRefusal>> {
    return this.surroundings.database.inOrganization(organizationId, async (manager): Promise<Outcome<{ view: PlanView; isNew: boolean }, PlanRefusal>> => {
      const existing = await this.lock(manager, at.reference);
      if (existing === null && !keyPattern.test(at.reference)) return missing();
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
      return accepted({ view: await this.save(manager, existing, { terms, naming }), isNew: false });
    });
  }

  /** The plan with its latest version, held until the transaction ends, so that versions are numbered one by one. */
  private async lock(manager: EntityManager, reference: string): Promise<PlanView | null> {
    const found = await findByIdOrKey(manager, planTable, reference);
    if (found === null) return null;
    await manager.query('select 1 from plans where id = $1 for update', [found.id]);
    const plan = await findByIdOrKey(manager, planTable, found.id);
    assert(plan !== null, 'Plans are never deleted.');
    const version = await readPlanVersion(manager, { planId: plan.id, version: plan.latestVersion });
    assert(version !== null, 'A plan has its latest version.');
    return { plan, version };
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
    const version = await this.insertVersion(manager, { plan, terms: found.value.terms, earlier: null });
    return accepted({ plan, version });
  }

  private async save(
    manager: EntityManager,
    existing: PlanView,
    next: { terms: PlanTerms; naming: Pick<Plan, 'name' | 'metadata' | 'productId' | 'archivedAt'> },
  ): Promise<PlanView> {
    const isSame = areSameTerms(next.terms, { ...existing.version, prices: existing.version.prices.map(withoutId) });
    const latestVersion = existing.plan.latestVersion + (isSame ? 0 : 1);
    const plan = { ...existing.plan, ...next.naming, latestVersion };
    await updateRow(manager, planTable, { id: plan.id, set: { ...next.naming, latestVersion } });
    const version = isSame ? existing.version : await this.insertVersion(manager, { plan, terms: next.terms, earlier: existing.version });
    return { plan, version };
  }

  private async insertVersion(manager: EntityManager, given: { plan: Plan; terms: PlanTerms; earlier: PlanVersion | null }): Promise<PlanVersion> {
    const { plan, terms } = given;
    const version: PlanVersion = {
      ...terms,
      prices: withPriceIds(terms.prices, given.earlier?.prices ?? [], this.surroundings.ids),
      planId: plan.id,
      version: plan.latestVersion,
      organizationId: plan.organizationId,
      createdAt: this.surroundings.clock.now(),
    };
    await insertRow(manager, planVersionTable, version);
    return version;
  }
}

async function productIdOf(manager: EntityManager, reference: string | null): Promise<Outcome<string | null, 'invalid_request'>> {
  if (reference === null) return accepted(null);
  const product = await findByIdOrKey(manager, productTable, reference);
  if (product !== null && product.archivedAt === null) return accepted(product.id);
  return refused('invalid_request', 'The product can not be used.', [unusable({ pointer: '/product', noun: 'product', found: product })]);
}

/** The faults of both are told at once. */
function bothOf(product: Outcome<string | null, 'invalid_request'>, terms: Outcome<PlanTerms, 'invalid_request'>): Outcome<{ productId: string | null; terms: PlanTerms }, 'invalid_request'> {
  if (product.ok && terms.ok) return accepted({ productId: product.value, terms: terms.value });
  const errors = [product, terms].flatMap((part) => (part.ok ? [] : (part.errors ?? [])));
  return refused('invalid_request', `The plan has ${errors.length === 1 ? 'a fault' : `${errors.length} faults`}.`, errors);
}

function missing(): Outcome<never, 'not_found'> {
  return refused('not_found', 'There is no such plan.');
}
