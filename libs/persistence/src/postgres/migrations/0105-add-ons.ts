import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTable } from '../protect-table.js';

/** Add-ons and their versions, which never change; a subscription keeps which of them it has, and since when. */
export class AddOns1700000000105 implements MigrationInterface {
  name = 'AddOns1700000000105';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table add_ons (
        id text not null,
        organization_id text not null,
        key text not null,
        name text not null,
        product_id text,
        latest_version integer not null,
        archived_at timestamptz,
        created_at timestamptz not null,
        metadata jsonb not null default '{}',
        constraint add_ons_pk primary key (id),
        constraint add_ons_organization foreign key (organization_id) references organizations (id),
        constraint add_ons_product foreign key (product_id) references products (id)
      )`);
    await runner.query('create unique index add_ons_key on add_ons (organization_id, key)');
    await runner.query('create index add_ons_list on add_ons (organization_id, id)');
    await runner.query(`
      create table add_on_versions (
        add_on_id text not null,
        version integer not null,
        organization_id text not null,
        name text not null,
        currency text not null,
        billing_period text not null,
        prices jsonb not null,
        -- Keys, which never change; null for any plan that it fits otherwise.
        plans jsonb,
        requires jsonb not null,
        max_quantity text,
        created_at timestamptz not null,
        constraint add_on_versions_pk primary key (add_on_id, version),
        constraint add_on_versions_add_on foreign key (add_on_id) references add_ons (id),
        constraint add_on_versions_number check (version > 0)
      )`);
    await runner.query(`alter table subscriptions add column add_ons jsonb not null default '[]'`);
    const readers = ['rating', 'invoicing'] as const;
    await protectTable(runner, { table: 'add_ons', owner: 'billingApi', ownerMay: ['select', 'insert', 'update'], readers });
    await protectTable(runner, { table: 'add_on_versions', owner: 'billingApi', ownerMay: ['select', 'insert'], readers });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table subscriptions drop column add_ons');
    await runner.query('drop table add_on_versions, add_ons');
  }
}
