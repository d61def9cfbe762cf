import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { parquetReadObjects } from 'hyparquet';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scopes } from '#contracts';
import { EventPages } from '#persistence';
import { createHttpApp, makeIds, systemClock, type Clock } from '#platform';
import { useClickHouse, usePostgres } from '#testing';
import { AggregatorFixture } from '../aggregator-fixture.js';
import { AggregatorMetrics } from '../aggregator-metrics.js';
import { AggregatorModule } from '../aggregator.module.js';
import { ExportFiles } from '../export-files.js';
import { ReadExportRows } from '../export-rows.js';
import { RunExports } from '../run-exports.js';

// Goal: files of rated usage and invoices hold what rating and invoicing have stored, to the digit, each row once. Method: rows
// written as those two leave them, exported over HTTP in pages of two, and read back.

usePostgres();
useClickHouse();
let fixture: AggregatorFixture;
let app: NestFastifyApplication;
let dir: string;
const clock: Clock = { now: () => Temporal.Instant.from('2026-12-05T12:00:00Z'), sleep: systemClock.sleep };

const ratedDays: readonly (readonly [customer: string, price: string, day: string, start: string, quantity: string, minor: string, currency: string])[] = [
  ['acme', 'calls', '2026-11-01', '2026-10-31T23:00:00Z', '1', '1', 'USD'], // Of Berlin: its day began in October.
  ['acme', 'calls', '2026-11-02', '2026-11-01T23:00:00Z', '0.000000000000000001', '-12', 'USD'],
  ['acme', 'seats', '2026-11-02', '2026-11-01T23:00:00Z', '5', '500', 'USD'],
  ['=formula', 'calls', '2026-11-02', '2026-11-02T00:00:00Z', '99999999999999999999.5', '9007199254740993', 'BHD'],
  ['globex', 'calls', '2026-11-02', '2026-11-02T00:00:00Z', '7', '13', 'JPY'],
  ['globex', 'calls', '2026-12-01', '2026-12-01T00:00:00Z', '8', '8', 'JPY'], // After the range.
];

beforeAll(async () => {
  fixture = await AggregatorFixture.start();
  dir = await mkdtemp(join(tmpdir(), 'tollway-exports-'));
  const { database, log, clickhouse, admin } = fixture.parts;
  const logger = pino({ level: 'silent' });
  app = await createHttpApp({
    module: AggregatorModule.register({ database, log, clickhouse, clock, logger, metrics: new AggregatorMetrics(systemClock), exports: { dir, retentionDays: 7 }, lookEveryMs: 3_600_000 }),
    logger,
    authenticator: { authenticate: (credential) => Promise.resolve({ organizationId: credential === 'b' ? 'org_b' : 'org_a', mode: 'test', credentialId: credential, scopes: new Set(credential === 'usage' ? ['usage:read'] : scopes) }) },
    decimalFields: new Set(),
  });
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  await fixture.addOrganizations(['org_a', 'org_b']);
  for (const key of ['acme', '=formula', 'globex']) await fixture.addCustomer({ key });
  await admin.query(`insert into plans (id, organization_id, key, name, latest_version, created_at) values ('plan_1', 'org_a', 'growth', 'Growth', 1, now())`);
  for (const [index, key] of ['acme', '=formula', 'globex'].entries()) {
    await admin.query(
      `insert into rated_periods (organization_id, subscription_id, period_index, customer_id, plan_id, plan_version, period_start, period_end, is_final, complete_as_of, generation, rated_at)
       values ('org_a', $1, 0, $2, 'plan_1', 1, '2026-11-01', '2026-12-01', $3, '2026-11-20T00:00:00.5Z', 1, now())`, [`sub_${key}`, `cus_org_a_${key}`, index > 0]);
  }
  for (const ofPrice of Map.groupBy(ratedDays, ([key, price]) => `${key} ${price}`).values()) {
    const [first] = ofPrice;
    if (first === undefined) throw new Error('A group has at least one row.');
    const [key, price, , , , , currency] = first;
    const starts = ofPrice.map((row) => row[3]);
    await admin.query(
      `insert into rated_days (organization_id, subscription_id, period_index, customer_id, plan_id, price_id, price_key, currency, days, day_starts, quantities, amounts_minor, first_start, last_start)
       values ('org_a', $1, 0, $2, 'plan_1', $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
      [`sub_${key}`, `cus_org_a_${key}`, `price_${price}`, price, currency, ofPrice.map((row) => row[2]), starts, ofPrice.map((row) => row[4]), ofPrice.map((row) => row[5]), starts[0], starts.at(-1)]);
  }
  for (let index = 0; index < 5; index += 1) {
    const status = ['paid', 'void', 'open', 'draft', 'paid'][index];
    const issuedAt = status === 'draft' ? null : index === 4 ? '2026-12-01T00:00:00Z' : `2026-11-0${index + 1}T01:00:00.25Z`;
    await admin.query(
      `insert into invoices (id, organization_id, kind, number, customer_id, subscription_id, period_index, plan_id, plan_version, status, currency, collection, period_start, period_end, subtotal_minor, total_minor, amount_due_minor, amount_paid_minor, dated_at, issued_at, due_at, paid_at)
       values ($1, 'org_a', 'period', $2, $3, 'sub_1', $4, 'plan_1', 1, $5, 'USD', 'automatic', '2026-10-01', '2026-11-01', 5071, 5071, 5071, $6, '2026-11-01', $7::timestamptz, $7::timestamptz, $8::timestamptz)`,
      [`inv_${index}`, status === 'draft' ? null : `INV-${index}`, `cus_org_a_${index === 2 ? 'globex' : 'acme'}`, index, status, status === 'paid' ? 5071 : 0, issuedAt, status === 'paid' ? issuedAt : null]);
    const lines = index === 2 ? [] : [['usage', '=Calls, "many"', '151.000000000000000001', '1.510000000000000001', 151, '{"region":"eu\\u241b0"}'], ['advance', 'Base fee', null, null, 4920, '{}']];
    for (const [position, [kind, description, quantity, unrounded, minor, group]] of lines.entries()) {
      await admin.query(
        `insert into invoice_lines (id, organization_id, invoice_id, position, kind, ref, price_id, price_key, description, quantity, unrounded_amount, amount_minor, period_start, period_end, group_values)
         values ($1, 'org_a', $2, $3, $4, $1, 'price_1', 'calls', $5, $6, $7, $8, '2026-10-01', '2026-11-01', $9)`, [`il_${index}${position}`, `inv_${index}`, position, kind, description, quantity, unrounded, minor, group]);
    }
  }
}, 60_000);

afterAll(async () => {
  await app.close();
  await fixture.close();
  await rm(dir, { recursive: true });
});

const november = { from: '2026-11-01T00:00:00Z', to: '2026-12-01T00:00:00Z' };

async function call(method: 'GET' | 'POST', path: string, options: { body?: object; key?: string } = {}) {
  const headers = { authorization: `Bearer ${options.key ?? 'a'}`, ...(options.body === undefined ? {} : { 'content-type': 'application/json' }) };
  const answer = await app.inject({ method, url: `/v1/exports${path}`, headers, ...(options.body === undefined ? {} : { payload: options.body }) });
  return { status: answer.statusCode, bytes: answer.rawPayload, body: (/json/.test(String(answer.headers['content-type'])) ? answer.json() : {}) as Record<string, unknown> };
}

async function exported(body: object, options: { key?: string; rowsMax?: number } = {}): Promise<{ id: string; text: string; rows: Record<string, unknown>[]; found: Record<string, unknown> }> {
  const { database, clickhouse } = fixture.parts;
  const read = new ReadExportRows({ database, events: new EventPages(clickhouse), usage: fixture.usage, readMeterUsage: fixture.readUsage, clock, rowsMax: options.rowsMax ?? 2 });
  const { body: { id } } = await call('POST', '', { body: { ...november, ...body }, ...options });
  await new RunExports({ database, read, files: new ExportFiles(dir), ids: makeIds(), clock, logger: pino({ level: 'silent' }), retentionDays: 7 }).execute();
  const { body: found } = await call('GET', `/${String(id)}`, options);
  expect([found['status'], found['error']]).toEqual(['done', null]);
  const { bytes } = await call('GET', `/${String(id)}/download`, options);
  const rows = found['format'] === 'parquet' ? await parquetReadObjects({ file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer }) : [];
  return { id: String(id), text: bytes.toString(), rows, found };
}

describe('rated usage', () => {
  it('is every rated day that begins in the range, once, whatever the pages', async () => {
    const { text, found } = await exported({ kind: 'rated_usage', format: 'csv' });
    // Days of UTC one after the other: Berlin's 2 November begins on the first of them. Amounts have the digits of their currency: USD 2, BHD 3, JPY none.
    expect(text.split('\r\n')).toEqual([
      'customer,customer_key,plan,plan_key,price,price_key,day,quantity,amount,currency,state,adjusts_start,adjusts_end',
      'cus_org_a_acme,acme,plan_1,growth,price_calls,calls,2026-11-02,0.000000000000000001,-0.12,USD,open,,',
      'cus_org_a_acme,acme,plan_1,growth,price_seats,seats,2026-11-02,5,5.00,USD,open,,',
      "cus_org_a_=formula,'=formula,plan_1,growth,price_calls,calls,2026-11-02,99999999999999999999.5,9007199254740.993,BHD,closed,,",
      'cus_org_a_globex,globex,plan_1,growth,price_calls,calls,2026-11-02,7,13,JPY,closed,,',
      '',
    ]);
    // The open period was rated with what was known then.
    expect([found['rows'], found['fresh_as_of']]).toEqual([4, '2026-11-20T00:00:00.5Z']);
  });

  it('is the same in Parquet, and of one customer', async () => {
    const { rows } = await exported({ kind: 'rated_usage', format: 'parquet', customer: 'acme', from: '2026-10-31T00:00:00Z' });
    expect(rows.map(({ day, price_key: price, quantity, amount, adjusts_start: adjusts }) => [day, price, quantity, amount, adjusts])).toEqual([
      ['2026-11-01', 'calls', '1', '0.01', null], ['2026-11-02', 'calls', '0.000000000000000001', '-0.12', null], ['2026-11-02', 'seats', '5', '5.00', null],
    ]);
  });
});

describe('invoices', () => {
  it('are those issued in the range, a row for each line, their own amounts once', async () => {
    const { text, found } = await exported({ kind: 'invoices', format: 'csv' });
    const [header = '', ...rows] = text.split('\r\n').slice(0, -1);
    expect(header).toBe(
      'invoice,number,status,customer,customer_key,subscription,currency,issued_at,due_at,paid_at,subtotal,discount,tax,total,credits_applied,amount_due,amount_paid,amount_remaining,'
      + 'line,kind,price,price_key,description,period_start,period_end,group,quantity,unrounded_amount,amount');
    const at = (day: number) => `2026-11-0${day}T01:00:00.25Z`;
    const line = 'price_1,calls';
    const period = '2026-10-01T00:00:00Z,2026-11-01T00:00:00Z';
    // 1.51 + 49.20 = 50.71. The draft is none yet, and the last one was issued after the range.
    expect(rows).toEqual([
      `inv_0,INV-0,paid,cus_org_a_acme,acme,sub_1,USD,${at(1)},${at(1)},${at(1)},50.71,0.00,0.00,50.71,0.00,50.71,50.71,0.00,il_00,usage,${line},"'=Calls, ""many""",${period},"{""region"":""eu\\u0000""}",151.000000000000000001,1.510000000000000001,1.51`,
      `inv_0,INV-0,paid,cus_org_a_acme,acme,sub_1,USD,${at(1)},${at(1)},${at(1)},,,,,,,,,il_01,advance,${line},Base fee,${period},{},,,49.20`,
      `inv_1,INV-1,void,cus_org_a_acme,acme,sub_1,USD,${at(2)},${at(2)},,50.71,0.00,0.00,50.71,0.00,50.71,0.00,0.00,il_10,usage,${line},"'=Calls, ""many""",${period},"{""region"":""eu\\u0000""}",151.000000000000000001,1.510000000000000001,1.51`,
      `inv_1,INV-1,void,cus_org_a_acme,acme,sub_1,USD,${at(2)},${at(2)},,,,,,,,,,il_11,advance,${line},Base fee,${period},{},,,49.20`,
      `inv_2,INV-2,open,cus_org_a_globex,globex,sub_1,USD,${at(3)},${at(3)},,50.71,0.00,0.00,50.71,0.00,50.71,0.00,50.71,,,,,,,,,,,`,
    ]);
    expect([found['rows'], found['fresh_as_of']]).toEqual([5, '2026-12-05T12:00:00Z']);
  });

  it('are the same in Parquet, and of one customer, in pages of one', async () => {
    const { rows } = await exported({ kind: 'invoices', format: 'parquet', customer: 'acme', to: '2026-12-02T00:00:00Z' }, { rowsMax: 1 });
    expect(rows.map(({ invoice, line, amount, total }) => [invoice, line, amount, total])).toEqual([
      ['inv_0', 'il_00', '1.51', '50.71'], ['inv_0', 'il_01', '49.20', null], ['inv_1', 'il_10', '1.51', '50.71'], ['inv_1', 'il_11', '49.20', null], ['inv_4', 'il_40', '1.51', '50.71'], ['inv_4', 'il_41', '49.20', null],
    ]);
  });
});

describe('who may have them', () => {
  it.each([['rated_usage', 'finance:read'], ['invoices', 'invoices:read']])('%s needs %s', async (kind, scope) => {
    const body = { kind, format: 'csv', ...november };
    expect(await call('POST', '', { body, key: 'usage' })).toMatchObject({ status: 403, body: { code: 'scope_missing', detail: `This credential lacks the scope ${scope}.` } });
    const { id } = await exported(body, { rowsMax: 10 });
    expect([(await call('GET', `/${id}/download`, { key: 'usage' })).status, (await call('GET', `/${id}/download`, { key: 'b' })).status]).toEqual([403, 404]);
    expect((await exported(body, { key: 'b' })).text.split('\r\n')).toHaveLength(2); // Another organization has none: a header, and its end.
  });

  it.each([['rated_usage', 'meter'], ['invoices', 'type'], ['invoices', 'window']])('%s have no %s', async (kind, field) => {
    const answer = await call('POST', '', { body: { kind, format: 'csv', ...november, [field]: field === 'window' ? 'day' : 'x' } });
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ pointer: `/${field}`, code: 'not_of_this_kind' }] } });
  });
});
