import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTable } from '../protect-table.js';

const statements = [
  // What is equal is kept once: ids are hashes of the contents.
  `create table usage_cuts (
     organization_id text not null,
     id text not null,
     -- The next position of each partition of the log, and the meters as they counted.
     cut jsonb not null,
     meters jsonb not null,
     primary key (organization_id, id)
   )`,
  `create table attachment_snapshots (
     organization_id text not null,
     id text not null,
     attachments jsonb not null,
     primary key (organization_id, id)
   )`,
  `create table usage_bases (
     organization_id text not null,
     subscription_id text not null,
     period_index int not null,
     generation bigint not null,
     -- Of the last rating of the period, or of one with what came late.
     is_late boolean not null,
     cut_id text not null,
     attachments_id text not null,
     created_at timestamptz not null default now(),
     primary key (subscription_id, period_index, is_late, generation),
     foreign key (organization_id, cut_id) references usage_cuts,
     foreign key (organization_id, attachments_id) references attachment_snapshots
   )`,
  `create index usage_bases_late on usage_bases (created_at) where is_late`,
  // Null of what was rated before it was kept.
  `alter table rated_lines add column usage_events numeric, add column usage_digest text`,
  `alter table late_rated_lines add column usage_events numeric, add column usage_digest text`,
];

/** What usage the final ratings were made of, so that they can be made again, and the digest of each line's events. */
export class UsageBases1700000000094 implements MigrationInterface {
  name = 'UsageBases1700000000094';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
    for (const table of ['usage_cuts', 'attachment_snapshots']) await protectTable(runner, { table, owner: 'rating', ownerMay: ['select', 'insert'] });
    await protectTable(runner, { table: 'usage_bases', owner: 'rating', ownerMay: ['select', 'insert', 'delete'] });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table late_rated_lines drop column usage_events, drop column usage_digest');
    await runner.query('alter table rated_lines drop column usage_events, drop column usage_digest');
    await runner.query('drop table usage_bases, attachment_snapshots, usage_cuts');
  }
}
