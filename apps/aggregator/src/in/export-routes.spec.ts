import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { parquetReadObjects } from 'hyparquet';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scopes } from '#contracts';
import { claimExport, EventPages } from '#persistence';
import { createHttpApp, makeIds, systemClock, type Clock } from '#platform';
import { useClickHouse, usePostgres } from '#testing';
import { AggregatorFixture } from '../aggregator-fixture.js';
import { AggregatorMetrics } from '../aggregator-metrics.js';
import { AggregatorModule } from '../aggregator.module.js';
import { ExportFiles } from '../export-files.js';
import { ReadExportRows } from '../export-rows.js';
import { RunExports } from '../run-exports.js';

// Goal: exported files say what the API says, to the digit, and survive whoever writes them. Method: the whole module
// behind HTTP; its own worker is slow to look, so that the test runs exports itself where it says.

usePostgres();
useClickHouse();
let fixture: AggregatorFixture;
let app: NestFastifyApplication;
let dir: string;
let now = Temporal.Instant.from('2026-11-28T12:00:00Z');
const clock: Clock = { now: () => now, sleep: systemClock.sleep };

beforeAll(async () => {
  fixture = await AggregatorFixture.start();
  dir = await mkdtemp(join(tmpdir(), 'tollway-exports-'));
  const { database, log, clickhouse } = fixture.parts;
  const logger = pino({ level: 'silent' });
  app = await createHttpApp({
    module: AggregatorModule.register({ database, log, clickhouse, clock, logger, metrics: new AggregatorMetrics(systemClock), exports: { dir, retentionDays: 7 }, lookEveryMs: 3_600_000 }),
    logger,
    authenticator: { authenticate: (credential) => Promise.resolve({ organizationId: credential === 'b' ? 'org_b' : 'org_a', mode: 'test', credentialId: credential, scopes: new Set(credential === 'blind' ? ['events:write'] : scopes) }) },
    decimalFields: new Set(),
  });
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  await fixture.addOrganizations(['org_a', 'org_b']);
  await fixture.addMeter({ key: 'bytes', aggregation: 'sum', valuePath: '$.bytes', groupBy: { route: '$.route' } });
  await fixture.addCustomer({ key: 'acme', subjects: [{ subject: 's1', to: '2026-11-15T00:00:00Z' }] });
  await fixture.addCustomer({ key: 'globex', subjects: [{ subject: 's1', from: '2026-11-15T00:00:00Z' }] });
  await fixture.deliver([
    { id: 'late-october', time: '2026-10-31T23:59:59.999999Z', data: '{"bytes":1,"route":"/a"}' },
    { id: 'e1', time: '2026-11-01T00:00:00.000001Z', receivedAt: '2026-11-01T00:00:05Z', data: '{"bytes":9007199254740993.000000000000000001,"route":"=cmd|x"}' },
    { id: 'e2', time: '2026-11-14T23:59:59Z', data: '{"bytes":0.1,"note":"a \\"quoted\\" \\n line","route":"/a"}' },
    { id: 'e3', time: '2026-11-15T00:00:00Z', data: '{"bytes":0.2,"route":"/a"}' }, // From here on the subject is of the other customer.
    { id: 'gone', time: '2026-11-16T00:00:00Z', data: '{"bytes":5,"route":"/a"}' },
    { id: '-formula', subject: 'nobody', type: 'other', time: '2026-11-17T00:00:00Z', data: '{}' },
    { id: 'b1', organization: 'org_b', time: '2026-11-17T00:00:00Z' },
    { id: 'gone', void: true },
    { id: 'e3', amend: '{"bytes":0.3,"route":"/b"}' },
  ]);
}, 60_000);

afterAll(async () => {
  await app.close();
  await fixture.close();
  await rm(dir, { recursive: true });
});

const november = { from: '2026-11-01T00:00:00Z', to: '2026-12-01T00:00:00Z' };

async function call(method: 'GET' | 'POST' | 'DELETE', path: string, options: { body?: object; key?: string } = {}) {
  const answer = await app.inject({
    method, url: `/v1/exports${path}`, headers: { authorization: `Bearer ${options.key ?? 'a'}`, ...(options.body === undefined ? {} : { 'content-type': 'application/json' }) }, ...(options.body === undefined ? {} : { payload: options.body }),
  });
  return { status: answer.statusCode, headers: answer.headers, bytes: answer.rawPayload, body: (/json/.test(String(answer.headers['content-type'])) ? answer.json() : {}) as Record<string, unknown> };
}

function runner(options: { rowsMax?: number; pageRowsMax?: number } = {}): RunExports {
  const { database, clickhouse } = fixture.parts;
  const read = new ReadExportRows({ database, events: new EventPages(clickhouse, { pageRowsMax: options.pageRowsMax ?? 10_000 }), usage: fixture.usage, readMeterUsage: fixture.readUsage, clock, ...options });
  return new RunExports({ database, read, files: new ExportFiles(dir), ids: makeIds(), clock, logger: pino({ level: 'silent' }), retentionDays: 7 });
}

async function exported(body: object): Promise<{ id: string; bytes: Buffer; text: string; rows: number }> {
  const { body: { id } } = await call('POST', '', { body });
  await runner().execute();
  const { body: found } = await call('GET', `/${String(id)}`);
  const { bytes, status } = await call('GET', `/${String(id)}/download`);
  expect([found['status'], found['error'], found['bytes'], found['sha256'], status]).toEqual(['done', null, bytes.length, createHash('sha256').update(bytes).digest('hex'), 200]);
  return { id: String(id), bytes, text: bytes.toString(), rows: Number(found['rows']) };
}

function parquetRows(bytes: Buffer): Promise<Record<string, unknown>[]> {
  return parquetReadObjects({ file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer });
}

/** The same file as ClickHouse reads it: another program, and no float where there is a text. */
async function readByClickHouse(bytes: Buffer, columns: string): Promise<unknown[]> {
  return fixture.parts.clickhouse.query({ sql: `SELECT ${columns} FROM format(Parquet, unhex('${bytes.toString('hex')}')) ORDER BY ALL` });
}

describe('events', () => {
  it('are those that count, with their present data and the customer of their time', async () => {
    const { text, rows } = await exported({ kind: 'events', format: 'csv', ...november });
    expect([rows, text.split('\r\n')]).toEqual([4, [
      'id,source,type,subject,customer,time,received_at,data',
      'e1,default,call,s1,cus_org_a_acme,2026-11-01T00:00:00.000001Z,2026-11-01T00:00:05.000000Z,"{""bytes"":9007199254740993.000000000000000001,""route"":""=cmd|x""}"',
      'e2,default,call,s1,cus_org_a_acme,2026-11-14T23:59:59.000000Z,2026-11-20T00:00:00.000000Z,"{""bytes"":0.1,""note"":""a \\""quoted\\"" \\n line"",""route"":""/a""}"',
      'e3,default,call,s1,cus_org_a_globex,2026-11-15T00:00:00.000000Z,2026-11-20T00:00:00.000000Z,"{""bytes"":0.3,""route"":""/b""}"',
      "'-formula,default,other,nobody,,2026-11-17T00:00:00.000000Z,2026-11-20T00:00:00.000000Z,{}",
      '',
    ]]);
  });

  it('keep every digit and microsecond in Parquet, for two readers', async () => {
    const { bytes } = await exported({ kind: 'events', format: 'parquet', ...november, customer: 'acme' });
    expect((await parquetRows(bytes)).map(({ id, customer, data }) => [id, customer, data])).toEqual([
      ['e1', 'cus_org_a_acme', '{"bytes":9007199254740993.000000000000000001,"route":"=cmd|x"}'],
      ['e2', 'cus_org_a_acme', '{"bytes":0.1,"note":"a \\"quoted\\" \\n line","route":"/a"}'],
    ]);
    expect(await readByClickHouse(bytes, 'id, toString(time) AS time, data')).toEqual([
      { id: 'e1', time: '2026-11-01 00:00:00.000001', data: '{"bytes":9007199254740993.000000000000000001,"route":"=cmd|x"}' },
      { id: 'e2', time: '2026-11-14 23:59:59.000000', data: '{"bytes":0.1,"note":"a \\"quoted\\" \\n line","route":"/a"}' },
    ]);
  });

  it('come over months, by type, and of nobody else', async () => {
    const { rows } = await exported({ kind: 'events', format: 'csv', from: '2026-10-01T00:00:00Z', to: '2026-12-01T00:00:00Z', type: 'call' });
    expect(rows).toBe(4); // late-october, e1, e2, e3.
    const nothing = await exported({ kind: 'events', format: 'parquet', from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z' });
    expect([nothing.rows, await parquetRows(nothing.bytes)]).toEqual([0, []]);
  });

  it('come page by page, each once', async () => {
    // 40 events of two months in pages of 3: types, subjects and instants end within a page and at its end.
    const ids = Array.from({ length: 40 }, (_, index) => `p${index}`);
    const events = ids.map((id, index) => ({ id, type: `t${index % 2}`, subject: `s${index % 5}`, time: `2026-0${8 + (index % 2)}-01T00:00:0${index % 3}Z` }));
    await fixture.deliver(events, { position: 1_000 });
    const { body: { id: exportId } } = await call('POST', '', { body: { kind: 'events', format: 'parquet', from: '2026-08-01T00:00:00Z', to: '2026-10-01T00:00:00Z' } });
    await runner({ pageRowsMax: 3 }).execute();
    const { bytes } = await call('GET', `/${String(exportId)}/download`);
    expect((await parquetRows(bytes)).map(({ id }) => String(id)).sort()).toEqual(ids.sort());
  });
});

describe('usage', () => {
  it('is what the API answers, with exact values', async () => {
    const body = { kind: 'usage', ...november, meter: 'bytes', window: 'month', group_by: ['customer', 'route'] };
    // /a of acme: 0.1; =cmd|x of acme: 9007199254740993.000000000000000001; /b of globex: 0.3.
    const { text } = await exported({ ...body, format: 'csv' });
    expect(text.split('\r\n')).toEqual([
      'window_start,window_end,customer,group.route,value',
      '2026-11-01T00:00:00Z,2026-12-01T00:00:00Z,cus_org_a_acme,/a,0.1',
      "2026-11-01T00:00:00Z,2026-12-01T00:00:00Z,cus_org_a_acme,'=cmd|x,9007199254740993.000000000000000001",
      '2026-11-01T00:00:00Z,2026-12-01T00:00:00Z,cus_org_a_globex,/b,0.3',
      '',
    ]);
    const { bytes } = await exported({ ...body, format: 'parquet' });
    expect(await readByClickHouse(bytes, 'customer, "group.route" AS route, value')).toEqual([
      { customer: 'cus_org_a_acme', route: '/a', value: '0.1' },
      { customer: 'cus_org_a_acme', route: '=cmd|x', value: '9007199254740993.000000000000000001' },
      { customer: 'cus_org_a_globex', route: '/b', value: '0.3' },
    ]);
  });

  it('is cut into slices along the windows of the zone', async () => {
    // Hours of Berlin, read day by day: 00:00 UTC of 1 November is 01:00 there, and 15 November begins there at 23:00 UTC.
    const { text } = await exported({ kind: 'usage', format: 'csv', from: '2026-10-31T22:30:00Z', to: '2026-11-16T00:00:00Z', meter: 'bytes', window: 'hour', time_zone: 'Europe/Berlin' });
    expect(text.split('\r\n').slice(1, -1)).toEqual([
      '2026-10-31T23:00:00Z,2026-11-01T00:00:00Z,1',
      '2026-11-01T00:00:00Z,2026-11-01T01:00:00Z,9007199254740993.000000000000000001',
      '2026-11-14T23:00:00Z,2026-11-15T00:00:00Z,0.1',
      '2026-11-15T00:00:00Z,2026-11-15T01:00:00Z,0.3',
    ]);
  });

  it('fails with a reason where a slice has too many rows', async () => {
    const { body: { id } } = await call('POST', '', { body: { kind: 'usage', format: 'csv', ...november, meter: 'bytes', group_by: ['route'] } });
    await runner({ rowsMax: 2 }).execute(); // There are three routes.
    const { body } = await call('GET', `/${String(id)}`);
    expect([body['status'], (body['error'] as { code: string }).code, (await call('GET', `/${String(id)}/download`)).body['code']]).toEqual(['failed', 'result_too_large', 'export_failed']);
  });
});

describe('whoever writes it', () => {
  it('may die: another begins anew once the lease ran out, and the first can finish nothing', async () => {
    const { body: { id } } = await call('POST', '', { body: { kind: 'events', format: 'csv', ...november } });
    const dead = await fixture.parts.database.acrossOrganizations((manager) => claimExport(manager, { claim: 'job_dead', leaseMs: 60_000 }));
    expect([dead?.id, await runner().execute(), (await call('GET', `/${String(id)}`)).body['status']]).toEqual([id, 0, 'running']);
    await fixture.parts.admin.query(`update exports set lease_until = clock_timestamp() - interval '1 second' where id = $1`, [id]);
    expect([await runner().execute(), (await call('GET', `/${String(id)}`)).body['status'], (await call('GET', `/${String(id)}/download`)).status]).toEqual([1, 'done', 200]);
  });

  it('drops what was deleted meanwhile, and gives back what it can not finish', async () => {
    const body = { kind: 'events', format: 'csv', ...november };
    const before = (await readdir(dir)).length;
    const { body: { id } } = await call('POST', '', { body });
    const stopping = AbortSignal.abort();
    expect(await runner().execute(stopping)).toBe(0);
    expect((await call('DELETE', `/${String(id)}`)).status).toBe(204);
    expect([await runner().execute(), (await call('GET', `/${String(id)}`)).status, (await readdir(dir)).length]).toEqual([0, 404, before]);
  });

  it('gives up what was begun too often', async () => {
    const { body: { id } } = await call('POST', '', { body: { kind: 'events', format: 'csv', ...november } });
    await fixture.parts.admin.query('update exports set attempts = 10 where id = $1', [id]);
    await runner().execute();
    expect((await call('GET', `/${String(id)}`)).body['error']).toEqual({ code: 'tried_too_often', detail: 'It was begun 10 times and never finished.' });
  });
});

describe('the routes', () => {
  it('show an export from its beginning until its file is gone', async () => {
    const created = await call('POST', '', { body: { kind: 'usage', format: 'csv', ...november, meter: 'bytes', metadata: { why: 'audit' } } });
    const id = String(created.body['id']);
    expect(created).toMatchObject({ status: 201, body: { object: 'export', status: 'queued', meter: 'mtr_org_a_bytes', time_zone: 'UTC', customer: null, rows: null, error: null, expires_at: null, created_at: '2026-11-28T12:00:00Z', metadata: { why: 'audit' } } });
    expect(await call('GET', `/${id}/download`)).toMatchObject({ status: 409, body: { code: 'export_not_done' } });
    await runner().execute();
    const { headers } = await call('GET', `/${id}/download`);
    expect([headers['content-type'], headers['content-disposition']]).toEqual(['text/csv; charset=utf-8', `attachment; filename="usage-${id}.csv"`]);
    const listed = (await call('GET', '?limit=100')).body['data'] as { id: string }[];
    expect(listed.find((each) => each.id === id)).toMatchObject({ status: 'done', rows: 1, expires_at: '2026-12-05T12:00:00Z' });
    expect((await call('GET', '?limit=1')).body).toMatchObject({ data: [{ object: 'export' }], has_more: true });
    now = Temporal.Instant.from('2026-12-05T12:00:00Z');
    expect(await call('GET', `/${id}/download`)).toMatchObject({ status: 410, body: { code: 'export_expired' } });
    now = Temporal.Instant.from('2026-11-28T12:00:00Z');
  });

  it('take old files away, and no others', async () => {
    const { id } = await exported({ kind: 'events', format: 'csv', ...november });
    const mine = (await readdir(dir)).find((name) => name.startsWith(id)) ?? '';
    now = systemClock.now();
    await utimes(join(dir, mine), now.epochMilliseconds / 1_000, now.subtract({ hours: 7 * 24 + 2 }).epochMilliseconds / 1_000);
    const before = (await readdir(dir)).length;
    expect([await runner().sweep(), (await readdir(dir)).length]).toEqual([1, before - 1]);
    now = Temporal.Instant.from('2026-11-28T12:00:00Z');
    expect((await call('GET', `/${id}/download`)).status).toBe(503); // It should be there still: somebody took it.
  });

  it('are closed to other organizations and other scopes', async () => {
    const { id } = await exported({ kind: 'events', format: 'csv', ...november });
    const others = await Promise.all([call('GET', `/${id}`, { key: 'b' }), call('GET', `/${id}/download`, { key: 'b' }), call('DELETE', `/${id}`, { key: 'b' }), call('GET', `/${id}`, { key: 'blind' })]);
    expect([others.map(({ status }) => status), (await call('GET', '', { key: 'b' })).body['data'], (await call('GET', `/${id}`)).status]).toEqual([[404, 404, 404, 403], [], 200]);
  });

  it.each([
    ['a kind that is not offered', { kind: 'journal' }, ['/kind Exports are offered of events, usage, rated_usage, invoices.']],
    ['a format that is not offered', { format: 'focus' }, ['/format Exports are offered as csv and parquet.']],
    ['a range that ends before it begins', { to: '2026-10-01T00:00:00Z' }, ['/to "to" must be after "from".']],
    ['more than 366 days', { to: '2027-11-03T00:00:00Z' }, ['/to An export covers at most 366 days. Ask for several.']],
    ['fields of the other kind', { meter: 'bytes', window: 'day' }, ['/meter meter belongs to exports of usage.', '/window window belongs to exports of usage.']],
    ['usage of no meter', { kind: 'usage' }, ['/meter An export of usage is of one meter.']],
    ['what is not there', { kind: 'usage', meter: 'none', customer: 'none' }, ['/customer There is no such customer.', '/meter There is no such meter.']],
    ['a dimension that the meter has not', { kind: 'usage', meter: 'bytes', group_by: ['region'] }, ['/group_by The meter has no dimension "region". It has route.']],
    ['a field that nobody knows', { compress: true }, ['/compress There is no such field.']],
  ])('refuse %s', async (_, change, faults) => {
    const { status, body } = await call('POST', '', { body: { kind: 'events', format: 'csv', ...november, ...change } });
    expect([status, (body['errors'] as { pointer: string; detail: string }[]).map(({ pointer, detail }) => `${pointer} ${detail}`)]).toEqual([422, faults]);
  });

  it('let at most 20 of an organization wait', async () => {
    const body = { kind: 'events', format: 'csv', ...november };
    const answers = await Promise.all(Array.from({ length: 21 }, () => call('POST', '', { body, key: 'b' })));
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array.from({ length: 20 }, () => 201), 409]);
    expect(await runner().execute()).toBe(20);
  });
});
