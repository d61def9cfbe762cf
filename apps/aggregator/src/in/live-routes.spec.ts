import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { aggregatorGroup, encodeUsageEventRecord, scopes, topics, usageEventKey } from '#contracts';
import { EventReader, LiveCopies } from '#persistence';
import { createHttpApp, LogServer, systemClock, type Principal } from '#platform';
import { useClickHouse, usePostgres } from '#testing';
import { AggregatorFixture, recordOf, type TestEvent } from '../aggregator-fixture.js';
import { AggregatorMetrics } from '../aggregator-metrics.js';
import { AggregatorModule } from '../aggregator.module.js';
import { LiveEvents } from '../live-events.js';
import { LiveUsage } from '../live-usage.js';
import { registerLiveRoutes } from './live-routes.js';
import { aggregatorTransport } from './usage-log.handler.js';

// Goal: what somebody hears who listens. Method: real connections to the module behind HTTP, fed through its log.

usePostgres();
useClickHouse();
let fixture: AggregatorFixture;
let app: NestFastifyApplication;
let origin: string;
const principals = new Map<string, Principal>();
const listening: AbortController[] = [];

beforeAll(async () => {
  fixture = await AggregatorFixture.start();
  for (const name of ['a', 'b', 'revoked']) principals.set(name, { organizationId: name === 'b' ? 'org_b' : 'org_a', mode: 'test', credentialId: `key_${name}`, scopes: new Set(scopes) });
  principals.set('blind', { organizationId: 'org_a', mode: 'test', credentialId: 'key_blind', scopes: new Set(['events:write']) });
  app = await startApp();
  await fixture.addOrganizations(['org_a', 'org_b']);
  await fixture.addMeter({ key: 'calls', groupBy: { route: '$.route' } });
  await fixture.addCustomer({ key: 'acme', subjects: [{ subject: 's1' }] });
}, 60_000);
afterEach(() => listening.splice(0).forEach((connection) => connection.abort()));
afterAll(async () => {
  await app.close();
  await fixture.close();
});

async function startApp(): Promise<NestFastifyApplication> {
  const { database, log, clickhouse } = fixture.parts;
  const logger = pino({ level: 'silent' });
  const authenticator = { authenticate: (credential: string) => Promise.resolve(principals.get(credential) ?? null) };
  const live = new LiveCopies(clickhouse, new EventReader(clickhouse));
  const liveEvents = new LiveEvents({ database, live, listEvents: fixture.listEvents, clock: systemClock });
  const liveUsage = new LiveUsage({ live, readMeterUsage: fixture.readUsage, clock: systemClock });
  const started = await createHttpApp({
    module: AggregatorModule.register({ database, log, clickhouse, clock: systemClock, logger, metrics: new AggregatorMetrics(systemClock), exports: { dir: '.cache/no-exports', retentionDays: 7 }, lookEveryMs: 100 }),
    logger, authenticator, decimalFields: new Set(),
    routes: [(fastify) => registerLiveRoutes(fastify, { liveEvents, liveUsage, authenticator, logger, streamsPerOrganizationMax: 4 })],
  });
  started.connectMicroservice({ strategy: new LogServer({ log, group: aggregatorGroup, batchSizeMax: 10_000, transportId: aggregatorTransport }) });
  await started.startAllMicroservices();
  await started.listen(0, '127.0.0.1');
  origin = await started.getUrl();
  return started;
}

interface Message {
  readonly id?: string;
  readonly event?: string;
  readonly data: Record<string, unknown>;
}

/** What a stream said so far, as it grows. */
class Listener {
  readonly messages: Message[] = [];
  hasEnded = false;

  static async open(path: string, { key = 'a', lastId }: { key?: string; lastId?: string } = {}): Promise<Listener> {
    const connection = new AbortController();
    listening.push(connection);
    const response = await fetch(origin + path, { headers: { authorization: `Bearer ${key}`, ...(lastId === undefined ? {} : { 'last-event-id': lastId }) }, signal: connection.signal });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    const listener = new Listener();
    void listener.read(response.body as ReadableStream<Uint8Array>).catch(() => undefined);
    return listener;
  }

  private async read(body: ReadableStream<Uint8Array>): Promise<void> {
    let text = '';
    for await (const chunk of body.pipeThrough(new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>)) {
      text += chunk;
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const fields = Object.fromEntries(block.split('\n').filter((line) => !line.startsWith(':')).map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(': ') + 2)]));
        if (fields['data'] !== undefined) this.messages.push({ ...fields, data: JSON.parse(fields['data']) as Record<string, unknown> });
      }
    }
    this.hasEnded = true;
  }

  get states(): string[] {
    return this.messages.map(({ data }) => `${String(data['id'])} ${String(data['state'])}`);
  }

  get values(): unknown[] {
    return this.messages.map(({ data }) => (data['data'] as { value: string }[] | undefined)?.map(({ value }) => value));
  }
}

async function send(events: readonly TestEvent[]): Promise<void> {
  const receivedAt = Temporal.Now.instant().toString();
  const records = events.map((event) => recordOf({ receivedAt, ...event }));
  await fixture.parts.log.append(topics.usageEvents, records.map((record) => ({ key: usageEventKey(record), value: encodeUsageEventRecord(record) })));
}

const within = { timeout: 15_000, interval: 50 };
const range = 'from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z';
const time = '2026-11-10T10:00:00Z';

it('tells several listeners what each asked for, with what became of it, and goes on where one left', async () => {
  await send([{ id: 'before', time }]);
  // Its usage is seen before its copy is: only the end of its batch says that a listener of now is behind it.
  await expect.poll(() => fixture.parts.log.lag({ topic: topics.usageEvents, group: aggregatorGroup }), within).toBe(0n);
  const [all, own, typed, theirs] = await Promise.all([
    Listener.open('/v1/events/live'), Listener.open('/v1/events/live?customer=acme'), Listener.open('/v1/events/live?type=other&source=gw'), Listener.open('/v1/events/live', { key: 'b' }),
  ]);
  await send([
    { id: '1', time, data: '{"n":12345678901234567890.5,"route":"/a"}' }, { id: '1', time, data: '{"n":12345678901234567890.5,"route":"/a"}' }, { id: '1', time, data: '{"n":2}' },
    { id: '2', time, subject: 's2' }, { id: '3', time, type: 'other', source: 'gw' }, { organization: 'org_b', id: '9', time },
  ]);
  await expect.poll(() => all.states, within).toEqual(['1 counted', '1 duplicate', '1 conflict', '2 counted', '3 not_counted']);
  await expect.poll(() => own.states, within).toEqual(['1 counted', '1 duplicate', '1 conflict', '3 not_counted']);
  await expect.poll(() => typed.states, within).toEqual(['3 not_counted']);
  await expect.poll(() => theirs.states, within).toEqual(['9 not_counted']);
  expect(all.messages[0]).toMatchObject({ event: 'event', data: { object: 'event', customer: 'cus_org_a_acme', meters: ['calls'], data: { route: '/a' } } });

  const missed = await Listener.open('/v1/events/live', { lastId: all.messages[2]?.id ?? '' });
  await send([{ id: '4', time }]);
  await expect.poll(() => missed.states, within).toEqual(['2 counted', '3 not_counted', '4 counted']);
}, 60_000);

it('sends the totals whenever they change, and not again to whoever has them', async () => {
  const path = `/v1/meters/calls/usage/live?${range}&subject=live&group_by=route`;
  const first = await Listener.open(path);
  await expect.poll(() => first.values, within).toEqual([[]]);
  await send([{ id: 'u1', time, subject: 'live' }]);
  await expect.poll(() => first.values, within).toEqual([[], ['1']]);
  const known = await Listener.open(path, { lastId: first.messages[1]?.id ?? '' });
  await send([{ id: 'u2', time, subject: 'live' }, { id: 'u1', time, subject: 'live' }]);
  await expect.poll(() => first.values, within).toEqual([[], ['1'], ['2']]);
  await expect.poll(() => known.values, within).toEqual([['2']]);
}, 60_000);

it('ends for a key that was revoked', async () => {
  const listener = await Listener.open('/v1/events/live', { key: 'revoked' });
  principals.delete('revoked');
  await expect.poll(() => [listener.hasEnded, listener.messages.at(-1)], within).toEqual([true, { event: 'end', data: { reason: 'unauthorized' } }]);
}, 30_000);

it('takes so many listeners of an organization, and another when one has left', async () => {
  await Promise.all(Array.from({ length: 4 }, () => Listener.open('/v1/events/live')));
  const headers = { authorization: 'Bearer a' };
  const refused = await fetch(`${origin}/v1/events/live`, { headers });
  expect([refused.status, await refused.json(), refused.headers.get('retry-after')]).toEqual([429, expect.objectContaining({ code: 'too_many_streams' }), '10']);
  await Listener.open('/v1/events/live', { key: 'b' });
  listening[0]?.abort();
  await expect.poll(async () => {
    const again = new AbortController();
    listening.push(again);
    return (await fetch(`${origin}/v1/events/live`, { headers, signal: again.signal })).status;
  }, within).toBe(200);
}, 30_000);

it.each<[string, string, number, string]>([
  ['/v1/events/live', 'unknown', 401, 'unauthorized'],
  ['/v1/events/live', 'blind', 403, 'scope_missing'],
  ['/v1/events/live?customer=none', 'a', 404, 'not_found'],
  ['/v1/events/live?state=counted&type=', 'a', 422, 'invalid_request'],
  ['/v1/events/live?type=%00', 'a', 422, 'invalid_request'],
  [`/v1/meters/none/usage/live?${range}`, 'a', 404, 'not_found'],
  ['/v1/meters/calls/usage/live', 'a', 422, 'invalid_request'],
  [`/v1/meters/calls/usage/live?${range}&limit=3`, 'a', 422, 'invalid_request'],
])('%s for %s: %i %s', async (path, key, status, code) => {
  const response = await fetch(origin + path, { headers: { authorization: `Bearer ${key}` } });
  expect([response.status, await response.json()]).toEqual([status, expect.objectContaining({ code })]);
});

it('refuses an id that it never gave', async () => {
  const response = await fetch(`${origin}/v1/events/live`, { headers: { authorization: 'Bearer a', 'last-event-id': 'x' } });
  expect([response.status, await response.json()]).toEqual([422, expect.objectContaining({ errors: [expect.objectContaining({ pointer: '/last-event-id' })] })]);
});

it('says good-bye when the app shuts down', async () => {
  const listener = await Listener.open('/v1/events/live');
  const closing = app.close();
  await expect.poll(() => [listener.hasEnded, listener.messages.at(-1)], within).toEqual([true, { event: 'end', data: { reason: 'shutdown' } }]);
  await closing;
}, 30_000);
