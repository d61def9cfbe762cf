import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startClickHouseFront, startEmbeddedPostgres, startKafkaBroker } from '#platform';
import type { TestProject } from 'vitest/node';
import { kafkaJarsDir } from './kafka-jars.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where a spec asks for the address of a store. */
    serviceBroker: string;
  }
}

type StoreName = 'postgres' | 'clickhouse' | 'kafka';

interface RunningStore {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/**
 * Vitest runs this once around a run. It offers one Postgres, one ClickHouse and one Kafka to all spec files and starts each when
 * the first spec asks for it, so a run of pure tables starts none. At the end all are stopped and their data is removed.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tollway-test-'));
  chmodSync(dataDir, 0o755); // For root's server user.
  const undertaker = startUndertaker(dataDir);
  const starts = {
    postgres: async () => {
      const postgres = await startEmbeddedPostgres({ dataDir, durability: 'none' });
      undertaker.watch(postgres);
      return postgres;
    },
    clickhouse: () => startClickHouseFront({ dataDir, memoryMaxBytes: 1_500_000_000 }),
    kafka: async () => {
      const broker = await startKafkaBroker({ jarsDir: kafkaJarsDir, dataDir });
      return { url: broker.address, stop: () => broker.stop() };
    },
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
    undertaker.dismiss();
    rmSync(dataDir, { recursive: true, force: true });
  };
}

/**
 * A run may be killed, by a time limit for example, and then nothing here gets to clean up. A shell outlives it: when this process is
 * gone its input ends, and it stops the server and removes the data. The ClickHouse child and the Kafka broker end by themselves.
 */
function startUndertaker(dataDir: string): { watch: (server: { pid: number; socketDir: string }) => void; dismiss: () => void } {
  const script = 'read -r pid socket; read -r end; if [ -n "$pid" ]; then kill -INT "$pid"; while kill -0 "$pid"; do sleep 0.1; done; rmdir "$socket"; fi; rm -rf "$1" || { sleep 1; rm -rf "$1"; }'; // Again, where a broker was still writing.
  const shell = spawn('/bin/sh', ['-c', script, 'sh', dataDir], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  return {
    watch: ({ pid, socketDir }) => void shell.stdin.write(`${pid} ${socketDir}\n`),
    dismiss: () => void shell.kill('SIGKILL'),
  };
}

async function listen(storeOf: (name: StoreName) => Promise<RunningStore>): Promise<Server> {
  const server = createServer((request, response) => {
    const name = request.url?.slice(1);
    if (name !== 'postgres' && name !== 'clickhouse' && name !== 'kafka') return void response.writeHead(404).end('There is no such store.');
    storeOf(name).then(
      ({ url }) => response.end(url),
      (error: unknown) => response.writeHead(500).end(error instanceof Error ? error.message : String(error)),
    );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return server;
}
