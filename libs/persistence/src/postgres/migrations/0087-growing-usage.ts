import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Usage of gauges grows with time, without any event: until when it is rated in business time; null where nothing grows. */
export class GrowingUsage1700000000087 implements MigrationInterface {
  name = 'GrowingUsage1700000000087';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table rating_due add column rated_until timestamptz');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table rating_due drop column rated_until');
  }
}
