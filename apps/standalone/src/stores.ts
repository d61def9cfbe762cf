import { resolve } from 'node:path';
import { startClickHouseFront, startEmbeddedPostgres, type Logger } from '#platform';
import { prepareStores, type StoreAddresses } from '#service';
import type { StandaloneConfig } from './config.js';

/** The stores that standalone runs on: its own, or those that the environment names. */
export interface Stores {
  readonly addresses: StoreAddresses;
  /** Resolves with a sentence when a store of our own ended and can't be kept alive; never, where none of them is ours. */
  readonly lost: Promise<string>;
  stop(): Promise<void>;
}

const clickHouseMemoryMaxBytes = 1_500_000_000;

export async function startStores(config: StandaloneConfig, logger: Logger): Promise<Stores> {
  const dataDir = resolve(config.TOLLWAY_DATA_DIR);
  const stops: (() => Promise<void>)[] = [];
  const lost = Promise.withResolvers<string>();
  const stop = async (): Promise<void> => {
    for (const stopOne of stops.toReversed()) await stopOne().catch((error: unknown) => logger.error({ err: error }, 'A store did not stop cleanly.'));
  };
  const onNotice = (sentence: string): void => logger.warn(sentence);
  try {
    const [databaseUrl, clickHouseUrl] = await Promise.all([
      config.DATABASE_URL ?? startPostgres({ dataDir, onNotice, onLost: lost.resolve, stops }),
      config.CLICKHOUSE_URL ?? startClickHouse({ dataDir, logger, onNotice, onLost: lost.resolve, stops }),
    ]);
    const addresses = { databaseUrl, clickHouseUrl, kafkaBrokers: config.KAFKA_BROKERS, redisUrl: config.REDIS_URL };
    await prepareStores(addresses, logger);
    return { addresses, lost: lost.promise, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface StartOptions {
  readonly dataDir: string;
  readonly onNotice: (sentence: string) => void;
  readonly onLost: (sentence: string) => void;
  readonly stops: (() => Promise<void>)[];
}

async function startPostgres(options: StartOptions): Promise<string> {
  const postgres = await startEmbeddedPostgres({ dataDir: options.dataDir, onNotice: options.onNotice });
  void postgres.ended.then(() => options.onLost('The embedded Postgres ended.'));
  options.stops.push(() => postgres.stop());
  return postgres.url;
}

async function startClickHouse(options: StartOptions & { logger: Logger }): Promise<string> {
  const front = await startClickHouseFront({ dataDir: options.dataDir, memoryMaxBytes: clickHouseMemoryMaxBytes, onNotice: options.onNotice });
  front.onRestart((restart) => options.logger.error({ restart }, 'The ClickHouse process died and was started again.'));
  void front.ended.then(({ reason }) => options.onLost(`The embedded ClickHouse ended: ${reason ?? 'it was stopped.'}`));
  options.stops.push(() => front.stop());
  return front.url;
}
