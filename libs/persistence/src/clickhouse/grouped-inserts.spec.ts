import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useClickHouse } from '#testing';
import { ClickHouse } from './clickhouse.js';
import { chunksByPartition, GroupedInserts, type ChunkBlocks } from './grouped-inserts.js';
import { nativeBlock, uint64Column } from './native-block.js';

// Goal: who writes at the same time shares an insert, and bears nobody else's refusal. Method: a table that is never merged, so that each
// insert leaves a part for each partition that it touched.

const { freshClickHouseDatabase } = useClickHouse();
let client: ClickHouseClient;
let clickhouse: ClickHouse;
let tables = 0;

beforeAll(async () => {
  client = createClient({ url: (await freshClickHouseDatabase()).url, log: { level: ClickHouseLogLevel.OFF } });
  clickhouse = new ClickHouse(client);
});
afterAll(() => client.close());

async function open(): Promise<{ inserts: GroupedInserts; read: (sql: string) => Promise<string> }> {
  const table = `grouped_${(tables += 1)}`;
  await clickhouse.command({ sql: `CREATE TABLE ${table} (part UInt32, n UInt32, CONSTRAINT small CHECK n < 1000) ENGINE = MergeTree PARTITION BY part ORDER BY n` });
  await clickhouse.command({ sql: `SYSTEM STOP MERGES ${table}` });
  const read = async (what: string): Promise<string> => String((await clickhouse.query<{ v: unknown }>({ sql: what.replaceAll('TABLE', table) }))[0]?.v);
  return { inserts: new GroupedInserts(clickhouse, { table, columns: ['part', 'n'] }), read };
}

type Pair = readonly [part: number, n: number];

function rowsOf(pairs: readonly Pair[]): ChunkBlocks[] {
  return chunksByPartition(pairs, ([part]) => String(part)).map(({ partitions, rows }) => {
    const columns = [uint64Column<Pair>('part', rows, ([part]) => BigInt(part)), uint64Column<Pair>('n', rows, ([, n]) => BigInt(n))];
    return { partitions, rows: rows.length, blocks: nativeBlock(rows.length, columns) };
  });
}

/** One row in each of the partitions from `first` to `last`. */
function span(first: number, last: number): ChunkBlocks[] {
  return rowsOf(Array.from({ length: last - first + 1 }, (_, nth) => [first + nth, nth]));
}

const parts = `SELECT toString(count()) AS v FROM system.parts WHERE database = currentDatabase() AND table = 'TABLE' AND active`;
const sum = 'SELECT toString(sum(n)) AS v FROM TABLE';

describe('GroupedInserts', () => {
  it('writes what comes at the same time by one insert', async () => {
    const { inserts, read } = await open();
    await Promise.all([1, 2, 3, 4, 5].map((n) => inserts.insert(rowsOf([[7, n]]))));
    expect([await read(parts), await read(sum)]).toEqual(['1', '15']);
    await inserts.insert(rowsOf([[7, 6]]));
    expect([await read(parts), await read(sum)]).toEqual(['2', '21']);
  });

  it('refuses only whose rows are refused', async () => {
    const { inserts, read } = await open();
    const outcomes = await Promise.allSettled([1, 2_000, 3].map((n) => inserts.insert(rowsOf([[7, n]]))));
    expect(outcomes.map((outcome) => (outcome.status === 'rejected' ? (outcome.reason as { code: string }).code : 'written'))).toEqual(['written', 'rows_refused', 'written']);
    expect(await read(sum)).toBe('4');
  });

  it.each<[string, ChunkBlocks[][], string]>([
    ['both within 50 partitions', [span(0, 39), span(10, 49)], '50'], // One insert touches 0 to 49.
    ['more than 50 between them', [span(0, 39), span(20, 59)], '80'], // Two inserts touch 40 each.
    ['more than 50 of one caller', [span(0, 59)], '60'], // 50 and 10.
    ['no rows at all', [span(0, -1)], '0'],
  ])('keeps an insert within 50 partitions: %s', async (_, callers, expected) => {
    const { inserts, read } = await open();
    await Promise.all(callers.map((rows) => inserts.insert(rows)));
    expect(await read(parts)).toBe(expected);
  });
});
