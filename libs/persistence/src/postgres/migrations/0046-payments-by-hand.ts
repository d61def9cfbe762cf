import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Payments that came another way are written down by hand, maybe in parts; a payment provider still takes an invoice's money at most once. */
export class PaymentsByHand1700000000046 implements MigrationInterface {
  name = 'PaymentsByHand1700000000046';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table payments add column method text, add column reference text, add column metadata jsonb not null default '{}'`);
    await runner.query('drop index payments_taken_once');
    await runner.query(`create unique index payments_taken_once on payments (invoice_id) where status = 'succeeded' and provider <> 'manual'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`delete from payments where provider = 'manual'`);
    await runner.query('drop index payments_taken_once');
    await runner.query(`create unique index payments_taken_once on payments (invoice_id) where status = 'succeeded'`);
    await runner.query('alter table payments drop column method, drop column reference, drop column metadata');
  }
}
