import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { describe, expect, it } from 'vitest';
import { Fault } from '#platform';
import { useClickHouse } from '#testing';
import { ClickHouse } from './clickhouse.js';
import { tabText, TabRows } from './tab-rows.js';

// Goal: rows come back as they went in, whatever stands in their texts and however they are cut into blocks. Method: a table of texts.

const { freshClickHouseDatabase } = useClickHouse();

describe('TabRows', () => {
  it('brings every text into ClickHouse as it is', async () => {
    const store = await freshClickHouseDatabase();
    const client = createClient({ url: store.url, log: { level: ClickHouseLogLevel.OFF } });
    const clickhouse = new ClickHouse(client);
    await clickhouse.command({ sql: 'CREATE TABLE texts (nth UInt32, text String) ENGINE = MergeTree ORDER BY nth' });
    const texts = ['', ' ', '\\', '\\N', '\\t', 'a\tb', 'a\nb', '\r', '\r\n', '\0', '"', `it's`, '{"a":"\\u0000\\n"}', 'grün', '🛣', 'NULL', 'é'.repeat(9_000), ...Array.from({ length: 20 }, (_, nth) => `${nth}ü`.repeat(10_000)), 'x'.repeat(300_000), 'last'];
    const rows = new TabRows();
    for (const [nth, text] of texts.entries()) rows.add(`${nth}\t${tabText(text)}`);
    const blocks = rows.blocks();
    expect([rows.rows, blocks.length > 2]).toEqual([texts.length, true]); // 300,000 bytes, and 20 times 30,000 and more, in blocks of 262,144 or as many as a text needs.
    await clickhouse.insertTabs('texts', ['nth', 'text'], blocks);
    const found = await clickhouse.query<{ text: string }>({ sql: 'SELECT text FROM texts ORDER BY nth' });
    expect(found.map(({ text }) => text)).toEqual(texts);
    await client.close();
  });

  it('has no blocks without rows, and all rows each time it is asked', () => {
    const rows = new TabRows();
    expect(rows.blocks()).toEqual([]);
    rows.add('a');
    expect(Buffer.concat(rows.blocks()).toString()).toBe('a\n');
    rows.add('b');
    expect(Buffer.concat(rows.blocks()).toString()).toBe('a\nb\n');
  });

  it('refuses half of a surrogate pair, which has no bytes', () => {
    expect(() => tabText('a\ud800')).toThrow(Fault);
  });
});
