import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll } from 'vitest';
import { serviceAddress } from './service-address.js';

export interface TestDatabase {
  readonly name: string;
  /** Superuser `postgres` on this database; for pg, TypeORM and BullMQ. */
  readonly url: string;
  /** The same database as another role. Roles are the server's, so every database of the run has them. */
  readonly urlAs: (role: string) => string;
  /** Drops it, whoever is still connected. */
  readonly drop: () => Promise<void>;
}

export interface DatabaseTemplate {
  /** The same name means the same content, in all spec files of the run. */
  readonly name: string;
  /** Brings an empty database to its state, such as by running the migrations. Must close its connections. */
  readonly prepare: (url: string) => Promise<void>;
}

const open = new Set<TestDatabase>();

/** A database of one's own on the run's Postgres: empty in 30 ms, or a copy of a template that the first caller prepares. */
export async function freshDatabase(options: { template?: DatabaseTemplate } = {}): Promise<TestDatabase> {
  const serverUrl = await serviceAddress('postgres');
  const name = `test_${randomBytes(8).toString('hex')}`;
  const source = options.template === undefined ? 'template0' : await templateDatabase(serverUrl, options.template);
  await onServer(serverUrl, (client) => client.query(`CREATE DATABASE ${name} TEMPLATE ${source}`));
  const database: TestDatabase = {
    name,
    url: databaseUrl(serverUrl, name),
    urlAs: (role) => databaseUrl(serverUrl, name).replace('//postgres@', `//${encodeURIComponent(role)}@`),
    drop: async () => {
      open.delete(database);
      await onServer(serverUrl, (client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
    },
  };
  open.add(database);
  return database;
}

/** For the top of a spec file: its databases are dropped after its last test. */
export function usePostgres(): { freshDatabase: typeof freshDatabase } {
  afterAll(async () => {
    for (const database of [...open]) await database.drop();
  });
  return { freshDatabase };
}

/** Prepared once a run: whoever comes first holds the lock and prepares, the others wait and copy. */
async function templateDatabase(serverUrl: string, template: DatabaseTemplate): Promise<string> {
  const name = `template_${template.name.toLowerCase().replaceAll(/[^a-z0-9]/g, '_')}`;
  await onServer(serverUrl, async (client) => {
    await client.query('SELECT pg_advisory_lock(hashtext($1))', [name]); // Released with the connection.
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (rowCount === 1) return;
    const part = `${name}_part`;
    await client.query(`DROP DATABASE IF EXISTS ${part} WITH (FORCE)`);
    await client.query(`CREATE DATABASE ${part} TEMPLATE template0`);
    await template.prepare(databaseUrl(serverUrl, part));
    await client.query(`ALTER DATABASE ${part} RENAME TO ${name}`);
    await client.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`); // A connection to it would make copying fail.
  });
  return name;
}

function databaseUrl(serverUrl: string, name: string): string {
  return serverUrl.replace(/\/[^/]*$/, `/${name}`);
}

async function onServer<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
