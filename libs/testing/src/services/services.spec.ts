import { createClient } from '@clickhouse/client';
import pg from 'pg';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { useClickHouse } from './clickhouse.js';
import { describeWith, isRequired, skipReason } from './describe-with.js';
import { usePostgres } from './postgres.js';
import type { DatabaseTemplate } from './postgres.js';

const { freshDatabase } = usePostgres();
const { freshClickHouseDatabase } = useClickHouse();

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as unknown[];
  } finally {
    await client.end();
  }
}

describe('freshDatabase', () => {
  it('gives each caller a database that the others do not see', async () => {
    const [one, two] = await Promise.all([freshDatabase(), freshDatabase()]);
    await query(one.url, 'CREATE TABLE t AS SELECT 1 AS a');
    expect(await query(one.url, 'SELECT a FROM t')).toEqual([{ a: 1 }]);
    expect(await query(two.url, `SELECT to_regclass('t') AS t`)).toEqual([{ t: null }]);
  });

  it('prepares a template once and copies it for each caller', async () => {
    let prepared = 0;
    const template: DatabaseTemplate = {
      name: 'services spec',
      prepare: async (url) => {
        prepared += 1;
        await query(url, 'CREATE TABLE seed AS SELECT 7 AS a');
      },
    };
    const databases = await Promise.all([freshDatabase({ template }), freshDatabase({ template }), freshDatabase({ template })]);
    for (const { url } of databases) expect(await query(url, 'SELECT a FROM seed')).toEqual([{ a: 7 }]);
    expect(prepared).toBe(1);
  });

  it('leads to the database as another role', async () => {
    const database = await freshDatabase();
    await query(database.url, `CREATE ROLE services_spec LOGIN`);
    expect(await query(database.urlAs('services_spec'), 'SELECT current_user::text AS u')).toEqual([{ u: 'services_spec' }]);
    await query(database.url, `DROP ROLE services_spec`);
  });

  it('drops a database that still has connections', async () => {
    const database = await freshDatabase();
    const client = new pg.Client({ connectionString: database.url });
    client.on('error', () => undefined); // The server ends this connection.
    await client.connect();
    await database.drop();
    await expect(query(database.url, 'SELECT 1')).rejects.toThrow(`database "${database.name}" does not exist`);
  });
});

describe('freshClickHouseDatabase', () => {
  it('gives each caller a database of its own behind the plain client', async () => {
    const [one, two] = [await freshClickHouseDatabase(), await freshClickHouseDatabase()];
    const [first, second] = [createClient({ url: one.url }), createClient({ url: two.url })];
    await first.command({ query: 'CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a' });
    const tables = async (client: typeof first): Promise<unknown> => (await client.query({ query: 'SHOW TABLES', format: 'JSONEachRow' })).json();
    expect(await tables(first)).toEqual([{ name: 't' }]);
    expect(await tables(second)).toEqual([]);
    await Promise.all([first.close(), second.close()]);
  });
});

describe('skipReason', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('is null when the service is there and a sentence when it is not', () => {
    vi.stubEnv('TOLLWAY_ACCESS_LOG', import.meta.filename);
    expect(skipReason('access-log')).toBeNull();
    vi.stubEnv('TOLLWAY_ACCESS_LOG', '/nowhere/access.log');
    expect(skipReason('access-log')).toBe('TOLLWAY_ACCESS_LOG names /nowhere/access.log, which is not there.');
    vi.stubEnv('KAFKA_BROKERS', 'localhost:9092');
    expect(skipReason('kafka')).toBeNull();
    vi.stubEnv('KAFKA_BROKERS', '');
    vi.stubEnv('PATH', ''); // So there is no java, with the jars or without.
    expect(skipReason('kafka')).toMatch(/^KAFKA_BROKERS is not set\. There (?:are no jars in \.cache\/kafka|is no java in PATH)/);
    expect(skipReason('gawk')).toBe('There is no gawk in PATH.');
    expect(skipReason('numpy')).toBe('There is no python3 with numpy; PYTHONPATH may say where numpy is.');
    expect(skipReason('postgres')).toBeNull();
  });

  it('is a failure where the service is required', () => {
    vi.stubEnv('TOLLWAY_REQUIRE', 'redis, kafka');
    expect(isRequired('kafka')).toBe(true);
    expect(isRequired('chromium')).toBe(false);
  });
});

describeWith('postgres', 'describeWith', () => {
  it('runs its tests when the service is there', () => expect(skipReason('postgres')).toBeNull());
});
