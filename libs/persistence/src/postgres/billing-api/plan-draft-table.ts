import { EntitySchema, type EntityManager } from 'typeorm';
import { assert } from '#platform';
import { ownRows } from './list-rows.js';
import { readPlanVersions, type Plan, type PlanVersion } from './plan-tables.js';
import { fromRow, insertRow, instantColumn, integerColumn, jsonColumn, textColumn, type Row } from './table-columns.js';

/** The next version of a plan, which may still be edited. A plan has one at most. */
export interface PlanDraft extends Omit<PlanVersion, 'version'> {
  readonly updatedAt: Temporal.Instant;
}

export const planDraftTable = new EntitySchema<PlanDraft>({
  name: 'PlanDraft',
  tableName: 'plan_drafts',
  columns: {
    planId: textColumn('plan_id', { primary: true }),
    organizationId: textColumn('organization_id'),
    currency: textColumn('currency'),
    billingPeriod: textColumn('billing_period'),
    trialDays: integerColumn('trial_days', { default: 0 }),
    prices: jsonColumn('prices'),
    entitlements: jsonColumn('entitlements', { default: [] }),
    lateUsage: jsonColumn('late_usage'),
    createdAt: instantColumn('created_at'),
    updatedAt: instantColumn('updated_at'),
  },
  foreignKeys: [{ name: 'plan_drafts_plan', target: 'Plan', columnNames: ['planId'], referencedColumnNames: ['id'] }],
});

export async function readPlanDrafts(manager: EntityManager, planIds: readonly string[]): Promise<PlanDraft[]> {
  if (planIds.length === 0) return [];
  const rows: Row[] = await manager.query(`select * from plan_drafts where ${ownRows} and plan_id = any($1)`, [planIds]);
  return rows.map((row) => fromRow(planDraftTable, row));
}

export async function readPlanDraft(manager: EntityManager, planId: string): Promise<PlanDraft | null> {
  return (await readPlanDrafts(manager, [planId]))[0] ?? null;
}

/** Puts a draft in place of the one that there was. */
export async function savePlanDraft(manager: EntityManager, draft: PlanDraft): Promise<void> {
  await deletePlanDraft(manager, draft.planId);
  await insertRow(manager, planDraftTable, draft);
}

/** Returns false where there was none. */
export async function deletePlanDraft(manager: EntityManager, planId: string): Promise<boolean> {
  const removed: unknown[] = await manager.query('with removed as (delete from plan_drafts where plan_id = $1 returning 1) select * from removed', [planId]);
  return removed.length > 0;
}

/** A draft as the terms that it would publish; its version is 0, which no published one has. */
export function draftAsVersion({ updatedAt: _updatedAt, ...terms }: PlanDraft): PlanVersion {
  return { ...terms, version: 0 };
}

/** The latest version of each plan by the plan's id, or what is drafted where nothing is published. */
export async function readCurrentTerms(manager: EntityManager, plans: readonly Pick<Plan, 'id' | 'latestVersion'>[]): Promise<Map<string, PlanVersion>> {
  const published = plans.filter(({ latestVersion }) => latestVersion > 0);
  const versions = await readPlanVersions(manager, published.map(({ id, latestVersion }) => ({ planId: id, version: latestVersion })));
  const drafts = await readPlanDrafts(manager, plans.filter(({ latestVersion }) => latestVersion === 0).map(({ id }) => id));
  const terms = new Map([...versions, ...drafts.map(draftAsVersion)].map((version) => [version.planId, version]));
  assert(plans.every(({ id }) => terms.has(id)), 'A plan has a version or a draft.');
  return terms;
}
