import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Clock } from '#platform';
import { runsOf, usePostgres } from '#testing';
import { MeterEventSessions } from '../drop-ins/meter-event-sessions.js';
import { nastyJson } from '../fixtures/nasty-json.js';
import { IngestFixture, serverSecret } from '../ingest-fixture.js';

usePostgres();

let ingest: IngestFixture;
beforeAll(async () => {
  ingest = await IngestFixture.start();
});
afterAll(async () => {
  await ingest.close();
});

interface DropIn {
  readonly path: string;
  readonly type: string;
  readonly fields: readonly string[];
  /** A good event, of which the id is given. */
  readonly good: (id: string) => string;
  readonly batch: (texts: readonly string[]) => string;
  /** What a batch is answered with that is refused in part, or not at all. */
  readonly statuses: readonly number[];
  /** What it is sent with, where that is no API key. */
  readonly token?: string;
}

const dropIns: readonly DropIn[] = [
  {
    path: '/api/v1/events', type: 'application/cloudevents-batch+json', fields: ['specversion', 'id', 'source', 'type', 'subject', 'time', 'data', 'data_base64', '__proto__'],
    good: (id) => `{"specversion":"1.0","id":"${id}","type":"t","subject":"s","data":{"n":1.50}}`, batch: (texts) => `[${texts.join(',')}]`, statuses: [204],
  },
  {
    path: '/api/v1/events/batch', type: 'application/json', fields: ['transaction_id', 'external_subscription_id', 'code', 'timestamp', 'precise_total_amount_cents', 'properties', 'event', '__proto__'],
    good: (id) => `{"transaction_id":"${id}","external_subscription_id":"s","code":"t","properties":{"n":1.50}}`, batch: (texts) => `{"events":[${texts.join(',')}]}`, statuses: [200, 422],
  },
  {
    path: '/v2/billing/meter_event_stream', type: 'application/json', fields: ['event_name', 'identifier', 'payload', 'timestamp', 'events', '__proto__'],
    good: (id) => `{"event_name":"t","identifier":"${id}","payload":{"stripe_customer_id":"s","n":1.50}}`, batch: (texts) => `{"events":[${texts.join(',')}]}`, statuses: [200],
    token: new MeterEventSessions(serverSecret, { now: () => Temporal.Instant.from('2026-11-23T06:00:00Z') } as Clock).start('key-1').token,
  },
];

/** Junk, and objects with the names of the format and junk in them. */
const nastyEvent = (fields: readonly string[]) => fc.oneof(
  nastyJson,
  fc.array(fc.tuple(fc.constantFrom(...fields), nastyJson), { maxLength: fields.length }).map((members) => `{${members.map(([name, value]) => `"${name}":${value}`).join(',')}}`),
);

const send = async ({ path, token = 'key-1' }: Pick<DropIn, 'path' | 'token'>, body: string | Buffer, type: string): Promise<number> => {
  const response = await fetch(ingest.origin + path, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': type }, body: body as Uint8Array<ArrayBuffer> | string });
  await response.arrayBuffer();
  return response.status;
};

describe.each(dropIns)('hostile input at $path', (dropIn) => {
  const { path, type, fields, good, batch, statuses } = dropIn;

  // Goal: a nasty event harms no other. Method: it stands between two good ones, which must be in the log with their data.
  it('never loses a neighbour', async () => {
    let made = 0;
    const sent: string[] = [];
    await fc.assert(
      fc.asyncProperty(fc.array(nastyEvent(fields), { minLength: 1, maxLength: 3 }), async (nasty) => {
        const ids = [`${path}-${(made += 1)}`, `${path}-${(made += 1)}`] as const;
        expect(statuses).toContain(await send(dropIn, batch([good(ids[0]), ...nasty, good(ids[1])]), type));
        sent.push(...ids);
      }),
      { numRuns: runsOf({ short: 60, long: 2_000 }) },
    );
    const data = new Map((await ingest.events()).map((event) => [event.id, JSON.parse(event.data) as { n?: unknown }]));
    expect(sent.filter((id) => data.get(id)?.n !== 1.5)).toEqual([]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  // Goal: input is never an error of ours. Method: junk alone, under the right type and under wrong ones, whole and cut.
  it('never answers 5xx', async () => {
    const bodies = fc.oneof(nastyEvent(fields), nastyEvent(fields).map((text) => `{"event":${text}}`), nastyEvent(fields).map((text) => batch([text]))).map((text) => Buffer.from(text));
    const cut = fc.tuple(bodies, fc.double({ min: 0, max: 1, noNaN: true })).map(([body, part]) => body.subarray(0, Math.floor(body.length * part)));
    await fc.assert(
      fc.asyncProperty(fc.oneof(bodies, cut, fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))), fc.constantFrom(type, 'application/json', 'application/x-www-form-urlencoded', 'text/plain', ''), async (body, any) => {
        expect([200, 204, 400, 415, 422]).toContain(await send(dropIn, body, any));
      }),
      { numRuns: runsOf({ short: 100, long: 2_000 }) },
    );
  });
});

describe('hostile forms', () => {
  it('are never answered with 5xx', async () => {
    const name = fc.constantFrom('event_name', 'identifier', 'timestamp', 'payload', 'payload[stripe_customer_id]', 'payload[value]', 'payload[__proto__]', 'payload[', 'expand[0]', '__proto__', '%', '&');
    const value = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }).map((text) => encodeURIComponent(text.toWellFormed())), fc.constantFrom('%', '%zz', '%ff', '%00', '1e400', '4000000000', '-1'), fc.string());
    const form = fc.array(fc.tuple(name, value), { maxLength: 8 }).map((pairs) => Buffer.from(pairs.map(([key, text]) => `${key}=${text}`).join('&')));
    await fc.assert(
      fc.asyncProperty(fc.oneof(form, fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))), async (body) => {
        expect([200, 400]).toContain(await send({ path: '/v1/billing/meter_events' }, body, 'application/x-www-form-urlencoded'));
      }),
      { numRuns: runsOf({ short: 150, long: 3_000 }) },
    );
  });
});
