import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTable } from '../protect-table.js';

const readers = ['invoicing', 'billingApi', 'aggregator'] as const;

const intoRows = [
  `alter table rated_days rename to rated_single_days`,
  `alter table rated_single_days no force row level security`, // Whose rows they are does not matter here.
  `drop index rated_days_report`,
  `create table rated_days (
     organization_id text not null,
     subscription_id text not null,
     period_index int not null,
     customer_id text not null,
     plan_id text not null,
     price_id text not null,
     price_key text not null,
     currency text not null,
     -- The price's local days so far, in their order, and the instants at which they start: a report's from and to are compared with those.
     days date[] not null,
     day_starts timestamptz[] not null,
     -- What each of them came to.
     quantities numeric[] not null,
     amounts_minor numeric[] not null,
     first_start timestamptz not null,
     last_start timestamptz not null,
     primary key (subscription_id, period_index, price_id),
     foreign key (subscription_id, period_index) references rated_periods on delete cascade,
     constraint rated_days_whole check (cardinality(days) > 0 and cardinality(day_starts) = cardinality(days) and cardinality(quantities) = cardinality(days)
       and cardinality(amounts_minor) = cardinality(days) and day_starts[1] = first_start and day_starts[cardinality(days)] = last_start)
   )`,
  `insert into rated_days
     select organization_id, subscription_id, period_index, max(customer_id), max(plan_id), price_id, max(price_key), max(currency),
       array_agg(day order by day), array_agg(day_start order by day), array_agg(quantity order by day), array_agg(amount_minor order by day), min(day_start), max(day_start)
     from rated_single_days group by organization_id, subscription_id, period_index, price_id`,
  `drop table rated_single_days`,
  // Most reports are of late: what ended before them is not read, and what began after them is told apart in the index.
  `create index rated_days_report on rated_days (organization_id, last_start, first_start)`,
];

const intoSingleDays = [
  `alter table rated_days rename to rated_day_rows`,
  `alter table rated_day_rows no force row level security`,
  `drop index rated_days_report`,
  `create table rated_days (
     organization_id text not null, subscription_id text not null, period_index int not null, customer_id text not null, plan_id text not null, price_id text not null,
     price_key text not null, day date not null, day_start timestamptz not null, quantity numeric not null, amount_minor numeric(78, 0) not null, currency text not null,
     primary key (subscription_id, period_index, price_id, day),
     foreign key (subscription_id, period_index) references rated_periods on delete cascade
   )`,
  `insert into rated_days
     select organization_id, subscription_id, period_index, customer_id, plan_id, price_id, price_key, day, day_start, quantity, amount_minor, currency
     from rated_day_rows, unnest(days, day_starts, quantities, amounts_minor) as single (day, day_start, quantity, amount_minor)`,
  `drop table rated_day_rows`,
  `create index rated_days_report on rated_days (organization_id, day_start)`,
];

/** A price's days in one row of arrays (ADR 0030). A row for each was more than half of what Postgres did at the end of a month. */
export class DaysInRows1700000000120 implements MigrationInterface {
  name = 'DaysInRows1700000000120';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of intoRows) await runner.query(statement);
    await protectTable(runner, { table: 'rated_days', owner: 'rating', readers });
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of intoSingleDays) await runner.query(statement);
    await protectTable(runner, { table: 'rated_days', owner: 'rating', readers });
  }
}
