import { Client, Pool } from 'pg';
import { afterEach, describe, expect, it } from 'vitest';

import { usePostgres } from '#testing';
import type { DatabaseTemplate, TestDatabase } from '#testing';
import { systemClock } from '../clock/clock.js';
import { appendClasses } from './advisory-keys.js';
import { eventLogContract } from './event-log-contract.js';
import type { EventLogFixture } from './event-log-contract.js';
import type { EventLog, LogRecord } from './event-log.js';
import { eventLogGrants, migrateEventLog } from './postgres-event-log-schema.js';
import { openPostgresEventLog } from './postgres-event-log.js';
import type { PostgresEventLog, PostgresEventLogOptions } from './postgres-event-log.js';

const { freshDatabase } = usePostgres();

const template: DatabaseTemplate = {
  name: 'event log',
  prepare: (url) => withClient(url, migrateEventLog),
};

eventLogContract('postgres', async () => startFixture(await freshDatabase({ template })));

describe('the Postgres event log', () => {
  const opened: EventLog[] = [];
  const open = (database: TestDatabase, options: Partial<PostgresEventLogOptions> = {}): PostgresEventLog => {
    const log = openPostgresEventLog({ connectionString: database.url, clock: systemClock, ...quiet, ...options });
    opened.push(log);
    return log;
  };
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((log) => log.close()));
  });

  it('is migrated again without harm, also twice at a time', async () => {
    const database = await freshDatabase();
    await Promise.all([withClient(database.url, migrateEventLog), withClient(database.url, migrateEventLog)]);
    const log = open(database);
    await log.ensureTopic({ name: 't', partitions: 1 });
    await log.append('t', [{ key: 'k', value: '{}' }]);
    await withClient(database.url, migrateEventLog);
    expect(await log.append('t', [{ key: 'k', value: '{}' }])).toEqual([{ partition: 0, position: 1n }]);
  });

  it('creates the segment of the day when maintenance has not', async () => {
    const database = await freshDatabase({ template });
    const log = open(database);
    await log.ensureTopic({ name: 't', partitions: 1 });
    await withClient(database.url, async (client) => {
      for (const segment of await segments(client)) await client.query(`DROP TABLE event_log.${segment}`);
    });
    expect(await log.append('t', [{ key: 'k', value: '{}' }])).toEqual([{ partition: 0, position: 0n }]);
    expect((await log.maintain()).created).toBe(0);
    expect(await withClient(database.url, segments)).toHaveLength(5); // yesterday + today + 3 ahead
  });

  it('drops an old segment once every known group has passed it, and readers begin behind it', async () => {
    const database = await freshDatabase({ template });
    const log = open(database);
    await log.ensureTopic({ name: 't', partitions: 1 });
    await withClient(database.url, (client) => writeOldRecords(client, { days: ['2026-01-05', '2026-01-06'], perDay: 2 }));
    await log.append('t', [{ key: 'k', value: '"today"' }]); // Position 4, behind two old days of two records each.

    const slow = read(log, 'slow', { batchSizeMax: 1, stopBefore: 3n });
    await until(async () => (await log.lag({ topic: 't', group: 'slow' })) === 2n); // Handled 0, 1 and 2; 3 and 4 are left.
    expect((await log.maintain({ retentionDays: 1 })).dropped).toEqual(['records_20260105']);
    expect((await log.maintain({ retentionDays: 1 })).dropped).toEqual([]); // Held by position 3.
    slow.go();
    await until(async () => (await log.lag({ topic: 't', group: 'slow' })) === 0n);
    expect((await log.maintain({ retentionDays: 1 })).dropped).toEqual(['records_20260106']);

    expect(await log.lag({ topic: 't', group: 'late' })).toBe(1n);
    const late = read(log, 'late', { batchSizeMax: 10 });
    await until(() => late.records.length >= 1);
    expect(late.records.map(({ position, value }) => [position, value])).toEqual([[4n, '"today"']]);
    await until(async () => (await log.lag({ topic: 't', group: 'late' })) === 0n);
  });

  it('keeps old segments for a group that is away until it is to be forgotten', async () => {
    const database = await freshDatabase({ template });
    const log = open(database);
    await log.ensureTopic({ name: 't', partitions: 1 });
    await withClient(database.url, async (client) => {
      await writeOldRecords(client, { days: ['2026-01-05'], perDay: 1 });
      await client.query(`INSERT INTO event_log.offsets (topic_id, group_name, partition, seen_at) SELECT id, 'gone', 0, now() - interval '40 days' FROM event_log.topics`);
    });
    expect((await log.maintain({ retentionDays: 1 })).dropped).toEqual([]);
    expect(await log.maintain({ retentionDays: 1, forgetGroupsAfterDays: 41 })).toMatchObject({ dropped: [], forgotten: 0 });
    expect(await log.maintain({ retentionDays: 1, forgetGroupsAfterDays: 39 })).toMatchObject({ dropped: ['records_20260105'], forgotten: 1 });
  });

  it('gives each role what it needs and no more', async () => {
    const database = await freshDatabase({ template });
    await withClient(database.url, async (client) => {
      await client.query('CREATE ROLE event_log_spec_writer LOGIN; CREATE ROLE event_log_spec_reader LOGIN');
      for (const statement of eventLogGrants({ writers: ['event_log_spec_writer'], readers: ['event_log_spec_reader'] })) await client.query(statement);
    });
    const writer = open(database, { connectionString: database.urlAs('event_log_spec_writer') });
    const reader = open(database, { connectionString: database.urlAs('event_log_spec_reader') });
    await writer.ensureTopic({ name: 't', partitions: 2 });
    await reader.ensureTopic({ name: 't', partitions: 2 });
    await writer.append('t', [{ key: 'k', value: '1' }]);
    expect(await writer.maintain({ forgetGroupsAfterDays: 400 })).toEqual({ created: 0, dropped: [], forgotten: 0 });
    const reading = read(reader, 'g', { batchSizeMax: 10 });
    await until(() => reading.records.length === 1);
    await until(async () => (await writer.lag({ topic: 't', group: 'g' })) === 0n);
    await expect(reader.append('t', [{ key: 'k', value: '2' }])).rejects.toMatchObject({ code: 'log_refused', retryable: false });
    await expect(reader.maintain()).rejects.toMatchObject({ code: 'log_refused' });
    await expect(reader.ensureTopic({ name: 'other', partitions: 1 })).rejects.toMatchObject({ code: 'log_refused' });
    await Promise.all(opened.splice(0).map((log) => log.close()));
    await database.drop();
    await withClient((await freshDatabase()).url, (client) => client.query('DROP ROLE event_log_spec_writer; DROP ROLE event_log_spec_reader'));
  });

  it('says that it cannot take more, and that the database is away', async () => {
    const database = await freshDatabase({ template });
    const log = open(database, { bounds: { pendingRecordsMax: 2 } });
    await log.ensureTopic({ name: 't', partitions: 1 });
    await log.append('t', [{ key: 'k', value: '0' }]);
    const [first, second, third] = ['1', '2', '3'].map((value) => log.append('t', [{ key: 'k', value }]));
    await expect(third).rejects.toMatchObject({ name: 'Fault', code: 'log_overloaded', retryable: true });
    expect([await first, await second].flat().map((place) => place?.position)).toEqual([1n, 2n]);

    const away = open(database, { connectionString: 'postgres://nobody@127.0.0.1:1/none' });
    await expect(away.append('t', [{ key: 'k', value: '0' }])).rejects.toMatchObject({ name: 'Fault', code: 'log_unavailable', retryable: true });
    await expect(away.subscribe({ topic: 't', group: 'g', batchSizeMax: 1, handle: async () => undefined })).rejects.toMatchObject({ code: 'log_unavailable' });
  });

  it('goes on where a commit was made by someone else in the meantime', async () => {
    const database = await freshDatabase({ template });
    const log = open(database);
    await log.ensureTopic({ name: 't', partitions: 1 });
    const reading = read(log, 'g', { batchSizeMax: 1, stopBefore: 0n });
    await log.append('t', ['0', '1', '2'].map((value) => ({ key: 'k', value })));
    await until(() => reading.attempts.length > 0);
    await withClient(database.url, (client) => client.query('UPDATE event_log.offsets SET next_position = 2'));
    reading.go();
    await until(async () => (await log.lag({ topic: 't', group: 'g' })) === 0n);
    // The commit of 0 compares with 0, finds 2 and is dropped: 1 never comes, and nothing is set back.
    expect(reading.records.map(({ position }) => position)).toEqual([0n, 2n]);
  });

  it('bounds a batch by its bytes, and delivers a record above the bound alone', async () => {
    const database = await freshDatabase({ template });
    const log = open(database, { batchBytesMax: 10 });
    await log.ensureTopic({ name: 't', partitions: 1 });
    const values = ['aaaa', 'bbbb', 'cccc', 'a value of more than ten bytes', 'd'];
    await log.append('t', values.map((value) => ({ key: 'k', value })));
    const sizes: number[] = [];
    await log.subscribe({ topic: 't', group: 'g', batchSizeMax: 10, handle: async ({ records }) => void sizes.push(records.length) });
    await until(async () => (await log.lag({ topic: 't', group: 'g' })) === 0n);
    expect(sizes).toEqual([2, 1, 1, 1]); // 4 + 4, then 4 (+ 30 is too much), 30 alone, 1
  });

  it('gives back keys of any characters and whatever value follows them', async () => {
    const database = await freshDatabase({ template });
    const log = open(database);
    await log.ensureTopic({ name: 't', partitions: 1 });
    const records = ['', '|', '1|2|', '🔑', '🔑|é', 'a🔑'.repeat(50), 'é\n\u0001'].flatMap((key) => ['', '|', '🔑"', '{}'].map((value) => ({ key, value })));
    await log.append('t', records);
    const reading = read(log, 'g', { batchSizeMax: 10 });
    await until(() => reading.records.length === records.length);
    expect(reading.records.map(({ key, value }) => ({ key, value }))).toEqual(records);
  });

  it('moves partitions between members while each always has a batch at work', async () => {
    const database = await freshDatabase({ template });
    const [one, other] = [open(database), open(database)];
    await one.ensureTopic({ name: 't', partitions: 2 });
    await one.append('t', Array.from({ length: 1_000 }, (_, nth) => ({ key: `k${nth}`, value: '0' })));
    const work = { one: 0, other: 0 };
    const handleAs = (name: 'one' | 'other') => async (): Promise<void> => {
      work[name] += 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
    };
    const first = await one.subscribe({ topic: 't', group: 'g', batchSizeMax: 1, handle: handleAs('one') });
    await until(() => work.one > 4);
    await other.subscribe({ topic: 't', group: 'g', batchSizeMax: 1, handle: handleAs('other') });
    await until(() => work.other > 4);
    await first.close();
    const left = work.one;
    await until(() => work.other > 12);
    expect(work.one).toBe(left);
  });
});

const quiet = { onError: (): void => undefined, retryDelayMs: 20, claimIntervalMs: 100 };

function startFixture(database: TestDatabase): EventLogFixture {
  const names = new WeakMap<EventLog, string>();
  const pool = new Pool({ connectionString: database.url, max: 4 });
  let count = 0;
  return {
    open: async () => {
      const applicationName = `log-${(count += 1)}`;
      // Every second one shares the caller's pool, so that both ways are tried.
      const source = count % 2 === 0 ? { pool } : { connectionString: database.url };
      const log = openPostgresEventLog({ ...source, clock: systemClock, applicationName, ...quiet });
      names.set(log, applicationName);
      return log;
    },
    appendLate: async (topic, { key, value }) => {
      const client = new Client({ connectionString: database.url });
      await client.connect();
      await client.query('BEGIN');
      const { rows } = await client.query<{ id: number; partition: number }>(
        `SELECT id, partition FROM event_log.topics t JOIN event_log.records r ON r.topic_id = t.id WHERE name = $1 AND key = $2 LIMIT 1`,
        [topic, key],
      );
      const { id, partition } = rows[0] ?? { id: 0, partition: 0 };
      const { mark, lock } = appendClasses(topic);
      await client.query('SELECT event_log.append($1, $2, $3, $4, $5, $6, $7, $8)', [id, mark, lock, [partition], [partition], [0], [key], [value]]);
      return {
        settle: async () => {
          await client.query('COMMIT');
          await client.end();
        },
      };
    },
    cutOff: async (log) => {
      await pool.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1', [names.get(log)]);
    },
    close: () => pool.end(),
  };
}

interface Reading {
  readonly records: LogRecord[];
  readonly attempts: bigint[];
  go(): void;
}

/** Reads topic `t`, and holds its batch at `stopBefore` until it is told to go. */
function read(log: EventLog, group: string, options: { readonly batchSizeMax: number; readonly stopBefore?: bigint }): Reading {
  const gate = Promise.withResolvers<void>();
  const records: LogRecord[] = [];
  const attempts: bigint[] = [];
  void log.subscribe({
    topic: 't',
    group,
    batchSizeMax: options.batchSizeMax,
    handle: async (batch) => {
      attempts.push(...batch.records.map(({ position }) => position));
      if (batch.records[0]?.position === options.stopBefore) await gate.promise;
      records.push(...batch.records);
    },
  });
  return { records, attempts, go: gate.resolve };
}

/** As if topic `t` had been written to on days long gone. */
async function writeOldRecords(client: Pick<Client, 'query'>, { days, perDay }: { readonly days: readonly string[]; readonly perDay: number }): Promise<void> {
  for (const [nth, day] of days.entries()) {
    const segment = `event_log.records_${day.replaceAll('-', '')}`;
    await client.query(`CREATE TABLE ${segment} (LIKE event_log.records, PRIMARY KEY (topic_id, partition, position))`);
    await client.query(`ALTER TABLE event_log.records ATTACH PARTITION ${segment} FOR VALUES FROM ('${day} 00:00+00') TO ('${day} 24:00+00')`);
    await client.query(
      `INSERT INTO event_log.records SELECT id, 0, $1::int + n, 'k', '"old"', $2::timestamptz FROM event_log.topics, generate_series(0, $3::int - 1) AS n`,
      [nth * perDay, `${day} 12:00+00`, perDay],
    );
  }
}

async function segments(client: Pick<Client, 'query'>): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'event_log.records'::regclass ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}

async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  await expect.poll(condition, { timeout: 15_000, interval: 10 }).toBe(true);
}
