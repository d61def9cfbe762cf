import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTable } from '../protect-table.js';

/**
 * Who is billed, and whose subject it is from when to when. Attachments are half-open; a subject has at most one
 * customer at an instant: writers take the subject's lock, and the indexes refuse two that begin together or both last for ever.
 */
export class Customers1700000000016 implements MigrationInterface {
  name = 'Customers1700000000016';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table customers (
        id text not null,
        organization_id text not null,
        key text,
        name text not null,
        email text,
        currency text,
        time_zone text not null,
        address jsonb,
        tax_id text,
        purchase_order text,
        archived_at timestamptz,
        created_at timestamptz not null,
        metadata jsonb not null default '{}',
        constraint customers_pk primary key (id),
        constraint customers_organization foreign key (organization_id) references organizations (id)
      )`);
    await runner.query('create unique index customers_key on customers (organization_id, key)');
    await runner.query('create index customers_list on customers (organization_id, id)');
    await runner.query(`
      create table customer_subjects (
        id text not null,
        organization_id text not null,
        customer_id text not null,
        subject text not null collate "C",
        from_at timestamptz,
        to_at timestamptz,
        created_at timestamptz not null,
        constraint customer_subjects_pk primary key (id),
        constraint customer_subjects_customer foreign key (customer_id) references customers (id),
        constraint customer_subjects_period check (from_at < to_at)
      )`);
    await runner.query('create unique index customer_subjects_begin on customer_subjects (organization_id, subject, from_at) nulls not distinct');
    await runner.query('create unique index customer_subjects_open on customer_subjects (organization_id, subject) where to_at is null');
    await runner.query('create index customer_subjects_customer_list on customer_subjects (organization_id, customer_id)');
    const readers = ['aggregator', 'rating', 'invoicing'] as const;
    await protectTable(runner, { table: 'customers', owner: 'billingApi', ownerMay: ['select', 'insert', 'update'], readers });
    await protectTable(runner, { table: 'customer_subjects', owner: 'billingApi', readers });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table customer_subjects, customers');
  }
}
