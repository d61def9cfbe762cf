import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which percentile a meter takes. */
export class MeterPercentile1700000000027 implements MigrationInterface {
  name = 'MeterPercentile1700000000027';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table meters add column percentile text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table meters drop column percentile');
  }
}
