import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTable } from '../protect-table.js';

/** Plans and their versions. A version is never changed: its table grants no update. */
export class Plans1700000000015 implements MigrationInterface {
  name = 'Plans1700000000015';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table plans (
        id text not null,
        organization_id text not null,
        key text not null,
        name text not null,
        product_id text,
        latest_version integer not null,
        archived_at timestamptz,
        created_at timestamptz not null,
        metadata jsonb not null default '{}',
        constraint plans_pk primary key (id),
        constraint plans_organization foreign key (organization_id) references organizations (id),
        constraint plans_product foreign key (product_id) references products (id)
      )`);
    await runner.query('create unique index plans_key on plans (organization_id, key)');
    await runner.query('create index plans_list on plans (organization_id, id)');
    await runner.query(`
      create table plan_versions (
        plan_id text not null,
        version integer not null,
        organization_id text not null,
        currency text not null,
        billing_period text not null,
        trial_days integer not null default 0,
        prices jsonb not null,
        created_at timestamptz not null,
        constraint plan_versions_pk primary key (plan_id, version),
        constraint plan_versions_plan foreign key (plan_id) references plans (id),
        constraint plan_versions_number check (version > 0)
      )`);
    const readers = ['rating', 'invoicing'] as const;
    await protectTable(runner, { table: 'plans', owner: 'billingApi', ownerMay: ['select', 'insert', 'update'], readers });
    await protectTable(runner, { table: 'plan_versions', owner: 'billingApi', ownerMay: ['select', 'insert'], readers });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table plan_versions, plans');
  }
}
