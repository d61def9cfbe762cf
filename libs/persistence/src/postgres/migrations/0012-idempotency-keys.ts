import type { MigrationInterface, QueryRunner } from 'typeorm';
import { appRoles } from '../database.js';
import { protectTable } from '../protect-table.js';

/** The first answer of each POST that named an Idempotency-Key. Every app claims and answers for its own routes. */
export class IdempotencyKeys1700000000012 implements MigrationInterface {
  name = 'IdempotencyKeys1700000000012';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table idempotency_keys (
        organization_id text not null,
        credential_id text not null,
        method text not null,
        path text not null,
        key text not null,
        fingerprint text not null,
        claim text not null,
        claimed_until timestamptz not null,
        expires_at timestamptz not null,
        status integer,
        answer bytea,
        constraint idempotency_keys_pk primary key (organization_id, credential_id, method, path, key)
      )`);
    await runner.query('create index idempotency_keys_expiry on idempotency_keys (expires_at)');
    await protectTable(runner, { table: 'idempotency_keys', owner: 'billingApi', worklistOf: ['billingApi'] });
    for (const role of Object.values(appRoles)) await runner.query(`grant select, insert, update, delete on idempotency_keys to ${role}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table idempotency_keys');
  }
}
