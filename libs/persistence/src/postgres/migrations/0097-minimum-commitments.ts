import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTable } from '../protect-table.js';

const statements = [
  `alter table subscriptions add column minimum_commitment jsonb`,
  `create table commitment_settlements (
     id bigint generated always as identity primary key,
     organization_id text not null,
     customer_id text not null,
     subscription_id text not null,
     -- The window: its billing periods by number, and where they lie.
     first_period int not null,
     last_period int not null,
     period_start timestamptz not null,
     period_end timestamptz not null,
     plan_id text not null,
     committed_minor numeric(78, 0) not null,
     -- What documents had charged for it by then, and what this one adds to what was asked for before.
     charged_minor numeric(78, 0) not null,
     amount_minor numeric(78, 0) not null,
     currency text not null,
     -- The document that bears amount_minor; null where there was none.
     invoice_id text references invoices (id),
     line_id text,
     -- The local day on which a report shows it, and its start.
     day date not null,
     day_start timestamptz not null,
     -- Business time.
     settled_at timestamptz not null,
     created_at timestamptz not null default now(),
     constraint commitment_settlements_once unique nulls not distinct (subscription_id, first_period, invoice_id),
     constraint commitment_settlements_borne check (line_id is not null or amount_minor = 0)
   )`,
  `create index commitment_settlements_report on commitment_settlements (organization_id, day_start)`,
];

/** What a subscription commits to, and what its documents asked for on top. The second is only ever added to. */
export class MinimumCommitments1700000000097 implements MigrationInterface {
  name = 'MinimumCommitments1700000000097';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
    await protectTable(runner, { table: 'commitment_settlements', owner: 'invoicing', ownerMay: ['select', 'insert'], readers: ['rating', 'billingApi', 'aggregator'] });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table commitment_settlements');
    await runner.query('alter table subscriptions drop column minimum_commitment');
  }
}
