import { createClient, type ClickHouseClient } from '@clickhouse/client';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countingRule, matchesFilter, meterFaults, parseData, parseFilter, textOf, valueAt, valueByRule, type CountingRule } from '#domain';
import { runsOf, useClickHouse } from '#testing';
import { ClickHouse } from './clickhouse.js';
import { meterSql } from './meter-sql.js';
import { Placeholders } from './sql-builder.js';
import { numberMark as mark, toStoredData } from './stored-data.js';

// Goal: ClickHouse counts as the domain says. Method: each filter, value and group is asked of the same documents in SQL and in
// JavaScript, first those that have gone wrong somewhere, then random ones.

const { freshClickHouseDatabase } = useClickHouse();
let client: ClickHouseClient;
let clickhouse: ClickHouse;

beforeAll(async () => {
  client = createClient({ url: (await freshClickHouseDatabase()).url });
  clickhouse = new ClickHouse(client);
  await clickhouse.command({ sql: 'CREATE TABLE documents (set UInt32, place UInt32, data String) ENGINE = MergeTree ORDER BY (set, place)' });
});
afterAll(() => client.close());

let sets = 0;

async function store(documents: readonly string[]): Promise<number> {
  sets += 1;
  await clickhouse.insert('documents', ['set', 'place', 'data'], documents.map((document, place) => JSON.stringify([sets, place, toStoredData(document)])));
  return sets;
}

/** Of each document: whether it passes, the value that it brings, and its groups. */
async function inSql(set: number, rule: CountingRule): Promise<unknown[]> {
  const placeholders = new Placeholders();
  const sql = meterSql(rule, placeholders);
  const rows = await clickhouse.query<{ passes: number; value: string | null; groups: string[] }>({
    sql: `SELECT ${sql.filter} AS passes, toString(${sql.value}) AS value, [${sql.dimensions.join(', ')}]::Array(String) AS groups
          FROM (SELECT place${sql.columns.map((column) => `, ${column}`).join('')} FROM documents WHERE set = ${set}) ORDER BY place`,
    parameters: placeholders.parameters,
  });
  return rows.map(({ passes, value, groups }) => [passes === 1, value, groups]);
}

function inDomain(documents: readonly string[], rule: CountingRule): unknown[] {
  return documents.map((document) => {
    const data = parseData(document);
    const value = valueByRule(data, rule);
    return [rule.filter === null || matchesFilter(data, rule.filter), value.ok ? value.text : null, rule.dimensions.map(({ path }) => textOf(valueAt(data, path)) ?? '')];
  });
}

const values = [
  '0', '5', '-5', '5.5', '1.1', '0.1', '100', '123456789012345', '1234567890123456', '0.000001', '0.0000001', '-0.0000001', '99999999999999999999.999999999999999999', '100000000000000000000',
  '0.0000000000000000001', '1e41', '1e-42', '123456789012345678901234567890123456789', '12345678901234567890123456789012345678.5', '18446744073709551616', '9223372036854775808',
  'true', 'false', 'null', '{}', '[]', '[5]', '["eu",5,null,true,12345678901234567890]', '{"k":0.1,"l":["x",12345678901234567890]}',
  '""', '"5"', '"005.10"', '"5.0"', '"-5"', '"+5"', '"5e0"', '" 5"', '"0.0000000000000000001"', '"99999999999999999999"', '"999999999999999999990"', `"${'0'.repeat(30)}5"`, `"1.${'0'.repeat(40)}"`,
  '"eu"', '"EU"', '"é"', '"\\uff5e"', '"😀"', '"a\\"b\\\\c\\n\\t/"', '"{}"', '"[5]"', '"null"', '"true"', `"${mark}"`, `"${mark}5"`, `"${mark}${mark}5"`, `["${mark}5","${mark}${mark}",5]`, `{"${mark}5":1}`,
  `",\\"${mark}5\\""`, `[",\\"${mark}5\\""]`,
];
const documents = ['{}', ...values.map((value) => `{"v":${value}}`), ...values.map((value) => `{"w":${value},"v":5}`), '{"v":{"v":5}}', `{"${mark}v":5}`];

const filters = [
  'data.v == 5', 'data.v != 5', 'data.v < 5.5', 'data.v >= -0.0000001', 'data.v > 99999999999999999999.999999999999999998', 'data.v == 12345678901234567890123456789012345678.5', '5 > data.v',
  'data.v == "eu"', 'data.v < "é"', 'data.v >= "～"', `data.v == "${mark}5"`, 'data.v == true', 'data.v != false', 'data.v == null', 'data.v != null', 'data.v', '!data.v',
  'has(data.v)', 'has(data.v.v)', '!has(data.w)', 'data.v in [5, "eu", null]', 'data.v in [true]', '!(data.v in [5, 6])', '!(data.v in ["eu"])', 'data.v in []', '!(data.v in [null])',
  '5 in data.v', '"eu" in data.v', 'null in data.v', 'true in data.v', '12345678901234567890 in data.v', `"${mark}5" in data.v`, '!("x" in data.v)',
  'data.v == data.w', 'data.v != data.w', 'data.v < data.w', 'data.w <= data.v', 'data.v == 5 || data.w == 5', 'data.v == 5 && !(data.w == 6)', '!(data.v == 5 || data.w != "eu")', `data["${mark}v"] == 5`,
  'data.v + 1 > 5', 'data.v - data.w < 0.5', 'data.v * data.v >= 25', 'data.v / 3 == 1.666666666666666667', 'data.v / data.w > 1', '!(data.v / data.w > 1)', 'data.v % 2 == 1', 'data.v % data.w != 0', '-data.v < 0',
  'double(data.v) == 5', 'double(data.v) + 0.1 < 100', 'data.v * 0.000000000000000001 < 0.5', 'data.v + 0 == data.v', 'data.v * 99999999999999999999 > 1', '1 + 1 == 2',
  'data.v.startsWith("e")', 'data.v.endsWith("5")', 'data.v.contains(r"\\")', 'data.v.contains("")', '"eu".contains(data.v)', 'data.v.startsWith(data.v)', `data.v.startsWith("${mark}")`, 'data.v.contains(data.w)',
  'data.v.matches("^[a-z]{2}$")', 'data.v.matches("5")', 'data.v.matches(".\\\\s*.$")', 'data.v.matches("^[^a-f]*$")', 'data.v.matches("^(?:eu|EU|é|(?:.|\\n){3,9})+$")', 'data.v.matches("")', 'data.v.matches("\\\\\\\\c\\\\W")',
  'size(data.v) == 2', 'size(data.v) > 0', '!(data.v.size() == 1)', 'data.v.upperAscii() == "EU"', 'data.v.lowerAscii() < data.v', 'size(data.v.lowerAscii()) > 1',
  '(data.v ? 1 : 2) == 1', 'data.v == 5 ? data.w == 5 : data.v == "eu"', '(data.v == 5 ? data.w : data.v) == null', '(data.v > 1 ? data.w : 7) == 7', '(has(data.w) ? data.v : "none") == "none"', '(data.v == true ? data.v : data.w)',
  '(data.v == 5) == (data.w == 5)', '(data.v > 1) != data.w', 'data.v in [data.w, 5]', '!(data.v in [data.w, 6])', 'data.v in [data.w, null, "eu"]', 'data.v + 0 in [5, data.w]', 'data.v.lowerAscii() in ["eu", data.w]', '(data.v == 5) in [true, data.w]',
  'data.w in data.v', 'data.v - 1 + 1 in data.v', 'data.w.lowerAscii() in data.v', '!(data.w in data.v)', '(data.w == 5) in data.v',
];

const valueExpressions = [
  'data.v', 'data.v / 1000000.0', 'data.v * data.v', 'data.v - data.w', 'double(data.v) * 2', 'data.v / data.w', 'data.v % 7', 'has(data.w) ? data.w : data.v', 'data.w == 5 ? data.v * 2 : 0.5', 'size(data.v)', '-data.v', 'data.v + 99999999999999999999',
];

describe('a meter in SQL', () => {
  it('filters as the domain does', async () => {
    const set = await store(documents);
    for (const filter of filters) {
      const rule = countingRule({ aggregation: 'count', valuePath: null, groupBy: {}, filter });
      const [sql, domain] = [await inSql(set, rule), inDomain(documents, rule)];
      const different = documents.flatMap((document, place) => (JSON.stringify(sql[place]) === JSON.stringify(domain[place]) ? [] : [`${filter} of ${document}: ${JSON.stringify(sql[place])}, not ${JSON.stringify(domain[place])}`]));
      expect(different).toEqual([]);
    }
  });

  it.each(['sum', 'unique_count'] as const)('takes values and groups as the domain does, for %s', async (aggregation) => {
    const set = await store(documents);
    const rule = countingRule({ aggregation, valuePath: '$.v', groupBy: { a: '$.v', b: '$.w', c: '$.v.v', d: '$.v.k' }, filter: null });
    expect(await inSql(set, rule)).toEqual(inDomain(documents, rule));
  });

  it('works values out as the domain does', async () => {
    const set = await store(documents);
    for (const valuePath of valueExpressions) {
      for (const aggregation of ['sum', 'unique_count'] as const) {
        const rule = countingRule({ aggregation, valuePath, groupBy: {}, filter: null });
        expect(await inSql(set, rule), `${aggregation} of ${valuePath}`).toEqual(inDomain(documents, rule));
      }
    }
    const rule = countingRule({ aggregation: 'unique_count', valuePath: 'data.v.lowerAscii()', groupBy: {}, filter: null });
    expect(await inSql(set, rule)).toEqual(inDomain(documents, rule));
  });

  it('does so for any expressions', async () => {
    const set = await store(documents);
    const literal = fc.oneof(fc.integer({ min: -9, max: 9 }).map(String), fc.constantFrom('0.1', '2.5', '12345678901234567890', '0.000000000000000001', '"eu"', '"5"'));
    const { number, text, condition } = fc.letrec<{ number: string; text: string; condition: string }>((tie) => {
      const numbers = tie('number');
      const texts = tie('text');
      const conditions = tie('condition');
      return {
        number: fc.oneof({ maxDepth: 4, depthIdentifier: 'expression' }, fc.constantFrom('data.v', 'data.w', '3', '0.7', '-2'), fc.tuple(numbers, fc.constantFrom('+', '-', '*', '/', '%'), numbers).map(([a, sign, b]) => `(${a} ${sign} ${b})`),
          texts.map((a) => `size(${a})`), fc.constant('double(data.v)'), fc.tuple(conditions, numbers, numbers).map(([a, b, c]) => `(${a} ? ${b} : ${c})`)),
        text: fc.oneof({ maxDepth: 4, depthIdentifier: 'expression' }, fc.constantFrom('data.v', 'data.w', '"eu"', '""'), texts.map((a) => `${a}.upperAscii()`), fc.tuple(conditions, texts, texts).map(([a, b, c]) => `(${a} ? ${b} : ${c})`)),
        condition: fc.oneof({ maxDepth: 4, depthIdentifier: 'expression' }, fc.constantFrom('data.v', 'data.w == 5', 'has(data.w)'), conditions.map((a) => `!${a}`), fc.tuple(conditions, fc.constantFrom('&&', '||'), conditions).map(([a, sign, b]) => `(${a} ${sign} ${b})`),
          fc.tuple(numbers, fc.constantFrom('==', '!=', '<', '>='), numbers).map(([a, sign, b]) => `(${a} ${sign} ${b})`), fc.tuple(texts, fc.constantFrom('startsWith', 'endsWith', 'contains'), texts).map(([a, test, b]) => `${a}.${test}(${b})`),
          fc.tuple(fc.constantFrom('data.v', 'data.w'), fc.array(fc.oneof(literal, numbers), { minLength: 1, maxLength: 3 })).map(([a, list]) => `(${a} in [${list.join(', ')}])`), numbers.map((a) => `(${a} in data.v)`)),
      };
    });
    await fc.assert(
      fc.asyncProperty(condition, number, text, async (filter, value, unique) => {
        fc.pre(parseFilter(filter).ok && meterFaults({ aggregation: 'sum', valuePath: value, percentile: null, groupBy: {}, filter }).length === 0);
        const rule = countingRule({ aggregation: 'sum', valuePath: value, groupBy: {}, filter });
        expect(await inSql(set, rule)).toEqual(inDomain(documents, rule));
        const ofUnique = { aggregation: 'unique_count' as const, valuePath: unique, percentile: null, groupBy: {}, filter: null };
        if (meterFaults(ofUnique).length === 0) expect(await inSql(set, countingRule(ofUnique))).toEqual(inDomain(documents, countingRule(ofUnique)));
      }),
      { numRuns: runsOf({ short: 30, long: 2_000 }) },
    );
  }, runsOf({ short: 120_000, long: 1_800_000 }));

  it('says the longest and the deepest expressions that are taken', async () => {
    const set = await store(documents);
    const nested = Array.from({ length: 9 }).reduce<string>((inner) => `((${inner}) > 1 ? data.v : data.w)`, 'data.v');
    const extremes = [
      `${'data.v + '.repeat(49)}data.w > 5`, `data.v / ${Array.from({ length: 49 }, () => '3').join(' / ')} < 1`, `${nested} == 5`, `${'(1 - '.repeat(25)}data.v${')'.repeat(25)} > 0`,
      `data.v + 1 in [${Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? 'data.w' : `${index}`)).join(', ')}]`, `${'data.v == 5 || '.repeat(130)}data.w == 5`, `data.v.matches("^(?:[^b-y]{1,20}|eu){1,8}$")`,
    ];
    for (const filter of extremes) {
      const rule = countingRule({ aggregation: 'count', valuePath: null, groupBy: {}, filter });
      expect(await inSql(set, rule), filter).toEqual(inDomain(documents, rule));
    }
  }, 120_000);

  it('finds any patterns as the domain does', async () => {
    const texts = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '1', ' ', '\n', '.', 'é', '😀', '-'), maxLength: 8 }), { minLength: 50, maxLength: 50 });
    const { pattern } = fc.letrec<{ pattern: string }>((tie) => {
      const inner = tie('pattern');
      return {
        pattern: fc.oneof({ maxDepth: 4 }, fc.constantFrom('a', 'b', '1', 'é', '😀', '.', '\\d', '\\W', '\\s', '[a-é]', '[^a-b]', '[\\w.-]', '\\.', '^', '$', ''), fc.tuple(inner, inner).map(([a, b]) => `${a}${b}`), fc.tuple(inner, inner).map(([a, b]) => `(?:${a}|${b})`),
          fc.tuple(inner, fc.constantFrom('*', '+', '?', '{2}', '{1,2}', '{2,}', '*?')).map(([a, times]) => `(${a})${times}`)),
      };
    });
    await fc.assert(
      fc.asyncProperty(pattern, texts, async (any, all) => {
        const filter = `data.v.matches(${JSON.stringify(any)})`;
        fc.pre(parseFilter(filter).ok);
        const random = all.map((text) => JSON.stringify({ v: text }));
        const set = await store(random);
        const rule = countingRule({ aggregation: 'count', valuePath: null, groupBy: {}, filter });
        expect(await inSql(set, rule)).toEqual(inDomain(random, rule));
      }),
      { numRuns: runsOf({ short: 30, long: 2_000 }) },
    );
  }, runsOf({ short: 120_000, long: 1_800_000 }));

  it('does so for any documents', async () => {
    const texts = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('5', 'eu', mark, `${mark}1`)).map((text) => JSON.stringify(text.replaceAll(/[\u0000-\u001f\u2028\u2029]/g, '')));
    const numbers = fc.tuple(fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }), fc.stringMatching(/^[0-9]{0,20}[1-9]$/), fc.boolean()).map(([whole, digits, isWhole]) => (isWhole ? `${whole}` : `${whole}.${digits}`));
    const value = fc.letrec<{ value: string }>((tie) => ({
      value: fc.oneof({ maxDepth: 2 }, numbers, fc.integer().map(String), texts, fc.constantFrom('true', 'false', 'null'), fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join(',')}]`), tie('value').map((item) => `{"k":${item}}`)),
    })).value;
    const any = fc.array(fc.tuple(value, value).map(([v, w]) => `{"v":${v},"w":${w}}`), { minLength: 200, maxLength: 200 });
    const rule = countingRule({ aggregation: 'max', valuePath: '$.w', groupBy: { a: '$.v', b: '$.v.k' }, filter: 'data.v == data.w || data.v < 1000000000000000000000 || "eu" in data.v || data.v > "b" && !(data.w in [5, "eu"])' });
    await fc.assert(
      fc.asyncProperty(any, async (random) => {
        const set = await store(random);
        const [sql, domain] = [await inSql(set, rule), inDomain(random, rule)];
        for (const [place, document] of random.entries()) expect(sql[place], document).toEqual(domain[place]);
      }),
      { numRuns: 5 },
    );
  });
});
