import type { MigrationInterface, QueryRunner } from 'typeorm';
import { appRoles } from '../database.js';

/** Who shows what is rated so far may see whether rating is behind, and wait for it. */
export class RatingDueReaders1700000000031 implements MigrationInterface {
  name = 'RatingDueReaders1700000000031';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`grant select on rating_due to ${appRoles.invoicing}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`revoke select on rating_due from ${appRoles.invoicing}`);
  }
}
