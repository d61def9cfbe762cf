import type { MigrationInterface, QueryRunner } from 'typeorm';
import { appRoles } from '../database.js';
import { outsideOrganizations, protectTable } from '../protect-table.js';

const statements = [
  `create table rating_due (
     organization_id text not null,
     subscription_id text primary key,
     -- Bumped whenever usage or the subscription changed; rated_generation follows it.
     generation bigint not null,
     rated_generation bigint not null default 0,
     -- The subscription's revision that was seen, and the end of the period that was open then.
     revision bigint not null default 0,
     open_until timestamptz,
     first_marked_at timestamptz not null,
     last_marked_at timestamptz not null
   )`,
  `create index rating_due_stale on rating_due (last_marked_at) where generation > rated_generation`,
  `create index rating_due_organization on rating_due (organization_id)`,
  `create table rated_periods (
     organization_id text not null,
     subscription_id text not null,
     period_index int not null,
     customer_id text not null,
     plan_id text not null,
     plan_version int not null,
     period_start timestamptz not null,
     period_end timestamptz not null,
     is_final boolean not null,
     -- Every event acknowledged before this instant is in the period's quantities.
     complete_as_of timestamptz not null,
     generation bigint not null,
     rated_at timestamptz not null,
     primary key (subscription_id, period_index),
     check (period_start < period_end)
   )`,
  `create table rated_lines (
     organization_id text not null,
     subscription_id text not null,
     period_index int not null,
     ordinal int not null,
     price_id text not null,
     price_key text not null,
     ref text not null,
     group_values jsonb not null,
     kind text not null,
     description text not null,
     quantity numeric not null,
     unrounded_amount numeric not null,
     amount_minor bigint not null,
     currency text not null,
     trace jsonb not null,
     primary key (subscription_id, period_index, ordinal),
     foreign key (subscription_id, period_index) references rated_periods on delete cascade
   )`,
  `create table rated_days (
     organization_id text not null,
     subscription_id text not null,
     period_index int not null,
     customer_id text not null,
     plan_id text not null,
     price_id text not null,
     price_key text not null,
     day date not null,
     -- The instant at which the customer's local day starts: a report's from and to are compared with it.
     day_start timestamptz not null,
     quantity numeric not null,
     amount_minor bigint not null,
     currency text not null,
     primary key (subscription_id, period_index, price_id, day),
     foreign key (subscription_id, period_index) references rated_periods on delete cascade
   )`,
  `create index rated_days_report on rated_days (organization_id, day_start)`,
];

/** What rating owns: which subscriptions are to be rated again, and the rated periods with their lines and days. */
export class Rating1700000000030 implements MigrationInterface {
  name = 'Rating1700000000030';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
    await protectTable(runner, { table: 'rating_due', owner: 'rating', worklistOf: ['rating'] });
    // Rating looks for new and changed subscriptions, and for periods that ended in business time, in all organizations.
    for (const table of ['subscriptions', 'test_clocks']) {
      await runner.query(`create policy worklist_rating on ${table} for select to ${appRoles.rating} using (${outsideOrganizations})`);
    }
    for (const table of ['rated_periods', 'rated_lines', 'rated_days']) {
      await protectTable(runner, { table, owner: 'rating', readers: ['invoicing', 'billingApi'] });
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['subscriptions', 'test_clocks']) await runner.query(`drop policy worklist_rating on ${table}`);
    await runner.query('drop table rated_days, rated_lines, rated_periods, rating_due');
  }
}
