import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How a plan version treats usage that comes after its invoice. Versions that were there bill it on the next one. */
export class PlanLateUsage1700000000036 implements MigrationInterface {
  name = 'PlanLateUsage1700000000036';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table plan_versions add column late_usage jsonb not null default '{"policy": "next_invoice"}'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table plan_versions drop column late_usage');
  }
}
