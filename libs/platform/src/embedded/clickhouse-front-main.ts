import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ClickHouseEngine } from './clickhouse-engine.js';
import { answer } from './clickhouse-http.js';

// The child process behind startClickHouseFront: it owns the engine, its parent owns it. Nothing else starts this file.

/** What the child tells its parent, once. */
export type FrontMessage = { readonly kind: 'ready'; readonly port: number } | { readonly kind: 'failed'; readonly detail: string };

const parentPollMs = 500;
const closePollMs = 50;

function fromEnvironment(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: this file is started by startClickHouseFront only.`);
  return value;
}

/** SIGKILL: a clean exit would wait for running statements, and what was acknowledged is on disk. */
function endWithParent(): void {
  const parent = process.ppid;
  const end = (): void => void process.kill(process.pid, 'SIGKILL');
  process.on('disconnect', end);
  setInterval(() => {
    if (process.ppid !== parent) end();
  }, parentPollMs);
}

function tell(message: FrontMessage): Promise<void> {
  return new Promise((done) => process.send?.(message, () => done()));
}

/** Answers what it has taken, then leaves. The parent puts a limit on that. */
async function stop(server: Server, engine: ClickHouseEngine): Promise<void> {
  const closed = new Promise<void>((done) => server.close(() => done()));
  setInterval(() => server.closeIdleConnections(), closePollMs);
  await engine.close();
  await closed;
  process.exit(0);
}

async function main(): Promise<void> {
  endWithParent();
  process.on('SIGINT', () => undefined); // Ctrl-C reaches the whole process group; the parent says when to stop.
  const engine = new ClickHouseEngine({ path: fromEnvironment('TOLLWAY_FRONT_PATH'), configFile: fromEnvironment('TOLLWAY_FRONT_CONFIG') });
  const credentials = { user: fromEnvironment('TOLLWAY_FRONT_USER'), password: fromEnvironment('TOLLWAY_FRONT_PASSWORD') };
  const server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 0 }, (request, response) => void answer({ engine, ...credentials }, request, response));
  process.once('SIGTERM', () => void stop(server, engine));
  await new Promise<void>((done, fail) => server.once('error', fail).listen(Number(fromEnvironment('TOLLWAY_FRONT_PORT')), '127.0.0.1', done));
  await tell({ kind: 'ready', port: (server.address() as AddressInfo).port });
}

main().catch(async (error: unknown) => {
  await tell({ kind: 'failed', detail: error instanceof Error ? error.message : String(error) });
  process.exit(1);
});
