import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { microsOfText } from '#domain';
import { Fault } from '#platform';
import { useClickHouse } from '#testing';
import { ClickHouse } from './clickhouse.js';
import { boolColumn, dateTimeSecondsMax, enumColumn, microsColumn, nativeBlock, secondsColumn, textColumn, uint16Column, uint64Column, uint8Column } from './native-block.js';

// Goal: rows come back as they went in, whatever stands in their texts and at the ends of each type. Method: a table of all types, read as text.

const { freshClickHouseDatabase } = useClickHouse();
let client: ClickHouseClient;
let clickhouse: ClickHouse;

beforeAll(async () => {
  client = createClient({ url: (await freshClickHouseDatabase()).url, log: { level: ClickHouseLogLevel.OFF } });
  clickhouse = new ClickHouse(client);
});
afterAll(() => client.close());

describe('a block of Native', () => {
  it('brings every text into ClickHouse as it is', async () => {
    await clickhouse.command({ sql: 'CREATE TABLE texts (nth UInt16, text String, low LowCardinality(String)) ENGINE = MergeTree ORDER BY nth' });
    // Lengths in bytes of one, two, three and four times seven bits; in letters below and above such a bound in bytes.
    const lengths = [39, 40, 41, 127, 128, 16_383, 16_384, 300_000, 2_097_152].map((length) => 'x'.repeat(length));
    const wide = [40, 41, 63, 64, 65, 127, 8_191, 8_192, 9_000].map((length) => 'é'.repeat(length));
    const texts = ['', ' ', '\\', '\\N', 'a\tb', 'a\nb', '\r\n', '\0', '"', `it's`, '{"a":"\\u0000\\n"}', 'grün', '🛣', 'NULL', ...lengths, ...wide, ...wide.map((text) => `${text}🛣`), 'last'];
    const rows = texts.map((text, nth) => ({ nth, text }));
    const columns = [uint16Column<{ nth: number; text: string }>('nth', rows, ({ nth }) => nth), textColumn<{ nth: number; text: string }>('text', rows, ({ text }) => text), { ...textColumn<{ nth: number; text: string }>('low', rows, ({ text }) => text) }];
    await clickhouse.insertBlocks('texts', ['nth', 'text', 'low'], nativeBlock(rows.length, columns));
    const found = await clickhouse.query<{ text: string; low: string }>({ sql: 'SELECT text, low FROM texts ORDER BY nth' });
    expect(found.map(({ text, low }) => [text, low])).toEqual(texts.map((text) => [text, text]));
  });

  it('brings both ends of each type, and blocks with different columns after each other', async () => {
    await clickhouse.command({
      sql: `CREATE TABLE ends (small UInt8, middle UInt16, large UInt64, is_true Bool, kind Enum8('a' = 1, 'b' = 3), second DateTime('UTC'), micro DateTime64(6, 'UTC'), text String DEFAULT 'left out')
            ENGINE = MergeTree ORDER BY small`,
    });
    const rows = [
      { small: 0, middle: 0, large: 0n, isTrue: false, kind: 'a', second: 0, micro: '1970-01-01T00:00:00.000000Z', text: '' },
      { small: 255, middle: 65_535, large: 2n ** 64n - 1n, isTrue: true, kind: 'b', second: dateTimeSecondsMax, micro: '2104-12-31T23:59:59.999999Z', text: 'there' },
    ] as const;
    type Row = (typeof rows)[number];
    const columns = [
      uint8Column<Row>('small', rows, ({ small }) => small), uint16Column<Row>('middle', rows, ({ middle }) => middle), uint64Column<Row>('large', rows, ({ large }) => large),
      boolColumn<Row>('is_true', rows, ({ isTrue }) => isTrue), enumColumn<Row, 'a' | 'b'>('kind', rows, { byName: { a: 1, b: 3 }, nameOf: ({ kind }) => kind }),
      secondsColumn<Row>('second', rows, ({ second }) => second), microsColumn<Row>('micro', rows, ({ micro }) => microsOfText(micro)),
    ];
    const all = nativeBlock(2, [...columns, textColumn<Row>('text', rows, ({ text }) => text)]);
    await clickhouse.insertBlocks('ends', ['small', 'middle', 'large', 'is_true', 'kind', 'second', 'micro', 'text'], [...all, ...nativeBlock(2, columns)]);
    const found = await clickhouse.query({ sql: 'SELECT small, middle, toString(large) AS large, is_true, kind, toString(second) AS second, toString(micro) AS micro, text FROM ends ORDER BY small, text' });
    const [first, last] = [
      { small: 0, middle: 0, large: '0', is_true: false, kind: 'a', second: '1970-01-01 00:00:00', micro: '1970-01-01 00:00:00.000000' },
      { small: 255, middle: 65_535, large: '18446744073709551615', is_true: true, kind: 'b', second: '2106-02-07 06:28:15', micro: '2104-12-31 23:59:59.999999' },
    ];
    expect(found).toEqual([{ ...first, text: '' }, { ...first, text: 'left out' }, { ...last, text: 'left out' }, { ...last, text: 'there' }]);
  });

  it('is nothing where it has no rows', () => {
    expect(nativeBlock(0, [textColumn('text', [], () => '')])).toEqual([]);
  });

  it.each(['a\ud800', '\udc00'.padEnd(100, 'a')])('refuses half of a surrogate pair, which has no bytes (%#)', (text) => {
    expect(() => textColumn('text', [text], (row) => row)).toThrow(Fault);
  });
});
