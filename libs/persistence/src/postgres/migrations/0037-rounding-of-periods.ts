import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What has been billed keeps the rounding that it was billed with. Null of what was rated before: that takes the organization's. */
export class RoundingOfPeriods1700000000037 implements MigrationInterface {
  name = 'RoundingOfPeriods1700000000037';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table rated_periods add column rounding text check (rounding in ('half_away_from_zero', 'half_even'))`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table rated_periods drop column rounding');
  }
}
