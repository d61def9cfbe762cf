import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Fault } from '../errors/fault.js';
import { clickHouseConfig } from './clickhouse-config.js';
import type { FrontMessage } from './clickhouse-front-main.js';
import { claimFolder } from './folder-owner.js';
import { optionalPackage } from './optional-package.js';
import { processStartOf } from './process-identity.js';
import { waitUntil } from './wait-until.js';

export interface ClickHouseFrontOptions {
  /** Tollway's data folder; made when it is missing. The engine's files are its `clickhouse` folder. */
  readonly dataDir: string;
  /** What the engine may allocate. A statement that needs more fails with code 241. Default 1.5 GB. */
  readonly memoryMaxBytes?: number;
  readonly onNotice?: (sentence: string) => void;
}

export interface FrontRestart {
  /** The new child. */
  readonly pid: number;
  /** How often it was restarted in all. */
  readonly restarts: number;
}

export interface ClickHouseFront {
  /** For @clickhouse/client; holds user and password. It stays the same across restarts. */
  readonly url: string;
  /** The child that runs now; another one after a restart. */
  readonly pid: () => number;
  readonly onRestart: (listener: (restart: FrontRestart) => void) => void;
  /** Resolves when the front is over: after stop(), or with a reason when it could not be kept alive. */
  readonly ended: Promise<{ readonly reason: string | null }>;
  /** Lets running statements end, for at most ten seconds. Further calls wait for the first. */
  readonly stop: () => Promise<void>;
}

const startTimeoutMs = 60_000;
const stopTimeoutMs = 10_000;
const previousChildTimeoutMs = 10_000;
const restartDelayMs = { first: 100, max: 5_000 };
/** A child that lived this long was sound: the next death starts from the first delay again. */
const soundAfterMs = 60_000;
const failuresInRowMax = 8;
const user = 'tollway';

/** Starts the engine in a child process on a free port of 127.0.0.1, and keeps it alive until stop(). One front for each data folder. */
export async function startClickHouseFront(options: ClickHouseFrontOptions): Promise<ClickHouseFront> {
  optionalPackage({ name: 'chdb', purpose: 'an embedded ClickHouse' });
  const dataDir = resolve(options.dataDir);
  mkdirSync(dataDir, { recursive: true });
  const claim = claimFolder({ dataDir, store: 'clickhouse', socketDir: null });
  try {
    await waitForPreviousChild(dataDir);
    const configFile = join(dataDir, 'clickhouse.xml');
    writeFileSync(configFile, clickHouseConfig({ memoryMaxBytes: options.memoryMaxBytes ?? 1_500_000_000 }));
    const supervisor = new Supervisor({ dataDir, configFile, password: randomBytes(24).toString('hex') }, options.onNotice ?? (() => undefined));
    await supervisor.start();
    void supervisor.ended.then(claim.release);
    return {
      url: supervisor.url(),
      pid: () => supervisor.pid(),
      onRestart: (listener) => void supervisor.listeners.push(listener),
      ended: supervisor.ended,
      stop: () => supervisor.stop(),
    };
  } catch (error) {
    claim.release();
    throw error;
  }
}

interface ChildSettings {
  readonly dataDir: string;
  readonly configFile: string;
  readonly password: string;
}

class Supervisor {
  readonly listeners: ((restart: FrontRestart) => void)[] = [];
  readonly ended: Promise<{ reason: string | null }>;
  readonly #settings: ChildSettings;
  readonly #notify: (sentence: string) => void;
  #child: ChildProcess | null = null;
  #port = 0;
  #restarts = 0;
  #isStopping = false;
  #end: (outcome: { reason: string | null }) => void = () => undefined;

  constructor(settings: ChildSettings, notify: (sentence: string) => void) {
    this.#settings = settings;
    this.#notify = notify;
    this.ended = new Promise((end) => (this.#end = end));
  }

  url(): string {
    return `http://${user}:${this.#settings.password}@127.0.0.1:${this.#port}`;
  }

  pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** The first start fails loudly; later ones are tried again. */
  async start(): Promise<void> {
    const { child, port } = await startChild({ ...this.#settings, port: this.#port });
    this.#child = child;
    this.#port = port;
    void this.#keepAlive(child);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    const child = this.#child;
    if (child !== null && isRunning(child)) {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
      await this.ended;
      clearTimeout(timer);
    }
    await this.ended;
  }

  async #keepAlive(first: ChildProcess): Promise<void> {
    let child = first;
    let failuresInRow = 0;
    for (;;) {
      const startedAt = performance.now();
      await exitOf(child);
      if (this.#isStopping) return this.#end({ reason: null });
      if (performance.now() - startedAt > soundAfterMs) failuresInRow = 0;
      const next = await this.#restart(failuresInRow);
      if (next === null) return;
      child = next.child;
      failuresInRow = next.failuresInRow;
    }
  }

  /** The new child on the old port, or null when the front is over. */
  async #restart(failuresBefore: number): Promise<{ child: ChildProcess; failuresInRow: number } | null> {
    let failuresInRow = failuresBefore;
    let reason = 'it died too often';
    while (failuresInRow < failuresInRowMax) {
      const delayMs = Math.min(restartDelayMs.max, restartDelayMs.first * 2 ** failuresInRow);
      failuresInRow += 1;
      await waitUntil(() => this.#isStopping, delayMs);
      if (this.#isStopping) return this.#over(null);
      try {
        const { child } = await startChild({ ...this.#settings, port: this.#port });
        this.#child = child;
        if (this.#isStopping) child.kill('SIGTERM');
        this.#restarts += 1;
        this.#notify(`The embedded ClickHouse had ended and was started again (restart ${this.#restarts}).`);
        for (const listener of this.listeners) listener({ pid: this.pid(), restarts: this.#restarts });
        return { child, failuresInRow };
      } catch (error) {
        reason = (error as Error).message;
      }
    }
    return this.#over(`The embedded ClickHouse could not be kept alive: ${reason}`);
  }

  #over(reason: string | null): null {
    this.#end({ reason });
    return null;
  }
}

async function startChild(options: ChildSettings & { port: number }): Promise<{ child: ChildProcess; port: number }> {
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
      TOLLWAY_FRONT_USER: user,
      TOLLWAY_FRONT_PASSWORD: options.password, // Other users cannot read the environment of a process, but its arguments.
    },
  });
  closeSync(log);
  if (child.pid !== undefined) writeFileSync(childFile(options.dataDir), JSON.stringify({ pid: child.pid, startedAt: processStartOf(child.pid) }));
  const port = await readyPort(child, path);
  if (await answersPing(port)) return { child, port };
  child.kill('SIGKILL');
  throw fault('clickhouse_start_failed', 'The embedded ClickHouse started but does not answer on its port.');
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
    throw fault('clickhouse_start_failed', `The embedded ClickHouse did not start: ${hint}`);
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
async function waitForPreviousChild(dataDir: string): Promise<void> {
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

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

function exitOf(child: ChildProcess): Promise<void> {
  return isRunning(child) ? new Promise((done) => child.once('exit', () => done())) : Promise.resolve();
}

function fault(code: string, detail: string): Fault {
  return new Fault({ code, detail, retryable: false });
}
