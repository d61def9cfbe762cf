import type { Logger } from '#platform';
import { OwnStores, prepareStores, type StoreAddresses } from '#service';
import type { StandaloneConfig } from './config.js';

/** The stores that standalone runs on: its own, or those that the environment names. */
export interface Stores {
  readonly addresses: StoreAddresses;
  readonly lost: Promise<string>;
  stop(): Promise<void>;
}

export async function startStores(config: StandaloneConfig, logger: Logger): Promise<Stores> {
  const own = new OwnStores({ dataDir: config.TOLLWAY_DATA_DIR, logger });
  try {
    const [databaseUrl, clickHouseUrl] = await Promise.all([config.DATABASE_URL ?? own.startPostgres(), config.CLICKHOUSE_URL ?? own.startClickHouse()]);
    const addresses = { databaseUrl, clickHouseUrl, kafkaBrokers: config.KAFKA_BROKERS, redisUrl: config.REDIS_URL };
    await prepareStores(addresses, { logger });
    return { addresses, lost: own.lost, stop: () => own.stop() };
  } catch (error) {
    await own.stop();
    throw error;
  }
}
