import { createClient, type ClickHouseClient } from '@clickhouse/client';
import { pino } from 'pino';
import { aggregatorGroup, topics } from '#contracts';
import { openKafkaEventLog, systemClock, type EventLog } from '#platform';
import { prepareStores } from '#service';
import { postBacklog } from '../backlog.ts';
import { openBroker, type BenchBroker } from '../bench-broker.ts';
import type { Bench, BenchOptions } from '../bench.ts';
import { startChildServer } from '../child-server.ts';
import { GroupShares } from '../group-shares.ts';
import { usagePartitionsOnKafka } from '../ingest-setting.ts';
import { cpuSecondsOf } from '../processes.ts';
import { comparisonReading, type Reading } from '../reading.ts';
import { alternate, sampleOf, type Pair, type Sample, type Side } from '../rounds.ts';
import { RunningProduct, until } from '../running-product.ts';
import { openStores, type BenchStores } from '../stores.ts';
import { clickHouseDatabase, clickHouseText } from '../whole-product.ts';

// A full log on Kafka is counted by two processes of the aggregator, and by one. In each round the second one comes and goes again, so
// half of the partitions change hands before each run. The first log after that is told apart from the next: whoever took partitions over
// learns which identities they have, and a process that has just started runs code that is not compiled yet. Starting it and sharing out
// the partitions are not measured. All are held still while a log is filled.

const eventsPerRun = { short: 20_000, long: 60_000 } as const;
const eventType = 'bench.second';
const consumed = { topic: topics.usageEvents, group: aggregatorGroup };
/** After this the broker takes a silent member for dead, and the run begins with sharing out again. */
const silenceMaxMs = 15_000;

interface Setting {
  readonly stores: BenchStores;
  readonly broker: BenchBroker;
  readonly log: EventLog;
  readonly clickHouse: ClickHouseClient;
  readonly shares: GroupShares;
  readonly ingestPort: number;
  /** Of the first event of each run. */
  readonly from: Temporal.Instant;
}

export const secondAggregator: Bench = {
  name: 'second-aggregator',
  async run(options) {
    const [stores, broker] = await Promise.all([openStores({ clickHouse: true }), openBroker()]);
    try {
      return await measureOn({ stores, broker }, options);
    } finally {
      await Promise.all([stores.close(), broker.close()]);
    }
  },
};

async function measureOn({ stores, broker }: Pick<Setting, 'stores' | 'broker'>, options: BenchOptions): Promise<Reading[]> {
  const front = stores.clickHouse;
  if (front === null) throw new Error('The stores lack ClickHouse.');
  const addresses = { databaseUrl: stores.postgres.url, clickHouseUrl: front.url, kafkaBrokers: [broker.address], redisUrl: undefined };
  await prepareStores(addresses, { logger: pino({ level: 'warn' }), usagePartitions: usagePartitionsOnKafka });
  const ingest = await startChildServer('./ingest-server.ts', { BENCH_DATABASE_URL: stores.postgres.url, BENCH_KAFKA_BROKER: broker.address });
  const log = openKafkaEventLog({ brokers: [broker.address], clientId: 'bench', clock: systemClock, onError: () => undefined });
  const clickHouse = createClient({ url: front.url, database: clickHouseDatabase });
  const shares = await GroupShares.open(broker.address, { group: `${aggregatorGroup}.${topics.usageEvents}`, topic: topics.usageEvents });
  const setting = { stores, broker, log, clickHouse, shares, ingestPort: ingest.port, from: Temporal.Now.instant().subtract({ hours: 1 }) };
  try {
    return await measure(setting, options);
  } finally {
    await shares.close();
    await clickHouse.close();
    await log.close();
    await ingest.close();
  }
}

async function measure(setting: Setting, { isShort, rounds, say }: BenchOptions): Promise<Reading[]> {
  const count = isShort ? eventsPerRun.short : eventsPerRun.long;
  const startAggregator = (): Promise<RunningProduct> => RunningProduct.startAggregator({ stores: setting.stores, kafkaBroker: setting.broker.address });
  const aggregators = [await startAggregator()];
  const half = usagePartitionsOnKafka / 2;
  const two = countSide(setting, {
    prefix: 'two', count, aggregators, say,
    async share() {
      aggregators.push(await startAggregator());
      await setting.shares.become([half, half]);
    },
  });
  const one = countSide(setting, {
    prefix: 'one', count, aggregators, say,
    async share() {
      await aggregators.pop()?.stop();
      await setting.shares.become([usagePartitionsOnKafka]);
    },
  });
  try {
    const kept = isShort ? { ...rounds, warmUps: 0 } : rounds; // The first logs warm up as well, and a round takes long.
    const pairs = await alternate({ ours: two, floor: one }, kept);
    const movedPairs: Pair[] = two.moved.map((ours, nth) => ({ ours, floor: one.moved[nth] as Sample })).slice(kept.warmUps);
    return [
      comparisonReading(pairs, { name: 'second-aggregator', unit: 'events/s', goal: 'CPU at most 1.1' }),
      comparisonReading(movedPairs, { name: 'second-aggregator: first log after partitions moved', unit: 'events/s', goal: '' }),
    ];
  } finally {
    await Promise.all(aggregators.map((aggregator) => aggregator.stop()));
  }
}

interface CountOptions {
  readonly prefix: string;
  readonly count: number;
  /** Those that run now. */
  readonly aggregators: readonly RunningProduct[];
  /** Brings about that this side's aggregators run, and hold the partitions. */
  readonly share: () => Promise<void>;
  readonly say: (sentence: string) => void;
}

function countSide(setting: Setting, { share, ...options }: CountOptions): Side & { readonly moved: readonly Sample[] } {
  const [first, next] = [logSide(setting, { ...options, prefix: `${options.prefix}-first` }), logSide(setting, { ...options, prefix: `${options.prefix}-next` })];
  const moved: Sample[] = [];
  return {
    ...next,
    moved,
    async prepare() {
      await share();
      moved.push(await sampleOf(first));
      await next.prepare?.();
    },
    answer: async () => `${await first.answer()}; ${await next.answer()}`,
  };
}

/** Each run counts a log of its own. */
function logSide(setting: Setting, { prefix, count, aggregators, say }: Omit<CountOptions, 'share'>): Side {
  let round = 0;
  const runPrefix = (): string => `${prefix}${round}`;
  return {
    async prepare() {
      round += 1;
      const stillSince = performance.now();
      for (const aggregator of aggregators) aggregator.pause();
      await postBacklog({ port: setting.ingestPort, count, prefix: runPrefix(), type: eventType, subjects: 1_000, from: setting.from });
      if (performance.now() - stillSince > silenceMaxMs) say(`${runPrefix()}: the log was filled so slowly that the broker may have taken the aggregators for dead`);
    },
    async run() {
      for (const aggregator of aggregators) aggregator.resume();
      await until('the log is counted', async () => (await setting.log.lag(consumed)) === 0n);
      return count;
    },
    answer: () => countedOf(setting.clickHouse, { prefix: runPrefix(), count }),
    cpuSeconds: () => cpuSecondsOf([...aggregators.map(({ pid }) => pid), ...setting.stores.pids(), setting.broker.pid]),
  };
}

/** What was counted of a run, the same for the same events whatever their ids begin with; throws where it is not all of them, once each. */
async function countedOf(clickHouse: ClickHouseClient, { prefix, count }: { readonly prefix: string; readonly count: number }): Promise<string> {
  const counted = `FROM events FINAL WHERE event_type = '${eventType}' AND startsWith(id, '${prefix}-')`;
  const counts = await clickHouseText(clickHouse, `SELECT concat(toString(count()), ' events, ', toString(uniqExact(id)), ' ids') ${counted}`);
  if (counts !== `${count} events, ${count} ids`) throw new Error(`${count} events were posted and ${counts} are counted.`);
  return clickHouseText(clickHouse, `SELECT concat('${counts}, hash ', toString(sum(cityHash64(organization_id, subject, toString(time), source, data)))) ${counted}`);
}
