import { Queue, Worker, createPostgresBackend, runMigrations, withBackend } from 'bullmq';
import type { Job, QueueOptions, WorkerOptions } from 'bullmq';
import { escapeIdentifier } from 'pg';
import type { ClientBase } from 'pg';

/** The schema of the queue's tables on Postgres, and the prefix of its keys on Redis. */
const NAMESPACE = 'bullmq';
/** BullMQ opens a pool per queue and per worker, and a connection to listen on per worker: with pg's default of ten they would eat the server's connections. */
const POOL_MAX = 2;
/** Any number, as long as nothing else uses it: two migrations at a time must not both create a sequence. */
const QUEUES_LOCK = 5_470_220_917_443_102n;

interface PostgresJobStore {
  readonly backend: 'postgres';
  readonly connectionString: string;
  /** The role that its sessions start in; that of the connection string's user, if not given. */
  readonly role?: string;
}

export type JobQueueStore = PostgresJobStore | { readonly backend: 'redis'; readonly url: string };

export type QueueSettings = Omit<QueueOptions, 'connection' | 'prefix'>;
export type WorkerSettings = Omit<WorkerOptions, 'connection' | 'prefix'>;
export type Processor = (job: Pick<Job<unknown>, 'name' | 'data' | 'attemptsStarted' | 'attemptsMade'>) => Promise<void>;

export interface OpenQueue extends Pick<Queue, 'addBulk' | 'close'> {
  on(event: 'error', listener: (error: Error) => void): unknown;
}

export interface OpenWorker extends Pick<Worker, 'close' | 'waitUntilReady'> {
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'failed', listener: (job: { readonly name: string; readonly attemptsMade: number } | undefined, error: Error) => void): unknown;
}

/** BullMQ's classes over one store. */
export interface BullmqBackend {
  queue(name: string, settings: QueueSettings): OpenQueue;
  worker(name: string, options: { readonly process: Processor; readonly settings: WorkerSettings }): OpenWorker;
}

export function bullmqBackend(store: JobQueueStore): BullmqBackend {
  return store.backend === 'postgres' ? onPostgres(store) : onRedis(store.url);
}

function onPostgres({ connectionString, role }: PostgresJobStore): BullmqBackend {
  const connection = { connectionString, schema: NAMESPACE, max: POOL_MAX, ...(role === undefined ? {} : { options: `-c role=${role}` }) };
  const classes = withBackend(createPostgresBackend);
  return {
    queue: (name, settings) => new classes.Queue(name, { ...settings, connection }),
    worker: (name, { process, settings }) => new classes.Worker(name, process, { ...settings, connection }),
  };
}

function onRedis(url: string): BullmqBackend {
  const connection = { url };
  return {
    queue: (name, settings) => new Queue(name, { ...settings, connection, prefix: NAMESPACE }),
    // A worker waits for its next job without a bound, which ioredis must not count as a failing request.
    worker: (name, { process, settings }) => new Worker(name, process, { ...settings, connection: { ...connection, maxRetriesPerRequest: null }, prefix: NAMESPACE }),
  };
}

/**
 * Creates or upgrades the schema `bullmq`, as a role that may create schemas. Safe to repeat and to run in two processes
 * at once. BullMQ numbers the jobs of each queue by a sequence that the first `add` would create: made here for every
 * queue, so that no app needs the right to create anything, and none owns what others use.
 */
export async function migrateJobQueue(client: Pick<ClientBase, 'query'>, { queues }: { readonly queues: readonly string[] }): Promise<void> {
  await runMigrations({ query: (text, parameters = []) => client.query(text, [...parameters]) as Promise<never> }, NAMESPACE);
  await client.query('SELECT pg_advisory_lock($1)', [QUEUES_LOCK]);
  try {
    for (const queue of queues) {
      const { rows } = await client.query<{ name: string }>(`SELECT ${NAMESPACE}.job_id_seq_name($1) AS name`, [queue]);
      await client.query(`CREATE SEQUENCE IF NOT EXISTS ${NAMESPACE}.${escapeIdentifier(rows[0]?.name ?? '')}`);
    }
  } finally {
    await client.query('SELECT pg_advisory_unlock($1)', [QUEUES_LOCK]);
  }
}

/** The GRANT statements for the roles of the apps that add or run jobs, after `migrateJobQueue`. Safe to repeat; the roles must exist. */
export function jobQueueGrants(roles: readonly string[]): string[] {
  if (roles.length === 0) return [];
  const to = roles.map(escapeIdentifier).join(', ');
  return [
    `GRANT USAGE ON SCHEMA ${NAMESPACE} TO ${to}`,
    `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${NAMESPACE} TO ${to}`,
    `GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA ${NAMESPACE} TO ${to}`,
    `GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ${NAMESPACE} TO ${to}`,
  ];
}
