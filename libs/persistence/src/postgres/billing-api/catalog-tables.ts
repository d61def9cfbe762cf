import { EntitySchema, type EntityManager } from 'typeorm';
import type { Meter } from '#domain';
import { ownRows } from './list-rows.js';
import { fromRow, instantColumn, integerColumn, jsonColumn, resourceColumns, textColumn, type Row } from './table-columns.js';

/** What products, features, meters and event sources have in common. */
export interface CatalogItem {
  readonly id: string;
  readonly organizationId: string;
  readonly key: string;
  readonly name: string;
  readonly archivedAt: Temporal.Instant | null;
  readonly createdAt: Temporal.Instant;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The API that is sold. */
export interface Product extends CatalogItem {
  readonly docsUrl: string | null;
  readonly version: string | null;
}

/** What a customer buys or is limited on. */
export interface Feature extends CatalogItem {
  readonly meterId: string | null;
}

/** A meter as the catalog keeps it: how its latest version counts and since when, and what users call it. */
export interface MeterResource extends CatalogItem, Omit<Meter, 'versions'> {
  readonly unit: string | null;
  readonly latestVersion: number;
  /** Null where the latest version is the first, which counts from the beginning. */
  readonly effectiveAt: Temporal.Instant | null;
}

export const catalogColumns = {
  ...resourceColumns,
  key: textColumn('key'),
  name: textColumn('name'),
  archivedAt: instantColumn('archived_at', { nullable: true }),
};

export function catalogIndices(table: string) {
  return [
    { name: `${table}_key`, columns: ['organizationId', 'key'], unique: true },
    { name: `${table}_list`, columns: ['organizationId', 'id'] },
  ];
}

export function ofOrganization(table: string) {
  return { name: `${table}_organization`, target: 'Organization', columnNames: ['organizationId'], referencedColumnNames: ['id'] };
}

export const productTable = new EntitySchema<Product>({
  name: 'Product',
  tableName: 'products',
  columns: { ...catalogColumns, docsUrl: textColumn('docs_url', { nullable: true }), version: textColumn('version', { nullable: true }) },
  indices: catalogIndices('products'),
  foreignKeys: [ofOrganization('products')],
});

/** The keys of products by their ids, for showing both. */
export async function readProductKeys(manager: EntityManager, of: readonly { readonly productId: string | null }[]): Promise<ReadonlyMap<string, string>> {
  const ids = of.flatMap(({ productId }) => (productId === null ? [] : [productId]));
  if (ids.length === 0) return new Map();
  const rows: { id: string; key: string }[] = await manager.query(`select id, key from products where ${ownRows} and id = any($1)`, [ids]);
  return new Map(rows.map(({ id, key }) => [id, key]));
}

export const featureTable = new EntitySchema<Feature>({
  name: 'Feature',
  tableName: 'features',
  columns: { ...catalogColumns, meterId: textColumn('meter_id', { nullable: true }) },
  indices: catalogIndices('features'),
  foreignKeys: [ofOrganization('features'), { name: 'features_meter', target: 'Meter', columnNames: ['meterId'], referencedColumnNames: ['id'] }],
});

/** The columns of what decides a meter's quantity. */
export const definitionColumns = {
  eventType: textColumn('event_type'),
  aggregation: textColumn('aggregation'),
  valuePath: textColumn('value_path', { nullable: true }),
  percentile: textColumn('percentile', { nullable: true }),
  groupBy: jsonColumn('group_by', { default: {} }),
  filter: textColumn('filter', { nullable: true }),
};

export const meterTable = new EntitySchema<MeterResource>({
  name: 'Meter',
  tableName: 'meters',
  columns: {
    ...catalogColumns,
    ...definitionColumns,
    unit: textColumn('unit', { nullable: true }),
    latestVersion: integerColumn('latest_version', { default: 1 }),
    effectiveAt: instantColumn('effective_at', { nullable: true }),
  },
  indices: [...catalogIndices('meters'), { name: 'meters_event_type', columns: ['organizationId', 'eventType'] }],
  foreignKeys: [ofOrganization('meters')],
});

/** The organization's meters, archived ones included: all, or those whose id or key is named, or those of these event types. */
export async function readMeters(manager: EntityManager, filter: { readonly references?: readonly string[]; readonly eventTypes?: readonly string[] } = {}): Promise<MeterResource[]> {
  const rows: Row[] = await manager.query(
    `select * from meters
      where ${ownRows} and ($1::text[] is null or id = any($1) or key = any($1)) and ($2::text[] is null or event_type = any($2))
      order by id`,
    [filter.references ?? null, filter.eventTypes ?? null],
  );
  return rows.map((row) => fromRow(meterTable, row));
}
