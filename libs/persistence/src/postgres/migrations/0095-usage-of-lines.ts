import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How many events an invoice's line is made of, and their digest, frozen with the line. Null where the line has no events, or was issued before. */
export class UsageOfLines1700000000095 implements MigrationInterface {
  name = 'UsageOfLines1700000000095';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table invoice_lines add column usage_events numeric, add column usage_digest text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table invoice_lines drop column usage_events, drop column usage_digest');
  }
}
