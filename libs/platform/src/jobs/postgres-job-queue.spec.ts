import { createPostgresBackend, withBackend } from 'bullmq';
import { Client } from 'pg';
import { describe, expect, it } from 'vitest';

import { usePostgres } from '#testing';
import { jobQueueGrants, migrateJobQueue } from './bullmq-backend.js';
import { openJobQueue } from './bullmq-job-queue.js';
import { jobsContract } from './jobs-contract.js';

const { freshDatabase } = usePostgres();
const quick = { attemptsMax: 5, lockDurationMs: 1_000, stalledIntervalMs: 500, onError: (): void => undefined };

jobsContract('bullmq on postgres', async () => {
  const { url } = await freshDatabase({ template });
  return {
    open: async ({ retryDelayMs }) => openJobQueue({ backend: 'postgres', connectionString: url, ...quick, retryDelayMs }),
    deadWorker: async (queue) => {
      const taken = Promise.withResolvers<void>();
      const { Worker: PostgresWorker } = withBackend(createPostgresBackend);
      const worker = new PostgresWorker(
        queue,
        async () => {
          taken.resolve();
          await new Promise(() => undefined);
        },
        { connection: { connectionString: url, schema: 'bullmq', max: 2 }, lockDuration: 1_000, skipLockRenewal: true, skipStalledCheck: true },
      );
      await worker.waitUntilReady();
      return { tookJob: taken.promise, bury: () => worker.close(true) };
    },
    close: async () => undefined,
  };
});

describe('the job queue on Postgres', () => {
  it('is migrated again without harm, also twice at a time', async () => {
    const { url } = await freshDatabase();
    await Promise.all([migrate(url, ['a', 'b']), migrate(url, ['a', 'b'])]);
    await migrate(url, ['b', 'c']);
  });

  it('works as a role that has been granted it', async () => {
    const database = await freshDatabase({ template });
    await migrate(database.url, ['q']);
    const roles = ['jobs_spec_adder', 'jobs_spec_worker'] as const;
    for (const role of roles) await query(database.url, `CREATE ROLE ${role} LOGIN`);
    for (const statement of jobQueueGrants(roles)) await query(database.url, statement);
    const [adding, working] = roles.map((role) => openJobQueue({ backend: 'postgres', connectionString: database.urlAs(role), ...quick }));
    const runs: number[] = [];
    await working?.work({ queue: 'q', concurrency: 1, handle: async ({ payload }) => void runs.push((payload as { nth: number }).nth) });
    await adding?.add('q', [{ name: 'job', payload: { nth: 1 }, deduplicationId: 'one' }, { name: 'job', payload: { nth: 2 }, delayMs: 10 }]);
    await working?.add('q', [{ name: 'job', payload: { nth: 3 } }]);
    await adding?.add('q', [{ name: 'job', payload: { nth: 4 } }]);
    await expect.poll(() => [...runs].sort(), { timeout: 10_000 }).toEqual([1, 2, 3, 4]);
    await adding?.close();
    await working?.close();
    await database.drop();
    for (const role of roles) await query((await freshDatabase()).url, `DROP ROLE ${role}`);
  });

  it('says so when it is away or not migrated', async () => {
    const away = openJobQueue({ backend: 'postgres', connectionString: 'postgres://nobody@127.0.0.1:1/none', ...quick });
    await expect(away.add('q', [{ name: 'job', payload: {} }])).rejects.toMatchObject({ name: 'Fault', code: 'queue_unavailable', retryable: true });
    await away.close();
    const empty = openJobQueue({ backend: 'postgres', connectionString: (await freshDatabase()).url, ...quick });
    await expect(empty.work({ queue: 'q', concurrency: 1, handle: async () => undefined })).rejects.toMatchObject({ code: 'queue_unavailable' });
    await empty.close();
  });
});

const template = { name: 'job queue', prepare: (url: string) => migrate(url) };

async function migrate(url: string, queues: readonly string[] = []): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await migrateJobQueue(client, { queues }).finally(() => client.end());
}

async function query(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}
