import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTable } from '../protect-table.js';

/** What is sold, what it consists of, and how its usage is counted. */
export class ProductsFeaturesMeters1700000000014 implements MigrationInterface {
  name = 'ProductsFeaturesMeters1700000000014';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table products (
        id text not null,
        organization_id text not null,
        key text not null,
        name text not null,
        docs_url text,
        version text,
        archived_at timestamptz,
        created_at timestamptz not null,
        metadata jsonb not null default '{}',
        constraint products_pk primary key (id),
        constraint products_organization foreign key (organization_id) references organizations (id)
      )`);
    await runner.query(`
      create table meters (
        id text not null,
        organization_id text not null,
        key text not null,
        name text not null,
        event_type text not null,
        aggregation text not null,
        value_path text,
        group_by jsonb not null default '{}',
        filter text,
        unit text,
        archived_at timestamptz,
        created_at timestamptz not null,
        metadata jsonb not null default '{}',
        constraint meters_pk primary key (id),
        constraint meters_organization foreign key (organization_id) references organizations (id)
      )`);
    await runner.query(`
      create table features (
        id text not null,
        organization_id text not null,
        key text not null,
        name text not null,
        meter_id text,
        archived_at timestamptz,
        created_at timestamptz not null,
        metadata jsonb not null default '{}',
        constraint features_pk primary key (id),
        constraint features_organization foreign key (organization_id) references organizations (id),
        constraint features_meter foreign key (meter_id) references meters (id)
      )`);
    for (const table of ['products', 'meters', 'features']) {
      await runner.query(`create unique index ${table}_key on ${table} (organization_id, key)`);
      await runner.query(`create index ${table}_list on ${table} (organization_id, id)`);
      await protectTable(runner, {
        table, owner: 'billingApi', ownerMay: ['select', 'insert', 'update'], readers: ['ingest', 'aggregator', 'rating', 'invoicing'],
      });
    }
    await runner.query('create index meters_event_type on meters (organization_id, event_type)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table features, meters, products');
  }
}
