import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Fault, startKafkaBroker, startRedisServer } from '#platform';
import type { OwnStores, StoreAddresses } from '#service';
import type { ClusterConfig } from './config.js';
import { mustBeFree } from './ports.js';

const repository = join(import.meta.dirname, '../../../..');
const jarsDir = join(repository, '.cache/kafka');

/** Starts what the environment does not name. */
export async function startStores(config: ClusterConfig, own: OwnStores): Promise<StoreAddresses> {
  const [databaseUrl, clickHouseUrl, redisUrl, kafkaBrokers] = await Promise.all([
    config.DATABASE_URL ?? own.startPostgres(),
    config.CLICKHOUSE_URL ?? own.startClickHouse(),
    config.REDIS_URL ?? startRedis(own),
    config.KAFKA_BROKERS ?? startKafka(config, own),
  ]);
  return { databaseUrl, clickHouseUrl, redisUrl, kafkaBrokers };
}

async function startRedis(own: OwnStores): Promise<string> {
  const redis = await own.keep(() => startRedisServer({ dataDir: own.dataDir }), ({ pid, port }) => `Redis (process ${pid}, port ${port})`);
  return redis.url;
}

async function startKafka(config: ClusterConfig, own: OwnStores): Promise<string[]> {
  await mustBeFree({ port: config.KAFKA_PORT, host: '127.0.0.1', setting: 'KAFKA_PORT' });
  await fetchJars();
  const broker = await own.keep(() => startKafkaBroker({ jarsDir, dataDir: own.dataDir, port: config.KAFKA_PORT }), ({ pid, port }) => `Kafka (process ${pid}, port ${port})`);
  return [broker.address];
}

/** Once; later starts find them. */
async function fetchJars(): Promise<void> {
  const child = spawn('sh', [join(repository, 'infra/kafka/fetch.sh')], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Fault({ code: 'kafka_jars_missing', detail: 'The jars of Kafka could not be fetched by Maven. KAFKA_BROKERS names brokers that run already.', retryable: false });
}
