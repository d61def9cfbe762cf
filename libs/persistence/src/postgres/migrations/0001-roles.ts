import type { MigrationInterface, QueryRunner } from 'typeorm';
import { appRoles } from '../database.js';

/** One role per app, without login: an app logs in as it likes and takes its role at once. None can pass row-level security. */
export class Roles1700000000001 implements MigrationInterface {
  name = 'Roles1700000000001';

  async up(runner: QueryRunner): Promise<void> {
    for (const role of Object.values(appRoles)) {
      // Roles belong to the whole server, so another database's migration may make the same one at the same moment.
      await runner.query(`
        do $$ begin
          create role ${role} nologin nosuperuser nobypassrls nocreatedb nocreaterole;
        exception when duplicate_object or unique_violation then null;
        end $$`);
      await runner.query(`grant ${role} to current_user`);
      await runner.query(`grant usage on schema public to ${role}`);
    }
  }

  async down(): Promise<void> {
    // Roles are left: another database of the same server may use them.
  }
}
