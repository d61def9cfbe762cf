import type { ClickHouseClient } from '@clickhouse/client';
import { ClickHouse } from './clickhouse.js';
import { clickHouseSteps } from './tables.js';

const databaseName = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

/**
 * Brings a ClickHouse database to this build's state. `client` is connected to any database of the server. Safe to
 * repeat and to run from several processes at once, since each step can be repeated. Returns how many steps ran.
 */
export async function migrateClickHouse(client: ClickHouseClient, options: { readonly database: string }): Promise<number> {
  if (!databaseName.test(options.database)) throw new RangeError('The name of a ClickHouse database is letters, digits and underscores.');
  const clickhouse = new ClickHouse(client);
  const inDatabase = (name: string): string => `${options.database}.${name}`;
  await clickhouse.command({ sql: `CREATE DATABASE IF NOT EXISTS ${options.database}` });
  await clickhouse.command({
    sql: `CREATE TABLE IF NOT EXISTS ${inDatabase('migrations')} (name String, ran_at DateTime64(3, 'UTC') DEFAULT now64(3))
          ENGINE = ReplacingMergeTree ORDER BY name`,
  });
  const done = await clickhouse.query<{ name: string }>({ sql: `SELECT DISTINCT name FROM ${inDatabase('migrations')}` });
  const names = new Set(done.map(({ name }) => name));
  const steps = clickHouseSteps.filter(({ name }) => !names.has(name));
  for (const { name, sql } of steps) {
    await clickhouse.command({ sql: sql.replace(/(?<=(?:CREATE TABLE IF NOT EXISTS|ALTER TABLE) )\w+/, inDatabase) });
    await clickhouse.insert(inDatabase('migrations'), ['name'], [JSON.stringify([name])]);
  }
  return steps.length;
}
