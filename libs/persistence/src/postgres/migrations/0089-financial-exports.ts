import type { MigrationInterface, QueryRunner } from 'typeorm';
import { appRoles } from '../database.js';

const tables = 'rated_periods, rated_days, late_settlements, invoices, invoice_lines, plans';

/** Who writes files of rated usage and of invoices may read them. */
export class FinancialExports1700000000089 implements MigrationInterface {
  name = 'FinancialExports1700000000089';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`grant select on ${tables} to ${appRoles.aggregator}`);
    // A new database gets this table, and the grant with it, by the migration 97, which runs after this one.
    await runner.query(`do $$ begin
      if to_regclass('commitment_settlements') is not null then grant select on commitment_settlements to ${appRoles.aggregator}; end if;
    end $$`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`revoke select on ${tables} from ${appRoles.aggregator}`);
  }
}
