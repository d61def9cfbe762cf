import type { ClickHouseClient } from '@clickhouse/client';
import { aggregatorGroup, topics } from '#contracts';
import { postBacklog } from '../backlog.ts';
import type { Bench, BenchOptions } from '../bench.ts';
import { startChildServer } from '../child-server.ts';
import { cpuSecondsOf, ownCpuSeconds } from '../processes.ts';
import { comparisonReading, type Reading } from '../reading.ts';
import { alternate, type Side } from '../rounds.ts';
import { until } from '../running-product.ts';
import { clickHouseText, withWholeProduct, type WholeProduct } from '../whole-product.ts';

// From the log into ClickHouse: decode, tell copies apart by identity, mark hours, store events and verdicts, commit. Against inserts
// of the very same rows into an equal table by @clickhouse/client. The product is held still while its log is filled.

const eventsPerRound = { short: 40_000, long: 120_000 } as const;
const insertRowsMax = 10_000;
const insertsInFlight = 4; // As many as the log has partitions.
const eventType = 'bench.pipeline';

export const pipeline: Bench = { name: 'pipeline', run: (options) => measure(options, { name: 'pipeline', onKafka: false }) };

/** The same with the log on Kafka. */
export const pipelineKafka: Bench = { name: 'pipeline-kafka', run: (options) => measure(options, { name: 'pipeline-kafka', onKafka: true }) };

function measure({ isShort, rounds }: BenchOptions, { name, onKafka }: { readonly name: string; readonly onKafka: boolean }): Promise<readonly Reading[]> {
  const count = isShort ? eventsPerRound.short : eventsPerRound.long;
  return withWholeProduct(async (whole) => {
    const brokerSetting = whole.broker === null ? {} : { BENCH_KAFKA_BROKER: whole.broker.address };
    const ingest = await startChildServer('./ingest-server.ts', { BENCH_DATABASE_URL: whole.stores.postgres.url, ...brokerSetting });
    try {
      const ours = consumeSide(whole, { port: ingest.port, count });
      const floor = await insertSide(whole, ours.prefix);
      const pairs = await alternate({ ours, floor }, rounds);
      return [comparisonReading(pairs, { name, unit: 'events/s', goal: 'at least 0.60' })];
    } finally {
      await ingest.close();
    }
  }, { onKafka });
}

function consumeSide(whole: WholeProduct, options: { port: number; count: number }): Side & { readonly prefix: () => string } {
  let round = 0;
  const prefix = (): string => `round${round}`;
  const consumed = { topic: topics.usageEvents, group: aggregatorGroup };
  return {
    prefix,
    async prepare() {
      round += 1;
      whole.product.pause();
      const from = Temporal.Now.instant().subtract({ hours: 1 });
      await postBacklog({ port: options.port, count: options.count, prefix: prefix(), type: eventType, subjects: 1_000, from });
    },
    async run() {
      whole.product.resume();
      await until('the log is consumed', async () => (await whole.log.lag(consumed)) === 0n);
      return options.count;
    },
    answer: () => digestOf(whole.clickHouse, { table: 'events', prefix: prefix() }),
    cpuSeconds: () => cpuSecondsOf(whole.pids()),
  };
}

async function insertSide({ clickHouse, clickHousePid }: WholeProduct, prefix: () => string): Promise<Side> {
  await clickHouse.command({ query: 'CREATE TABLE bench_events AS events' });
  let batches: unknown[][] = [];
  return {
    async prepare() {
      await clickHouse.command({ query: 'TRUNCATE TABLE bench_events' });
      const query = `SELECT * FROM events WHERE event_type = '${eventType}' AND startsWith(id, '${prefix()}-') SETTINGS output_format_json_quote_64bit_integers = 1`;
      const rows = await (await clickHouse.query({ query, format: 'JSONCompactEachRow' })).json<unknown>();
      batches = Array.from({ length: Math.ceil(rows.length / insertRowsMax) }, (_, nth) => rows.slice(nth * insertRowsMax, (nth + 1) * insertRowsMax));
    },
    async run() {
      let next = 0;
      const work = async (): Promise<void> => {
        for (let batch = batches[next++]; batch !== undefined; batch = batches[next++]) {
          await clickHouse.insert({ table: 'bench_events SETTINGS async_insert=0', format: 'JSONCompactEachRow', values: batch });
        }
      };
      await Promise.all(Array.from({ length: insertsInFlight }, work));
      return batches.reduce((sum, batch) => sum + batch.length, 0);
    },
    answer: () => digestOf(clickHouse, { table: 'bench_events', prefix: prefix() }),
    cpuSeconds: () => ownCpuSeconds() + cpuSecondsOf([clickHousePid()]),
  };
}

function digestOf(clickHouse: ClickHouseClient, { table, prefix }: { table: string; prefix: string }): Promise<string> {
  const hash = 'sum(cityHash64(organization_id, subject, toString(time), source, id, payload_hash, data))';
  return clickHouseText(clickHouse, `SELECT concat(toString(count()), ' ', toString(${hash})) FROM ${table} WHERE event_type = '${eventType}' AND startsWith(id, '${prefix}-')`);
}
