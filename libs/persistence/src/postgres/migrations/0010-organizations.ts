import type { MigrationInterface, QueryRunner } from 'typeorm';
import { appRoles } from '../database.js';
import { protectTable } from '../protect-table.js';

/** The tenants and their settings. Each app sees its own caller's row; only billing-api, and only where it says so, sees the list. */
export class Organizations1700000000010 implements MigrationInterface {
  name = 'Organizations1700000000010';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table organizations (
        id text not null,
        name text not null,
        mode text not null,
        time_zone text not null default 'UTC',
        grace_period_seconds integer not null default 3600,
        rounding text not null default 'half_away_from_zero',
        dedupe_window_seconds integer not null default 3024000,
        raw_retention_seconds integer,
        invoice_prefix text not null,
        invoice_footer text,
        legal_entity jsonb,
        is_bootstrap boolean not null default false,
        created_at timestamptz not null,
        metadata jsonb not null default '{}',
        constraint organizations_pk primary key (id),
        constraint organizations_mode check (mode in ('test', 'live')),
        constraint organizations_rounding check (rounding in ('half_away_from_zero', 'half_even'))
      )`);
    await runner.query(`create unique index organizations_bootstrap on organizations (is_bootstrap) where is_bootstrap`);
    await protectTable(runner, {
      table: 'organizations', owner: 'billingApi', ownerMay: ['select', 'insert', 'update'], organizationColumn: 'id',
      readers: ['ingest', 'aggregator', 'rating', 'invoicing'],
    });
    await runner.query(`
      create policy platform_registry on organizations for select to ${appRoles.billingApi}
      using (current_setting('app.platform', true) = 'on')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table organizations');
  }
}
