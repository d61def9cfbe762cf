import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTable } from '../protect-table.js';

/** What is due in business time, and how far each subscription has been billed. */
export class DueActs1700000000040 implements MigrationInterface {
  name = 'DueActs1700000000040';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table billing_schedules (
        subscription_id text primary key,
        organization_id text not null,
        -- The boundary that is done next. Boundary n starts period n and ends period n - 1.
        next_index integer not null,
        -- The subscription's revision that the open boundary act was made from.
        adopted_revision bigint not null,
        -- No boundary follows: the subscription has ended and its last invoice is made.
        ended boolean not null default false,
        adopted_at timestamptz not null default now()
      )`);
    await runner.query(`
      create table due_acts (
        id bigint generated always as identity primary key,
        organization_id text not null,
        kind text not null check (kind in ('boundary', 'issue')),
        subscription_id text not null,
        period_index integer not null check (period_index >= 0),
        -- Business time: the act sees it as now.
        due_at timestamptz not null,
        attempts integer not null default 0,
        -- System time from here on.
        next_try_at timestamptz,
        waiting_since timestamptz,
        requested_at timestamptz,
        done_at timestamptz,
        created_at timestamptz not null default now(),
        constraint due_acts_once unique (subscription_id, period_index, kind)
      )`);
    await runner.query(`create index due_acts_open on due_acts (due_at) where done_at is null`);
    await runner.query(`create index due_acts_open_of_organization on due_acts (organization_id, kind, due_at, id) where done_at is null`);
    await runner.query(`
      create table clock_runs (
        organization_id text primary key,
        -- The instant that the test clock was told to advance to.
        target timestamptz not null,
        ran integer not null default 0,
        started_at timestamptz not null default now(),
        -- System time at which everything due until the target was done and the payment outbox was empty.
        done_at timestamptz
      )`);
    await protectTable(runner, { table: 'billing_schedules', owner: 'invoicing', readers: ['billingApi', 'rating'], worklistOf: ['invoicing'] });
    await protectTable(runner, { table: 'due_acts', owner: 'invoicing', readers: ['billingApi', 'rating'], worklistOf: ['invoicing'] });
    await protectTable(runner, { table: 'clock_runs', owner: 'invoicing', readers: ['billingApi'], worklistOf: ['invoicing'] });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table if exists clock_runs, due_acts, billing_schedules');
  }
}
