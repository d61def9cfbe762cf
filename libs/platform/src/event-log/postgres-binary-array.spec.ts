import fc from 'fast-check';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { usePostgres } from '#testing';
import { binaryIntegerArray, binaryTextArray } from './postgres-binary-array.js';

// Goal: what Postgres reads is what was written, byte for byte. Method: a real server gives the arrays back.

const postgres = usePostgres();
let client: Client;
beforeAll(async () => {
  client = new Client({ connectionString: (await postgres.freshDatabase()).url });
  await client.connect();
});
afterAll(() => client?.end());

const back = async <T>(type: 'text' | 'integer', buffer: Buffer): Promise<T[]> => (await client.query<{ back: T[] }>(`SELECT $1::${type}[] AS back`, [buffer])).rows[0]?.back ?? [];

describe('binary arrays', () => {
  it.each([
    [[]], [['']], [['a', 'NULL', '{"k":"v\\"\\\\"}', '{1,2}']], [['é€😀', 'x'.repeat(100_000), '\u0001\n']],
  ])('give texts back (%#)', async (texts) => {
    expect(await back('text', binaryTextArray(texts))).toEqual(texts);
  });

  it('give any texts back', async () => {
    const storable = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((text) => !text.includes('\0'));
    await fc.assert(fc.asyncProperty(fc.array(storable, { maxLength: 20 }), async (texts) => void expect(await back('text', binaryTextArray(texts))).toEqual(texts)));
  });

  it.each([[[]], [[0, 1, -1, 2_147_483_647, -2_147_483_648]]])('give integers back (%#)', async (values) => {
    expect(await back('integer', binaryIntegerArray(values))).toEqual(values);
  });
});
