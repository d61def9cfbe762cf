import { EntitySchema, type EntityManager } from 'typeorm';
import type { PostalAddress } from './organization-table.js';
import { preparedQuery } from '../prepared-query.js';
import { ownRows } from './list-rows.js';
import { fromRow, instantColumn, jsonColumn, resourceColumns, textColumn, type Row } from './table-columns.js';

/** Who is billed. A null currency takes whatever its plans are priced in. */
export interface Customer {
  readonly id: string;
  readonly organizationId: string;
  readonly key: string | null;
  readonly name: string;
  readonly email: string | null;
  readonly currency: string | null;
  readonly timeZone: string;
  readonly address: PostalAddress | null;
  readonly taxId: string | null;
  readonly purchaseOrder: string | null;
  readonly archivedAt: Temporal.Instant | null;
  readonly createdAt: Temporal.Instant;
  readonly metadata: Readonly<Record<string, string>>;
}

export const customerTable = new EntitySchema<Customer>({
  name: 'Customer',
  tableName: 'customers',
  columns: {
    ...resourceColumns,
    key: textColumn('key', { nullable: true }),
    name: textColumn('name'),
    email: textColumn('email', { nullable: true }),
    currency: textColumn('currency', { nullable: true }),
    timeZone: textColumn('time_zone'),
    address: jsonColumn('address', { nullable: true }),
    taxId: textColumn('tax_id', { nullable: true }),
    purchaseOrder: textColumn('purchase_order', { nullable: true }),
    archivedAt: instantColumn('archived_at', { nullable: true }),
  },
  indices: [
    { name: 'customers_key', columns: ['organizationId', 'key'], unique: true },
    { name: 'customers_list', columns: ['organizationId', 'id'] },
  ],
  foreignKeys: [{ name: 'customers_organization', target: 'Organization', columnNames: ['organizationId'], referencedColumnNames: ['id'] }],
});

/** A subject is a customer's over [fromAt, toAt); null is from ever, and for ever. */
export interface Attachment {
  readonly customerId: string;
  readonly subject: string;
  readonly fromAt: Temporal.Instant | null;
  readonly toAt: Temporal.Instant | null;
}

export interface AttachmentRow extends Attachment {
  readonly id: string;
  readonly organizationId: string;
  readonly createdAt: Temporal.Instant;
}

export const customerSubjectTable = new EntitySchema<AttachmentRow>({
  name: 'CustomerSubject',
  tableName: 'customer_subjects',
  columns: {
    id: textColumn('id', { primary: true }),
    organizationId: textColumn('organization_id'),
    customerId: textColumn('customer_id'),
    subject: textColumn('subject', { collation: 'C' }),
    fromAt: instantColumn('from_at', { nullable: true }),
    toAt: instantColumn('to_at', { nullable: true }),
    createdAt: instantColumn('created_at'),
  },
  checks: [{ name: 'customer_subjects_period', expression: 'from_at < to_at' }],
  indices: [
    // `nulls not distinct` can't be said here, so this one is left to its migration.
    { name: 'customer_subjects_begin', columns: ['organizationId', 'subject', 'fromAt'], unique: true, synchronize: false },
    { name: 'customer_subjects_open', columns: ['organizationId', 'subject'], unique: true, where: 'to_at is null' },
    { name: 'customer_subjects_customer_list', columns: ['organizationId', 'customerId'] },
  ],
  foreignKeys: [{ name: 'customer_subjects_customer', target: 'Customer', columnNames: ['customerId'], referencedColumnNames: ['id'] }],
});

/** The dated attachments of these customers, or of these subjects, or of both; of all where neither is given. In order of subject and time. */
export async function readAttachments(
  manager: EntityManager,
  filter: { readonly customerIds?: readonly string[]; readonly subjects?: readonly string[] } = {},
): Promise<Attachment[]> {
  const rows = await preparedQuery<Row>(manager, {
    name: 'read_attachments',
    text: `select id, organization_id, customer_id, subject, from_at, to_at, created_at from customer_subjects
      where ${ownRows} and ($1::text[] is null or customer_id = any($1)) and ($2::text[] is null or subject = any($2))
      order by subject, from_at nulls first`,
    values: [filter.customerIds ?? null, filter.subjects ?? null],
  });
  return rows.map((row) => {
    const { customerId, subject, fromAt, toAt } = fromRow(customerSubjectTable, row);
    return { customerId, subject, fromAt, toAt };
  });
}

/** Customers by id; those that the organization does not have are left out. */
export async function readCustomers(manager: EntityManager, ids: readonly string[]): Promise<Customer[]> {
  const rows: Row[] = await manager.query(`select * from customers where ${ownRows} and id = any($1)`, [ids]);
  return rows.map((row) => fromRow(customerTable, row));
}

/** Customers named by id or key, each once; those that the organization does not have are left out. */
export async function readCustomersByReference(manager: EntityManager, references: readonly string[]): Promise<Customer[]> {
  const rows: Row[] = await manager.query(`select * from customers where ${ownRows} and (id = any($1) or key = any($1)) order by id collate "C"`, [references]);
  return rows.map((row) => fromRow(customerTable, row));
}

/** The ids of customers named by id or key; null where one of them is unknown. */
export async function readCustomerIds(manager: EntityManager, references: readonly string[]): Promise<readonly string[] | null> {
  const rows = await preparedQuery<{ id: string; key: string | null }>(manager, {
    name: 'read_customer_ids', text: `select id, key from customers where ${ownRows} and (id = any($1) or key = any($1)) order by id collate "C"`, values: [references],
  });
  const known = new Set(rows.flatMap(({ id, key }) => [id, key]));
  return references.every((reference) => known.has(reference)) ? rows.map(({ id }) => id) : null;
}

/** One customer by its id or key. */
export async function readCustomer(manager: EntityManager, reference: string): Promise<Customer | null> {
  const rows: Row[] = await manager.query(`select * from customers where ${ownRows} and (id = $1 or key = $1)`, [reference]);
  return rows[0] === undefined ? null : fromRow(customerTable, rows[0]);
}
