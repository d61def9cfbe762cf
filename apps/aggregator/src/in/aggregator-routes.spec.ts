import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  aggregatorGroup, encodeDeadLetterRecord, encodeDeadLetterStateRecord, encodeUsageCorrectionRecord, encodeUsageEventRecord, scopes, topics, usageEventKey, type DeadLetterRecord, type DeadLetterStateRecord, type Scope,
} from '#contracts';
import { createHttpApp, LogServer, systemClock, type Principal } from '#platform';
import { EventReader } from '#persistence';
import { useClickHouse, usePostgres } from '#testing';
import { AggregatorFixture, recordOf, type TestEvent } from '../aggregator-fixture.js';
import { AggregatorMetrics } from '../aggregator-metrics.js';
import { AggregatorModule } from '../aggregator.module.js';
import { ListEvents } from '../list-events.js';
import { aggregatorTransport } from './usage-log.handler.js';

// Goal: the routes as clients see them, and the way from the log to an answer. Method: the whole module behind HTTP, fed
// through its log server.

usePostgres();
useClickHouse();
let fixture: AggregatorFixture;
let app: NestFastifyApplication;

const principals = new Map<string, Principal>([
  ['a', principal('org_a', scopes)],
  ['b', principal('org_b', scopes)],
  ['blind', principal('org_a', ['events:write'])],
]);

function principal(organizationId: string, allowed: readonly Scope[]): Principal {
  return { organizationId, mode: 'test', credentialId: `key_${organizationId}`, scopes: new Set(allowed) };
}

beforeAll(async () => {
  fixture = await AggregatorFixture.start();
  const { database, log, clickhouse } = fixture.parts;
  const logger = pino({ level: 'silent' });
  app = await createHttpApp({
    module: AggregatorModule.register({ database, log, clickhouse, clock: systemClock, logger, metrics: new AggregatorMetrics(systemClock), exports: { dir: '.cache/no-exports', retentionDays: 7 }, patience: { quietMs: 200, waitMaxMs: 1_000 }, lookEveryMs: 100 }),
    logger,
    authenticator: { authenticate: (credential) => Promise.resolve(principals.get(credential) ?? null) },
    decimalFields: new Set(),
  });
  app.connectMicroservice({ strategy: new LogServer({ log, group: aggregatorGroup, batchSizeMax: 10_000, transportId: aggregatorTransport }) });
  await app.startAllMicroservices();
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  await fixture.addOrganizations(['org_a', 'org_b']);
  await fixture.addMeter({ key: 'calls', groupBy: { route: '$.route' }, filter: 'data.status < 500' });
  await fixture.addMeter({ key: 'bytes', aggregation: 'sum', valuePath: '$.bytes' });
  await fixture.addCustomer({ key: 'acme', subjects: [{ subject: 's1' }] });
  await fixture.addCustomer({ key: 'early', subjects: [{ subject: 's2', from: '2026-10-01T00:00:00Z', to: '2026-10-15T00:00:00Z' }] }); // Had none in the months of the events.
});

afterAll(async () => {
  await app.close();
  await fixture.close();
});

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly body: { data: Record<string, unknown>[]; has_more?: boolean; fresh_as_of?: string; errors?: { pointer: string; code: string }[]; code?: string };
}

async function get(url: string, key = 'a'): Promise<Answer> {
  const response = await app.inject({ method: 'GET', url, headers: { authorization: `Bearer ${key}` } });
  return { status: response.statusCode, text: response.body, body: response.json() };
}

async function send(events: readonly TestEvent[]): Promise<void> {
  const records = events.map(recordOf);
  await fixture.parts.log.append(topics.usageEvents, records.map((record) => ({ key: usageEventKey(record), value: encodeUsageEventRecord(record) })));
}

/** Waits until everything that was sent is counted. */
async function settle(): Promise<void> {
  for (const topic of [topics.usageEvents, topics.deadLetters]) {
    const deadline = performance.now() + 15_000;
    while ((await fixture.parts.log.lag({ topic, group: aggregatorGroup })) > 0n) {
      expect(performance.now(), `${topic} is consumed in time.`).toBeLessThan(deadline);
      await systemClock.sleep(20);
    }
  }
}

const range = 'from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z';

describe('from the log to an answer', () => {
  it('tells how fresh it is, and everything acknowledged before that is in it', async () => {
    const sentAt = Temporal.Now.instant();
    await send([{ id: '1', time: '2026-11-01T10:00:00.5Z', data: '{"bytes":12345678901234567890.123456789012345678,"route":"/a","status":200}' }]);
    await settle();
    const usage = await get(`/v1/meters/bytes/usage?${range}`);
    expect(usage.status).toBe(200);
    expect(usage.body).toEqual({
      data: [{ window_start: '2026-11-01T00:00:00Z', window_end: '2026-12-01T00:00:00Z', group: {}, value: '12345678901234567890.123456789012345678' }],
      from: '2026-11-01T00:00:00Z', to: '2026-12-01T00:00:00Z', fresh_as_of: expect.any(String),
    });
    expect(Temporal.Instant.compare(usage.body.fresh_as_of ?? '', sentAt)).toBe(1);
  });

  it('lists customers’ usage by every meter', async () => {
    const usage = await get(`/v1/customers/acme/usage?${range}`);
    expect(usage.body.data).toEqual([
      { meter: 'mtr_org_a_bytes', meter_key: 'bytes', name: 'bytes', aggregation: 'sum', unit: null, value: '12345678901234567890.123456789012345678' },
      { meter: 'mtr_org_a_calls', meter_key: 'calls', name: 'calls', aggregation: 'count', unit: null, value: '1' },
    ]);
  });

  it('brings rollups up to date by itself', async () => {
    await expect
      .poll(async () => (await fixture.parts.clickhouse.query({ sql: `SELECT meter_id FROM usage_rollups FINAL WHERE organization_id = 'org_a' AND count = 1` })).length, { timeout: 15_000 })
      .toBe(2);
  });

  it('proves them', async () => {
    const waiting = async (): Promise<unknown> => ((await get(`/v1/meters/bytes/verify?${range}`)).body as unknown as { compared: { waiting: number } }).compared.waiting;
    await expect.poll(waiting, { timeout: 15_000 }).toBe(0); // A mark goes after the rollups are there.
    const proof = await get(`/v1/meters/bytes/verify?from=2026-11-01T10:59:00Z&to=2026-11-01T11:00:00.000001Z`);
    expect(proof).toMatchObject({
      status: 200,
      body: {
        object: 'meter_verification', meter: 'mtr_org_a_bytes', from: '2026-11-01T10:00:00Z', to: '2026-11-01T12:00:00Z', equal: true, rolled_up: true,
        compared: { groups: '1', events: '1', waiting: 0 }, differences: [], has_more: false, fresh_as_of: expect.any(String),
      },
    });
    await fixture.parts.clickhouse.command({ sql: `ALTER TABLE usage_rollups UPDATE count = 3 WHERE meter_id = 'mtr_org_a_calls' SETTINGS mutations_sync = 1` });
    expect((await get(`/v1/meters/calls/verify?from=2026-10-31T00:00:00Z&to=2026-12-01T00:00:00Z`)).body).toMatchObject({
      equal: false,
      differences: [{ window_start: '2026-11-01T10:00:00Z', window_end: '2026-11-01T11:00:00Z', subject: 's1', group: { route: '/a' }, raw_value: '1', rollup_value: '3', raw_events: '1', rollup_events: '3' }],
    });
    await fixture.parts.clickhouse.command({ sql: `ALTER TABLE usage_rollups UPDATE count = 1 WHERE meter_id = 'mtr_org_a_calls' AND count = 3 SETTINGS mutations_sync = 1` });
  });

  it.each<[string, string, number, string[]]>([
    ['meters/nothing/verify?from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z', 'a', 404, []],
    ['meters/bytes/verify?from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z', 'b', 404, []],
    ['meters/bytes/verify?from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z', 'blind', 403, []],
    ['meters/bytes/verify', 'a', 422, ['/from', '/to']],
    ['meters/bytes/verify?from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z', 'a', 422, ['/to']],
    ['meters/bytes/verify?from=2026-01-01T00:00:00Z&to=2026-04-03T00:00:00.000001Z', 'a', 422, ['/to']], // 92 days and an hour.
    ['meters/bytes/verify?from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z&window=day', 'a', 422, ['/window']],
  ])('refuses to prove %s for %s', async (path, key, status, pointers) => {
    const answer = await get(`/v1/${path}`, key);
    expect([answer.status, answer.body.errors?.map(({ pointer }) => pointer) ?? []]).toEqual([status, pointers]);
  });
});

describe('GET /v1/events', () => {
  beforeAll(async () => {
    await send([
      { id: '2', time: '2026-11-02T10:00:00Z', subject: 's2', data: '{"bytes":"x","status":500}' },
      { id: '1', time: '2026-11-01T10:00:00.5Z', data: '{"bytes":12345678901234567890.123456789012345678,"route":"/a","status":200}' },
      { id: '1', time: '2026-11-01T10:00:00.5Z', data: '{"bytes":0.10,"route":"/a"}'.replace('0.10', '0.1') },
      { id: '3', source: 'gw', type: 'other', time: '2026-11-03T10:00:00Z' },
      { organization: 'org_b', id: '1', time: '2026-11-01T10:00:00Z' },
    ]);
    await settle();
  });

  it('shows each copy with what became of it, newest first', async () => {
    const { body, text } = await get('/v1/events');
    expect(body.data.map(({ id, source, subject, customer, state, meters, reasons }) => [
      id, source, subject, customer, state, meters, (reasons as { meter: string | null; code: string }[]).map(({ meter, code }) => `${meter} ${code}`)])).toEqual([
      ['3', 'gw', 's1', 'cus_org_a_acme', 'not_counted', [], ['null no_meter']],
      ['2', 'default', 's2', null, 'not_counted', [], ['bytes value_no_decimal', 'calls filtered_out', 'null no_customer']],
      ['1', 'default', 's1', 'cus_org_a_acme', 'conflict', [], []],
      ['1', 'default', 's1', 'cus_org_a_acme', 'duplicate', [], []],
      ['1', 'default', 's1', 'cus_org_a_acme', 'counted', ['bytes', 'calls'], []],
    ]);
    expect(text.match(/"bytes":12345678901234567890\.123456789012345678,/g)).toHaveLength(2); // The counted one and its duplicate.
    expect(body.data[4]).toMatchObject({ object: 'event', type: 'call', time: '2026-11-01T10:00:00.500000Z', received_at: '2026-11-20T00:00:00.000000Z', metadata: {} });
  });

  it.each<[string, string[]]>([
    ['type=other', ['3']], ['subject=s2', ['2']], ['source=gw', ['3']], ['id=1', ['1', '1', '1']], ['customer=acme&type=call', ['1', '1', '1']], ['customer=early', []],
    ['from=2026-11-02T10:00:00Z', ['3', '2']], ['to=2026-11-02T10:00:00Z', ['1', '1', '1']], ['from=2026-11-02T10:00:00.0000001Z&to=2026-11-04T00:00:00Z', ['3']], ['id=9', []],
  ])('filters by %s', async (query, ids) => {
    expect((await get(`/v1/events?${query}`)).body.data.map(({ id }) => id)).toEqual(ids);
  });

  it.each<[string, string[]]>([
    ['state=counted', ['1']], ['state=not_counted', ['3', '2']], ['meter=bytes', ['1']], ['meter=mtr_org_a_calls&state=counted', ['1']], ['meter=calls&state=not_counted', []],
    ['data[status]=500', ['2']], ['data[$.route]=/a', ['1']], ['data[bytes]=12345678901234567890.123456789012345678', ['1']], ['data[route]=', ['3', '2']], ['data[status]=500&data[status]=200', ['2', '1']],
    ['data[status]=200&data[route]=/b', []], ['data[bytes]=x', ['2']], ['state=not_counted&data[status]=500', ['2']], ['customer=acme&data[route]=/a', ['1']], ['type=call&state=not_counted', ['2']],
    ['subject=s2&data[status]=500', ['2']], ['data[user.id]=7', []],
  ])('searches by %s within a range', async (query, ids) => {
    expect((await get(`/v1/events?${range}&${query}`)).body.data.map(({ id }) => id)).toEqual(ids);
  });

  it.each<[string, string[]]>([['state=duplicate', ['duplicate']], ['state=conflict', ['conflict']], ['state=voided', []]])('finds %s without a range', async (query, states) => {
    expect((await get(`/v1/events?${query}`)).body.data.map(({ state }) => state)).toEqual(states);
  });

  it('pages through what a search finds, both ways', async () => {
    const search = `/v1/events?${range}&data[route]=&limit=1`;
    const first = await get(search);
    const cursor = String(first.body.data[0]?.['cursor']);
    const second = await get(`${search}&starting_after=${cursor}`);
    expect([first.body.data[0]?.['id'], first.body.has_more, second.body.data[0]?.['id'], second.body.has_more]).toEqual(['3', true, '2', false]);
    const back = await get(`${search}&ending_before=${String(second.body.data[0]?.['cursor'])}`);
    expect([back.body.data.map(({ id }) => id), back.body.has_more]).toEqual([['3'], false]);
  });

  it('does not read more than a search may', async () => {
    const { database, clickhouse } = fixture.parts;
    const listEvents = new ListEvents({ database, events: new EventReader(clickhouse, { searchRowsMax: 1 }) });
    const page = { limit: 10, startingAfter: null, endingBefore: null };
    const [from, to] = ['2026-11-01T00:00:00Z', '2026-12-01T00:00:00Z'].map((text) => Temporal.Instant.from(text)) as [Temporal.Instant, Temporal.Instant];
    const wanted = { page, type: null, subject: null, customer: null, source: null, id: null, state: null, meter: null, from, to };
    expect(await listEvents.execute('org_a', { ...wanted, data: { route: ['/a'] } })).toMatchObject({ ok: false, code: 'search_too_wide' });
    expect(await listEvents.execute('org_a', { ...wanted, data: {} })).toMatchObject({ ok: true });
  });

  it('pages forwards and backwards, by cursor or by id', async () => {
    const whole = (await get('/v1/events')).body.data.map(({ cursor }) => cursor as string);
    const seen: string[] = [];
    for (let cursor: string | undefined, has = true; has; ) {
      const page = await get(`/v1/events?limit=2${cursor === undefined ? '' : `&starting_after=${cursor}`}`);
      seen.push(...page.body.data.map((event) => event['cursor'] as string));
      cursor = seen.at(-1);
      has = page.body.has_more ?? false;
    }
    expect(seen).toEqual(whole);
    const back = await get(`/v1/events?limit=2&ending_before=${whole[4]}`);
    expect([back.body.data.map(({ cursor }) => cursor), back.body.has_more]).toEqual([[whole[2], whole[3]], true]);
    const first = await get(`/v1/events?limit=2&ending_before=${whole[2]}`);
    expect([first.body.data.map(({ cursor }) => cursor), first.body.has_more]).toEqual([[whole[0], whole[1]], false]);
    expect((await get('/v1/events?starting_after=2&limit=1')).body.data.map(({ cursor }) => cursor)).toEqual([whole[2]]);
  });

  it('shows another organization its own only', async () => {
    expect((await get('/v1/events', 'b')).body.data.map(({ id, state }) => [id, state])).toEqual([['1', 'not_counted']]);
  });
});

describe('GET /v1/meters/{key}/usage', () => {
  const csv = async (query: string): Promise<[string, string, string]> => {
    const { body, headers } = await app.inject({ method: 'GET', url: `/v1/meters/calls/usage?${range}&${query}`, headers: { authorization: 'Bearer a', accept: 'text/csv' } });
    return [String(headers['content-type']), String(headers['tollway-fresh-as-of']), body];
  };
  beforeAll(async () => {
    await send([
      { id: 'csv-1', subject: '=cmd', time: '2026-11-05T10:00:00Z', data: '{"route":"-1+1","status":200}' },
      { id: 'csv-2', subject: '=cmd', time: '2026-11-05T11:00:00Z', data: '{"route":"/b, \\"x\\"","status":200}' },
      { id: 'csv-3', subject: '=cmd', time: '2026-11-05T12:00:00Z', data: '{"route":"/b, \\"x\\"","status":200}' },
    ]);
    await settle();
  });

  it('reads instants whose letters are small, as RFC 3339 has it', async () => {
    const { body } = await get('/v1/meters/calls/usage?from=2026-11-05t15:45:00%2B05:45&to=2026-11-05T11:00:00z&subject=%3Dcmd');
    expect(body).toMatchObject({ data: [{ value: '1' }], from: '2026-11-05T10:00:00Z', to: '2026-11-05T11:00:00Z' });
  });

  it('answers with the first groups and the others, and how many there are', async () => {
    const { body } = await get(`/v1/meters/calls/usage?${range}&subject=%3Dcmd&group_by=route&limit=1`);
    const [window_start, window_end] = ['2026-11-01T00:00:00Z', '2026-12-01T00:00:00Z'];
    expect(body).toMatchObject({
      data: [{ window_start, window_end, subject: '=cmd', group: { route: '/b, "x"' }, value: '2' }, { window_start, window_end, subject: '=cmd', group: {}, other: true, value: '1' }],
      groups_total: 2,
    });
    expect(body.data[0]).not.toHaveProperty('other');
  });

  it('takes several values of a filter', async () => {
    const { body } = await get(`/v1/meters/calls/usage?${range}&subject=%3Dcmd&subject=s2&filter[route]=-1%2B1&filter[route]=none`);
    expect(body.data.map(({ subject, value }) => [subject, value])).toEqual([[undefined, '1']]);
  });

  it('answers as CSV, in which no text is a formula', async () => {
    const [type, freshAsOf, text] = await csv('subject=%3Dcmd&group_by=route&order=value');
    expect([type, Temporal.Instant.from(freshAsOf).epochMilliseconds > 0]).toEqual(['text/csv; charset=utf-8', true]);
    const window = '2026-11-01T00:00:00Z,2026-12-01T00:00:00Z';
    expect(text.split('\r\n')).toEqual(['window_start,window_end,subject,group.route,value', `${window},'=cmd,'-1+1,1`, `${window},'=cmd,"/b, ""x""",2`, '']);
    const [, , others] = await csv('customer=acme&group_by=subject,customer&limit=1&window=day');
    expect(others.split('\r\n')).toEqual(['window_start,window_end,customer,subject,other,value', '2026-11-01T00:00:00Z,2026-11-02T00:00:00Z,cus_org_a_acme,s1,false,1', '']);
  });
});

describe('GET /v1/dead-letters', () => {
  it('shows conflicts with both payloads, by kind and code, in pages', async () => {
    await send([{ id: '1', time: '2026-11-01T10:00:00.5Z', receivedAt: '2026-11-20T00:00:01Z', data: '{"bytes":2}' }]);
    await settle();
    const { body } = await get('/v1/dead-letters?kind=identity_conflict');
    expect(body.data).toHaveLength(2);
    expect(body.data[0]).toMatchObject({ object: 'dead_letter', code: 'identity_conflict', event_id: '1', event_source: 'default', received_at: '2026-11-20T00:00:01.000000Z' });
    expect(body.data[0]?.['payload']).toContain('"data":{"bytes":2}');
    expect(body.data[1]?.['counted_payload']).toContain('12345678901234567890.123456789012345678');
    const next = await get(`/v1/dead-letters?limit=1&starting_after=${String(body.data[0]?.['id'])}`);
    expect([next.body.data.map(({ id }) => id), next.body.has_more]).toEqual([[body.data[1]?.['id']], false]);
    const before = await get(`/v1/dead-letters?limit=1&ending_before=${String(body.data[1]?.['id'])}`);
    expect([before.body.data.map(({ id }) => id), before.body.has_more]).toEqual([[body.data[0]?.['id']], false]);
    expect((await get('/v1/dead-letters?code=poison')).body.data).toEqual([]);
    expect((await get('/v1/dead-letters', 'b')).body.data).toEqual([]);
    expect((await get(`/v1/dead-letters?starting_after=${String(body.data[0]?.['id'])}`, 'b')).body.data).toEqual([]);
  });
});

describe('what becomes of dead letters', () => {
  const letter = (id: string, more: Partial<DeadLetterRecord> = {}): string => encodeDeadLetterRecord({
    v: 1, id, organization: 'org_c', kind: 'refused', code: 'missing_field', detail: 'No subject.', errors: [], received_at: '2026-11-21T00:00:00.000001Z', payload: '{}', counted_payload: null,
    event_source: 'gw', event_id: `req-${id}`, ...more,
  });
  const change = (id: string, state: DeadLetterStateRecord['state'], more: Partial<DeadLetterStateRecord> = {}): string => encodeDeadLetterStateRecord({
    v: 2, kind: 'state', id, organization: 'org_c', received_at: '2026-11-21T00:00:00.000001Z', state, changed_at: '2026-11-22T00:00:00.500000Z', changed_by: 'key_c', reason: null,
    event_source: null, event_id: null, changes: [], ...more,
  });
  const append = async (values: readonly string[]): Promise<void> => {
    await fixture.parts.log.append(topics.deadLetters, values.map((value) => ({ key: 'org_c', value })));
    await settle();
  };
  const ids = async (query: string): Promise<unknown[]> => (await get(`/v1/dead-letters?${query}`, 'c')).body.data.map(({ id }) => id);

  beforeAll(async () => {
    principals.set('c', principal('org_c', scopes));
    await append([
      letter('dl_1'), letter('dl_2'), letter('dl_3', { code: 'too_old', event_source: 'other', received_at: '2026-11-21T00:00:00.000003Z' }), letter('dl_4', { received_at: '2026-11-21T00:00:00.000004Z', event_id: null }),
      change('dl_2', 'replayed', { event_source: 'gw', event_id: 'fixed', changes: [{ pointer: '/data/n', from: '12345678901234567890.5', to: null }, { pointer: '/subject', from: null, to: '"s"' }] }),
      change('dl_2', 'discarded'), // Came later, but what is counted is counted.
      change('dl_3', 'discarded', { received_at: '2026-11-21T00:00:00.000003Z', reason: 'Ours.' }),
    ]);
  });

  it('shows each with its state', async () => {
    const { body, text } = await get('/v1/dead-letters/dl_2', 'c');
    expect(body).toMatchObject({
      object: 'dead_letter', id: 'dl_2', state: 'replayed', state_changed_at: '2026-11-22T00:00:00.500000Z', state_changed_by: 'key_c', discard_reason: null, replayed_as: { source: 'gw', id: 'fixed' },
      changes: [{ pointer: '/data/n' }, { pointer: '/subject', to: 's' }],
    });
    expect(text).toContain('{"pointer":"/data/n","from":12345678901234567890.5}');
    const listed = (await get('/v1/dead-letters', 'c')).body.data.map(({ id, state, discard_reason, replayed_as }) => [id, state, discard_reason, replayed_as]);
    expect(listed).toEqual([['dl_4', 'open', null, null], ['dl_3', 'discarded', 'Ours.', null], ['dl_2', 'replayed', null, { source: 'gw', id: 'fixed' }], ['dl_1', 'open', null, null]]);
  });

  it.each<[string, string[]]>([
    ['state=open', ['dl_4', 'dl_1']], ['state=replayed', ['dl_2']], ['state=discarded', ['dl_3']], ['state=open&code=too_old', []], ['source=other', ['dl_3']], ['event_id=req-dl_', ['dl_3', 'dl_2', 'dl_1']],
    ['event_id=eq-dl_1', ['dl_1']], ['event_id=%25', []], ['from=2026-11-21T00:00:00.000003Z', ['dl_4', 'dl_3']], ['from=2026-11-21T00:00:00.0000031Z', ['dl_4']], ['to=2026-11-21T00:00:00.000003Z', ['dl_2', 'dl_1']],
    ['state=open&limit=1&starting_after=dl_4', ['dl_1']], ['ending_before=dl_1&limit=1', ['dl_2']],
  ])('filters by %s', async (query, found) => {
    expect(await ids(query)).toEqual(found);
  });

  it('counts them by kind, code and state', async () => {
    const [one, four] = ['2026-11-21T00:00:00.000001Z', '2026-11-21T00:00:00.000004Z'];
    expect((await get('/v1/dead-letters/summary', 'c')).body).toEqual({
      data: [
        { kind: 'refused', code: 'missing_field', open: 2, replayed: 1, discarded: 0, oldest_open_at: one, newest_open_at: four },
        { kind: 'refused', code: 'too_old', open: 0, replayed: 0, discarded: 1, oldest_open_at: null, newest_open_at: null },
      ],
      open: 2,
    });
    expect((await get(`/v1/dead-letters/summary?from=${four}`, 'c')).body).toMatchObject({ data: [{ code: 'missing_field', open: 1, oldest_open_at: four }], open: 1 });
    expect((await get('/v1/dead-letters/summary', 'b')).body).toEqual({ data: [], open: 0 });
  });

  it('stays as it is when the log is read once more', async () => {
    await append([letter('dl_2'), letter('dl_3', { code: 'too_old', event_source: 'other', received_at: '2026-11-21T00:00:00.000003Z' })]);
    expect([await ids('state=open'), await ids('state=replayed'), await ids('state=discarded')]).toEqual([['dl_4', 'dl_1'], ['dl_2'], ['dl_3']]);
  });

  it.each(['/v1/dead-letters/dl_none', '/v1/dead-letters/x', '/v1/dead-letters/%00', '/v1/dead-letters/dl_1'])('%s of another organization is not found', async (url) => {
    expect((await get(url)).status).toBe(404);
  });
});

describe('dimensions of any name', () => {
  const names = ['it\'s "so"', 'größe.x', 'constructor', "a b/c[0';--", '😀', '%2C\\'];

  it.each(names)('group, filter and are told apart: %s', async (name) => {
    await fixture.addMeter({ key: `by-${names.indexOf(name)}`, eventType: 'named', groupBy: { [name]: '$.x', toString: '$.y' } as Record<string, string> });
    if (name === names[0]) await send([['1', '"p"'], ['2', '"q"'], ['3', '"q"']].map(([id = '', x]) => ({ id, source: 'named', type: 'named', time: '2026-11-01T10:00:00Z', data: `{"x":${x},"y":1}` })));
    await settle();
    const by = `/v1/meters/by-${names.indexOf(name)}/usage?${range}`;
    const grouped = await get(`${by}&group_by=${encodeURIComponent(`${name},toString`)}`);
    expect(grouped.body.data.map(({ group, value }) => [group, value])).toEqual([[{ [name]: 'p', toString: '1' }, '1'], [{ [name]: 'q', toString: '1' }, '2']]);
    expect((await get(`${by}&${encodeURIComponent(`filter[${name}]`)}=q`)).body.data.map(({ value }) => value)).toEqual(['2']);
  });
});

describe('POST /v1/meters/try', () => {
  const post = async (body: unknown, key = 'a') => {
    const response = await app.inject({ method: 'POST', url: '/v1/meters/try', headers: { authorization: `Bearer ${key}` }, payload: body as object });
    return { status: response.statusCode, body: response.json() as Record<string, unknown> & { errors?: { pointer: string; code: string }[] } };
  };
  const draft = { key: 'traffic', name: 'Traffic', event_type: 'tried', aggregation: 'sum', value: 'data.bytes / 1000.0', group_by: { route: '$.route' }, filter: 'data.status < 500' };

  it('says what a meter would count, what it would not and why, and stores nothing', async () => {
    await send([
      { id: '1', source: 'trial', type: 'tried', time: '2026-11-01T00:00:00Z', data: '{"bytes":500,"route":"/a","status":200}' },
      { id: '2', source: 'trial', type: 'tried', time: '2026-11-06T00:00:00Z', data: '{"bytes":1000,"route":"/a","status":200}' },
      { id: '3', source: 'trial', type: 'tried', time: '2026-11-07T00:00:00Z', data: '{"bytes":2500,"route":"/b","status":200}' },
      { id: '4', source: 'trial', type: 'tried', time: '2026-11-07T01:00:00Z', data: '{"bytes":"many","status":200}' },
      { id: '5', source: 'trial', type: 'tried', time: '2026-11-09T00:00:00Z', data: '{"bytes":1,"route":"/a","status":500}' },
      { id: '5', source: 'trial', type: 'tried', time: '2026-11-09T00:00:00Z', data: '{"bytes":1,"route":"/a","status":500}' },
    ]);
    await settle();
    const { status, body } = await post(draft);
    // The seven days up to the newest event leave the first one out; the duplicate of the fifth is no event.
    expect([status, body['from'], body['to'], body['events']]).toEqual([200, '2026-11-02T00:00:00.000001Z', '2026-11-09T00:00:00.000001Z', { seen: 4, passed: 3, counted: 2 }]);
    expect([body['value'], body['groups'], body['groups_total']]).toEqual(['3.5', [{ group: { route: '/b' }, value: '2.5' }, { group: { route: '/a' }, value: '1' }], 2]);
    const samples = body['samples'] as { id: string; counted: boolean; value: string | null; group: Record<string, string>; reason: { code: string } | null }[];
    expect(samples.map(({ id, counted, value, group, reason }) => [id, counted, value, group['route'], reason?.code ?? null])).toEqual([
      ['5', false, null, '/a', 'filtered_out'], ['4', false, null, '', 'value_unknown'], ['3', true, '2.5', '/b', null], ['2', true, '1', '/a', null],
    ]);
    expect((await get('/v1/meters/traffic/usage?from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z')).status).toBe(404);
  });

  it.each<[string, object, unknown[]]>([
    ['a range', { from: '2026-11-01T00:00:00Z', to: '2026-11-06T00:00:00Z' }, [{ seen: 1, passed: 1, counted: 1 }, '0.5', 1]],
    ['the greatest of nothing', { aggregation: 'max', filter: 'data.status > 500' }, [{ seen: 4, passed: 0, counted: 0 }, null, 0]],
    ['a count without groups', { aggregation: 'count', value: null, group_by: {}, filter: null }, [{ seen: 4, passed: 4, counted: 4 }, '4', 0]],
    ['events that are not there', { event_type: 'never sent' }, [{ seen: 0, passed: 0, counted: 0 }, '0', 0]],
  ])('tries %s', async (_, change, answer) => {
    const { status, body } = await post({ ...draft, ...change });
    expect([status, body['events'], body['value'], body['groups_total']]).toEqual([200, ...answer]);
  });

  it('names everything that is wrong, and keeps organizations apart', async () => {
    const wrong = await post({ ...draft, value: 'data.', filter: 'data.x <', percentile: '5', from: '2026-09-01T00:00:00Z', to: '2026-11-01T00:00:00Z' });
    expect([wrong.status, wrong.body.errors?.map(({ pointer, code }) => `${pointer} ${code}`)]).toEqual([422, ['/value invalid_expression', '/percentile not_allowed', '/filter invalid_filter', '/from invalid_range']]);
    expect((await post({ ...draft, to: '2026-10-01T00:00:00Z', from: '2026-10-01T00:00:00Z' })).body.errors?.map(({ pointer }) => pointer)).toEqual(['/to']);
    expect((await post({ aggregation: 'sum', more: 1 })).status).toBe(422);
    expect((await post(draft, 'b')).body['events']).toEqual({ seen: 0, passed: 0, counted: 0 });
    expect([(await post(draft, 'blind')).status, (await post(draft, 'unknown')).status]).toEqual([403, 401]);
  });
});

describe('what is refused', () => {
  it.each<[string, number, string, string[]?]>([
    ['/v1/meters/calls/usage?windw=day', 422, 'invalid_request', ['/from missing_field', '/to missing_field', '/windw unknown_field']],
    [`/v1/meters/calls/usage?${range}&window=week&windw=day&fill=one`, 422, 'invalid_request', ['/window', '/fill', '/windw unknown_field']],
    [`/v1/meters/calls/usage?${range}&from=2026-11-01T00:00:00Z`, 422, 'invalid_request', ['/from']],
    [`/v1/meters/calls/usage?${range}&order=name&limit=0&group_by=route`, 422, 'invalid_request', ['/order', '/limit']],
    [`/v1/meters/calls/usage?${range}&limit=1001&group_by=route`, 422, 'invalid_request', ['/limit']],
    [`/v1/meters/calls/usage?${range}&${'subject=s&'.repeat(101)}`, 422, 'invalid_request', ['/subject']],
    [`/v1/meters/calls/usage?${range}&fill=zero&fill=zero`, 422, 'invalid_request', ['/fill']],
    ['/v1/meters/calls/usage?from=yesterday&to=2026-12-01T00:00:00.1234567890Z', 422, 'invalid_request', ['/from', '/to']],
    [`/v1/meters/calls/usage?${range}&group_by=user&filter%5Buser%5D=1`, 422, 'invalid_request', ['/group_by unknown_dimension', '/filter[user] unknown_dimension']],
    [`/v1/meters/calls/usage?${range}&filter[__proto__]=1`, 422, 'invalid_request', ['/filter[__proto__] unknown_dimension']],
    [`/v1/meters/calls/usage?${range}&constructor=1`, 422, 'invalid_request', ['/constructor unknown_field']],
    ['/v1/meters/calls/usage?from=2026-12-01T00:00:00Z&to=2026-11-01T00:00:00Z', 422, 'invalid_request', ['/to invalid_range']],
    ['/v1/meters/calls/usage?from=2026-11-01t00:00Z&to=2026-11-02T23:59:60z', 422, 'invalid_request', ['/from invalid_format', '/to invalid_format']], // No seconds; a leap second.
    [`/v1/meters/none/usage?${range}`, 404, 'not_found'],
    [`/v1/customers/none/usage?${range}`, 404, 'not_found'],
    ['/v1/customers/acme/usage?from=2026-12-01T00:00:00Z', 422, 'invalid_request', ['/to missing_field']],
    ['/v1/events?customer=none', 404, 'not_found'],
    ['/v1/events?limit=0&from=x&state=open&stat=counted', 422, 'invalid_request', ['/limit', '/from', '/state', '/stat unknown_field']],
    ['/v1/events?data[status]=500', 422, 'invalid_request', ['/from missing_field', '/to missing_field']],
    ['/v1/events?state=not_counted&to=2026-12-01T00:00:00Z', 422, 'invalid_request', ['/from missing_field']],
    ['/v1/events?meter=calls&from=2026-10-31T23:59:59Z&to=2026-12-02T00:00:00Z', 422, 'invalid_request', ['/to range_too_long']],
    [`/v1/events?${range}&meter=none`, 404, 'not_found'],
    [`/v1/events?${range}&meter=mtr_org_b_calls`, 404, 'not_found'],
    [`/v1/events?${range}&data[a..b]=1&data[]=2`, 422, 'invalid_request', ['/data[] unknown_field']],
    [`/v1/events?${range}&data[a..b]=1&state=conflict`, 422, 'invalid_request', ['/data[a..b] invalid_path', '/state not_searchable']],
    [`/v1/events?${range}&meter=calls&state=voided`, 422, 'invalid_request', ['/state not_searchable']],
    [`/v1/events?${range}&data[a]=&data[b]=&data[c]=&data[d]=&data[e]=&data[f]=`, 422, 'invalid_request', [' too_many_filters']],
    ['/v1/events?starting_after=zzz', 422, 'invalid_request', ['/starting_after unknown_cursor']],
    ['/v1/dead-letters?kind=other&state=closed&event_id=&to=x', 422, 'invalid_request', ['/kind', '/state', '/event_id', '/to']],
    ['/v1/dead-letters/summary?kind=poison', 422, 'invalid_request', ['/kind unknown_field']],
  ])('%s: %i %s %j', async (url, status, code, faults) => {
    const answer = await get(url);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    const found = (answer.body.errors ?? []).map(({ pointer, code: reason }) => `${pointer} ${reason}`);
    for (const fault of faults ?? []) expect(found.some((text) => text.startsWith(fault)), `${fault} in ${found.join(', ')}`).toBe(true);
  });

  it('is who may not see', async () => {
    for (const url of [`/v1/meters/calls/usage?${range}`, `/v1/customers/acme/usage?${range}`, '/v1/events', '/v1/dead-letters', '/v1/dead-letters/summary', '/v1/dead-letters/dl_1']) {
      expect((await get(url, 'unknown')).status, url).toBe(401);
      expect((await get(url, 'blind')).status, url).toBe(403);
    }
    expect((await get(`/v1/meters/mtr_org_a_calls/usage?${range}`, 'b')).status).toBe(404);
    expect((await get(`/v1/customers/cus_org_a_acme/usage?${range}`, 'b')).status).toBe(404);
  });
});

describe('GET /v1/event-sources/{id}/stats', () => {
  const letter = (id: string, receivedAt: string, over: Partial<DeadLetterRecord> = {}): DeadLetterRecord => ({
    v: 1, id, organization: 'org_a', kind: 'refused', code: 'missing_field', detail: '', errors: [], received_at: receivedAt, payload: '{}', counted_payload: null, event_source: 'kong-eu', event_id: null, ...over,
  });
  const sent = (id: string, receivedAt: string, over: Partial<TestEvent> = {}): TestEvent => ({ id, source: 'kong-eu', time: '2026-11-05T00:00:00Z', receivedAt, ...over });
  const day = 'from=2026-11-05T00:00:00Z&to=2026-11-06T00:00:00Z';

  beforeAll(async () => {
    await fixture.addEventSource({ key: 'kong', source: 'kong-eu' });
    await fixture.addEventSource({ key: 'silent', source: null });
    await send([
      sent('a', '2026-11-05T10:00:00Z'), sent('b', '2026-11-05T10:59:59.999999Z'), sent('a', '2026-11-05T11:00:00Z'), sent('b', '2026-11-05T11:30:00Z', { data: '{"other":1}' }), sent('a', '2026-11-05T11:45:00Z'),
      sent('c', '2026-11-06T00:00:00Z'), sent('a', '2026-11-05T10:00:00Z', { source: 'kong-us' }), sent('a', '2026-11-05T10:00:00Z', { organization: 'org_b' }),
    ]);
    const letters = [letter('dl_s1', '2026-11-05T11:10:00.000000Z'), letter('dl_s2', '2026-11-05T13:00:00.000000Z'), letter('dl_s3', '2026-11-05T13:00:00.000000Z', { kind: 'poison' }), letter('dl_s4', '2026-11-05T13:00:00.000000Z', { event_source: 'kong-us' })];
    await fixture.parts.log.append(topics.deadLetters, letters.map((each) => ({ key: each.organization, value: encodeDeadLetterRecord(each) })));
    await settle();
  });

  it('counts what came, hour by hour', async () => {
    const expected = {
      data: [
        { hour: '2026-11-05T10:00:00Z', received: 2, refused: 0, duplicates: 0, conflicts: 0 },
        { hour: '2026-11-05T11:00:00Z', received: 4, refused: 1, duplicates: 2, conflicts: 1 }, // Three copies, one refused.
        { hour: '2026-11-05T13:00:00Z', received: 1, refused: 1, duplicates: 0, conflicts: 0 },
      ],
      from: '2026-11-05T00:00:00Z', to: '2026-11-06T00:00:00Z',
    };
    expect((await get(`/v1/event-sources/kong/stats?${day}`)).body).toEqual(expected);
    expect((await get(`/v1/event-sources/src_kong/stats?${day}`)).body).toEqual(expected);
    expect((await get(`/v1/event-sources/silent/stats?${day}`)).body.data).toEqual([]);
  });

  it('keeps to its bounds', async () => {
    const hours = async (query: string) => (await get(`/v1/event-sources/kong/stats?${query}`)).body.data.map(({ hour, received }) => `${String(hour)} ${String(received)}`);
    expect(await hours('from=2026-11-05T10:30:00Z&to=2026-11-05T11:10:00Z')).toEqual(['2026-11-05T10:00:00Z 1', '2026-11-05T11:00:00Z 1']);
    expect(await get('/v1/event-sources/kong/stats?from=2026-11-05T00:00:00Z')).toMatchObject({ status: 422, body: { errors: [{ pointer: '/to' }] } });
    expect(await get('/v1/event-sources/kong/stats?from=2026-01-01T00:00:00Z&to=2026-11-01T00:00:00Z')).toMatchObject({ status: 422, body: { errors: [{ pointer: '/to', code: 'invalid_range' }] } });
  });

  it('is told to whoever may read usage, of the own organization', async () => {
    expect((await get(`/v1/event-sources/kong/stats?${day}`, 'b')).status).toBe(404);
    expect((await get(`/v1/event-sources/kong/stats?${day}`, 'blind')).status).toBe(403);
  });
});

describe('GET /v1/events/corrections', () => {
  const received = (nth: number): string => `2026-11-20T0${nth}:00:00.000000Z`;

  beforeAll(async () => {
    const records = [1, 2, 3].map((nth) => ({
      v: 2 as const, kind: nth === 2 ? ('amendment' as const) : ('void' as const), organization: 'org_a', source: 'gw', id: `never-${nth}`, data: nth === 2 ? '{"n":1.10}' : null, reason: nth === 3 ? 'test traffic' : null,
      made_by: 'key_1', received_at: received(nth), sealed_before: null,
    }));
    await fixture.parts.log.append(topics.usageEvents, records.map((record) => ({ key: usageEventKey(record), value: encodeUsageCorrectionRecord(record) })));
    await settle();
  });

  const ids = async (query: string, key = 'a'): Promise<unknown[]> => (await get(`/v1/events/corrections?source=gw&${query}`, key)).body.data.map(({ event_id: id }) => id);

  it('shows what was asked for, newest first, also where no event has come', async () => {
    const { body, status } = await get('/v1/events/corrections?source=gw');
    expect(status).toBe(200);
    expect(body.data.map(({ id: _id, ...rest }) => rest)).toEqual([
      { object: 'event_correction', kind: 'void', data: null, reason: 'test traffic', made_by: 'key_1', received_at: received(3), event_source: 'gw', event_id: 'never-3', created_at: received(3), metadata: {} },
      { object: 'event_correction', kind: 'amendment', data: { n: 1.1 }, reason: null, made_by: 'key_1', received_at: received(2), event_source: 'gw', event_id: 'never-2', created_at: received(2), metadata: {} },
      { object: 'event_correction', kind: 'void', data: null, reason: null, made_by: 'key_1', received_at: received(1), event_source: 'gw', event_id: 'never-1', created_at: received(1), metadata: {} },
    ]);
  });

  it('is filtered and paged, and of one organization', async () => {
    expect(await ids('kind=void')).toEqual(['never-3', 'never-1']);
    expect(await ids('id=never-2')).toEqual(['never-2']);
    expect(await ids('', 'b')).toEqual([]);
    const { body: { data: [first], has_more: hasMore } } = await get('/v1/events/corrections?source=gw&limit=1');
    expect(hasMore).toBe(true);
    expect(await ids(`limit=1&starting_after=${String(first?.['id'])}`)).toEqual(['never-2']);
    const { body: { data: last } } = await get('/v1/events/corrections?source=gw');
    expect(await ids(`limit=1&ending_before=${String(last[2]?.['id'])}`)).toEqual(['never-2']);
    expect((await get('/v1/events/corrections?starting_after=nowhere')).body.errors).toMatchObject([{ pointer: '/starting_after', code: 'unknown_cursor' }]);
    expect((await get('/v1/events/corrections', 'blind')).status).toBe(403);
  });
});
