import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTable } from '../protect-table.js';

const statements = [
  // The earliest usage that changed since the last rating: closed periods that end after it are rated again.
  `alter table rating_due add column late_from timestamptz`,
  `create table late_ratings (
     organization_id text not null,
     subscription_id text not null,
     period_index int not null,
     -- The subscription's generation that it covers. Invoicing settles each once.
     generation bigint not null,
     complete_as_of timestamptz not null,
     rated_at timestamptz not null,
     primary key (subscription_id, period_index),
     foreign key (subscription_id, period_index) references rated_periods on delete cascade
   )`,
  `create index late_ratings_of_organization on late_ratings (organization_id, subscription_id, period_index)`,
  `create table late_rated_lines (
     organization_id text not null,
     subscription_id text not null,
     period_index int not null,
     ordinal int not null,
     price_id text not null,
     price_key text not null,
     ref text not null,
     group_values jsonb not null,
     description text not null,
     quantity numeric not null,
     unrounded_amount numeric not null,
     amount_minor numeric(78, 0) not null,
     trace jsonb not null,
     primary key (subscription_id, period_index, ordinal),
     foreign key (subscription_id, period_index) references late_ratings on delete cascade
   )`,
];

/** What a closed period comes to with the usage that came after its last rating, beside what was invoiced. */
export class LateRatings1700000000035 implements MigrationInterface {
  name = 'LateRatings1700000000035';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
    await protectTable(runner, { table: 'late_ratings', owner: 'rating', readers: ['invoicing', 'billingApi'], worklistOf: ['invoicing'] });
    await protectTable(runner, { table: 'late_rated_lines', owner: 'rating', readers: ['invoicing', 'billingApi'] });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table late_rated_lines, late_ratings');
    await runner.query('alter table rating_due drop column late_from');
  }
}
