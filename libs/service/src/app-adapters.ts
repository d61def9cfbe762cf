import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';
import {
  appRoles, billingApiEntities, BusinessClock, ClickHouse, Database, organizationReader, PostgresAuthenticator, type AppRole, type ReadOrganization,
} from '#persistence';
import { makeIds, openJobQueue, openRedisCheck, systemClock, type Clock, type DependencyCheck, type EventLog, type Ids, type JobQueue, type Logger } from '#platform';
import { openEventLog, type MaintainedLog } from './open-event-log.js';

/** What an app may need, by the names under which `/readyz` tells of it. */
export type StoreName = 'postgres' | 'clickhouse' | 'kafka' | 'redis';

/** Where the stores are, as the settings say. */
export interface StoreAddresses {
  readonly databaseUrl: string;
  readonly clickHouseUrl: string;
  readonly kafkaBrokers: readonly string[] | undefined;
  readonly redisUrl: string | undefined;
}

/** One app's connections, each with the app's own role, and what is made of them in the same way for every app. */
export interface AppAdapters {
  readonly database: Database;
  readonly log: EventLog;
  readonly jobs: JobQueue;
  readonly clickHouse: ClickHouse;
  readonly authenticator: PostgresAuthenticator;
  readonly readOrganization: ReadOrganization;
  readonly businessClock: BusinessClock;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly serverSecret: string;
  /** Asks each store of this installation whether it answers; without Kafka or Redis, Postgres does their work. */
  readonly checks: Readonly<Partial<Record<StoreName, DependencyCheck>>>;
  close(): Promise<void>;
}

export interface OpenAdaptersOptions {
  readonly role: AppRole;
  readonly poolSizeMax: number;
  readonly addresses: StoreAddresses;
  readonly serverSecret: string;
  readonly logger: Logger;
}

export const clickHouseDatabase = 'tollway';
const clickHouseConnectionsMax = 6;
/** As long as the server lets a statement run: whoever gives up earlier would send it again while it runs. */
const clickHouseTimeoutMs = 600_000;
/** Segments of the log are made three days ahead. */
const maintainEveryMs = 6 * 3_600_000;

export async function openAdapters(options: OpenAdaptersOptions): Promise<AppAdapters> {
  const { role, addresses, serverSecret, logger } = options;
  const clock = systemClock;
  const database = await Database.open({ url: addresses.databaseUrl, role, poolSizeMax: options.poolSizeMax, entities: billingApiEntities });
  const log = openEventLog({ role, databaseUrl: addresses.databaseUrl, kafkaBrokers: addresses.kafkaBrokers, logger });
  const maintaining = role === 'ingest' ? keepMaintained(log, logger) : undefined; // Those who append see to it.
  const jobs = openJobs(options);
  const client = createClient({
    url: addresses.clickHouseUrl, database: clickHouseDatabase, max_open_connections: clickHouseConnectionsMax, request_timeout: clickHouseTimeoutMs,
    log: { level: ClickHouseLogLevel.OFF }, // What fails is thrown, and logged where it is handled.
  });
  const readOrganization = organizationReader(database);
  const redis = addresses.redisUrl === undefined ? undefined : openRedisCheck(addresses.redisUrl);
  return {
    database,
    log,
    jobs,
    clickHouse: new ClickHouse(client),
    authenticator: new PostgresAuthenticator(database, { serverSecret, clock }),
    readOrganization,
    businessClock: new BusinessClock({ database, readOrganization, clock, hasLeases: role === 'ingest' }),
    clock,
    ids: makeIds({ now: () => clock.now() }),
    logger,
    serverSecret,
    checks: {
      postgres: () => askPostgres(database),
      clickhouse: () => askClickHouse(client),
      ...(addresses.kafkaBrokers === undefined ? {} : { kafka: () => log.check() }),
      ...(redis === undefined ? {} : { redis: redis.check }),
    },
    async close() {
      redis?.close();
      clearInterval(maintaining);
      await jobs.close();
      await log.close();
      await client.close();
      await database.close();
    },
  };
}

function keepMaintained(log: MaintainedLog, logger: Logger): NodeJS.Timeout {
  const maintain = (): void => void log.maintain().catch((error: unknown) => logger.error({ err: error }, 'The event log could not be maintained; it is tried again.'));
  return setInterval(maintain, maintainEveryMs).unref();
}

function openJobs({ role, addresses, logger }: OpenAdaptersOptions): JobQueue {
  const onError = (error: unknown, where: object): void => logger.warn({ err: error, ...where }, 'A job failed; it runs again.');
  return addresses.redisUrl === undefined
    ? openJobQueue({ backend: 'postgres', connectionString: addresses.databaseUrl, role: appRoles[role], onError })
    : openJobQueue({ backend: 'redis', url: addresses.redisUrl, onError });
}

async function askPostgres(database: Database): Promise<void> {
  await database.dataSource.query('select 1');
}

async function askClickHouse(client: ClickHouseClient): Promise<void> {
  const pong = await client.ping();
  if (!pong.success) throw pong.error;
}
