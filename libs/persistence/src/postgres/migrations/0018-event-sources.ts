import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTable } from '../protect-table.js';

/** How the entries of sources become events. */
export class EventSources1700000000018 implements MigrationInterface {
  name = 'EventSources1700000000018';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table event_sources (
        id text not null,
        organization_id text not null,
        key text not null,
        name text not null,
        format text not null,
        source text,
        mapping jsonb not null,
        archived_at timestamptz,
        created_at timestamptz not null,
        metadata jsonb not null default '{}',
        constraint event_sources_pk primary key (id),
        constraint event_sources_organization foreign key (organization_id) references organizations (id)
      )`);
    await runner.query('create unique index event_sources_key on event_sources (organization_id, key)');
    await runner.query('create index event_sources_list on event_sources (organization_id, id)');
    await protectTable(runner, { table: 'event_sources', owner: 'billingApi', ownerMay: ['select', 'insert', 'update'], readers: ['ingest', 'aggregator'] });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table event_sources');
  }
}
