import type { MigrationInterface, QueryRunner } from 'typeorm';
import { appRoles } from '../database.js';

/** A webhook that names no organization is the bootstrap organization's, so invoicing may see which one that is. */
export class WebhookOrganization1700000000043 implements MigrationInterface {
  name = 'WebhookOrganization1700000000043';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`create policy webhook_organization on organizations for select to ${appRoles.invoicing} using (is_bootstrap)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop policy webhook_organization on organizations');
  }
}
