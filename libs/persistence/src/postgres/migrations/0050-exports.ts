import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTable } from '../protect-table.js';

/** Files of events and usage that somebody asked for, and who is writing them. */
export class Exports1700000000050 implements MigrationInterface {
  name = 'Exports1700000000050';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table exports (
        id text not null,
        organization_id text not null,
        kind text not null,
        format text not null,
        question jsonb not null,
        status text not null default 'queued',
        rows bigint,
        bytes bigint,
        sha256 text,
        error_code text,
        error_detail text,
        fresh_as_of timestamptz,
        file_name text,
        claim text,
        lease_until timestamptz,
        attempts integer not null default 0,
        finished_at timestamptz,
        expires_at timestamptz,
        created_at timestamptz not null,
        metadata jsonb not null default '{}',
        constraint exports_pk primary key (id),
        constraint exports_organization foreign key (organization_id) references organizations (id),
        constraint exports_status check (status in ('queued', 'running', 'done', 'failed'))
      )`);
    await runner.query('create index exports_list on exports (organization_id, id)');
    await runner.query(`create index exports_open on exports (created_at) where status in ('queued', 'running')`);
    await protectTable(runner, { table: 'exports', owner: 'aggregator', worklistOf: ['aggregator'] });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table exports');
  }
}
