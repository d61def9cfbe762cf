import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startClickHouseFront } from './clickhouse-front.js';
import type { ClickHouseFront } from './clickhouse-front.js';

// Goal: the official client gets from the front what it gets from a server. Method: one front for the file, the real client, a table for each test.

const dataDir = mkdtempSync(join(tmpdir(), 'clickhouse-front-spec-'));
let front: ClickHouseFront;
let client: ClickHouseClient;

beforeAll(async () => {
  front = await startClickHouseFront({ dataDir, memoryMaxBytes: 1_000_000_000 });
  client = connect({ url: front.url });
});

afterAll(async () => {
  await client.close();
  await front.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

async function rows(query: string, rest: { query_params?: Record<string, unknown>; clickhouse_settings?: Record<string, string | number> } = {}): Promise<unknown[]> {
  return (await client.query({ query, format: 'JSONEachRow', ...rest })).json();
}

async function makeTable(name: string, columns: string, settings = 'fsync_after_insert = 1'): Promise<void> {
  await client.command({ query: `CREATE TABLE ${name} (${columns}) ENGINE = MergeTree ORDER BY tuple() SETTINGS ${settings}` });
}

describe('query parameters', () => {
  // The text that comes back must be the text that went in: quotes, backslashes, tabs and newlines are what an escape too many or too few breaks.
  it.each([
    ['String', `it's "quoted" \\ and\ttabbed\nbroken`, `it's "quoted" \\ and\ttabbed\nbroken`],
    ['String', `'; DROP TABLE t; --`, `'; DROP TABLE t; --`],
    ['String', '', ''],
    ['String', 'grün 🛣', 'grün 🛣'],
    ['Array(String)', [`a'b`, 'c\td', 'e\\f', ''], [`a'b`, 'c\td', 'e\\f', '']],
    ['Array(UInt64)', [1, 2, 3], ['1', '2', '3']],
    ['Array(Array(String))', [['x'], []], [['x'], []]],
    ['Nullable(String)', null, null],
    ['Nullable(String)', 'NULL', 'NULL'],
    ['Decimal(76, 18)', '123456789012.123456789012345678', '123456789012.123456789012345678'],
    // eslint-disable-next-line no-restricted-globals -- the client takes instants as Date only.
    ['DateTime64(3)', new Date('2026-10-01T12:34:56.789Z'), '2026-10-01 12:34:56.789'],
    ['Bool', true, true],
    ['Map(String, String)', { [`k'1`]: `v\t2` }, { [`k'1`]: `v\t2` }],
  ])('brings a %s there and back: %j', async (type, value, expected) => {
    const exact = { output_format_json_quote_decimals: 1, output_format_json_quote_64bit_integers: 1 };
    expect(await rows(`SELECT {v:${type}} AS v`, { query_params: { v: value }, clickhouse_settings: exact })).toEqual([{ v: expected }]);
  });

  it('forgets a parameter after its statement', async () => {
    await rows('SELECT {secret:String} AS v', { query_params: { secret: 'once' } });
    for (let look = 0; look < 8; look++) await expect(rows('SELECT {secret:String} AS v')).rejects.toMatchObject({ type: 'UNKNOWN_QUERY_PARAMETER' });
  });
});

describe('settings', () => {
  it('hold for their own statement only, whatever runs at the same time', async () => {
    const standing = async (): Promise<unknown> => (await rows(`SELECT getSetting('max_block_size') AS v`))[0];
    const before = await standing();
    const asked = Array.from({ length: 40 }, (_, index) => 1_000 + index);
    const seen = await Promise.all(asked.map((value) => rows(`SELECT getSetting('max_block_size') AS v`, { clickhouse_settings: { max_block_size: String(value) } })));
    expect(seen).toEqual(asked.map((v) => [{ v }]));
    for (let look = 0; look < 8; look++) expect(await standing()).toEqual(before);
  });

  // Reads of the same settings share sessions, so whatever one of them leaves behind the next ones would find.
  it.each([
    ['in a statement', `SELECT 1 AS v SETTINGS max_block_size = 7`],
    ['in a statement within another', `WITH inner AS (SELECT 1 AS v SETTINGS max_block_size = 7) SELECT v FROM inner`],
    ['behind a statement', `SELECT 1 AS v; SET max_block_size = 7`],
    ['before a statement', `SET max_block_size = 7; SELECT 1 AS v`],
    ['in a statement that fails', `SELECT nothing_that_there_is SETTINGS max_block_size = 7`],
    ['of another database', `USE system`],
    ['of a table that only its session sees', `CREATE TEMPORARY TABLE max_of_all (v UInt8)`],
  ])('are over with them: %s', async (_, statement) => {
    const seen = async (): Promise<unknown> => rows(`SELECT getSetting('max_block_size') AS v, currentDatabase() AS d, (SELECT count() FROM system.tables WHERE is_temporary) AS t`);
    const before = await seen();
    for (let time = 0; time < 8; time++) await client.command({ query: statement }).catch(() => undefined);
    for (let look = 0; look < 8; look++) expect(await seen()).toEqual(before);
    await Promise.all(Array.from({ length: 8 }, async () => expect(await seen()).toEqual(before)));
  });

  it.each([
    ['of the client', async (table: string, token: string) => client.insert({ table, values: [{ a: 1 }], format: 'JSONEachRow', clickhouse_settings: { insert_deduplication_token: token } })],
    ['in the statement', async (table: string, token: string) => client.insert({ table: `${table} (a) SETTINGS insert_deduplication_token='${token}'`, values: [{ a: 1 }], format: 'JSONEachRow' })],
  ])('never make a copy of the next insert: a deduplication token %s', async (_, insertWithToken) => {
    const table = `token_${_.replaceAll(' ', '_')}`;
    await makeTable(table, 'a UInt8', 'non_replicated_deduplication_window = 100');
    await insertWithToken(table, 'one');
    await insertWithToken(table, 'one'); // A copy: dropped.
    await client.insert({ table, values: [{ a: 2 }], format: 'JSONEachRow' }); // No token: kept.
    await client.insert({ table, values: [{ a: 2 }], format: 'JSONEachRow' }); // The same rows again: the window drops them by their hash, as on a server.
    await insertWithToken(table, 'two');
    expect(await rows(`SELECT a, toString(count()) AS n FROM ${table} GROUP BY a ORDER BY a`)).toEqual([{ a: 1, n: '2' }, { a: 2, n: '1' }]);
  });

  it('reads its own writes: async_insert is off', async () => {
    expect(await rows(`SELECT getSetting('async_insert') AS v, getSetting('max_threads') AS t`)).toEqual([{ v: false, t: 2 }]);
  });
});

describe('inserts', () => {
  it('takes 10,000 rows of JSONEachRow, plain and compressed, and tells how many', async () => {
    await makeTable('bulk', 'id UInt64, name String, price Decimal(38, 12), tags Array(String), at DateTime64(3), note Nullable(String)');
    const values = Array.from({ length: 10_000 }, (_, id) => ({ id, name: `it's\t${id}\n"x"`, price: '0.000000000001', tags: ['a', `b'${id}`], at: '2026-10-01 00:00:00.123', note: id % 2 === 0 ? null : 'odd' }));
    const packed = connect({ url: front.url, compression: { request: true, response: true } });
    for (const through of [client, packed]) {
      const { summary } = await through.insert({ table: 'bulk', values, format: 'JSONEachRow' });
      expect(summary?.written_rows).toBe('10000');
    }
    const query = `SELECT toString(count()) AS n, toString(sum(price)) AS price, toString(countIf(note IS NULL)) AS nulls, anyIf(name, id = 7) AS name, toString(max(at)) AS at FROM bulk`;
    // 20,000 rows of 10^-12 each; every second note is null; the last instant is every instant.
    const expected = [{ n: '20000', price: '0.00000002', nulls: '10000', name: `it's\t7\n"x"`, at: '2026-10-01 00:00:00.123' }];
    expect(await (await packed.query({ query, format: 'JSONEachRow' })).json()).toEqual(expected);
    await packed.close();
  });

  it('takes columns, other text formats, VALUES, streams and no rows at all', async () => {
    await makeTable('forms', 'a UInt8, b String');
    await client.insert({ table: 'forms', values: [{ a: 1, b: 'object' }], columns: ['a', 'b'], format: 'JSONEachRow' });
    await client.insert({ table: 'forms', values: [[2, 'compact']], format: 'JSONCompactEachRow' });
    await client.insert({ table: 'forms', values: [{ a: '3', b: 'strings' }], format: 'JSONStringsEachRow' });
    await client.insert({ table: 'forms', values: [], format: 'JSONEachRow' });
    await client.command({ query: `INSERT INTO forms VALUES (4, 'values; with '' quote')` });
    await client.command({ query: `INSERT INTO forms SELECT 5, 'select'` });
    await client.insert({ table: 'forms', values: Readable.from([{ a: 6, b: 'stream' }]), format: 'JSONEachRow' });
    expect(await rows('SELECT b FROM forms ORDER BY a')).toEqual(['object', 'compact', 'strings', `values; with ' quote`, 'select', 'stream'].map((b) => ({ b })));
  });

  it('is not held up by slow reads', async () => {
    await makeTable('beside', 'a UInt8');
    let slowDone = 0;
    const slow = Array.from({ length: 4 }, () => rows('SELECT sleep(2)').then(() => (slowDone += 1)));
    await client.insert({ table: 'beside', values: [{ a: 1 }], format: 'JSONEachRow' });
    expect(slowDone).toBe(0); // The insert was acknowledged while all four still ran.
    await Promise.all(slow);
  });
});

describe('reads', () => {
  it('gives 100,000 rows, gathered and streamed, plain and compressed', async () => {
    const query = `SELECT number AS n, concat('row ', toString(number)) AS s FROM numbers(100000)`;
    const packed = connect({ url: front.url, compression: { response: true } });
    for (const through of [client, packed]) {
      const result = await (await through.query({ query, format: 'JSONEachRow' })).json<{ n: number; s: string }>();
      expect([result.length, result[99_999]]).toEqual([100_000, { n: 99_999, s: 'row 99999' }]);
    }
    let streamed = 0;
    for await (const chunk of (await packed.query({ query, format: 'JSONEachRow' })).stream()) streamed += chunk.length;
    expect(streamed).toBe(100_000);
    await packed.close();
  });

  it('answers 40 different queries at once, each with its own answer', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, (_, v) => rows('SELECT {v:UInt32} AS v', { query_params: { v } })));
    expect(answers).toEqual(Array.from({ length: 40 }, (_, v) => [{ v }]));
  });

  it('works in the database that the client names', async () => {
    await client.command({ query: 'CREATE DATABASE apart' });
    const apart = connect({ url: `${front.url}/apart` });
    await apart.command({ query: 'CREATE TABLE only_here (a UInt8) ENGINE = Memory' });
    expect(await (await apart.query({ query: 'SELECT currentDatabase() AS d', format: 'JSONEachRow' })).json()).toEqual([{ d: 'apart' }]);
    await expect(rows('SELECT * FROM only_here')).rejects.toMatchObject({ code: '60' });
    await apart.close();
  });
});

describe('errors', () => {
  it.each([
    ['an unknown table', 'SELECT * FROM nowhere', '60', 'UNKNOWN_TABLE'],
    ['a syntax error', 'SELECT FROM WHERE', '62', 'SYNTAX_ERROR'],
    ['a failing expression', 'SELECT throwIf(number = 3) FROM numbers(5)', '395', 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO'],
    ['more memory than the bound', 'SELECT length(groupArray(repeat(toString(number), 100))) FROM numbers(30000000)', '241', 'MEMORY_LIMIT_EXCEEDED'],
  ])('tells %s as a ClickHouseError with code and type', async (_, query, code, type) => {
    const error: unknown = await rows(query).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ClickHouseError);
    expect(error).toMatchObject({ code, type });
  });

  it('refuses a bad row whole', async () => {
    await makeTable('strict', 'a UInt8');
    await expect(client.insert({ table: 'strict', values: [{ a: 1 }, { a: 'x' }], format: 'JSONEachRow' })).rejects.toMatchObject({ code: '27' });
    expect(await rows('SELECT * FROM strict')).toEqual([]);
  });

  it('refuses a setting whose name is no name, and a binary body', async () => {
    await expect(rows('SELECT 1', { clickhouse_settings: { 'a = 1; DROP TABLE t': 1 } })).rejects.toMatchObject({ code: '115' });
    await makeTable('binary', 'a String');
    const response = await fetch(addressOf(front.url, '/?query=INSERT+INTO+binary+FORMAT+RowBinary'), { method: 'POST', body: new Uint8Array([1, 255]), headers: authorization(front.url) });
    expect([response.status, response.headers.get('x-clickhouse-exception-code')]).toEqual([500, '73']);
  });

  it('lets nobody in without the password, and tells its health to everybody', async () => {
    const url = new URL(front.url);
    url.password = 'guess';
    const stranger = connect({ url: url.href });
    await expect(stranger.query({ query: 'SELECT 1' })).rejects.toMatchObject({ code: '516', type: 'AUTHENTICATION_FAILED' });
    expect((await fetch(addressOf(front.url, '/?query=SELECT+1'), { method: 'POST' })).status).toBe(403);
    expect(await (await fetch(addressOf(front.url, '/ping'))).text()).toBe('Ok.\n');
    await stranger.close();
  });
});

/** The errors are what the tests ask for: the client need not print them. */
function connect(options: NonNullable<Parameters<typeof createClient>[0]>): ClickHouseClient {
  return createClient({ ...options, log: { level: ClickHouseLogLevel.OFF } });
}

function addressOf(url: string, path: string): string {
  return `http://${new URL(url).host}${path}`;
}

function authorization(url: string): Record<string, string> {
  const { username, password } = new URL(url);
  return { Authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}
