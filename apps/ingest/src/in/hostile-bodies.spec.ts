import { gzipSync } from 'node:zlib';
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

const field = fc.constantFrom('id', 'source', 'type', 'subject', 'time', 'data', '__proto__', 'events', 'specversion', 'other');
const nastyEvent = fc.oneof(
  nastyJson,
  fc.array(fc.tuple(field, nastyJson), { maxLength: 6 }).map((members) => `{${members.map(([name, value]) => `"${name}":${value}`).join(',')}}`),
  nastyJson.map((value) => `{"id":"n","type":"t","subject":"s","data":{"n":${value}}}`),
  nastyJson.map((value) => `{"id":"n","type":"t","subject":"s","time":${value}}`),
);

let made = 0;
const neighbour = (): { id: string; json: string } => {
  made += 1;
  return { id: `neighbour-${made}`, json: `{"id":"neighbour-${made}","type":"t","subject":"s","data":{"n":1.50}}` };
};

describe('hostile events', () => {
  // Goal: a nasty event harms no other. Method: it stands between two good ones, which must be in the log with their data.
  it.each(['application/json', 'application/x-ndjson'])('never lose a neighbour in %s', async (type) => {
    const posted: string[] = [];
    await fc.assert(
      fc.asyncProperty(fc.array(nastyEvent, { minLength: 1, maxLength: 3 }), async (nastyEvents) => {
        const [first, last] = [neighbour(), neighbour()];
        const texts = [first.json, ...nastyEvents, last.json];
        const body = type === 'application/json' ? `[${texts.join(',')}]` : texts.join('\n');
        const answer = await ingest.post('/v1/events', body, { 'content-type': type });
        expect(answer.status).toBe(202);
        expect(answer.body.accepted + answer.body.rejected.length).toBe(texts.length);
        expect(answer.body.rejected.every(({ index }) => index > 0 && index < texts.length - 1)).toBe(true);
        posted.push(first.id, last.id);
      }),
      { numRuns: runsOf({ short: 250, long: 2_500 }) },
    );
    const data = new Map((await ingest.events()).map((event) => [event.id, event.data]));
    expect(posted.filter((id) => data.get(id) !== '{"n":1.5}')).toEqual([]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe('hostile bodies', () => {
  const bytes = fc.uint8Array({ maxLength: 500 }).map((array) => Buffer.from(array));
  const broken = fc.tuple(nastyEvent, fc.double({ min: 0, max: 1, noNaN: true })).map(([json, part]) => Buffer.from(json).subarray(0, Math.floor(Buffer.byteLength(json) * part)));
  const gzipped = fc.tuple(fc.oneof(bytes, nastyEvent.map((json) => Buffer.from(json))), fc.integer({ min: 0, max: 40 })).map(([body, cut]) => {
    const whole = gzipSync(body);
    return whole.subarray(0, Math.max(0, whole.length - cut));
  });
  const types = fc.constantFrom('application/json', 'application/x-ndjson', 'application/cloudevents+json', 'application/cloudevents-batch+json', 'text/plain', 'application/json; charset=utf-16', 'x', '');
  const headers = fc.dictionary(fc.constantFrom('ce-id', 'ce-type', 'ce-subject', 'ce-time', 'ce-specversion', 'ce-source'), fc.stringMatching(/^[ -~]{0,20}$/).map((text) => text.trim()), { maxKeys: 6 });

  // Goal: input is never an error of ours. Method: junk, cut JSON and cut gzip under every type, on both routes.
  it.each(['/v1/events', '/v1/ingest/combined'])('are never answered with 5xx at %s', async (path) => {
    const seen = new Set<number>();
    await fc.assert(
      fc.asyncProperty(fc.oneof(bytes, broken), types, headers, async (body, type, ce) => {
        const answer = await ingest.post(path, body, { ...ce, 'content-type': type });
        seen.add(answer.status);
        expect([202, 400, 415, 422]).toContain(answer.status);
      }),
      { numRuns: runsOf({ short: 150, long: 1_500 }) },
    );
    await fc.assert(
      fc.asyncProperty(gzipped, types, async (body, type) => {
        const answer = await ingest.post(path, body, { 'content-type': type, 'content-encoding': 'gzip' });
        seen.add(answer.status);
        expect([202, 400, 415, 422]).toContain(answer.status);
      }),
      { numRuns: runsOf({ short: 150, long: 1_500 }) },
    );
    expect(seen.size).toBeGreaterThan(1); // Or the bodies were all of one kind.
  });

  it('with the worst a body may hold are answered in time', async () => {
    const size = 4 * 1_024 * 1_024;
    const inEvent = (data: string): string => `[{"id":"w","type":"t","subject":"s","data":${data}},${neighbour().json}]`;
    const bodies = [
      inEvent('['.repeat(size / 2) + ']'.repeat(size / 2)),
      inEvent(`{"n":1e30,"a":[${'1,'.repeat(size / 2 - 20)}1]}`),
      inEvent(`{"n":[${'1e40,'.repeat(size / 5 - 20)}1]}`),
      inEvent(`{"n":${'9'.repeat(size - 100)}}`),
      inEvent(`{"n":1e${'9'.repeat(size - 100)}}`),
      inEvent(`{"n":"${'\\"'.repeat(size / 2 - 100)}","m":1e5}`),
      inEvent(`{${Array.from({ length: 400_000 }, (_, at) => `"k${at}":${at}`).join(',')}}`),
    ];
    for (const body of bodies) {
      const answer = await ingest.post('/v1/events', body);
      expect(answer).toMatchObject({ status: 202, body: { accepted: 1, rejected: [{ index: 0, id: 'w' }] } });
    }
  }, 60_000);
});
