import type pg from 'pg';
import { topics } from '#contracts';
import { migrateDatabase } from '#persistence';
import type { Bench } from '../bench.ts';
import { startChildServer } from '../child-server.ts';
import { HttpLoad, postRequest } from '../http-load.ts';
import { benchKey } from '../ingest-setting.ts';
import { cpuSecondsOf, ownCpuSeconds } from '../processes.ts';
import { comparisonReading } from '../reading.ts';
import { alternate, type Side } from '../rounds.ts';
import { openPool, openStores } from '../stores.ts';
import { digestOfTopic, readTopicRows, type LogRow } from '../topic-rows.ts';
import { batchesOf, usageEvents } from '../usage-events.ts';

// POST /v1/events in batches of 100, with authentication, validation and a durable acknowledgement, against a bare multi-row
// insert of the very rows that the log then holds, with as many rows a commit as the log had.

const batchSize = 100;
const connections = 32;
const batchesPerRound = { short: 200, long: 500 } as const;

export const ingestStandalone: Bench = {
  name: 'ingest-standalone',
  async run({ isShort, rounds }) {
    const stores = await openStores({ clickHouse: false });
    try {
      await migrateDatabase(stores.postgres.url);
      const server = await startChildServer('./ingest-server.ts', { BENCH_DATABASE_URL: stores.postgres.url });
      const pool = openPool(stores.postgres.url);
      const load = await HttpLoad.open({ port: server.port, connections });
      try {
        const ours = postSide({ load, pool, pids: [server.pid, stores.postgres.pid], batches: isShort ? batchesPerRound.short : batchesPerRound.long });
        const floor = await insertSide({ pool, pid: stores.postgres.pid, rowsOfRound: () => readTopicRows(pool, { topic: topics.usageEvents, prefix: ours.prefix() }) });
        const pairs = await alternate({ ours, floor }, rounds);
        return [comparisonReading(pairs, { name: 'ingest-standalone', unit: 'events/s', goal: 'at least 0.60' })];
      } finally {
        load.close();
        await server.close();
        await pool.end();
      }
    } finally {
      await stores.close();
    }
  },
};

function postSide(options: { load: HttpLoad; pool: pg.Pool; pids: readonly number[]; batches: number }): Side & { readonly prefix: () => string } {
  let round = 0;
  let requests: Buffer[] = [];
  const prefix = (): string => `round${round}`;
  return {
    prefix,
    async prepare() {
      round += 1;
      const events = usageEvents({ count: options.batches * batchSize, prefix: prefix(), type: 'api.request', subjects: 500, from: Temporal.Now.instant().subtract({ minutes: 10 }) });
      requests = batchesOf(events, batchSize).map((body) => postRequest({ path: '/v1/events', key: benchKey, body }));
    },
    async run() {
      await options.load.sendAll(requests, { status: 202, body: `{"accepted":${batchSize},"rejected":[]}` });
      return requests.length * batchSize;
    },
    answer: () => digestOfTopic(options.pool, { topic: topics.usageEvents, prefix: prefix() }),
    cpuSeconds: () => cpuSecondsOf(options.pids),
  };
}

const insertSql = `INSERT INTO bench_floor (topic_id, partition, position, key, value, appended_at)
  SELECT 1, r.partition, r.position, r.key, r.value, clock_timestamp() FROM unnest($1::integer[], $2::bigint[], $3::text[], $4::text[]) AS r(partition, position, key, value)`;

async function insertSide(options: { pool: pg.Pool; pid: number; rowsOfRound: () => Promise<LogRow[]> }): Promise<Side> {
  await options.pool.query('CREATE TABLE bench_floor (LIKE event_log.records, PRIMARY KEY (topic_id, partition, position))');
  let groups: LogRow[][] = [];
  return {
    async prepare() {
      await options.pool.query('TRUNCATE bench_floor');
      const rows = await options.rowsOfRound();
      const rowsPerCommit = Math.ceil(rows.length / new Set(rows.map(({ commit }) => commit)).size);
      groups = Array.from({ length: Math.ceil(rows.length / rowsPerCommit) }, (_, nth) => rows.slice(nth * rowsPerCommit, (nth + 1) * rowsPerCommit));
    },
    async run() {
      for (const group of groups) {
        const values = [group.map((row) => row.partition), group.map((row) => row.position), group.map((row) => row.key), group.map((row) => row.value)];
        await options.pool.query({ name: 'bench_floor', text: insertSql, values });
      }
      return groups.reduce((sum, group) => sum + group.length, 0);
    },
    async answer() {
      const { rows } = await options.pool.query<{ digest: string }>(`SELECT count(*) || ' ' || sum(hashtextextended(key || value, 0)::numeric) AS digest FROM bench_floor`);
      return rows[0]?.digest ?? '';
    },
    cpuSeconds: () => ownCpuSeconds() + cpuSecondsOf([options.pid]),
  };
}
