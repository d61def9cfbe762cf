import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runsOf, usePostgres } from '#testing';
import { nastyJson } from '../fixtures/nasty-json.js';
import { IngestFixture } from '../ingest-fixture.js';

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
];

/** Junk, and objects with the names of the format and junk in them. */
const nastyEvent = (fields: readonly string[]) => fc.oneof(
  nastyJson,
  fc.array(fc.tuple(fc.constantFrom(...fields), nastyJson), { maxLength: fields.length }).map((members) => `{${members.map(([name, value]) => `"${name}":${value}`).join(',')}}`),
);

const send = async (path: string, body: string | Buffer, type: string): Promise<number> => {
  const response = await fetch(ingest.origin + path, { method: 'POST', headers: { authorization: 'Bearer key-1', 'content-type': type }, body: body as Uint8Array<ArrayBuffer> | string });
  await response.arrayBuffer();
  return response.status;
};

describe.each(dropIns)('hostile input at $path', ({ path, type, fields, good, batch, statuses }) => {
  // Goal: a nasty event harms no other. Method: it stands between two good ones, which must be in the log with their data.
  it('never loses a neighbour', async () => {
    let made = 0;
    const sent: string[] = [];
    await fc.assert(
      fc.asyncProperty(fc.array(nastyEvent(fields), { minLength: 1, maxLength: 3 }), async (nasty) => {
        const ids = [`${type}-${(made += 1)}`, `${type}-${(made += 1)}`] as const;
        expect(statuses).toContain(await send(path, batch([good(ids[0]), ...nasty, good(ids[1])]), type));
        sent.push(...ids);
      }),
      { numRuns: runsOf({ short: 60, long: 2_000 }) },
    );
    const data = new Map((await ingest.events()).map((event) => [event.id, event.data]));
    expect(sent.filter((id) => data.get(id) !== '{"n":1.5}')).toEqual([]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  // Goal: input is never an error of ours. Method: junk alone, under the right type and under wrong ones, whole and cut.
  it('never answers 5xx', async () => {
    const bodies = fc.oneof(nastyEvent(fields), nastyEvent(fields).map((text) => `{"event":${text}}`), nastyEvent(fields).map((text) => batch([text]))).map((text) => Buffer.from(text));
    const cut = fc.tuple(bodies, fc.double({ min: 0, max: 1, noNaN: true })).map(([body, part]) => body.subarray(0, Math.floor(body.length * part)));
    await fc.assert(
      fc.asyncProperty(fc.oneof(bodies, cut, fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))), fc.constantFrom(type, 'application/json', 'application/x-www-form-urlencoded', 'text/plain', ''), async (body, any) => {
        expect([200, 204, 400, 415, 422]).toContain(await send(path, body, any));
      }),
      { numRuns: runsOf({ short: 100, long: 2_000 }) },
    );
  });
});
