import { randomBytes } from 'node:crypto';
import { createClient } from '@clickhouse/client';
import { afterAll } from 'vitest';
import { serviceAddress } from './service-address.js';

export interface TestClickHouseDatabase {
  readonly database: string;
  /** For createClient({ url }): address, user, password and this database. */
  readonly url: string;
  readonly drop: () => Promise<void>;
}

const open = new Set<TestClickHouseDatabase>();

/** An empty database of one's own on the run's ClickHouse. */
export async function freshClickHouseDatabase(): Promise<TestClickHouseDatabase> {
  const serverUrl = await serviceAddress('clickhouse');
  const database = `test_${randomBytes(8).toString('hex')}`;
  await runOnServer(serverUrl, `CREATE DATABASE ${database}`);
  const fresh: TestClickHouseDatabase = {
    database,
    url: `${serverUrl}/${database}`,
    drop: async () => {
      open.delete(fresh);
      await runOnServer(serverUrl, `DROP DATABASE IF EXISTS ${database}`);
    },
  };
  open.add(fresh);
  return fresh;
}

/** For the top of a spec file: its databases are dropped after its last test. */
export function useClickHouse(): { freshClickHouseDatabase: typeof freshClickHouseDatabase } {
  afterAll(async () => {
    for (const database of [...open]) await database.drop();
  });
  return { freshClickHouseDatabase };
}

async function runOnServer(url: string, query: string): Promise<void> {
  const client = createClient({ url });
  try {
    await client.command({ query });
  } finally {
    await client.close();
  }
}
