import type { EntityManager, EntitySchema } from 'typeorm';
import type { ListPage } from '#platform';
import { fromRow, type Row } from './table-columns.js';

/** A condition with its parameters; `sql` gets the place of its first parameter. */
export interface Condition {
  readonly sql: (place: number) => string;
  readonly values: readonly unknown[];
}

export interface RowPage<T> {
  readonly items: T[];
  readonly hasMore: boolean;
}

/** The one condition that each query adds by itself, since a role that scans a table as its worklist sees more than the organization. */
export const ownRows = `organization_id = current_setting('app.organization_id', true)`;

/** One page of an organization's rows, newest first. Ids sort by the time of their making. Behind and before a row that is not there is nothing. */
export async function listRows<T>(manager: EntityManager, table: EntitySchema<T>, options: { page: ListPage; conditions?: readonly Condition[] }): Promise<RowPage<T>> {
  const { page } = options;
  const conditions = [...(options.conditions ?? [])];
  const backwards = page.endingBefore !== null;
  const own = table.options.tableName === 'organizations' ? 'true' : ownRows;
  const named = 'key' in table.options.columns ? (place: number) => `$${place} in (id, key)` : (place: number) => `id = $${place}`;
  const idOf = (place: number): string => `(select id from ${table.options.tableName} where ${own} and ${named(place)})`;
  if (page.startingAfter !== null) conditions.push({ sql: (place) => `id < ${idOf(place)}`, values: [page.startingAfter] });
  if (page.endingBefore !== null) conditions.push({ sql: (place) => `id > ${idOf(place)}`, values: [page.endingBefore] });
  const values: unknown[] = [page.limit + 1];
  let where = own;
  for (const condition of conditions) {
    where += ` and ${condition.sql(values.length + 1)}`;
    values.push(...condition.values);
  }
  const rows: Row[] = await manager.query(
    `select * from ${table.options.tableName} where ${where} order by id ${backwards ? 'asc' : 'desc'} limit $1`, values);
  const items = rows.slice(0, page.limit).map((row) => fromRow(table, row));
  return { items: backwards ? items.reverse() : items, hasMore: rows.length > page.limit };
}

/** Rows by their ids or keys; those that the organization does not have are left out. */
export async function readByReferences<T>(manager: EntityManager, table: EntitySchema<T>, references: readonly string[]): Promise<T[]> {
  if (references.length === 0) return [];
  const rows: Row[] = await manager.query(`select * from ${table.options.tableName} where ${ownRows} and (id = any($1) or key = any($1)) order by id`, [references]);
  return rows.map((row) => fromRow(table, row));
}

/** One row by its id or by the key that the user chose; null where the organization has none. */
export async function findByIdOrKey<T>(manager: EntityManager, table: EntitySchema<T>, reference: string): Promise<T | null> {
  const rows: Row[] = await manager.query(`select * from ${table.options.tableName} where ${ownRows} and (id = $1 or key = $1)`, [reference]);
  return rows[0] === undefined ? null : fromRow(table, rows[0]);
}
