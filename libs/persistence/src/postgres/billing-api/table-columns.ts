import type { EntityManager, EntitySchema, EntitySchemaColumnOptions, ValueTransformer } from 'typeorm';
import { wholeMicrosecond } from '#domain';
import { assert } from '#platform';

/** Instants are kept to the microsecond, which is all that Postgres holds; finer digits are cut, never rounded up. */
const instantTransformer: ValueTransformer = {
  to: (value: Temporal.Instant | null) => (value === null ? null : wholeMicrosecond(value).toString()),
  from: (text: string | null) => (text === null ? null : Temporal.Instant.from(text)),
};

const bigintTransformer: ValueTransformer = {
  to: (value: bigint | null) => (value === null ? null : value.toString()),
  from: (text: string | null) => (text === null ? null : BigInt(text)),
};

const jsonTransformer: ValueTransformer = {
  to: (value: unknown) => (value === null ? null : JSON.stringify(value)),
  from: (value: unknown) => value,
};

type Column = EntitySchemaColumnOptions;

export const textColumn = (name: string, options: Partial<Column> = {}): Column => ({ name, type: 'text', ...options });
export const instantColumn = (name: string, options: Partial<Column> = {}): Column => ({ name, type: 'timestamp with time zone', transformer: instantTransformer, ...options });
export const bigintColumn = (name: string, options: Partial<Column> = {}): Column => ({ name, type: 'bigint', transformer: bigintTransformer, ...options });
/** Posted money, in minor units: wider than a bigint of Postgres. */
export const minorColumn = (name: string, options: Partial<Column> = {}): Column => ({ name, type: 'numeric', transformer: bigintTransformer, ...options });
export const integerColumn = (name: string, options: Partial<Column> = {}): Column => ({ name, type: 'integer', ...options });
export const booleanColumn = (name: string, options: Partial<Column> = {}): Column => ({ name, type: 'boolean', ...options });
export const jsonColumn = (name: string, options: Partial<Column> = {}): Column => ({ name, type: 'jsonb', transformer: jsonTransformer, ...options });

/** The columns that every resource has. */
export const resourceColumns = {
  id: textColumn('id', { primary: true }),
  organizationId: textColumn('organization_id'),
  createdAt: instantColumn('created_at'),
  metadata: jsonColumn('metadata', { default: {} }),
};

export type Row = Record<string, unknown>;

function columnsOf<T>(table: EntitySchema<T>): [keyof T & string, Column][] {
  return Object.entries(table.options.columns) as [keyof T & string, Column][];
}

function transformerOf(column: Column): ValueTransformer | undefined {
  assert(!Array.isArray(column.transformer), 'A column has one transformer.');
  return column.transformer;
}

/**
 * Makes a raw row of the table's columns into what the code works with. The rows come from `manager.query`, not from
 * TypeORM's own loading, which would cut instants to milliseconds and needs each reader's connection to know the entity.
 */
export function fromRow<T>(table: EntitySchema<T>, row: Row): T {
  const entity: Row = {};
  for (const [property, column] of columnsOf(table)) {
    const value = row[column.name ?? property];
    entity[property] = transformerOf(column)?.from(value) ?? value;
  }
  return entity as T;
}

function toColumns<T>(table: EntitySchema<T>, entity: Partial<T>): { name: string; value: unknown }[] {
  const columns = new Map(columnsOf(table));
  return Object.entries(entity).map(([property, value]) => {
    const column = columns.get(property as keyof T & string);
    assert(column !== undefined, `The table has a column for ${property}.`);
    return { name: column.name ?? property, value: transformerOf(column)?.to(value) ?? value };
  });
}

export async function insertRow<T>(manager: EntityManager, table: EntitySchema<T>, entity: T): Promise<void> {
  const columns = toColumns<T>(table, entity as Partial<T>);
  const names = columns.map(({ name }) => name).join(', ');
  const places = columns.map((_, index) => `$${index + 1}`).join(', ');
  await manager.query(`insert into ${table.options.tableName} (${names}) values (${places})`, columns.map(({ value }) => value));
}

/** Changes the row with this id; the row-level security keeps it within the organization. */
export async function updateRow<T extends { id: string }>(manager: EntityManager, table: EntitySchema<T>, change: { id: string; set: Partial<NoInfer<T>> }): Promise<void> {
  const columns = toColumns<T>(table, change.set);
  if (columns.length === 0) return;
  const sets = columns.map(({ name }, index) => `${name} = $${index + 2}`).join(', ');
  await manager.query(`update ${table.options.tableName} set ${sets} where id = $1`, [change.id, ...columns.map(({ value }) => value)]);
}
