import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTable } from '../protect-table.js';

/** Which bounds of its prices a period's usage was told to have reached. */
export class CrossedThresholds1700000000135 implements MigrationInterface {
  name = 'CrossedThresholds1700000000135';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table crossed_thresholds (
        organization_id text not null,
        subscription_id text not null,
        period_index int not null,
        price_id text not null,
        -- SHA-256 of the ref in hex: group values stand in it, and may be longer than an index takes.
        ref_digest text not null,
        ref text not null,
        -- In business time.
        crossed_at timestamptz not null,
        primary key (subscription_id, period_index, price_id, ref_digest),
        foreign key (subscription_id, period_index) references rated_periods on delete cascade
      )`);
    await protectTable(runner, { table: 'crossed_thresholds', owner: 'rating', ownerMay: ['select', 'insert'] });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table crossed_thresholds');
  }
}
