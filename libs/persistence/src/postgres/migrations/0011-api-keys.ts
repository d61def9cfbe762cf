import type { MigrationInterface, QueryRunner } from 'typeorm';
import { appRoles } from '../database.js';
import { protectTable } from '../protect-table.js';

/**
 * Credentials of organizations, by the HMAC of their secret. Whoever authenticates does not know the organization yet,
 * so a row is visible to the one who names its hash in `app.credential_hash`, and to nobody else outside its organization.
 */
export class ApiKeys1700000000011 implements MigrationInterface {
  name = 'ApiKeys1700000000011';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table api_keys (
        id text not null,
        organization_id text not null,
        name text not null,
        hint text not null,
        secret_hash text not null,
        scopes text[] not null,
        expires_at timestamptz,
        last_used_at timestamptz,
        revoked_at timestamptz,
        created_at timestamptz not null,
        metadata jsonb not null default '{}',
        constraint api_keys_pk primary key (id),
        constraint api_keys_organization foreign key (organization_id) references organizations (id)
      )`);
    await runner.query('create unique index api_keys_secret_hash on api_keys (secret_hash)');
    await runner.query('create index api_keys_list on api_keys (organization_id, id)');
    await protectTable(runner, { table: 'api_keys', owner: 'billingApi', ownerMay: ['select', 'insert', 'update'] });
    const isNamed = `secret_hash = current_setting('app.credential_hash', true)`;
    await runner.query(`create policy credential_lookup on api_keys for select using (${isNamed})`);
    await runner.query(`create policy credential_use on api_keys for update using (${isNamed}) with check (${isNamed})`);
    for (const role of Object.values(appRoles)) {
      // Every app authenticates its own callers and notes when it last saw a key; it can write nothing else here.
      await runner.query(`grant select, update (last_used_at) on api_keys to ${role}`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table api_keys');
  }
}
