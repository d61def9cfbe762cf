import { EntitySchema, type EntityManager } from 'typeorm';
import { ownRows } from './list-rows.js';
import { catalogColumns, catalogIndices, ofOrganization, type CatalogItem } from './catalog-tables.js';
import type { PlanPrice } from './plan-tables.js';
import { fromRow, instantColumn, integerColumn, jsonColumn, textColumn, type Row } from './table-columns.js';

/** What is added to a plan for one customer. */
export interface AddOn extends CatalogItem {
  readonly productId: string | null;
  readonly latestVersion: number;
}

/** What subscriptions that have it are priced by. Never changed once it is there. */
export interface AddOnVersion {
  readonly addOnId: string;
  readonly version: number;
  readonly organizationId: string;
  /** What its lines are called by: the add-on's when the version was made. */
  readonly name: string;
  readonly currency: string;
  /** ISO 8601 duration of one part; that of the plans which it fits. */
  readonly billingPeriod: string;
  readonly prices: readonly PlanPrice[];
  /** Keys; null for all that it fits otherwise. */
  readonly plans: readonly string[] | null;
  /** Keys of the add-ons that have to be there too. */
  readonly requires: readonly string[];
  /** Plain decimal; null for no bound. */
  readonly maxQuantity: string | null;
  readonly createdAt: Temporal.Instant;
}

export const addOnTable = new EntitySchema<AddOn>({
  name: 'AddOn',
  tableName: 'add_ons',
  columns: { ...catalogColumns, productId: textColumn('product_id', { nullable: true }), latestVersion: integerColumn('latest_version') },
  indices: catalogIndices('add_ons'),
  foreignKeys: [ofOrganization('add_ons'), { name: 'add_ons_product', target: 'Product', columnNames: ['productId'], referencedColumnNames: ['id'] }],
});

export const addOnVersionTable = new EntitySchema<AddOnVersion>({
  name: 'AddOnVersion',
  tableName: 'add_on_versions',
  columns: {
    addOnId: textColumn('add_on_id', { primary: true }),
    version: integerColumn('version', { primary: true }),
    organizationId: textColumn('organization_id'),
    name: textColumn('name'),
    currency: textColumn('currency'),
    billingPeriod: textColumn('billing_period'),
    prices: jsonColumn('prices'),
    plans: jsonColumn('plans', { nullable: true }),
    requires: jsonColumn('requires'),
    maxQuantity: textColumn('max_quantity', { nullable: true }),
    createdAt: instantColumn('created_at'),
  },
  checks: [{ name: 'add_on_versions_number', expression: 'version > 0' }],
  foreignKeys: [{ name: 'add_on_versions_add_on', target: 'AddOn', columnNames: ['addOnId'], referencedColumnNames: ['id'] }],
});

/** A version with the key of its add-on. */
export interface AddOnVersionOfAddOn extends AddOnVersion {
  readonly addOnKey: string;
}

const withKeys = 'select v.*, a.key as add_on_key from add_on_versions v join add_ons a on a.id = v.add_on_id';

function toVersion(row: Row): AddOnVersionOfAddOn {
  return { ...fromRow(addOnVersionTable, row), addOnKey: row['add_on_key'] as string };
}

/** These versions of add-ons, in no particular order; those that the organization does not have are left out. */
export async function readAddOnVersions(manager: EntityManager, wanted: readonly { readonly addOnId: string; readonly version: number }[]): Promise<AddOnVersionOfAddOn[]> {
  if (wanted.length === 0) return [];
  const rows: Row[] = await manager.query(
    `${withKeys} where v.${ownRows} and (v.add_on_id, v.version) in (select * from unnest($1::text[], $2::int[]))`, [wanted.map(({ addOnId }) => addOnId), wanted.map(({ version }) => version)]);
  return rows.map(toVersion);
}

/** The latest version of every add-on, archived ones included. */
export async function readLatestAddOnVersions(manager: EntityManager): Promise<AddOnVersionOfAddOn[]> {
  const rows: Row[] = await manager.query(`${withKeys} where v.${ownRows} and v.version = a.latest_version`);
  return rows.map(toVersion);
}

/** One page of an add-on's versions, newest first, after a version's number. */
export async function readAddOnVersionPage(manager: EntityManager, wanted: { readonly addOnId: string; readonly before: number | null; readonly limit: number }): Promise<AddOnVersionOfAddOn[]> {
  const rows: Row[] = await manager.query(
    `${withKeys} where v.${ownRows} and v.add_on_id = $1 and ($2::int is null or v.version < $2) order by v.version desc limit $3`, [wanted.addOnId, wanted.before, wanted.limit]);
  return rows.map(toVersion);
}
