import type { MigrationInterface, QueryRunner } from 'typeorm';
import { appRoles } from '../database.js';
import { outsideOrganizations, protectTable } from '../protect-table.js';

/** The versions of meters that were changed, and rollups for each of them. A version is never changed: its table grants no update. */
export class MeterVersions1700000000084 implements MigrationInterface {
  name = 'MeterVersions1700000000084';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table meters
        -- Its definition is that of this version.
        add column latest_version integer not null default 1,
        add column effective_at timestamptz`);
    await runner.query(`
      create table meter_versions (
        meter_id text not null,
        version integer not null,
        organization_id text not null,
        -- Null for the first, which counts from the beginning.
        effective_at timestamptz,
        event_type text not null,
        aggregation text not null,
        value_path text,
        percentile text,
        group_by jsonb not null default '{}',
        filter text,
        created_at timestamptz not null,
        constraint meter_versions_pk primary key (meter_id, version),
        constraint meter_versions_meter foreign key (meter_id) references meters (id),
        constraint meter_versions_number check (version > 0)
      )`);
    await runner.query('create index meter_versions_event_type on meter_versions (organization_id, event_type)');
    await protectTable(runner, {
      table: 'meter_versions', owner: 'billingApi', ownerMay: ['select', 'insert'], readers: ['ingest', 'aggregator', 'rating', 'invoicing'],
    });
    await runner.query(`create policy worklist_aggregator on meter_versions for select to ${appRoles.aggregator} using (${outsideOrganizations})`);
    await runner.query('alter table meter_rollups add column version integer not null default 1');
    await runner.query('alter table meter_rollups drop constraint meter_rollups_pk, add constraint meter_rollups_pk primary key (meter_id, version)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('delete from meter_rollups where version > 1');
    await runner.query('alter table meter_rollups drop constraint meter_rollups_pk, add constraint meter_rollups_pk primary key (meter_id)');
    await runner.query('alter table meter_rollups drop column version');
    await runner.query('drop table meter_versions');
    await runner.query('alter table meters drop column latest_version, drop column effective_at');
  }
}
