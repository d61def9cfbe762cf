import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ingestFormats, type IngestFormat } from '#contracts';
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

type JsonFormat = Exclude<IngestFormat, 'combined'>;

/** An entry that is good, by its id, and the names that the format reads. */
const formats: Readonly<Record<JsonFormat, { readonly good: (id: string) => object; readonly names: readonly string[] }>> = {
  kong: { good: (id) => ({ request: { id }, consumer: { id: 'c' }, response: { size: 1.5 } }), names: ['request', 'response', 'consumer', 'latencies', 'started_at', 'route', 'service', 'client_ip', 'headers', 'size', 'uri'] },
  apisix: { good: (id) => ({ request_id: id, consumer_name: 'c', body_bytes_sent: '1.50' }), names: ['request', 'response', 'consumer', 'start_time', 'latency', 'route_id', 'headers', 'request_time', 'msec'] },
  nginx: { good: (id) => ({ request_id: id, consumer: 'c', body_bytes_sent: '1.50' }), names: ['request_id', 'msec', 'time_iso8601', 'time_local', 'request', 'request_uri', 'status', 'request_time', 'body_bytes_sent', 'consumer'] },
  envoy: { good: (id) => ({ x_request_id: id, customer: 'c', bytes_sent: 1.5 }), names: ['x_request_id', 'start_time', 'path', 'duration', 'response_code', 'downstream_remote_address', 'customer', 'bytes_sent'] },
  'aws-api-gateway': { good: (id) => ({ requestId: id, principalId: 'c', responseLength: '1.50' }), names: ['requestId', 'records', 'data', 'extendedRequestId', 'requestTimeEpoch', 'requestTime', 'status', 'principalId', 'apiKeyId', 'logEvents', 'messageType'] },
  tyk: { good: (id) => ({ alias: 'c', raw_path: `/${id}`, content_length: 1.5 }), names: ['timestamp', 'alias', 'api_key', 'raw_path', 'response_code', 'request_time_ms', 'latency', 'tags'] },
  segment: { good: (id) => ({ messageId: id, event: 'e', userId: 'c', properties: { bytes: 1.5 } }), names: ['type', 'event', 'userId', 'messageId', 'timestamp', 'properties', 'context', 'batch'] },
};

const jsonFormats = Object.keys(formats) as JsonFormat[];

function nastyEntry(names: readonly string[]): fc.Arbitrary<string> {
  const name = fc.constantFrom(...names, '__proto__', 'constructor', 'toString');
  const object = (value: fc.Arbitrary<string>): fc.Arbitrary<string> => fc.array(fc.tuple(name, value), { maxLength: 6 }).map((members) => `{${members.map(([key, json]) => `"${key}":${json}`).join(',')}}`);
  return fc.oneof(nastyJson, object(nastyJson), object(fc.oneof(nastyJson, object(nastyJson))));
}

describe.each(jsonFormats)('hostile entries of %s', (format) => {
  const { good, names } = formats[format];
  let made = 0;
  const neighbour = (): string => {
    made += 1;
    return JSON.stringify(good(`${format}-${made}`));
  };

  // Goal: a nasty entry harms no other. Method: it stands between two good ones, as an array and as lines.
  it('never cost a neighbour', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(nastyEntry(names), { minLength: 1, maxLength: 3 }), fc.boolean(), async (nasty, isArray) => {
        const texts = [neighbour(), ...nasty, neighbour()];
        const answer = await ingest.post(`/v1/ingest/${format}`, isArray ? `[${texts.join(',')}]` : texts.join('\n'));
        expect(answer.status).toBe(202);
        expect(answer.body.accepted + answer.body.rejected.length).toBe(texts.length);
        expect(answer.body.rejected.every(({ index }) => index > 0 && index < texts.length - 1)).toBe(true);
      }),
      { numRuns: runsOf({ short: 40, long: 4_000 }) },
    );
    const kept = (await ingest.events()).filter((event) => event.source === format && event.data.includes('1.5'));
    expect(kept.filter(({ data }) => /"(bytes|request_bytes)":1\.5\b/.test(data)).length).toBeGreaterThanOrEqual(made);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe('hostile bodies', () => {
  const bytes = fc.uint8Array({ maxLength: 500 }).map((array) => Buffer.from(array));
  const anyEntry = fc.constantFrom(...jsonFormats).chain((format) => nastyEntry(formats[format].names));
  const broken = fc.tuple(anyEntry, fc.double({ min: 0, max: 1, noNaN: true })).map(([json, part]) => Buffer.from(json).subarray(0, Math.floor(Buffer.byteLength(json) * part)));
  const record = fc.oneof(bytes.map((data) => data.toString('base64')), anyEntry.map((json) => Buffer.from(json).toString('base64')), anyEntry.map((json) => gzipSync(json).toString('base64')), bytes.map((data) => gzipSync(data).subarray(0, 30).toString('base64')));
  const firehose = fc.array(fc.oneof(record.map((data) => `{"data":"${data}"}`), nastyJson), { maxLength: 4 }).map((records) => Buffer.from(`{"requestId":"r","timestamp":1,"records":[${records.join(',')}]}`));
  const gzipped = fc.tuple(fc.oneof(bytes, broken), fc.integer({ min: 0, max: 40 })).map(([body, cut]) => {
    const whole = gzipSync(body);
    return whole.subarray(0, Math.max(0, whole.length - cut));
  });

  // Goal: a log sender gets 2xx, whatever its body holds; only a gzip that can't be inflated is 400.
  it.each(ingestFormats)('are taken by %s', async (format) => {
    const post = (body: Buffer, headers: Record<string, string> = {}) => ingest.post(`/v1/ingest/${format}`, body, headers);
    await fc.assert(
      fc.asyncProperty(fc.oneof(bytes, broken, firehose), async (body) => {
        expect((await post(body)).status).toBeOneOf([200, 202]);
      }),
      { numRuns: runsOf({ short: 100, long: 4_000 }) },
    );
    await fc.assert(
      fc.asyncProperty(gzipped, async (body) => {
        expect((await post(body, { 'content-encoding': 'gzip' })).status).toBeOneOf([200, 202, 400]);
      }),
      { numRuns: runsOf({ short: 50, long: 2_000 }) },
    );
  });
});
