import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { Redis } from 'ioredis';
import { Fault } from '../errors/fault.js';
import { waitUntil } from './wait-until.js';

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
const saidCharactersMax = 1_000;

/** Runs the server, says its id, and kills it when the input ends, because whoever started this is gone. */
const watchedScript = `
exec 3<&0
"$@" </dev/null &
pid=$!
echo "$pid"
( read -r end <&3; kill -KILL "$pid" 2>/dev/null ) &
watcher=$!
wait "$pid"
code=$?
kill "$watcher" 2>/dev/null
exit $code`;

/** Starts the redis-server of this machine on a free port of 127.0.0.1; the `redis` folder of the data folder keeps what it holds, at most a second behind. */
export async function startRedisServer(options: { readonly dataDir: string }): Promise<RedisServer> {
  const folder = resolve(options.dataDir, 'redis');
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const log = join(folder, 'redis.log');
  const command = ['redis-server', '--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--logfile', log, '--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec'];
  const child = spawn('/bin/sh', ['-c', watchedScript, 'sh', ...command], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true, // Its own process group: Ctrl-C asks us to drain, and the queue must outlive that.
  });
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  const pid = await pidOf(child);
  let isOver = false;
  void ended.then(() => (isOver = true));
  await waitUntil(async () => isOver || (await answers(port)), startTimeoutMs);
  if (isOver || !(await answers(port))) {
    signal(pid, 'SIGKILL');
    throw new Fault({ code: 'redis_start_failed', detail: `redis-server did not start: ${said(log)}`, retryable: false });
  }
  return { url: `redis://127.0.0.1:${port}`, port, pid, ended, stop: () => stop(child, { pid, ended }) };
}

async function pidOf(child: ChildProcess): Promise<number> {
  const line = await new Promise<string>((done, fail) => {
    child.once('error', fail);
    child.stdout?.setEncoding('utf8').once('data', done);
  });
  return Number.parseInt(line, 10);
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

async function stop(child: ChildProcess, { pid, ended }: { readonly pid: number; readonly ended: Promise<void> }): Promise<void> {
  signal(pid, 'SIGTERM');
  const timer = setTimeout(() => signal(pid, 'SIGKILL'), stopTimeoutMs);
  await ended;
  clearTimeout(timer);
  child.stdin?.destroy();
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It is gone already.
  }
}

function said(log: string): string {
  try {
    return readFileSync(log, 'utf8').slice(-saidCharactersMax).trim();
  } catch {
    return 'it said nothing. Is it installed?';
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}
