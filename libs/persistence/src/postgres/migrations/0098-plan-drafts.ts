import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTable } from '../protect-table.js';

/** The next version of a plan while it may still be edited. Nothing refers to it; publishing makes a version of it. */
export class PlanDrafts1700000000098 implements MigrationInterface {
  name = 'PlanDrafts1700000000098';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table plan_drafts (
        plan_id text not null,
        organization_id text not null,
        currency text not null,
        billing_period text not null,
        trial_days integer not null default 0,
        prices jsonb not null,
        late_usage jsonb not null,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        constraint plan_drafts_pk primary key (plan_id),
        constraint plan_drafts_plan foreign key (plan_id) references plans (id)
      )`);
    await protectTable(runner, { table: 'plan_drafts', owner: 'billingApi', readers: ['rating'] });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table plan_drafts');
  }
}
