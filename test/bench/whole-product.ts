import { createClient, type ClickHouseClient } from '@clickhouse/client';
import type pg from 'pg';
import { openKafkaEventLog, openPostgresEventLog, systemClock, type EventLog } from '#platform';
import { openBroker, type BenchBroker } from './bench-broker.ts';
import { RunningProduct } from './running-product.ts';
import { openPool, openStores, type BenchStores } from './stores.ts';

/** The product on stores that the bench can look into. */
export interface WholeProduct {
  readonly stores: BenchStores;
  readonly product: RunningProduct;
  /** As the superuser. */
  readonly pool: pg.Pool;
  readonly log: EventLog;
  /** Null where the log is on Postgres. */
  readonly broker: BenchBroker | null;
  /** In the product's own database. */
  readonly clickHouse: ClickHouseClient;
  /** Everything that does the product's work. */
  readonly pids: () => readonly number[];
  /** The server that does ClickHouse's work alone. */
  readonly clickHousePid: () => number;
}

export const clickHouseDatabase = 'tollway';

/** Opens it all for the work and closes it afterwards, whatever happens. */
export async function withWholeProduct<T>(work: (whole: WholeProduct) => Promise<T>, { onKafka = false } = {}): Promise<T> {
  const broker = onKafka ? await openBroker() : null;
  try {
    const stores = await openStores({ clickHouse: true });
    try {
      return await withProduct({ stores, broker }, work);
    } finally {
      await stores.close();
    }
  } finally {
    await broker?.close();
  }
}

async function withProduct<T>({ stores, broker }: Pick<WholeProduct, 'stores' | 'broker'>, work: (whole: WholeProduct) => Promise<T>): Promise<T> {
  const front = stores.clickHouse;
  if (front === null) throw new Error('The stores lack ClickHouse.');
  const product = await RunningProduct.start({ dataDir: stores.dataDir, stores, kafkaBroker: broker?.address, demo: 'off' });
  const pool = openPool(stores.postgres.url);
  const log = broker === null
    ? openPostgresEventLog({ pool, clock: systemClock })
    : openKafkaEventLog({ brokers: [broker.address], clientId: 'bench', clock: systemClock, onError: () => undefined });
  const clickHouse = createClient({ url: front.url, database: clickHouseDatabase });
  const brokerPids = broker === null ? [] : [broker.pid];
  try {
    return await work({ stores, product, pool, log, broker, clickHouse, pids: () => [product.pid, ...stores.pids(), ...brokerPids], clickHousePid: () => front.pid() });
  } finally {
    await product.stop();
    await log.close();
    await pool.end();
    await clickHouse.close();
  }
}

/** The only value of the only row. */
export async function clickHouseText(client: ClickHouseClient, query: string): Promise<string> {
  const rows = await (await client.query({ query, format: 'JSONCompactEachRow' })).json<unknown[]>();
  return String(rows[0]?.[0] ?? '');
}
