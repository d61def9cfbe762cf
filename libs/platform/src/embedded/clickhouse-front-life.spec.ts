import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { ClickHouseClient } from '@clickhouse/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startClickHouseFront } from './clickhouse-front.js';
import type { ClickHouseFront, FrontRestart } from './clickhouse-front.js';
import { processStartOf } from './process-identity.js';
import { waitUntil } from './wait-until.js';

// Goal: the child's life: it dies and comes back without losing an acknowledged insert, and it never outlives its parent.

let dataDir: string;
let cleanUp: (() => Promise<unknown> | void)[];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'clickhouse-life-spec-'));
  cleanUp = [];
});

afterEach(async () => {
  for (const step of cleanUp.toReversed()) await step();
  rmSync(dataDir, { recursive: true, force: true });
});

async function start(): Promise<{ front: ClickHouseFront; client: ClickHouseClient }> {
  const front = await startClickHouseFront({ dataDir });
  const client = createClient({ url: front.url, log: { level: ClickHouseLogLevel.OFF } });
  cleanUp.push(front.stop, () => client.close());
  return { front, client };
}

async function rows(client: ClickHouseClient, query: string): Promise<unknown[]> {
  return (await client.query({ query, format: 'JSONEachRow' })).json();
}

const batchSize = 500;
const durable = 'fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 10000';

function insertBatch(client: ClickHouseClient, batch: number): Promise<unknown> {
  const values = Array.from({ length: batchSize }, (_, index) => ({ id: batch * batchSize + index, part: index % 5 }));
  return client.insert({ table: `events (id, part) SETTINGS insert_deduplication_token = 'batch-${batch}'`, values, format: 'JSONEachRow' });
}

/** What a consumer does: the same batch with the same token until it is acknowledged. */
async function insertUntilAcknowledged(client: ClickHouseClient, batch: number): Promise<void> {
  const isDone = (): Promise<boolean> => insertBatch(client, batch).then(() => true, () => false);
  expect(await waitUntil(isDone, 30_000)).toBe(true);
}

describe('the child', () => {
  // The engine takes some marks in a file's name for a pattern.
  it.each(['plain', '{a,b}*?'])('takes rows in a folder named %s, and leaves none of their files', async (name) => {
    dataDir = join(dataDir, name);
    const { front, client } = await start();
    await client.command({ query: 'CREATE TABLE events (id UInt64, part UInt8) ENGINE = MergeTree ORDER BY id' });
    await Promise.all([insertBatch(client, 0), insertBatch(client, 1)]);
    await expect(client.insert({ table: 'events', values: [{ id: 'x' }], format: 'JSONEachRow' })).rejects.toMatchObject({ code: '27', message: expect.not.stringContaining(tmpdir()) as string });
    expect(await rows(client, 'SELECT toString(count()) AS n FROM events')).toEqual([{ n: '1000' }]);
    const left = readdirSync(dataDir).filter((file) => file === 'clickhouse-rows').flatMap((folder) => readdirSync(join(dataDir, folder)));
    expect(left).toEqual([]);
    await client.close();
    await front.stop();
    expect(readdirSync(dataDir)).not.toContain('clickhouse-rows');
  });

  it('is killed five times during inserts: what was acknowledged is there, what is sent again is there once', { timeout: 90_000 }, async () => {
    const { front, client } = await start();
    const restarts: FrontRestart[] = [];
    front.onRestart((restart) => restarts.push(restart));
    const url = front.url;
    await client.command({ query: `CREATE TABLE events (id UInt64, part UInt8) ENGINE = MergeTree PARTITION BY part ORDER BY id SETTINGS ${durable}` });
    for (let kill = 0; kill < 5; kill++) {
      for (let step = 0; step < 3; step++) await insertBatch(client, kill * 4 + step); // Acknowledged at once.
      const victim = front.pid();
      const inFlight = insertUntilAcknowledged(client, kill * 4 + 3);
      await sleep(kill * 6); // The five kills meet the insert at different points: before, within, after.
      process.kill(victim, 'SIGKILL');
      await inFlight;
      expect(await waitUntil(() => restarts.length === kill + 1, 20_000)).toBe(true);
      for (let replay = 0; replay <= kill * 4 + 3; replay += 3) await insertUntilAcknowledged(client, replay);
    }
    // 5 kills x 4 batches x 500 rows, each row once.
    expect(await rows(client, 'SELECT toString(count()) AS n, toString(uniqExact(id)) AS ids FROM events')).toEqual([{ n: '10000', ids: '10000' }]);
    expect(front.url).toBe(url);
    expect(restarts.map(({ restarts: count }) => count)).toEqual([1, 2, 3, 4, 5]);
  });

  it('refuses a folder that a living front uses, and keeps its data across a restart', async () => {
    const { front, client } = await start();
    await expect(startClickHouseFront({ dataDir })).rejects.toMatchObject({ code: 'data_folder_in_use', message: expect.stringContaining(`The data folder ${dataDir} is already in use`) });
    await client.command({ query: `CREATE TABLE events (id UInt64, part UInt8) ENGINE = MergeTree ORDER BY id SETTINGS ${durable}` });
    await insertBatch(client, 0);
    const pid = front.pid();
    await front.stop();
    expect(processStartOf(pid)).toBeNull();
    expect(await front.ended).toEqual({ reason: null });

    const again = await start();
    expect(await rows(again.client, 'SELECT toString(count()) AS n FROM events')).toEqual([{ n: '500' }]);
  });

  it('answers what it has taken before it stops', async () => {
    const { front, client } = await start();
    const slow = rows(client, 'SELECT sleep(1) AS v');
    const running = `SELECT 1 FROM system.processes WHERE query LIKE '%sleep(1)%' AND query NOT LIKE '%system.processes%'`;
    expect(await waitUntil(async () => (await rows(client, running)).length === 1, 5_000)).toBe(true);
    await front.stop();
    expect(await slow).toEqual([{ v: 0 }]);
  });

  it('says in one sentence when the engine does not open its folder', async () => {
    writeFileSync(join(dataDir, 'clickhouse'), 'A file where the folder should be.');
    await expect(startClickHouseFront({ dataDir })).rejects.toMatchObject({ code: 'clickhouse_start_failed', message: expect.stringContaining('The embedded ClickHouse did not start: ') });
  });
});

describe('a killed parent', () => {
  it('takes the child with it, also in the middle of a statement, and the next start finds the data', async () => {
    const code = `
      import { createClient } from '@clickhouse/client';
      import { startClickHouseFront } from '${new URL('./clickhouse-front.ts', import.meta.url).href}';
      const front = await startClickHouseFront({ dataDir: ${JSON.stringify(dataDir)} });
      const client = createClient({ url: front.url });
      await client.command({ query: 'CREATE TABLE events (id UInt64) ENGINE = MergeTree ORDER BY id SETTINGS ${durable}' });
      await client.insert({ table: 'events', values: [{ id: 42 }], format: 'JSONEachRow' });
      void client.query({ query: 'SELECT sleep(3)' });
      process.stdout.write('child ' + front.pid() + ' is ready');`;
    const hook = new URL('./run-from-source.ts', import.meta.url).href;
    const parent = spawn(process.execPath, ['--import', hook, '--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'], cwd: import.meta.dirname });
    cleanUp.push(() => void parent.kill('SIGKILL'));
    let said = '';
    parent.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    expect(await waitUntil(() => said.endsWith('is ready'), 20_000)).toBe(true);
    const child = Number(/^child (\d+)/.exec(said)?.[1]);
    expect(processStartOf(child)).not.toBeNull();
    await expect(startClickHouseFront({ dataDir })).rejects.toMatchObject({ code: 'data_folder_in_use', message: expect.stringContaining(`by process ${parent.pid}`) });

    parent.kill('SIGKILL');
    expect(await waitUntil(() => processStartOf(child) === null, 5_000)).toBe(true);
    const { client } = await start();
    expect(await rows(client, 'SELECT toString(id) AS id FROM events')).toEqual([{ id: '42' }]);
  });
});
