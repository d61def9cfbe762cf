import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTable } from '../protect-table.js';

/** A customer on a plan version from an instant. Its status follows from business time, so none is stored. */
export class Subscriptions1700000000017 implements MigrationInterface {
  name = 'Subscriptions1700000000017';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table subscriptions (
        id text not null,
        organization_id text not null,
        customer_id text not null,
        plan_id text not null,
        plan_version integer not null,
        start_at timestamptz not null,
        billing_anchor timestamptz not null,
        trial_days integer not null default 0,
        trial_end_at timestamptz,
        currency text not null,
        time_zone text not null,
        collection text not null,
        days_until_due integer,
        cancel_at timestamptz,
        cancel_prorate boolean not null default false,
        canceled_at timestamptz,
        revision bigint not null default 1,
        created_at timestamptz not null,
        metadata jsonb not null default '{}',
        constraint subscriptions_pk primary key (id),
        constraint subscriptions_organization foreign key (organization_id) references organizations (id),
        constraint subscriptions_customer foreign key (customer_id) references customers (id),
        constraint subscriptions_plan_version foreign key (plan_id, plan_version) references plan_versions (plan_id, version),
        constraint subscriptions_collection check (collection in ('automatic', 'send_invoice'))
      )`);
    await runner.query('create index subscriptions_list on subscriptions (organization_id, id)');
    await runner.query('create index subscriptions_customer_list on subscriptions (organization_id, customer_id)');
    await protectTable(runner, {
      table: 'subscriptions', owner: 'billingApi', ownerMay: ['select', 'insert', 'update'], readers: ['aggregator', 'rating', 'invoicing'],
      worklistOf: ['invoicing'],
    });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table subscriptions');
  }
}
