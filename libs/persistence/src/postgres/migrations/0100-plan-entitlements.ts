import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a plan lets its customers use is a part of each of its versions. Versions and drafts that were there grant nothing. */
export class PlanEntitlements1700000000100 implements MigrationInterface {
  name = 'PlanEntitlements1700000000100';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table plan_versions add column entitlements jsonb not null default '[]'`);
    await runner.query(`alter table plan_drafts add column entitlements jsonb not null default '[]'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table plan_versions drop column entitlements');
    await runner.query('alter table plan_drafts drop column entitlements');
  }
}
