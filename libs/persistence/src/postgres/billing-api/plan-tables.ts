import { EntitySchema, type EntityManager } from 'typeorm';
import { lateUsageDefault, type LateUsage, type PlanEntitlement, type Price } from '#domain';
import { ownRows } from './list-rows.js';
import { fromRow, instantColumn, integerColumn, jsonColumn, resourceColumns, textColumn, type Row } from './table-columns.js';

export interface Plan {
  readonly id: string;
  readonly organizationId: string;
  readonly key: string;
  readonly name: string;
  readonly productId: string | null;
  readonly latestVersion: number;
  readonly archivedAt: Temporal.Instant | null;
  readonly createdAt: Temporal.Instant;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A price of a plan version. Its id stays the same from version to version for as long as nothing about the price changes. */
export type PlanPrice = Price & { readonly id: string };

/** What subscriptions are priced by. Never changed once it is there. */
export interface PlanVersion {
  readonly planId: string;
  readonly version: number;
  readonly organizationId: string;
  readonly currency: string;
  /** ISO 8601 duration of one part, such as P1M. */
  readonly billingPeriod: string;
  readonly trialDays: number;
  readonly prices: readonly PlanPrice[];
  /** Each feature once. */
  readonly entitlements: readonly PlanEntitlement[];
  readonly lateUsage: LateUsage;
  readonly createdAt: Temporal.Instant;
}

export const planTable = new EntitySchema<Plan>({
  name: 'Plan',
  tableName: 'plans',
  columns: {
    ...resourceColumns,
    key: textColumn('key'),
    name: textColumn('name'),
    productId: textColumn('product_id', { nullable: true }),
    latestVersion: integerColumn('latest_version'),
    archivedAt: instantColumn('archived_at', { nullable: true }),
  },
  indices: [
    { name: 'plans_key', columns: ['organizationId', 'key'], unique: true },
    { name: 'plans_list', columns: ['organizationId', 'id'] },
  ],
  foreignKeys: [
    { name: 'plans_organization', target: 'Organization', columnNames: ['organizationId'], referencedColumnNames: ['id'] },
    { name: 'plans_product', target: 'Product', columnNames: ['productId'], referencedColumnNames: ['id'] },
  ],
});

export const planVersionTable = new EntitySchema<PlanVersion>({
  name: 'PlanVersion',
  tableName: 'plan_versions',
  columns: {
    planId: textColumn('plan_id', { primary: true }),
    version: integerColumn('version', { primary: true }),
    organizationId: textColumn('organization_id'),
    currency: textColumn('currency'),
    billingPeriod: textColumn('billing_period'),
    trialDays: integerColumn('trial_days', { default: 0 }),
    prices: jsonColumn('prices'),
    entitlements: jsonColumn('entitlements', { default: [] }),
    lateUsage: jsonColumn('late_usage', { default: { ...lateUsageDefault } }),
    createdAt: instantColumn('created_at'),
  },
  checks: [{ name: 'plan_versions_number', expression: 'version > 0' }],
  foreignKeys: [{ name: 'plan_versions_plan', target: 'Plan', columnNames: ['planId'], referencedColumnNames: ['id'] }],
});

/** A plan's key and name together with one version of it. */
export interface PlanVersionOfPlan extends PlanVersion {
  readonly planKey: string;
  readonly planName: string;
  readonly productId: string | null;
}

/** These versions of plans, each once, in no particular order; those that the organization does not have are left out. */
export async function readPlanVersions(manager: EntityManager, wanted: readonly { readonly planId: string; readonly version: number }[]): Promise<PlanVersionOfPlan[]> {
  const rows: Row[] = await manager.query(
    `select v.*, p.key as plan_key, p.name as plan_name, p.product_id
       from plan_versions v join plans p on p.id = v.plan_id
      where v.${ownRows} and (v.plan_id, v.version) in (select * from unnest($1::text[], $2::int[]))`,
    [wanted.map(({ planId }) => planId), wanted.map(({ version }) => version)],
  );
  return rows.map((row) => ({
    ...fromRow(planVersionTable, row),
    planKey: row['plan_key'] as string,
    planName: row['plan_name'] as string,
    productId: row['product_id'] as string | null,
  }));
}

/** One version of a plan; null where the organization has none. */
export async function readPlanVersion(manager: EntityManager, wanted: { readonly planId: string; readonly version: number }): Promise<PlanVersionOfPlan | null> {
  return (await readPlanVersions(manager, [wanted]))[0] ?? null;
}
