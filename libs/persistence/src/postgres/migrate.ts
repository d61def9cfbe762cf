import pg from 'pg';
import { DataSource } from 'typeorm';
import { invoicingQueue, ratingQueue } from '#contracts';
import { eventLogGrants, jobQueueGrants, migrateEventLog, migrateJobQueue } from '#platform';
import { appRoles } from './database.js';
import { migrations } from './migrations/migrations.js';

const migrationLock = 7_420_001;

export interface MigrateOptions {
  /** Left out where the event log is Kafka. */
  readonly eventLog?: boolean;
  /** Left out where the job queue is on Redis. */
  readonly jobQueue?: boolean;
}

/**
 * Brings the database to this build's state, as its owner: tables, the event log, the job queue, and what each role may
 * do. Safe to repeat and to run from several processes at once. Returns how many table migrations ran.
 */
export async function migrateDatabase(url: string, options: MigrateOptions = {}): Promise<number> {
  const client = new pg.Client({ connectionString: url, application_name: 'tollway-migrate' });
  await client.connect();
  try {
    // Held by the connection: whoever dies here lets the next one in.
    await client.query('select pg_advisory_lock($1)', [migrationLock]);
    const done = await migrateTables(url);
    if (options.eventLog !== false) await migrateLog(client);
    if (options.jobQueue !== false) await migrateQueue(client);
    return done;
  } finally {
    await client.end();
  }
}

async function migrateTables(url: string): Promise<number> {
  const dataSource = new DataSource({
    type: 'postgres',
    url,
    migrations,
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
    synchronize: false,
    poolSize: 2,
    applicationName: 'tollway-migrate',
  });
  await dataSource.initialize();
  try {
    return (await dataSource.runMigrations()).length;
  } finally {
    await dataSource.destroy();
  }
}

async function migrateLog(client: pg.Client): Promise<void> {
  await migrateEventLog(client);
  const readers = Object.values(appRoles);
  // Rating and invoicing tell facts.
  const writers = [appRoles.ingest, appRoles.aggregator, appRoles.rating, appRoles.invoicing];
  for (const grant of eventLogGrants({ writers, readers })) await client.query(grant);
}

async function migrateQueue(client: pg.Client): Promise<void> {
  await migrateJobQueue(client, { queues: [ratingQueue, invoicingQueue] });
  for (const grant of jobQueueGrants([appRoles.billingApi, appRoles.rating, appRoles.invoicing])) await client.query(grant);
}
