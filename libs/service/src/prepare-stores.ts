import { createClient } from '@clickhouse/client';
import { topics } from '#contracts';
import { migrateClickHouse, migrateDatabase } from '#persistence';
import type { Logger } from '#platform';
import { clickHouseDatabase, type StoreAddresses } from './app-adapters.js';
import { openEventLog } from './open-event-log.js';

export interface PrepareOptions {
  readonly logger: Logger;
  /** As many aggregators at most share the usage events. An existing topic keeps what it has. */
  readonly usagePartitions?: number;
  /** Copies of each record on Kafka. */
  readonly replicationFactor?: number;
}

const usagePartitionsDefault = 4;
/** Facts are keyed by organization, so as many readers at most share them. */
const factPartitions = 4;

/** Brings tables, topics and the job queue to this build's state. Safe to repeat and to run from several processes at once. */
export async function prepareStores(addresses: StoreAddresses, options: PrepareOptions): Promise<void> {
  const { databaseUrl, kafkaBrokers, redisUrl } = addresses;
  await migrateDatabase(databaseUrl, { eventLog: kafkaBrokers === undefined, jobQueue: redisUrl === undefined });
  await prepareClickHouse(addresses.clickHouseUrl);
  const log = openEventLog({ role: 'ingest', databaseUrl, kafkaBrokers, logger: options.logger, replicationFactor: options.replicationFactor });
  const partitions = {
    [topics.usageEvents]: options.usagePartitions ?? usagePartitionsDefault, [topics.deadLetters]: 1, [topics.usageChanged]: 1,
    [topics.usageRated]: factPartitions, [topics.usageThresholds]: factPartitions, [topics.invoiceIssued]: factPartitions,
  };
  try {
    await log.maintain();
    for (const [name, count] of Object.entries(partitions)) await log.ensureTopic({ name, partitions: count });
  } finally {
    await log.close();
  }
}

async function prepareClickHouse(url: string): Promise<void> {
  const client = createClient({ url });
  try {
    await migrateClickHouse(client, { database: clickHouseDatabase });
  } finally {
    await client.close();
  }
}
