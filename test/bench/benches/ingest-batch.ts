import { topics } from '#contracts';
import { migrateDatabase } from '#persistence';
import { openKafkaEventLog, systemClock } from '#platform';
import { openBroker } from '../bench-broker.ts';
import type { Bench } from '../bench.ts';
import { startChildServer } from '../child-server.ts';
import { HttpLoad, postRequest } from '../http-load.ts';
import { bareTopic, benchKey, usagePartitionsOnKafka } from '../ingest-setting.ts';
import { digestOfRows, KafkaTopicReader, type KafkaRow } from '../kafka-topic-reader.ts';
import { cpuSecondsOf } from '../processes.ts';
import { comparisonReading } from '../reading.ts';
import { alternate, type Side } from '../rounds.ts';
import { openStores } from '../stores.ts';
import { batchesOf, usageEvents } from '../usage-events.ts';

// POST /v1/events on the Kafka log in batches of 100, with authentication, validation and a durable acknowledgement, against a bare
// Fastify route that parses a body and produces the very records that ours made, a batch by one request, with the same acks.

const batchSize = 100;
const connections = 32;
const batchesPerRound = { short: 200, long: 600 } as const;
const accepted = { status: 202, body: `{"accepted":${batchSize},"rejected":[]}` };

export const ingestBatch: Bench = {
  name: 'ingest-batch',
  async run({ isShort, rounds }) {
    const [stores, broker] = await Promise.all([openStores({ clickHouse: false }), openBroker()]);
    try {
      await migrateDatabase(stores.postgres.url);
      await makeTopics(broker.address);
      const environment = { BENCH_DATABASE_URL: stores.postgres.url, BENCH_KAFKA_BROKER: broker.address };
      const [ourServer, bareServer] = [await startChildServer('./ingest-server.ts', environment), await startChildServer('./bare-kafka-server.ts', environment)];
      const [ourLoad, bareLoad] = [await HttpLoad.open({ port: ourServer.port, connections }), await HttpLoad.open({ port: bareServer.port, connections })];
      const reader = await KafkaTopicReader.open(broker.address, [topics.usageEvents, bareTopic]);
      try {
        const count = batchSize * (isShort ? batchesPerRound.short : batchesPerRound.long);
        const ours = postSide({ load: ourLoad, reader, count, pids: [ourServer.pid, stores.postgres.pid, broker.pid] });
        const floor = bareSide({ load: bareLoad, reader, count, pids: [bareServer.pid, broker.pid] }, ours.rows);
        const pairs = await alternate({ ours, floor }, rounds);
        return [comparisonReading(pairs, { name: 'ingest-batch', unit: 'events/s', goal: 'at least 0.70' })];
      } finally {
        ourLoad.close();
        bareLoad.close();
        await reader.close();
        await Promise.all([ourServer.close(), bareServer.close()]);
      }
    } finally {
      await Promise.all([stores.close(), broker.close()]);
    }
  },
};

async function makeTopics(broker: string): Promise<void> {
  const log = openKafkaEventLog({ brokers: [broker], clientId: 'bench', clock: systemClock, onError: () => undefined });
  await log.ensureTopic({ name: topics.usageEvents, partitions: usagePartitionsOnKafka });
  await log.ensureTopic({ name: bareTopic, partitions: usagePartitionsOnKafka });
  await log.ensureTopic({ name: topics.deadLetters, partitions: 1 });
  await log.close();
}

interface SideOptions {
  readonly load: HttpLoad;
  readonly reader: KafkaTopicReader;
  readonly count: number;
  readonly pids: readonly number[];
}

function postSide({ load, reader, count, pids }: SideOptions): Side & { readonly rows: () => Promise<readonly KafkaRow[]> } {
  let round = 0;
  let requests: Buffer[] = [];
  let written: Promise<readonly KafkaRow[]> = Promise.resolve([]);
  return {
    rows: () => written,
    async prepare() {
      round += 1;
      const events = usageEvents({ count, prefix: `round${round}`, type: 'api.request', subjects: 500, from: Temporal.Now.instant().subtract({ minutes: 10 }) });
      requests = batchesOf(events, batchSize).map((body) => postRequest({ path: '/v1/events', key: benchKey, body }));
      written = Promise.resolve([]);
    },
    async run() {
      await load.sendAll(requests, accepted);
      written = Promise.resolve().then(() => reader.take(topics.usageEvents, count));
      return count;
    },
    answer: async () => digestOfRows(await written),
    cpuSeconds: () => cpuSecondsOf(pids),
  };
}

function bareSide({ load, reader, count, pids }: SideOptions, rowsOfRound: () => Promise<readonly KafkaRow[]>): Side {
  let requests: Buffer[] = [];
  return {
    async prepare() {
      const rows = (await rowsOfRound()).map(({ partition, key, value }) => [partition, key, value]);
      const bodies = Array.from({ length: rows.length / batchSize }, (_, nth) => JSON.stringify(rows.slice(nth * batchSize, (nth + 1) * batchSize)));
      requests = bodies.map((body) => postRequest({ path: '/bare', key: benchKey, body }));
    },
    async run() {
      await load.sendAll(requests, accepted);
      return count;
    },
    answer: async () => digestOfRows(await reader.take(bareTopic, count)),
    cpuSeconds: () => cpuSecondsOf(pids),
  };
}
