import { createClient, type ClickHouseClient } from '@clickhouse/client';
import { appRoles, billingApiEntities, Database, migrateClickHouse, type AppRole } from '#persistence';
import { openJobQueue, openPostgresEventLog, systemClock, type JobQueue, type Logger, type PostgresEventLog } from '#platform';
import type { StandaloneConfig } from './config.js';
import type { Stores } from './stores.js';

/** Each app's own connections, with its own role: standalone keeps to the same rights as the cluster. */
export interface Adapters {
  readonly databases: Readonly<Record<AppRole, Database>>;
  readonly logs: Readonly<Record<AppRole, PostgresEventLog>>;
  readonly jobs: JobQueue;
  readonly clickHouse: ClickHouseClient;
  close(): Promise<void>;
}

const apps = Object.keys(appRoles) as AppRole[];
const poolSizeMax: Readonly<Record<AppRole, number>> = { ingest: 4, aggregator: 4, rating: 6, invoicing: 6, billingApi: 10 };
const clickHouseDatabase = 'tollway';
const clickHouseConnectionsMax = 6;

export async function openAdapters(config: StandaloneConfig, stores: Stores, logger: Logger): Promise<Adapters> {
  const databases = await openDatabases(stores.databaseUrl);
  const logs = perApp((role) =>
    openPostgresEventLog({
      connectionString: withRole(stores.databaseUrl, appRoles[role]),
      clock: systemClock,
      applicationName: `tollway-${role}-log`,
      onError: (error, where) => logger.error({ err: error, ...where }, 'A batch of the log could not be handled; it comes again.'),
    }),
  );
  const onError = (error: unknown, where: object): void => logger.warn({ err: error, ...where }, 'A job failed; it runs again.');
  const jobs = config.REDIS_URL === undefined
    ? openJobQueue({ backend: 'postgres', connectionString: stores.databaseUrl, onError })
    : openJobQueue({ backend: 'redis', url: config.REDIS_URL, onError });
  const clickHouse = await openClickHouse(stores.clickHouseUrl);
  return {
    databases,
    logs,
    jobs,
    clickHouse,
    async close() {
      await jobs.close();
      await Promise.all(Object.values(logs).map((log) => log.close()));
      await clickHouse.close();
      await Promise.all(Object.values(databases).map((database) => database.close()));
    },
  };
}

async function openDatabases(url: string): Promise<Record<AppRole, Database>> {
  const opened = await Promise.all(apps.map(async (role) => [role, await Database.open({ url, role, poolSizeMax: poolSizeMax[role], entities: billingApiEntities })] as const));
  return Object.fromEntries(opened) as Record<AppRole, Database>;
}

async function openClickHouse(url: string): Promise<ClickHouseClient> {
  const anyDatabase = createClient({ url });
  try {
    await migrateClickHouse(anyDatabase, { database: clickHouseDatabase });
  } finally {
    await anyDatabase.close();
  }
  return createClient({ url, database: clickHouseDatabase, max_open_connections: clickHouseConnectionsMax });
}

function perApp<T>(make: (role: AppRole) => T): Record<AppRole, T> {
  return Object.fromEntries(apps.map((role) => [role, make(role)])) as Record<AppRole, T>;
}

/** The same database with a session that starts in the role. */
function withRole(url: string, role: string): string {
  const address = new URL(url);
  address.searchParams.set('options', `-c role=${role}`);
  return address.toString().replace(/\+/g, '%20');
}
