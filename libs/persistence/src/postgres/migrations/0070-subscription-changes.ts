import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A subscription keeps how its terms change over time, and what it has otherwise than its plan. */
export class SubscriptionChanges1700000000070 implements MigrationInterface {
  name = 'SubscriptionChanges1700000000070';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table subscriptions
        add column quantities jsonb not null default '{}',
        add column overrides jsonb not null default '[]',
        add column changes jsonb not null default '[]'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table subscriptions drop column quantities, drop column overrides, drop column changes');
  }
}
