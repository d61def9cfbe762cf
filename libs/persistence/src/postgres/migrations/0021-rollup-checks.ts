import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When each meter's rollups were last compared with its events. */
export class RollupChecks1700000000021 implements MigrationInterface {
  name = 'RollupChecks1700000000021';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table meter_rollups add column checked_at timestamptz');
    await runner.query('create index meter_rollups_checked on meter_rollups (checked_at nulls first)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index meter_rollups_checked');
    await runner.query('alter table meter_rollups drop column checked_at');
  }
}
