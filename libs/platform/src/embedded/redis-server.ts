import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Redis } from 'ioredis';
import { Fault } from '../errors/fault.js';
import { freePort } from './free-port.js';
import { waitUntil } from './wait-until.js';
import { startWatchedServer } from './watched-server.js';

export interface RedisServer {
  /** For ioredis and BullMQ. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves when the server has ended, asked to or not. */
  readonly ended: Promise<void>;
  /** Lets the server write what it holds and end. */
  stop(): Promise<void>;
}

const startTimeoutMs = 20_000;
const stopTimeoutMs = 10_000;

/** Starts the redis-server of this machine on a free port of 127.0.0.1; the `redis` folder of the data folder keeps what it holds, at most a second behind. */
export async function startRedisServer(options: { readonly dataDir: string }): Promise<RedisServer> {
  const folder = resolve(options.dataDir, 'redis');
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const command = ['redis-server', '--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec'];
  const server = await startWatchedServer({ command, log: join(folder, 'redis.log') });
  let isOver = false;
  void server.ended.then(() => (isOver = true));
  const isReady = await waitUntil(async () => isOver || (await answers(port)), startTimeoutMs);
  if (isOver || !isReady) {
    server.signal('SIGKILL');
    throw new Fault({ code: 'redis_start_failed', detail: `redis-server did not start: ${server.said()}`, retryable: false });
  }
  return { url: `redis://127.0.0.1:${port}`, port, pid: server.pid, ended: server.ended, stop: () => server.stop(stopTimeoutMs) };
}

async function answers(port: number): Promise<boolean> {
  const probe = new Redis({ port, lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  probe.on('error', () => undefined); // Until it listens.
  try {
    await probe.connect();
    return (await probe.ping()) === 'PONG';
  } catch {
    return false; // Also while it reads what it kept.
  } finally {
    probe.disconnect();
  }
}
