import { join } from 'node:path';
import { Fault } from '#platform';
import { OwnStores, runProcess, say, serverSecret, type ServedProcess, type StoreAddresses } from '#service';
import { clusterConfigSchema, environmentWith, type ClusterConfig } from './config.js';
import { Fleet, prepare } from './fleet.js';
import { startStores } from './own-cluster-stores.js';
import { mustBeFree } from './ports.js';

const connectionsPerProcess = 30;
const connectionsSpare = 100;

/** Starts every app as processes of its own on stores of their own, keeps them alive until SIGTERM or SIGINT, and stops them in order. Returns the exit code. */
export function run(): Promise<number> {
  const args = process.argv.slice(2);
  return runProcess({ name: 'Tollway', settings: clusterConfigSchema, serve }, { args, environment: environmentWith(args, process.env) });
}

async function serve(config: ClusterConfig, { logger, stopping }: ServedProcess): Promise<number> {
  await mustBeFree({ port: config.PORT, host: config.HOST, setting: 'PORT' });
  const secret = serverSecret({ given: config.TOLLWAY_SECRET, dataDir: config.TOLLWAY_DATA_DIR });
  const processes = Object.values(config.TOLLWAY_REPLICAS).reduce((sum, count) => sum + count, 0);
  const own = new OwnStores({ dataDir: config.TOLLWAY_DATA_DIR, logger, connectionsMax: connectionsSpare + processes * connectionsPerProcess });
  try {
    const addresses = await startStores(config, own);
    for (const name of own.names) say(`${name} is ready.`);
    const environment = { ...environmentOf(addresses, secret), EXPORT_DIR: process.env.EXPORT_DIR ?? join(own.dataDir, 'exports') };
    await prepare(environment);
    return await serveFleet(new Fleet({ replicas: config.TOLLWAY_REPLICAS, environment, listen: { port: config.PORT, host: config.HOST } }), { config, own, stopping });
  } finally {
    await own.stop();
  }
}

async function serveFleet(fleet: Fleet, { config, own, stopping }: { config: ClusterConfig; own: OwnStores; stopping: Promise<null> }): Promise<number> {
  try {
    const ended = Promise.race([stopping, own.lost]);
    const isStarted = await Promise.race([fleet.start().then(() => true), ended.then(() => false)]);
    if (isStarted) say(`Tollway is ready on http://${config.HOST}:${config.PORT} (documents at http://${config.HOST}:${config.PORT}/docs).`);
    const lost = await ended;
    if (lost === null) return 0;
    throw new Fault({ code: 'store_lost', detail: lost, retryable: false });
  } finally {
    await fleet.stop();
  }
}

/** What every app gets: what we got, and where the stores are. */
function environmentOf(addresses: StoreAddresses, secret: string): Record<string, string | undefined> {
  return {
    ...process.env,
    DATABASE_URL: addresses.databaseUrl,
    CLICKHOUSE_URL: addresses.clickHouseUrl,
    KAFKA_BROKERS: addresses.kafkaBrokers?.join(','),
    REDIS_URL: addresses.redisUrl,
    TOLLWAY_SECRET: secret,
  };
}
