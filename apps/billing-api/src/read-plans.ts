import type { EntityManager } from 'typeorm';
import { draftAsVersion, findByIdOrKey, listRows, planTable, readCurrentTerms, readPlanDraft, readPlanVersion, readPlanVersions, readProductKeys, type Database, type Plan, type PlanVersion, type RowPage } from '#persistence';
import { accepted, refused, type ListPage, type Outcome } from '#platform';
import type { PlanView } from './plans.js';

export type ReadPlanRefusal = 'not_found';

export class ReadPlans {
  constructor(private readonly database: Database) {}

  /** A plan in its latest version, or in the one that is named; as it is drafted where nothing is published. */
  async find(organizationId: string, wanted: { reference: string; version: number | null }): Promise<Outcome<PlanView, ReadPlanRefusal>> {
    return this.database.inOrganization(organizationId, async (manager) => {
      const plan = await findByIdOrKey(manager, planTable, wanted.reference);
      const version = plan === null ? null : wanted.version === null ? (await readCurrentTerms(manager, [plan])).get(plan.id) ?? null : await readPlanVersion(manager, { planId: plan.id, version: wanted.version });
      return plan === null || version === null ? refused('not_found', 'There is no such plan, or no such version of it.') : accepted({ plan, version });
    });
  }

  async list(organizationId: string, options: { page: ListPage; includeArchived: boolean }): Promise<RowPage<PlanView>> {
    const conditions = options.includeArchived ? [] : [{ sql: () => 'archived_at is null', values: [] }];
    return this.database.inOrganization(organizationId, async (manager) => {
      const page = await listRows(manager, planTable, { page: options.page, conditions });
      const terms = await readCurrentTerms(manager, page.items);
      const items = page.items.flatMap((plan) => (terms.has(plan.id) ? [{ plan, version: terms.get(plan.id) as PlanVersion }] : []));
      return { items, hasMore: page.hasMore };
    });
  }

  /** Newest first. A plan has as many versions as it was changed, so they come page by page, after a version's number. */
  async versions(organizationId: string, wanted: { reference: string; page: Omit<ListPage, 'endingBefore'> }): Promise<Outcome<RowPage<PlanVersion>, ReadPlanRefusal>> {
    return this.database.inOrganization(organizationId, async (manager) => {
      const plan = await findByIdOrKey(manager, planTable, wanted.reference);
      if (plan === null) return refused('not_found', 'There is no such plan.');
      return accepted(await this.versionPage(manager, plan, wanted.page));
    });
  }

  /** Two versions to be compared; without their numbers, the latest and the one before it. A draft stands after the latest, as version 0. */
  async pair(organizationId: string, wanted: { reference: string; from: number | null; to: number | 'draft' | null }): Promise<Outcome<{ from: PlanVersion; to: PlanVersion }, ReadPlanRefusal>> {
    return this.database.inOrganization(organizationId, async (manager) => {
      const plan = await findByIdOrKey(manager, planTable, wanted.reference);
      if (plan === null) return refused('not_found', 'There is no such plan.');
      const draft = wanted.to === 'draft' ? await readPlanDraft(manager, plan.id) : null;
      const to = wanted.to === 'draft' ? 0 : (wanted.to ?? plan.latestVersion);
      const from = wanted.from ?? (wanted.to === 'draft' ? plan.latestVersion : Math.max(1, to - 1));
      const published = await readPlanVersions(manager, [...new Set([from, to])].map((version) => ({ planId: plan.id, version })));
      const versions = [...published, ...(draft === null ? [] : [draftAsVersion(draft)])];
      const found = { from: versions.find(({ version }) => version === from), to: versions.find(({ version }) => version === to) };
      return found.from === undefined || found.to === undefined ? refused('not_found', 'The plan has no such version.') : accepted({ from: found.from, to: found.to });
    });
  }

  /** The keys of products by their ids, for showing both. */
  async productKeys(organizationId: string, plans: readonly Plan[]): Promise<ReadonlyMap<string, string>> {
    return this.database.inOrganization(organizationId, (manager) => readProductKeys(manager, plans));
  }

  private async versionPage(manager: EntityManager, plan: Plan, page: Omit<ListPage, 'endingBefore'>): Promise<RowPage<PlanVersion>> {
    const from = Math.min(plan.latestVersion, numberOf(page.startingAfter, plan.latestVersion + 1) - 1);
    const numbers = Array.from({ length: Math.max(0, Math.min(page.limit, from)) }, (_, index) => from - index);
    const versions = await readPlanVersions(manager, numbers.map((version) => ({ planId: plan.id, version })));
    return { items: versions.toSorted((a, b) => b.version - a.version), hasMore: from > page.limit };
  }
}

function numberOf(cursor: string | null, fallback: number): number {
  return cursor !== null && /^\d{1,9}$/.test(cursor) ? Number(cursor) : fallback;
}
