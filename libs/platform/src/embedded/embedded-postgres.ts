import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chownSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Fault } from '../errors/fault.js';
import { claimFolder } from './folder-owner.js';
import { pidFileLines, stopOrphan } from './postgres-orphan.js';
import { choosePlace, makeSocketDir } from './postgres-place.js';
import type { PostgresPlace } from './postgres-place.js';
import { waitUntil } from './wait-until.js';

export interface EmbeddedPostgresOptions {
  /** Tollway's data folder; made when it is missing. The cluster is its `postgres` folder. */
  readonly dataDir: string;
  /** Default 200. */
  readonly connectionsMax?: number;
  /** `full` (the default) survives a power cut. `none` is for tests: no fsync, and a crash of the machine may destroy the cluster. */
  readonly durability?: 'full' | 'none';
  /** Where the cluster goes when the server's user cannot enter the data folder. Default /var/lib/tollway; of use to root only. */
  readonly elsewhereDir?: string;
  /** Receives sentences for the operator: an orphan was stopped, the data lies elsewhere. */
  readonly onNotice?: (sentence: string) => void;
}

export interface EmbeddedPostgres {
  /** For pg, TypeORM and BullMQ: superuser `postgres`, database `postgres`, over the Unix socket. */
  readonly url: string;
  readonly socketDir: string;
  readonly pid: number;
  /** The address of another database, or of another user, on this server. */
  readonly urlOf: (options: { database?: string; user?: string }) => string;
  /** Resolves when the server has ended, asked to or not. */
  readonly ended: Promise<void>;
  /** Fast shutdown: open transactions are rolled back, committed ones are kept. Further calls wait for the first. */
  readonly stop: () => Promise<void>;
}

const version = '18';
const startTimeoutMs = 120_000; // Recovery after a crash replays the log.
const stopTimeoutMs = 30_000;
const logBytesMax = 10_000_000;
const logTailCharactersMax = 2_000;
/** A killed postmaster's backends notice its death at once, but until they are gone a new one is refused. */
const oldBackendsTimeoutMs = 10_000;

/** Starts a PostgreSQL 18 of our own on the data folder; the first start creates the cluster. One server for each data folder. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir);
  mkdirSync(dataDir, { recursive: true });
  const place = choosePlace({ dataDir, elsewhere: options.elsewhereDir ?? '/var/lib/tollway' });
  const socketDir = makeSocketDir(place.user);
  let release = (): void => undefined;
  try {
    const claim = claimFolder({ dataDir, store: 'postgres', socketDir });
    release = claim.release;
    const notify = options.onNotice ?? (() => undefined);
    if (place.notice !== null) notify(place.notice);
    if ((await stopOrphan(place.clusterDir)) === 'stopped') notify('A Postgres server of an earlier run was still running; it was stopped cleanly.');
    if (claim.abandonedSocketDir !== null) rmSync(claim.abandonedSocketDir, { recursive: true, force: true });
    await createCluster(place, options.durability ?? 'full');
    const child = await startServer({ place, dataDir, flags: serverFlags(options, socketDir) });
    return running({ child, socketDir, release });
  } catch (error) {
    release();
    rmSync(socketDir, { recursive: true, force: true });
    throw error;
  }
}

/** The cluster is made under another name and renamed when it is whole, so a killed initdb leaves nothing that looks like data. */
async function createCluster(place: PostgresPlace, durability: 'full' | 'none'): Promise<void> {
  const versionFile = join(place.clusterDir, 'PG_VERSION');
  if (existsSync(versionFile)) {
    const found = readFileSync(versionFile, 'utf8').trim();
    if (found === version) return;
    throw new Fault({ code: 'postgres_version', retryable: false, detail: `The cluster in ${place.clusterDir} was made by PostgreSQL ${found}; this is ${version}. Dump it with the old version and load it here.` });
  }
  const part = `${place.clusterDir}.new`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part, { recursive: true, mode: 0o700 });
  if (place.user !== null) chownSync(part, place.user.uid, place.user.gid);
  const flags = ['--username=postgres', '--auth-local=trust', '--auth-host=reject', '--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const child = spawn(join(place.binDir, 'initdb'), ['-D', part, ...flags, ...(durability === 'none' ? ['--no-sync'] : [])], {
    ...processOptions(place, part),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-logTailCharactersMax)));
  const code = await exitOf(child);
  if (code !== 0) throw new Fault({ code: 'initdb_failed', detail: `Postgres could not create its cluster in ${part}: ${said.trim()}`, retryable: false });
  rmSync(place.clusterDir, { recursive: true, force: true }); // Empty: it has no PG_VERSION.
  renameSync(part, place.clusterDir);
}

function serverFlags(options: EmbeddedPostgresOptions, socketDir: string): string[] {
  const durable = (options.durability ?? 'full') === 'full' ? 'on' : 'off';
  const settings = {
    listen_addresses: '',
    unix_socket_directories: socketDir,
    unix_socket_permissions: '0700',
    max_connections: String(options.connectionsMax ?? 200),
    shared_buffers: '64MB',
    synchronous_commit: durable,
    fsync: durable,
    full_page_writes: durable,
    timezone: 'UTC',
    log_timezone: 'UTC',
    jit: 'off',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

async function startServer(options: { place: PostgresPlace; dataDir: string; flags: string[] }): Promise<ChildProcess> {
  const deadline = performance.now() + oldBackendsTimeoutMs;
  const logPath = join(options.dataDir, 'postgres.log');
  for (;;) {
    const log = openLog(logPath);
    const logStart = statSync(logPath).size;
    const child = spawn(join(options.place.binDir, 'postgres'), ['-D', options.place.clusterDir, '-p', '5432', ...options.flags], {
      ...processOptions(options.place, options.place.clusterDir),
      stdio: ['ignore', log, log],
      detached: true, // Its own process group: Ctrl-C asks us to drain, and the database must outlive that.
    });
    closeSync(log);
    if (await isReady(child, options.place.clusterDir)) return child;
    child.kill('SIGINT');
    const said = readFileSync(logPath).subarray(logStart).toString('utf8').slice(-logTailCharactersMax).trim();
    const isWaitingForBackends = said.includes('pre-existing shared memory block');
    if (isWaitingForBackends && performance.now() < deadline) continue;
    throw new Fault({ code: 'postgres_start_failed', detail: `Postgres did not start on ${options.place.clusterDir}: ${said}`, retryable: false });
  }
}

/** Reads readiness from postmaster.pid, as pg_ctl does: the log's wording depends on versions and languages. */
async function isReady(child: ChildProcess, clusterDir: string): Promise<boolean> {
  let isOver = false;
  const ended = exitOf(child).then(() => (isOver = true), () => (isOver = true));
  const tells = (): boolean => {
    const lines = pidFileLines(clusterDir);
    return lines?.[0] === String(child.pid) && lines[7]?.trim() === 'ready';
  };
  await waitUntil(() => isOver || tells(), startTimeoutMs);
  if (isOver) await ended;
  return !isOver && tells();
}

function running(options: { child: ChildProcess; socketDir: string; release: () => void }): EmbeddedPostgres {
  const { child, socketDir } = options;
  const pid = child.pid ?? 0;
  const stopAtExit = (): boolean => child.kill('SIGINT');
  process.once('exit', stopAtExit); // Whoever leaves without stop() still leaves no server behind.
  const ended = exitOf(child).then(() => {
    process.off('exit', stopAtExit);
    options.release();
    rmSync(socketDir, { recursive: true, force: true });
  });
  const urlOf = ({ database = 'postgres', user = 'postgres' }: { database?: string; user?: string }): string =>
    `postgres://${encodeURIComponent(user)}@${encodeURIComponent(socketDir)}:5432/${encodeURIComponent(database)}`;
  let stopping: Promise<void> | null = null;
  const stop = (): Promise<void> => (stopping ??= shutDown(child, ended));
  return { url: urlOf({}), socketDir, pid, urlOf, ended, stop };
}

async function shutDown(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill('SIGINT');
  // Immediate shutdown: nothing committed is lost, the next start replays the log.
  const timer = setTimeout(() => child.kill('SIGQUIT'), stopTimeoutMs);
  await ended;
  clearTimeout(timer);
}

/** The exit code, or null after a signal. Rejects when the program could not be run at all. */
function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((done, fail) => {
    child.once('exit', done);
    child.once('error', (cause) => fail(new Fault({ code: 'postgres_start_failed', detail: `Postgres could not be run: ${cause.message}`, retryable: false, cause })));
  });
}

function processOptions(place: PostgresPlace, cwd: string): { cwd: string; env: NodeJS.ProcessEnv; uid?: number; gid?: number } {
  const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
  return { cwd, env, ...(place.user ?? {}) };
}

/** One generation of the log is kept. */
function openLog(path: string): number {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > logBytesMax) renameSync(path, `${path}.1`);
  return openSync(path, 'a', 0o600);
}
