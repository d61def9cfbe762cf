import type { EntityManager } from 'typeorm';
import type { PlanDraftInput } from '#contracts';
import { keyPattern } from '#domain';
import {
  deletePlanDraft, findByIdOrKey, insertRow, isUniqueViolation, planTable, readPlanDraft, savePlanDraft, updateRow, type Plan, type PlanDraft,
} from '#persistence';
import { accepted, refused, type Outcome } from '#platform';
import { keyMismatch } from './catalog-items.js';
import { resolveTerms, withoutId, withPriceIds, type PlanTerms } from './plan-terms.js';
import { bothOf, lockPlan, missingPlan, productIdOf, savePlanVersion, type PlanView } from './plans.js';
import type { Surroundings } from './surroundings.js';

export type PlanDraftRefusal = 'not_found' | 'no_draft' | 'not_published' | 'key_mismatch' | 'invalid_request';

export interface PlanDraftView {
  readonly plan: Plan;
  readonly draft: PlanDraft;
}

interface PlanKey {
  readonly organizationId: string;
  /** Id or key. */
  readonly reference: string;
}

/** The next version of a plan while it is edited: tried on simulations and backtests, and nobody's until it is published. */
export class PlanDrafts {
  constructor(private readonly surroundings: Surroundings) {}

  /** Creates or replaces the draft of a plan; a plan that there is not begins with it. */
  async replace(organizationId: string, at: { reference: string; input: PlanDraftInput }): Promise<Outcome<{ view: PlanDraftView; isNew: boolean }, PlanDraftRefusal>> {
    const run = () => this.surroundings.database.inOrganization(organizationId, (manager) => this.replaceWithin(manager, { organizationId, ...at }));
    try {
      return await run();
    } catch (error) {
      if (isUniqueViolation(error, 'plans_key')) return run();
      throw error;
    }
  }

  async find({ organizationId, reference }: PlanKey): Promise<Outcome<PlanDraftView, PlanDraftRefusal>> {
    return this.surroundings.database.inOrganization(organizationId, async (manager) => {
      const plan = await findByIdOrKey<Plan>(manager, planTable, reference);
      if (plan === null) return missingPlan();
      const draft = await readPlanDraft(manager, plan.id);
      return draft === null ? refused('not_found', 'The plan has no draft.') : accepted({ plan, draft });
    });
  }

  /** What was never published is all that there is of its plan, and stays. */
  async discard({ organizationId, reference }: PlanKey): Promise<Outcome<PlanView, PlanDraftRefusal>> {
    return this.surroundings.database.inOrganization(organizationId, async (manager): Promise<Outcome<PlanView, PlanDraftRefusal>> => {
      const existing = await lockPlan(manager, reference);
      if (existing === null) return missingPlan();
      if (existing.plan.latestVersion === 0) return refused('not_published', 'Nothing else of the plan is there; replace the draft, or archive the plan.');
      return (await deletePlanDraft(manager, existing.plan.id)) ? accepted(existing) : refused('not_found', 'The plan has no draft.');
    });
  }

  /** Makes the draft the plan's next version, which never changes. Checked again, since what it refers to may have changed. */
  async publish({ organizationId, reference }: PlanKey): Promise<Outcome<PlanView, PlanDraftRefusal>> {
    return this.surroundings.database.inOrganization(organizationId, async (manager): Promise<Outcome<PlanView, PlanDraftRefusal>> => {
      const existing = await lockPlan(manager, reference);
      if (existing === null) return missingPlan();
      const { plan } = existing;
      const draft = await readPlanDraft(manager, plan.id);
      if (draft === null) return refused('no_draft', 'The plan has no draft to publish; put one first.');
      const terms = await resolveTerms(manager, {
        key: plan.key, name: plan.name, currency: draft.currency, billing_period: draft.billingPeriod, trial_days: draft.trialDays, prices: draft.prices.map(withoutId),
        entitlements: [...draft.entitlements], late_usage: draft.lateUsage,
      });
      if (!terms.ok) return terms;
      const naming = { name: plan.name, metadata: plan.metadata, productId: plan.productId, archivedAt: plan.archivedAt };
      const view = await savePlanVersion(manager, { existing, next: { terms: terms.value, naming }, drafted: draft.prices, surroundings: this.surroundings });
      await deletePlanDraft(manager, plan.id);
      return accepted(view);
    });
  }

  private async replaceWithin(
    manager: EntityManager,
    at: { organizationId: string; reference: string; input: PlanDraftInput },
  ): Promise<Outcome<{ view: PlanDraftView; isNew: boolean }, PlanDraftRefusal>> {
    const { organizationId, reference, input } = at;
    const existing = await lockPlan(manager, reference);
    if (existing === null && !keyPattern.test(reference)) return missingPlan();
    const key = existing?.plan.key ?? reference;
    if (input.key !== undefined && input.key !== key) return keyMismatch(key);
    const name = input.name ?? existing?.plan.name;
    const product = input.product === undefined ? accepted(existing?.plan.productId ?? null) : await productIdOf(manager, input.product);
    const found = bothOf(product, await resolveTerms(manager, { ...input, key, name: name ?? key }));
    if (name === undefined) {
      const unnamed = { pointer: '/name', code: 'missing_field', detail: 'There is no plan with this key yet; give the name of the one that begins with this draft.' };
      return refused('invalid_request', 'The plan has no name.', [unnamed, ...(found.ok ? [] : (found.errors ?? []))]);
    }
    if (!found.ok) return found;
    const { productId, terms } = found.value;
    const naming = { name, productId, metadata: input.metadata ?? existing?.plan.metadata ?? {} };
    const plan = existing === null ? await this.insertPlan(manager, { organizationId, key, ...naming }) : { ...existing.plan, ...naming };
    if (existing !== null) await updateRow(manager, planTable, { id: plan.id, set: naming });
    const earlier = existing === null ? null : await readPlanDraft(manager, plan.id);
    const draft = this.draftOf(terms, { plan, earlier, published: existing?.version.prices ?? [] });
    await savePlanDraft(manager, draft);
    return accepted({ view: { plan, draft }, isNew: earlier === null });
  }

  private async insertPlan(manager: EntityManager, given: Pick<Plan, 'organizationId' | 'key' | 'name' | 'productId' | 'metadata'>): Promise<Plan> {
    const plan: Plan = { id: this.surroundings.ids.make('plan'), ...given, latestVersion: 0, archivedAt: null, createdAt: this.surroundings.clock.now() };
    await insertRow(manager, planTable, plan);
    return plan;
  }

  private draftOf(terms: PlanTerms, of: { plan: Plan; earlier: PlanDraft | null; published: PlanDraft['prices'] }): PlanDraft {
    const now = this.surroundings.clock.now();
    const prices = withPriceIds(terms.prices, [...of.published, ...(of.earlier?.prices ?? [])], this.surroundings.ids);
    return { ...terms, prices, planId: of.plan.id, organizationId: of.plan.organizationId, createdAt: of.earlier?.createdAt ?? now, updatedAt: now };
  }
}
