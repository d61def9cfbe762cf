import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTable } from '../protect-table.js';

/** Business time of test organizations. No row, or no `now`, means system time. */
export class TestClocks1700000000013 implements MigrationInterface {
  name = 'TestClocks1700000000013';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table test_clocks (
        organization_id text not null,
        now timestamptz,
        target timestamptz,
        status text not null default 'ready',
        constraint test_clocks_pk primary key (organization_id),
        constraint test_clocks_organization foreign key (organization_id) references organizations (id),
        constraint test_clocks_status check (status in ('ready', 'advancing')),
        constraint test_clocks_target check ((status = 'advancing') = (target is not null))
      )`);
    await protectTable(runner, {
      table: 'test_clocks', owner: 'billingApi', ownerMay: ['select', 'insert', 'update'],
      readers: ['ingest', 'aggregator', 'rating', 'invoicing'], worklistOf: ['invoicing'],
    });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table test_clocks');
  }
}
