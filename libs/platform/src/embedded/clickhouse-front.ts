import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { exitOf, isRunning, startChild, waitForPreviousChild } from './clickhouse-child.js';
import type { ChildSettings } from './clickhouse-child.js';
import { clickHouseConfig } from './clickhouse-config.js';
import { claimFolder } from './folder-owner.js';
import { optionalPackage } from './optional-package.js';
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

const stopTimeoutMs = 10_000;
const restartDelayMs = { first: 100, max: 5_000 };
/** A child that lived this long was sound: the next death starts from the first delay again. */
const soundAfterMs = 60_000;
const failuresInRowMax = 8;

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
    const supervisor = new Supervisor({ dataDir, configFile, user: 'tollway', password: randomBytes(24).toString('hex') }, options.onNotice ?? (() => undefined));
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

/** Keeps one child alive on one port. */
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
    return `http://${this.#settings.user}:${this.#settings.password}@127.0.0.1:${this.#port}`;
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
