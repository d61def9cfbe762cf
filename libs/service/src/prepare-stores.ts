import { createClient } from '@clickhouse/client';
import { topics } from '#contracts';
import { migrateClickHouse, migrateDatabase } from '#persistence';
import type { Logger } from '#platform';
import { clickHouseDatabase, type StoreAddresses } from './app-adapters.js';
import { openEventLog } from './open-event-log.js';

/** As many aggregators may share the usage events. */
const usagePartitions = 4;
const topicPartitions = { [topics.usageEvents]: usagePartitions, [topics.deadLetters]: 1, [topics.usageChanged]: 1 };

/** Brings tables, topics and the job queue to this build's state. Safe to repeat and to run from several processes at once. */
export async function prepareStores(addresses: StoreAddresses, logger: Logger): Promise<void> {
  await migrateDatabase(addresses.databaseUrl, { jobQueue: addresses.redisUrl === undefined });
  await prepareClickHouse(addresses.clickHouseUrl);
  const log = openEventLog({ role: 'ingest', databaseUrl: addresses.databaseUrl, logger });
  try {
    await log.maintain();
    for (const [name, partitions] of Object.entries(topicPartitions)) await log.ensureTopic({ name, partitions });
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
