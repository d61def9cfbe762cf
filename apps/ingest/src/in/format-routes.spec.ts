import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { UsageEventRecord } from '#contracts';
import { useIngest, type Answer } from '../ingest-fixture.js';

const ingest = useIngest();

const eventsOf = async (source: string): Promise<UsageEventRecord[]> => (await ingest().events()).filter((event) => event.source === source);
const kong = (id: string, over: object = {}): object => ({ request: { id, uri: '/v1/a' }, consumer: { custom_id: 'cus_42' }, started_at: 1_793_520_000_123, ...over }); // 2026-11-01T08:00:00.123Z
const nginx = (over: object): string => JSON.stringify({ time_iso8601: '2026-11-01T08:00:00+00:00', consumer: 'cus_42', request_uri: '/v1/a', ...over });

describe('POST /v1/ingest/{format}', () => {
  it('makes events of an object and of an array, as Kong sends them', async () => {
    expect(await ingest().post('/v1/ingest/kong', kong('k1'))).toMatchObject({ status: 202, body: { accepted: 1, rejected: [] } });
    expect(await ingest().post('/v1/ingest/kong', [kong('k2'), kong('k3', { consumer: null })])).toMatchObject({
      status: 202, body: { accepted: 1, rejected: [{ index: 1, id: 'k3', code: 'missing_field', errors: [{ pointer: '/subject' }] }] },
    });
    const events = await eventsOf('kong');
    expect(events).toHaveLength(2);
    expect(events.find(({ id }) => id === 'k1')).toMatchObject({ type: 'http.request', subject: 'cus_42', time: '2026-11-01T08:00:00.123000Z', time_given: true, data: '{"path":"/v1/a"}' });
  });

  it('keeps what was refused as an event that can be posted again', async () => {
    await ingest().post('/v1/ingest/kong', kong('k4', { started_at: 4_102_444_800_000, response: { size: 12_345_678_901_234_567_890n.toString() } }));
    const letter = (await ingest().refused()).find(({ event_id }) => event_id === 'k4');
    expect(letter).toMatchObject({ code: 'invalid_time', event_source: 'kong', payload: '{"data":{"bytes":12345678901234567890,"path":"/v1/a"},"id":"k4","source":"kong","subject":"cus_42","time":"2100-01-01T00:00:00.000000Z","type":"http.request"}' });
  });

  it('tells equal lines without an id apart, and knows them in another request', async () => {
    const line = nginx({ n: 'equal' });
    expect(await ingest().post('/v1/ingest/nginx', `${line}\n\n${line}\r\n`, { 'content-type': 'text/plain' })).toMatchObject({ body: { accepted: 2 } });
    const ids = (await eventsOf('nginx')).map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
    await ingest().post('/v1/ingest/nginx', `[${line}]`);
    const again = (await eventsOf('nginx')).map(({ id }) => id);
    expect(again).toHaveLength(3);
    expect(new Set(again)).toEqual(new Set(ids));
  });

  it('takes an id that can not be one for none', async () => {
    const answer = await ingest().post('/v1/ingest/nginx', nginx({ request_id: 'x'.repeat(257) }));
    expect(answer).toMatchObject({ body: { accepted: 1 } });
    expect((await eventsOf('nginx')).at(-1)?.id).toMatch(/^[0-9a-f]{64}-1$/);
  });

  it('identifies the lines of a named batch by their number, ids or not', async () => {
    const piece = `\n${nginx({ request_id: 'a' })}\njunk\n${nginx({ request_id: 'b' })}`;
    expect(await ingest().post('/v1/ingest/nginx?batch=nov&first_line=11', piece)).toMatchObject({
      status: 202, body: { accepted: 2, rejected: [{ index: 1, line: 13, id: '13', code: 'unknown_format', detail: 'Line 13 is no JSON.' }] },
    });
    await ingest().post('/v1/ingest/nginx?batch=nov&first_line=20', `[${nginx({})},${nginx({})}]`);
    expect((await eventsOf('batch:nov')).map(({ id }) => id).toSorted()).toEqual(['12', '14', '20', '21']);
  });

  it('takes the client or the user as the subject where asked to', async () => {
    const body = nginx({ request_id: 's', remote_addr: '203.0.113.9', remote_user: 'acme' });
    await ingest().post('/v1/ingest/nginx?subject=client&batch=client', body);
    await ingest().post('/v1/ingest/nginx?subject=user&batch=user', body);
    expect(await eventsOf('batch:client')).toMatchObject([{ subject: '203.0.113.9' }]);
    expect(await eventsOf('batch:user')).toMatchObject([{ subject: 'acme' }]);
    expect(await ingest().post('/v1/ingest/segment?subject=user', {})).toMatchObject({ status: 422 });
  });

  it.each<[string, string | Uint8Array, number]>([
    ['kong', '', 0], ['kong', '[]', 0], ['kong', 'null', 1], ['kong', '[{"a":', 1], ['kong', '[\n1,\n2', 1], ['nginx', '[1,"x",[]]', 3], ['apisix', 'a\nb\n\nc', 3], ['segment', '{"batch":{}}', 1], ['tyk', new Uint8Array([0xff, 0xfe, 0]), 1],
  ])('%s answers 2xx to %j with what was refused inside', async (format, body, refused) => {
    const answer = await ingest().post(`/v1/ingest/${format}`, body);
    expect(answer).toMatchObject({ status: 202, body: { accepted: 0 } });
    expect(answer.body.rejected).toHaveLength(refused);
  });

  it('loses no entry to another one with bytes that are no UTF-8', async () => {
    const body = Buffer.concat([Buffer.from(`[{"x_request_id":"u1","customer":"c","path":"/\u00fc"},{"x_request_id":"u2","customer":"c","path":"/`), Buffer.from([0xff]), Buffer.from('"}]')]);
    expect(await ingest().post('/v1/ingest/envoy', body)).toMatchObject({ body: { accepted: 2 } });
    expect((await eventsOf('envoy')).map(({ data }) => data).toSorted()).toEqual(['{"path":"/\u00fc"}', '{"path":"/\ufffd"}']);
  });

  it('takes the calls of a Segment library: a batch, with the write key as the user of Basic', async () => {
    const body = { batch: [{ type: 'track', event: 'export.made', userId: 'cus_42', messageId: 'm1', properties: { pages: '7' } }, { type: 'identify', userId: 'cus_42', messageId: 'm2' }], sentAt: '2026-11-01T08:00:00Z' };
    const answer = await ingest().post('/v1/ingest/segment', body, { authorization: `Basic ${Buffer.from('key-1:').toString('base64')}` });
    expect(answer).toMatchObject({ status: 202, body: { accepted: 1, rejected: [{ index: 1, id: 'm2', code: 'unknown_format' }] } });
    expect(await eventsOf('segment')).toMatchObject([{ id: 'm1', type: 'export.made', subject: 'cus_42', data: '{"pages":"7"}', time_given: false }]);
    expect(await ingest().post('/v1/ingest/segment', body, { authorization: 'Basic Og==' })).toMatchObject({ status: 401 });
  });

  it('knows no other format', async () => {
    expect((await ingest().post('/v1/ingest/unknown', '{}')).status).toBe(404);
  });
});

const aws = (requestId: string, over: object = {}): string => JSON.stringify({ requestId, principalId: 'cus_42', requestTimeEpoch: '1793520000123', path: '/v1/a', ...over });
const base64 = (data: string | Uint8Array): string => Buffer.from(data).toString('base64');

describe('POST /v1/ingest/aws-api-gateway', () => {
  const firehose = (records: readonly unknown[], headers: Record<string, string> = {}): Promise<Answer> =>
    ingest().post('/v1/ingest/aws-api-gateway', { requestId: 'ed4acda5', timestamp: 1_578_090_901_599, records }, { 'x-amz-firehose-request-id': 'ed4acda5', authorization: '', 'x-amz-firehose-access-key': 'key-1', ...headers });
  // The fixture's clock stands at 2026-11-23T06:00:00.5Z: 1,793,520,000 s is 2026-11-01T08:00Z, plus 21 days and 22 hours (1,893,600 s).
  const taken = { requestId: 'ed4acda5', timestamp: 1_795_413_600_500 };

  it('takes plain lines', async () => {
    expect(await ingest().post('/v1/ingest/aws-api-gateway', `${aws('l1')}\n${aws('l2')}\n`)).toMatchObject({ status: 202, body: { accepted: 2 } });
  });

  it('takes the records of Firehose and answers in its form', async () => {
    const subscription = JSON.stringify({ messageType: 'DATA_MESSAGE', logGroup: 'g', logEvents: [{ id: '1', timestamp: 1, message: aws('f4') }, { id: '2', timestamp: 1, message: `${aws('f5')}\n` }] });
    const control = JSON.stringify({ messageType: 'CONTROL_MESSAGE', logEvents: [{ id: '', timestamp: 1, message: 'CWL CONTROL MESSAGE: Checking health of destination Firehose.' }] });
    const answer = await firehose([{ data: base64(aws('f1')) }, { data: base64(`${aws('f2')}\n${aws('f3')}\n`) }, { data: base64(gzipSync(subscription)) }, { data: base64(gzipSync(control)) }, { data: '!' }, {}, { data: base64(gzipSync('x').subarray(0, 12)) }]);
    expect([answer.status, answer.body]).toEqual([200, taken]);
    expect((await eventsOf('aws-api-gateway')).map(({ id }) => id).filter((id) => id.startsWith('f')).toSorted()).toEqual(['f1', 'f2', 'f3', 'f4', 'f5']);
    expect((await ingest().refused()).slice(-3).map(({ code, payload }) => [code, payload])).toEqual([['unknown_format', '!'], ['unknown_format', ''], ['unknown_format', base64(gzipSync('x').subarray(0, 12))]]);
  });

  it('answers an envelope without its header in the same form', async () => {
    const answer = await ingest().post('/v1/ingest/aws-api-gateway', { requestId: 'no-header', timestamp: 1, records: [{ data: base64(aws('f6')) }] });
    expect([answer.status, answer.body]).toEqual([200, { requestId: 'no-header', timestamp: taken.timestamp }]);
  });

  it('says in Firehose\'s form what keeps a request from being taken', async () => {
    const wrongKey = await firehose([], { 'x-amz-firehose-access-key': 'wrong' });
    expect([wrongKey.status, wrongKey.body]).toEqual([401, { ...taken, errorMessage: 'This API key is unknown, expired or revoked.' }]);
    const bomb = await firehose([{ data: base64(gzipSync(Buffer.alloc(11 * 1_024 * 1_024))) }]);
    expect([bomb.status, bomb.body]).toEqual([413, { ...taken, errorMessage: 'The body is larger than 10485760 bytes when inflated.' }]);
    const plain = await ingest().post('/v1/ingest/aws-api-gateway', '{}', { authorization: 'Bearer wrong' });
    expect(plain).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
  });
});
