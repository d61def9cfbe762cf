import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Fault } from '../errors/fault.js';
import type { FrontMessage } from './clickhouse-front-main.js';
import { processStartOf } from './process-identity.js';
import { waitUntil } from './wait-until.js';

/** What each child of one front is started with. */
export interface ChildSettings {
  readonly dataDir: string;
  readonly configFile: string;
  readonly user: string;
  readonly password: string;
}

const startTimeoutMs = 60_000;
const previousChildTimeoutMs = 10_000;

/** Starts the child and waits until it answers; port 0 takes a free one. */
export async function startChild(options: ChildSettings & { port: number }): Promise<{ child: ChildProcess; port: number }> {
  const log = openSync(join(options.dataDir, 'clickhouse.log'), 'a', 0o600);
  const path = join(options.dataDir, 'clickhouse');
  const child = spawn(process.execPath, [...entryArguments()], {
    stdio: ['ignore', log, log, 'ipc'],
    detached: true, // Its own process group: Ctrl-C asks the parent to drain, and the engine must outlive that.
    env: {
      PATH: process.env['PATH'],
      TMPDIR: process.env['TMPDIR'],
      HOME: process.env['HOME'],
      TZ: 'UTC',
      UV_THREADPOOL_SIZE: '12', // Each running statement holds a thread; with the usual four, slow reads would hold up an insert.
      TOLLWAY_FRONT_PATH: path,
      TOLLWAY_FRONT_CONFIG: options.configFile,
      TOLLWAY_FRONT_PORT: String(options.port),
      TOLLWAY_FRONT_USER: options.user,
      TOLLWAY_FRONT_PASSWORD: options.password, // Other users cannot read the environment of a process, but its arguments.
    },
  });
  closeSync(log);
  if (child.pid !== undefined) writeFileSync(childFile(options.dataDir), JSON.stringify({ pid: child.pid, startedAt: processStartOf(child.pid) }));
  const port = await readyPort(child, path);
  if (await answersPing(port)) return { child, port };
  child.kill('SIGKILL');
  throw startFailed('it started but does not answer on its port.');
}

async function readyPort(child: ChildProcess, path: string): Promise<number> {
  let timer: NodeJS.Timeout | undefined;
  try {
    const message = await new Promise<FrontMessage>((done) => {
      child.once('message', (told) => done(told as FrontMessage));
      child.once('error', (error) => done({ kind: 'failed', detail: error.message }));
      child.once('exit', (code, signal) => done({ kind: 'failed', detail: `the process ended with ${signal ?? `code ${code}`}; clickhouse.log in the data folder says why` }));
      timer = setTimeout(() => done({ kind: 'failed', detail: `nothing within ${startTimeoutMs / 1000} s` }), startTimeoutMs);
    });
    if (message.kind === 'ready') return message.port;
    child.kill('SIGKILL');
    const hint = message.detail.startsWith('Failed to create connection') ? `the folder ${path} is in use by another process, or not readable.` : message.detail;
    throw startFailed(hint);
  } finally {
    clearTimeout(timer);
  }
}

async function answersPing(port: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/ping`, { signal: AbortSignal.timeout(startTimeoutMs) }).catch(() => null);
  return response !== null && (await response.text()) === 'Ok.\n';
}

/** Compiled, the entry is plain JavaScript. From source, Node strips the types itself and only has to be told that a `.js` specifier means the `.ts` file. */
function entryArguments(): string[] {
  const isSource = import.meta.url.endsWith('.ts');
  const entry = fileURLToPath(new URL(`./clickhouse-front-main.${isSource ? 'ts' : 'js'}`, import.meta.url));
  return isSource ? ['--import', new URL('./run-from-source.ts', import.meta.url).href, entry] : [entry];
}

function childFile(dataDir: string): string {
  return join(dataDir, 'clickhouse.child.json');
}

/** The child of a killed parent ends by itself within half a second; a stuck one is ended here, since its folder is exclusive. */
export async function waitForPreviousChild(dataDir: string): Promise<void> {
  const previous = readChild(dataDir);
  if (previous === null) return;
  const isGone = (): boolean => processStartOf(previous.pid) !== previous.startedAt;
  if (await waitUntil(isGone, previousChildTimeoutMs)) return;
  process.kill(previous.pid, 'SIGKILL');
  await waitUntil(isGone, previousChildTimeoutMs);
}

function readChild(dataDir: string): { pid: number; startedAt: string } | null {
  try {
    return JSON.parse(readFileSync(childFile(dataDir), 'utf8')) as { pid: number; startedAt: string };
  } catch {
    return null;
  }
}

export function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

export function exitOf(child: ChildProcess): Promise<void> {
  return isRunning(child) ? new Promise((done) => child.once('exit', () => done())) : Promise.resolve();
}

function startFailed(reason: string): Fault {
  return new Fault({ code: 'clickhouse_start_failed', detail: `The embedded ClickHouse did not start: ${reason}`, retryable: false });
}
