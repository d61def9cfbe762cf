import type pg from 'pg';
import { topics } from '#contracts';
import { migrateDatabase } from '#persistence';
import type { Bench } from '../bench.ts';
import { startChildServer } from '../child-server.ts';
import { HttpLoad, postRequest } from '../http-load.ts';
import { bareTopic, benchKey } from '../ingest-setting.ts';
import { cpuSecondsOf } from '../processes.ts';
import { comparisonReading } from '../reading.ts';
import { alternate, type Side } from '../rounds.ts';
import { openPool, openStores } from '../stores.ts';
import { digestOfTopic, readTopicRows } from '../topic-rows.ts';
import { usageEvents } from '../usage-events.ts';

// One event a request over 64 connections, against a bare Fastify route that parses the same number of bytes and appends the very
// records that ours made to the same log with the same group commit.

const connections = 64;
/** A server that was not warmed up by as many would be measured at compiling. */
const eventsPerRound = { short: 6_000, long: 12_000 } as const;
const accepted = { status: 202, body: '{"accepted":1,"rejected":[]}' };

export const ingestSingle: Bench = {
  name: 'ingest-single',
  async run({ isShort, rounds }) {
    const stores = await openStores({ clickHouse: false });
    try {
      const databaseUrl = stores.postgres.url;
      await migrateDatabase(databaseUrl);
      const pool = openPool(databaseUrl);
      const servers = [await startChildServer('./ingest-server.ts', { BENCH_DATABASE_URL: databaseUrl }), await startChildServer('./bare-log-server.ts', { BENCH_DATABASE_URL: databaseUrl })] as const;
      const [ourLoad, bareLoad] = await Promise.all(servers.map(({ port }) => HttpLoad.open({ port, connections })));
      try {
        const rows = { pool, count: isShort ? eventsPerRound.short : eventsPerRound.long };
        const ours = postSide({ ...rows, load: ourLoad as HttpLoad, pids: [servers[0].pid, stores.postgres.pid] });
        const floor = bareSide({ ...rows, load: bareLoad as HttpLoad, pids: [servers[1].pid, stores.postgres.pid], prefix: ours.prefix });
        const pairs = await alternate({ ours, floor }, rounds);
        return [comparisonReading(pairs, { name: 'ingest-single', unit: 'events/s', goal: 'at least 0.60, CPU at most 1.8' })];
      } finally {
        ourLoad?.close();
        bareLoad?.close();
        await Promise.all(servers.map((server) => server.close()));
        await pool.end();
      }
    } finally {
      await stores.close();
    }
  },
};

interface SideOptions {
  readonly load: HttpLoad;
  readonly pool: pg.Pool;
  readonly pids: readonly number[];
  readonly count: number;
}

function postSide({ load, pool, pids, count }: SideOptions): Side & { readonly prefix: () => string } {
  let round = 0;
  let requests: Buffer[] = [];
  const prefix = (): string => `round${round}`;
  return {
    prefix,
    async prepare() {
      round += 1;
      const events = usageEvents({ count, prefix: prefix(), type: 'api.request', subjects: 500, from: Temporal.Now.instant().subtract({ minutes: 10 }) });
      requests = events.map((event) => postRequest({ path: '/v1/events', key: benchKey, body: JSON.stringify(event) }));
    },
    async run() {
      await load.sendAll(requests, accepted);
      return requests.length;
    },
    answer: () => digestOfTopic(pool, { topic: topics.usageEvents, prefix: prefix() }),
    cpuSeconds: () => cpuSecondsOf(pids),
  };
}

function bareSide({ load, pool, pids, prefix }: SideOptions & { readonly prefix: () => string }): Side {
  let requests: Buffer[] = [];
  return {
    async prepare() {
      const rows = await readTopicRows(pool, { topic: topics.usageEvents, prefix: prefix() });
      requests = rows.map(({ value }) => postRequest({ path: '/bare', key: benchKey, body: value }));
    },
    async run() {
      await load.sendAll(requests, accepted);
      return requests.length;
    },
    answer: () => digestOfTopic(pool, { topic: bareTopic, prefix: prefix() }),
    cpuSeconds: () => cpuSecondsOf(pids),
  };
}
