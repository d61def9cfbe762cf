import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startEmbeddedPostgres } from './embedded-postgres.js';
import type { EmbeddedPostgres, EmbeddedPostgresOptions } from './embedded-postgres.js';
import { processStartOf } from './process-identity.js';
import { isRoot } from './server-user.js';
import { waitUntil } from './wait-until.js';

// Goal: the server's life around one data folder: what survives, what is refused, what a killed run leaves behind.

const readyMade = mkdtempSync(join(tmpdir(), 'embedded-postgres-spec-'));
let base: string;
let dataDir: string;
let cleanUp: (() => Promise<void> | void)[];

beforeAll(async () => {
  chmodSync(readyMade, 0o755);
  await (await startEmbeddedPostgres({ dataDir: readyMade, durability: 'none' })).stop();
});

afterAll(() => rmSync(readyMade, { recursive: true, force: true }));

/** Saves the second that initdb takes. */
function copyReadyMadeCluster(): void {
  spawnSync('cp', ['-a', readyMade, dataDir]);
}

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'embedded-postgres-spec-'));
  chmodSync(base, 0o755); // Otherwise root's server user could not enter it.
  dataDir = join(base, 'data');
  cleanUp = [];
});

afterEach(async () => {
  for (const step of cleanUp.toReversed()) await step();
  rmSync(base, { recursive: true, force: true });
});

async function start(options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres & { notices: string[] }> {
  const notices: string[] = [];
  const server = await startEmbeddedPostgres({ dataDir, onNotice: (sentence) => notices.push(sentence), ...options });
  cleanUp.push(server.stop);
  return { ...server, notices };
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as unknown[];
  } finally {
    await client.end();
  }
}

/** A Node process that starts the server, stores a row, says so and then waits to be killed. */
async function startInAnotherProcess(): Promise<{ parent: ChildProcess; said: string }> {
  const code = `
    import pg from 'pg';
    import { startEmbeddedPostgres } from '${new URL('./embedded-postgres.ts', import.meta.url).href}';
    const server = await startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)} });
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    await client.query('CREATE TABLE survivors AS SELECT 42 AS a');
    process.stdout.write('pid ' + server.pid + ' at ' + server.socketDir + ' is ready');`;
  const hook = new URL('./run-from-source.ts', import.meta.url).href;
  const parent = spawn(process.execPath, ['--import', hook, '--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'], cwd: import.meta.dirname });
  cleanUp.push(() => void parent.kill('SIGKILL'));
  let said = '';
  parent.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text));
  expect(await waitUntil(() => said.endsWith('is ready'), 20_000)).toBe(true);
  return { parent, said };
}

async function killed(child: ChildProcess): Promise<void> {
  const gone = new Promise((done) => child.once('exit', done));
  child.kill('SIGKILL');
  await gone;
}

describe('startEmbeddedPostgres', () => {
  it('starts a durable PostgreSQL 18 on a socket alone, for pg and TypeORM, and keeps its data across a restart', async () => {
    const first = await start();
    const settings = `SELECT current_setting('server_version_num')::int / 10000 AS version, current_setting('fsync') AS fsync,
      current_setting('synchronous_commit') AS synchronous_commit, current_setting('listen_addresses') AS listen, current_setting('max_connections') AS connections`;
    expect(await query(first.url, settings)).toEqual([{ version: 18, fsync: 'on', synchronous_commit: 'on', listen: '', connections: '200' }]);
    await query(first.url, 'CREATE DATABASE other');
    const source = await new DataSource({ type: 'postgres', url: first.urlOf({ database: 'other' }) }).initialize();
    expect(await source.query('SELECT current_database()::text AS name')).toEqual([{ name: 'other' }]);
    await source.query('CREATE TABLE kept AS SELECT 1 AS a');
    await source.destroy();
    await first.stop();
    expect(processStartOf(first.pid)).toBeNull();
    expect(existsSync(first.socketDir)).toBe(false);

    const second = await start();
    expect(await query(second.urlOf({ database: 'other' }), 'SELECT a FROM kept')).toEqual([{ a: 1 }]);
    expect(second.notices).toEqual([]);
  });

  it('lets nobody but its own user and root reach the socket', async () => {
    copyReadyMadeCluster();
    const server = await start({ durability: 'none' });
    expect(statSync(server.socketDir).mode & 0o777).toBe(0o700);
    expect(Buffer.byteLength(join(server.socketDir, '.s.PGSQL.5432'))).toBeLessThan(108);
  });

  it('refuses a data folder that a living process uses, and says which', async () => {
    copyReadyMadeCluster();
    const server = await start({ durability: 'none' });
    await expect(start()).rejects.toMatchObject({ code: 'data_folder_in_use', message: expect.stringContaining(`The data folder ${dataDir} is already in use by this very process.`) });
    expect(await query(server.url, 'SELECT 1 AS a')).toEqual([{ a: 1 }]); // The first one still runs.
  });

  it('refuses while another process holds the folder, and once that was killed stops its orphan and finds its data', async () => {
    copyReadyMadeCluster();
    const { parent, said } = await startInAnotherProcess();
    const [, orphanPid, socketDir] = /^pid (\d+) at (\S+) is/.exec(said) ?? [];
    await expect(start()).rejects.toMatchObject({ code: 'data_folder_in_use', message: expect.stringContaining(`by process ${parent.pid}`) });
    await killed(parent);
    expect(processStartOf(Number(orphanPid))).not.toBeNull();

    const server = await start();
    expect(server.notices).toEqual(['A Postgres server of an earlier run was still running; it was stopped cleanly.']);
    expect(processStartOf(Number(orphanPid))).toBeNull();
    expect(existsSync(String(socketDir))).toBe(false);
    expect(await query(server.url, 'SELECT a FROM survivors')).toEqual([{ a: 42 }]);
    expect(readFileSync(join(dataDir, 'postgres.log'), 'utf8')).not.toContain('not properly shut down');
  });

  it('recovers what was committed when the server itself was killed', async () => {
    copyReadyMadeCluster();
    const first = await start();
    await query(first.url, 'CREATE TABLE kept AS SELECT generate_series(1, 1000) AS a');
    process.kill(first.pid, 'SIGKILL');
    await first.ended;
    const second = await start();
    expect(await query(second.url, 'SELECT count(*)::int AS n FROM kept')).toEqual([{ n: 1000 }]);
  });

  it.each([
    ['of a process that is gone', () => 4_194_304], // Above the largest process id of Linux.
    ['that now belongs to another program', () => {
      const other = spawn('sleep', ['60']);
      cleanUp.push(() => void other.kill('SIGKILL'));
      return other.pid ?? 0;
    }],
  ])('takes no harm from a pid file %s', async (_, otherPid) => {
    copyReadyMadeCluster();
    const first = await start({ durability: 'none' });
    const pidFile = join(dataDir, 'postgres', 'postmaster.pid');
    const lines = readFileSync(pidFile, 'utf8').split('\n');
    await first.stop();
    const pid = otherPid();
    writeFileSync(pidFile, [String(pid), ...lines.slice(1)].join('\n'));
    const second = await start({ durability: 'none' });
    expect(await query(second.url, 'SELECT 1 AS a')).toEqual([{ a: 1 }]);
    if (pid < 4_194_304) expect(processStartOf(pid)).not.toBeNull(); // It was left alone.
  });

  it('refuses a cluster of another version with a sentence', async () => {
    mkdirSync(join(dataDir, 'postgres'), { recursive: true });
    writeFileSync(join(dataDir, 'postgres', 'PG_VERSION'), '17\n');
    await expect(start()).rejects.toMatchObject({ code: 'postgres_version', message: expect.stringContaining('was made by PostgreSQL 17; this is 18') });
  });

  it('starts afresh where an earlier initdb was killed half-way', async () => {
    mkdirSync(join(dataDir, 'postgres.new'), { recursive: true });
    writeFileSync(join(dataDir, 'postgres.new', 'PG_VERSION'), '18\n');
    const server = await start({ durability: 'none' });
    expect(await query(server.url, 'SELECT 1 AS a')).toEqual([{ a: 1 }]);
  });
});

describe.skipIf(!isRoot())('startEmbeddedPostgres as root', () => {
  it('runs as another user and opens its own data folder to it', async () => {
    mkdirSync(dataDir, { mode: 0o700 });
    const server = await start({ durability: 'none' });
    expect(statSync(join(dataDir, 'postgres')).uid).not.toBe(0);
    expect(statSync(dataDir).mode & 0o777).toBe(0o711);
    expect(server.notices).toEqual([]);
  });

  it('keeps the cluster elsewhere when a folder above the data folder is closed, and finds it again', async () => {
    const [home, elsewhereDir] = [join(base, 'home'), join(base, 'elsewhere')];
    mkdirSync(home, { mode: 0o700 });
    dataDir = join(home, 'clone', '.tollway');
    const first = await start({ durability: 'none', elsewhereDir });
    const clusterDir = readFileSync(join(dataDir, 'postgres.location'), 'utf8').trim();
    expect(clusterDir.startsWith(elsewhereDir)).toBe(true);
    expect(first.notices).toEqual([expect.stringContaining(`the Postgres data lies in ${clusterDir}`)]);
    await query(first.url, 'CREATE TABLE kept AS SELECT 1 AS a');
    await first.stop();
    const second = await start({ durability: 'none', elsewhereDir });
    expect(await query(second.url, 'SELECT a FROM kept')).toEqual([{ a: 1 }]);
    await second.stop();
    rmSync(elsewhereDir, { recursive: true });
    await expect(start({ elsewhereDir })).rejects.toMatchObject({ code: 'postgres_data_missing' });
  });

  it('says what to do when the cluster can lie nowhere', async () => {
    const home = join(base, 'home');
    mkdirSync(home, { mode: 0o700 });
    dataDir = join(home, '.tollway');
    writeFileSync(join(base, 'a file'), '');
    await expect(start({ elsewhereDir: join(base, 'a file', 'below') })).rejects.toMatchObject({
      code: 'data_folder_unreachable',
      message: expect.stringContaining('Start Tollway as another user than root, or choose a data folder whose parents everybody may enter.'),
    });
  });
});
