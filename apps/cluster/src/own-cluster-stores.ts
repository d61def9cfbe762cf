import { startRedisServer } from '#platform';
import type { OwnStores, StoreAddresses } from '#service';
import type { ClusterConfig } from './config.js';

/** Starts what the environment does not name. */
export async function startStores(config: ClusterConfig, own: OwnStores): Promise<StoreAddresses> {
  const [databaseUrl, clickHouseUrl, redisUrl] = await Promise.all([
    config.DATABASE_URL ?? own.startPostgres(),
    config.CLICKHOUSE_URL ?? own.startClickHouse(),
    config.REDIS_URL ?? startRedis(own),
  ]);
  return { databaseUrl, clickHouseUrl, redisUrl, kafkaBrokers: config.KAFKA_BROKERS };
}

async function startRedis(own: OwnStores): Promise<string> {
  const redis = await own.keep(() => startRedisServer({ dataDir: own.dataDir }), ({ pid, port }) => `Redis (process ${pid}, port ${port})`);
  return redis.url;
}
