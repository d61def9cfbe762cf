import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useClickHouse } from '#testing';
import { ClickHouse } from './clickhouse.js';
import { IdentityIndex } from './identity-index.js';
import { migrateClickHouse } from './migrate-clickhouse.js';

// Goal: each identity of the partitions that are asked for comes, whole, in however many answers. Method: rows made by ClickHouse, hashes over the whole range.

const { freshClickHouseDatabase } = useClickHouse();
let client: ClickHouseClient;
let index: IdentityIndex;

beforeAll(async () => {
  const store = await freshClickHouseDatabase();
  client = createClient({ url: store.url, log: { level: ClickHouseLogLevel.OFF } });
  await migrateClickHouse(client, { database: new URL(store.url).pathname.slice(1) });
  const clickhouse = new ClickHouse(client);
  index = new IdentityIndex(clickhouse);
  // 1,000 counted ones in partitions 0 to 3 in turn, the ends of the range among them, and as many duplicates with hashes of their own.
  const hash = `multiIf(number = 0, toUInt64(0), number = 1, toUInt64(18446744073709551615), number = 2, toUInt64(1), cityHash64(number))`;
  const columns = (verdict: string, identity: string): string => `INSERT INTO event_copies (organization_id, identity, partition, position, verdict, received_at, keep_until)
    SELECT 'org_a', ${identity}, number % 4, number, '${verdict}', now64(6), now() + INTERVAL 10 DAY FROM numbers(1000)`;
  await clickhouse.command({ sql: columns('counted', hash) });
  await clickhouse.command({ sql: columns('duplicate', 'cityHash64(number + 5000)') });
  await clickhouse.command({ sql: `INSERT INTO event_corrections (organization_id, identity, partition, position, kind, received_at) VALUES ('org_a', 4294967303, 2, 9, 'void', now64(6))` });
});
afterAll(() => client.close());

describe('IdentityIndex', () => {
  it('counts what was counted, by partition', async () => {
    expect([...(await index.counts([1, 2, 9]))].toSorted(([a], [b]) => a - b)).toEqual([[1, 250], [2, 250]]);
  });

  it.each([1_000, 40_000_000])('gives each hash of the partitions once, also in parts (as for %i rows)', async (rows) => {
    const found: string[] = [];
    for await (const hashes of index.hashes([1, 2], rows)) found.push(...hashes.map(({ partition, low, high }) => `${partition} ${BigInt(high) * 2n ** 32n + BigInt(low)}`));
    expect(found).toHaveLength(501); // 250 each, and the correction.
    expect(new Set(found).size).toBe(501);
    for (const each of ['1 18446744073709551615', '2 1', '2 4294967303']) expect(found).toContain(each);
    expect(found.some((each) => each.startsWith('0 '))).toBe(false);
  });
});
