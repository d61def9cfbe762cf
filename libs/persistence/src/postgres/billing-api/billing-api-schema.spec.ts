import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { usePostgres } from '#testing';
import { appRoles, Database, type AppRole } from '../database.js';
import { migrateDatabase } from '../migrate.js';
import { findMeters } from '../aggregator/meter-rollups.js';
import { billingApiEntities } from './billing-api-entities.js';
import { eventSourceReader } from './event-source-table.js';

const { freshDatabase } = usePostgres();
const tables = billingApiEntities.map((table) => table.options.tableName as string);
const roles = Object.keys(appRoles) as AppRole[];

let url: string;
let owner: DataSource;

beforeAll(async () => {
  url = (await freshDatabase({ template: { name: 'migrated', prepare: async (target) => void (await migrateDatabase(target)) } })).url;
  owner = new DataSource({ type: 'postgres', url, entities: billingApiEntities, synchronize: false });
  await owner.initialize();
});

afterAll(async () => {
  await owner.destroy();
});

describe('the tables of billing-api', () => {
  it('run their migrations once', async () => {
    expect(await migrateDatabase(url)).toBe(0);
  });

  it('stand beside a log that every app may append to which tells something', async () => {
    const rows: { role: string }[] = await owner.query(
      `select r.role from unnest($1::text[]) r(role)
        where (select bool_and(has_function_privilege(r.role, p.oid, 'execute')) from pg_proc p where p.pronamespace = 'event_log'::regnamespace and p.proname = 'append')
          and has_schema_privilege(r.role, 'event_log', 'usage')`, [Object.values(appRoles)]);
    expect(rows.map(({ role }) => role).toSorted()).toEqual([appRoles.ingest, appRoles.aggregator, appRoles.rating, appRoles.invoicing].toSorted());
  });

  it('are what the entities say', async () => {
    const drift = await owner.driver.createSchemaBuilder().log();
    expect(drift.upQueries.map(({ query }) => query)).toEqual([]);
  });

  it('force row-level security', async () => {
    const rows: { relname: string }[] = await owner.query(
      `select relname from pg_class where relname = any($1) and relrowsecurity and relforcerowsecurity`, [tables]);
    expect(rows.map((row) => row.relname).toSorted()).toEqual(tables.toSorted());
  });

  it('can be written by billing-api only, but for answers of each app and the last use of a key', async () => {
    const writers: { role: string; table: string }[] = await owner.query(
      `select r.role, t.name as table
         from unnest($1::text[]) r(role), unnest($2::text[]) t(name)
        where has_table_privilege(r.role, t.name, 'insert') or has_table_privilege(r.role, t.name, 'update') or has_table_privilege(r.role, t.name, 'delete')`,
      [Object.values(appRoles), tables]);
    const strangers = writers.filter((writer) => writer.role !== appRoles.billingApi && writer.table !== 'idempotency_keys');
    expect(strangers).toEqual([]);
    const columns: { column_name: string }[] = await owner.query(
      `select distinct column_name from information_schema.column_privileges
        where table_name = 'api_keys' and privilege_type = 'UPDATE' and grantee = any($1)`,
      [Object.values(appRoles).filter((role) => role !== appRoles.billingApi)]);
    expect(columns).toEqual([{ column_name: 'last_used_at' }]);
  });

  it('show ingest the meters and event sources of one organization, and no customers', async () => {
    const ingest = await Database.open({ url, role: 'ingest', poolSizeMax: 1, entities: billingApiEntities });
    try {
      expect(await eventSourceReader(ingest)({ organizationId: 'org_1', reference: 'none' })).toBeNull();
      expect(await ingest.inOrganization('org_1', (manager) => findMeters(manager, { eventTypes: ['t'], isCurrent: true }))).toEqual([]);
      await expect(ingest.inOrganization('org_1', (manager) => manager.query('select from customer_subjects'))).rejects.toThrow('permission denied');
    } finally {
      await ingest.close();
    }
  });

  it.each(['plan_versions', 'add_on_versions', 'meter_versions'])('keep a row of %s as it is', async (table) => {
    const [may] = await owner.query(`select has_table_privilege($1, $2, 'update') as update, has_table_privilege($1, $2, 'delete') as delete`, [appRoles.billingApi, table]);
    expect(may).toEqual({ update: false, delete: false });
  });
});

describe('row-level security', () => {
  const now = '2026-01-01T00:00:00Z';
  beforeAll(async () => {
    for (const id of ['org_a', 'org_b']) {
      await owner.query(`insert into organizations (id, name, mode, invoice_prefix, created_at) values ($1, $1, 'test', 'INV', $2)`, [id, now]);
      await owner.query(`insert into api_keys (id, organization_id, name, hint, secret_hash, scopes, created_at) values ('key_' || $1, $1, '', '', 'hash-' || $1, '{}', $2)`, [id, now]);
      await owner.query(`insert into test_clocks (organization_id, now) values ($1, $2)`, [id, now]);
      for (const table of ['products', 'features']) await owner.query(`insert into ${table} (id, organization_id, key, name, created_at) values ('${table}_' || $1, $1, 'k', '', $2)`, [id, now]);
      await owner.query(`insert into meters (id, organization_id, key, name, event_type, aggregation, created_at) values ('mtr_' || $1, $1, 'k', '', 't', 'count', $2)`, [id, now]);
      await owner.query(`insert into meter_versions (meter_id, version, organization_id, event_type, aggregation, created_at) values ('mtr_' || $1, 1, $1, 't', 'count', $2)`, [id, now]);
      await owner.query(`insert into event_sources (id, organization_id, key, name, format, mapping, created_at) values ('src_' || $1, $1, 'k', '', 'kong', '{}', $2)`, [id, now]);
      await owner.query(`insert into plans (id, organization_id, key, name, latest_version, created_at) values ('plan_' || $1, $1, 'k', '', 1, $2)`, [id, now]);
      await owner.query(`insert into plan_versions (plan_id, version, organization_id, currency, billing_period, prices, created_at) values ('plan_' || $1, 1, $1, 'USD', 'P1M', '[]', $2)`, [id, now]);
      await owner.query(`insert into plan_drafts (plan_id, organization_id, currency, billing_period, prices, late_usage, created_at, updated_at) values ('plan_' || $1, $1, 'USD', 'P1M', '[]', '{}', $2, $2)`, [id, now]);
      await owner.query(`insert into add_ons (id, organization_id, key, name, latest_version, created_at) values ('adn_' || $1, $1, 'k', '', 1, $2)`, [id, now]);
      await owner.query(`insert into add_on_versions (add_on_id, version, organization_id, name, currency, billing_period, prices, requires, created_at) values ('adn_' || $1, 1, $1, '', 'USD', 'P1M', '[]', '[]', $2)`, [id, now]);
      await owner.query(`insert into customers (id, organization_id, name, time_zone, created_at) values ('cus_' || $1, $1, '', 'UTC', $2)`, [id, now]);
      await owner.query(`insert into customer_subjects (id, organization_id, customer_id, subject, created_at) values ($1, $1, 'cus_' || $1, 's', $2)`, [id, now]);
      await owner.query(
        `insert into subscriptions (id, organization_id, customer_id, plan_id, plan_version, start_at, billing_anchor, currency, time_zone, collection, created_at)
         values ('sub_' || $1, $1, 'cus_' || $1, 'plan_' || $1, 1, $2, $2, 'USD', 'UTC', 'automatic', $2)`, [id, now]);
      await owner.query(`insert into idempotency_keys (organization_id, credential_id, method, path, key, fingerprint, claim, claimed_until, expires_at) values ($1, 'c', 'POST', '/', 'k', '', '', $2, $2)`, [id, now]);
    }
  });

  it.each(roles)('shows %s the rows of one organization, and none without one', async (role) => {
    const database = await Database.open({ url, role, poolSizeMax: 1 });
    for (const table of tables) {
      const [may] = await owner.query(`select has_table_privilege($1, $2, 'select') as select`, [appRoles[role], table]);
      const column = table === 'organizations' ? 'id' : 'organization_id';
      const seen = (work: typeof database.inOrganization) => work('org_a', (manager) => manager.query(`select distinct ${column} as id from ${table}`));
      if (!may.select) {
        await expect(seen(database.inOrganization.bind(database))).rejects.toThrow('permission denied');
        continue;
      }
      const isWorklist = (await owner.query(`select 1 from pg_policies where tablename = $1 and roles @> array[$2::name] and policyname like 'worklist_%'`, [table, appRoles[role]])).length > 0;
      const inA = await seen(database.inOrganization.bind(database));
      const without = await database.acrossOrganizations((manager) => manager.query(`select distinct ${column} as id from ${table} order by 1`));
      expect([table, inA]).toEqual([table, [{ id: 'org_a' }]]);
      expect([table, without]).toEqual([table, isWorklist ? [{ id: 'org_a' }, { id: 'org_b' }] : []]);
    }
    await database.close();
  });

  it('makes worklists of what is due, what counts and stored answers only', async () => {
    const rows: { tablename: string }[] = await owner.query(`select distinct tablename from pg_policies where policyname like 'worklist_%' and tablename = any($1) order by 1`, [tables]);
    expect(rows.map((row) => row.tablename)).toEqual(['idempotency_keys', 'meter_versions', 'meters', 'subscriptions', 'test_clocks']);
  });

  it('refuses to write a row of another organization', async () => {
    const database = await Database.open({ url, role: 'billingApi', poolSizeMax: 1 });
    const written = database.inOrganization('org_a', (manager) =>
      manager.query(`insert into products (id, organization_id, key, name, created_at) values ('prod_x', 'org_b', 'x', '', $1)`, [now]));
    await expect(written).rejects.toThrow('row-level security');
    await database.close();
  });

  it('shows a credential to whoever names its hash', async () => {
    const database = await Database.open({ url, role: 'ingest', poolSizeMax: 1 });
    const found = await database.acrossOrganizations(async (manager) => {
      await manager.query(`select set_config('app.credential_hash', 'hash-org_b', true)`);
      return manager.query(`select id from api_keys`);
    });
    expect(found).toEqual([{ id: 'key_org_b' }]);
    await database.close();
  });
});
