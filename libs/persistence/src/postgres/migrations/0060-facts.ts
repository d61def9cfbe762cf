import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTable } from '../protect-table.js';

const owners = { rating_facts: 'rating', invoicing_facts: 'invoicing' } as const;

/** What apps have still to tell the event log, written in the transaction that makes it true. */
export class Facts1700000000060 implements MigrationInterface {
  name = 'Facts1700000000060';

  async up(runner: QueryRunner): Promise<void> {
    for (const [table, owner] of Object.entries(owners)) {
      await runner.query(`
        create table ${table} (
          -- The order in which the log gets them.
          id bigint generated always as identity primary key,
          organization_id text not null,
          topic text not null,
          -- The record as it is appended; its key is the organization.
          value text not null,
          created_at timestamptz not null default now()
        )`);
      await protectTable(runner, { table, owner, ownerMay: ['select', 'insert', 'delete'], worklistOf: [owner] });
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table if exists ${Object.keys(owners).join(', ')}`);
  }
}
