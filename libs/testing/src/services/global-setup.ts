import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startClickHouseFront, startEmbeddedPostgres } from '#platform';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where a spec asks for the address of a store. */
    serviceBroker: string;
  }
}

type StoreName = 'postgres' | 'clickhouse';

interface RunningStore {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/**
 * Vitest runs this once around a run. It offers one Postgres and one ClickHouse to all spec files and starts each when the
 * first spec asks for it, so a run of pure tables starts neither. At the end both are stopped and their data is removed.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tollway-test-'));
  const starts = {
    postgres: () => startEmbeddedPostgres({ dataDir, durability: 'none' }),
    clickhouse: () => startClickHouseFront({ dataDir, memoryMaxBytes: 1_500_000_000 }),
  };
  const started = new Map<StoreName, Promise<RunningStore>>();
  const storeOf = (name: StoreName): Promise<RunningStore> => {
    const running = started.get(name) ?? starts[name]();
    started.set(name, running);
    return running;
  };
  const broker = await listen(storeOf);
  project.provide('serviceBroker', `http://127.0.0.1:${(broker.address() as AddressInfo).port}`);
  return async () => {
    broker.close();
    broker.closeAllConnections();
    const stores = await Promise.allSettled(started.values());
    await Promise.all(stores.map((store) => (store.status === 'fulfilled' ? store.value.stop() : undefined)));
    rmSync(dataDir, { recursive: true, force: true });
  };
}

async function listen(storeOf: (name: StoreName) => Promise<RunningStore>): Promise<Server> {
  const server = createServer((request, response) => {
    const name = request.url?.slice(1);
    if (name !== 'postgres' && name !== 'clickhouse') return void response.writeHead(404).end('There is no such store.');
    storeOf(name).then(
      ({ url }) => response.end(url),
      (error: unknown) => response.writeHead(500).end(error instanceof Error ? error.message : String(error)),
    );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return server;
}
