import type { MigrationInterface, QueryRunner } from 'typeorm';
import { appRoles } from '../database.js';
import { protectTable } from '../protect-table.js';

const outsideOrganizations = `coalesce(current_setting('app.organization_id', true), '') = ''`;

const statements = [
  `create sequence dirty_mark_generation`,
  `create table dirty_marks (
     organization_id text not null,
     event_type text not null,
     hour timestamptz not null,
     bucket smallint not null,
     generation bigint not null,
     first_marked_at timestamptz not null,
     last_marked_at timestamptz not null,
     constraint dirty_marks_pk primary key (organization_id, event_type, hour, bucket)
   )`,
  `create table meter_rollups (
     organization_id text not null,
     meter_id text not null,
     -- What the rollups were made by: another definition would make others.
     definition text not null,
     ready_at timestamptz not null,
     constraint meter_rollups_pk primary key (meter_id)
   )`,
];

/** What the aggregator knows about its rollups: which hours lag behind their events, and which meters have any. */
export class RollupProgress1700000000020 implements MigrationInterface {
  name = 'RollupProgress1700000000020';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
    await runner.query(`grant usage on sequence dirty_mark_generation to ${appRoles.aggregator}`);
    const readers = ['rating', 'invoicing', 'billingApi'] as const;
    for (const table of ['dirty_marks', 'meter_rollups']) await protectTable(runner, { table, owner: 'aggregator', readers, worklistOf: ['aggregator'] });
    // New meters are looked for in all organizations, to be given the past.
    await runner.query(`create policy worklist_aggregator on meters for select to ${appRoles.aggregator} using (${outsideOrganizations})`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop policy worklist_aggregator on meters');
    await runner.query('drop table meter_rollups, dirty_marks');
    await runner.query('drop sequence dirty_mark_generation');
  }
}
