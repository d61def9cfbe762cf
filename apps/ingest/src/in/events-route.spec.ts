import { hash } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { useIngest, type Answer, type PostBody } from '../ingest-fixture.js';

const ingest = useIngest();

let made = 0;
const event = (over: Record<string, unknown> = {}): Record<string, unknown> => ({ id: `e-${(made += 1)}`, type: 'api.request', subject: 'acme', ...over });
const recordOf = async (id: unknown) => (await ingest().events()).find((record) => record.id === id);
const refusals = (answer: Answer): string[] => answer.body.rejected.map((refusal) => `${refusal.index} ${refusal.code}`);

describe('POST /v1/events', () => {
  it('puts a whole event into the log', async () => {
    const posted = event({ source: 'gw-eu-1', time: '2026-11-01T12:00:00.123+02:00', data: { route: '/v1/geocode', bytes: 980, rate: 1.10 } });
    const answer = await ingest().post('/v1/events', posted);
    expect(answer).toMatchObject({ status: 202, body: { accepted: 1, rejected: [] } });
    const data = '{"bytes":980,"rate":1.1,"route":"/v1/geocode"}'; // 46 characters.
    expect(await recordOf(posted.id)).toEqual({
      v: 1, kind: 'event', organization: 'org_1', source: 'gw-eu-1', id: posted.id, type: 'api.request', subject: 'acme',
      time: '2026-11-01T10:00:00.123000Z', time_given: true, received_at: '2026-11-23T06:00:00.500000Z', data,
      payload_hash: hash('sha256', `11:api.request4:acme27:2026-11-01T10:00:00.123000Z46:${data}`, 'hex'),
    });
    expect(await ingest().keys()).toContain(`org_1/7/gw-eu-1/${String(posted.id)}`);
  });

  it('fills in source, time (in business time) and data', async () => {
    const posted = event();
    await ingest().post('/v1/events', posted);
    expect(await recordOf(posted.id)).toMatchObject({ source: 'default', time: '2026-11-01T10:00:00.000000Z', time_given: false, data: '{}' });
  });

  const cloud = (over: Record<string, unknown> = {}) => event({ specversion: '1.0', source: '//gw/eu', datacontenttype: 'application/json', data: { n: 1 }, ...over });
  it.each<[string, string, () => PostBody]>([
    ['an object', 'application/json', () => event()],
    ['an array', 'application/json', () => [event(), event()]],
    ['wrapped events', 'application/json', () => ({ events: [event(), event()] })],
    ['another case and a charset', 'APPLICATION/JSON; Charset="UTF-8"', () => event()],
    ['a byte order mark', 'application/json', () => `\ufeff${JSON.stringify(event())}`],
    ['a CloudEvent', 'application/cloudevents+json; charset=utf-8', () => cloud()],
    ['a CloudEvent with base64', 'application/cloudevents+json', () => cloud({ data: undefined, data_base64: Buffer.from('{"n":1}').toString('base64') })],
    ['a batch of CloudEvents', 'application/cloudevents-batch+json', () => [cloud(), cloud({ time: null, subject: 'other' })]],
    ['lines', 'application/x-ndjson', () => `${JSON.stringify(event())}\r\n\n  \n${JSON.stringify(event())}`],
  ])('takes %s', async (_name, type, body) => {
    const before = (await ingest().events()).length;
    const answer = await ingest().post('/v1/events', body(), { 'content-type': type });
    expect(answer).toMatchObject({ status: 202, body: { rejected: [] } });
    expect(answer.body.accepted).toBeGreaterThan(0);
    expect((await ingest().events()).length - before).toBe(answer.body.accepted);
  });

  it.each(['application/json', 'application/cloudevents-batch+json'])('takes an empty array of %s', async (type) => {
    expect(await ingest().post('/v1/events', '[]', { 'content-type': type })).toMatchObject({ status: 202, body: { accepted: 0, rejected: [] } });
  });

  it('takes no lines and no wrapped events', async () => {
    expect(await ingest().post('/v1/events', '\n\n', { 'content-type': 'application/x-ndjson' })).toMatchObject({ status: 202, body: { accepted: 0 } });
    expect(await ingest().post('/v1/events', { events: [] })).toMatchObject({ status: 202, body: { accepted: 0 } });
  });

  it('takes a CloudEvent in binary mode', async () => {
    const headers = { 'ce-specversion': '1.0', 'ce-id': 'bin%20%C3%A9%2525', 'ce-source': '"//gw"', 'ce-type': 'api.request', 'ce-subject': 'acme', 'ce-time': '2026-11-01T09:00:00Z' };
    expect(await ingest().post('/v1/events', '{"n":1e2}', { ...headers, 'content-type': 'application/vnd.acme+json' })).toMatchObject({ status: 202, body: { accepted: 1 } });
    expect(await recordOf('bin é%25')).toMatchObject({ source: '//gw', time: '2026-11-01T09:00:00.000000Z', data: '{"n":100}' }); // Decoded exactly once.
    expect(await ingest().post('/v1/events', '', { ...headers, 'ce-id': 'no-data' })).toMatchObject({ status: 202, body: { accepted: 1 } });
    expect(await ingest().post('/v1/events', '{}', { ...headers, 'ce-id': 'bad%ff' })).toMatchObject({ status: 422, body: { rejected: [{ code: 'invalid_string', errors: [{ pointer: '/id' }] }] } });
    expect(await ingest().post('/v1/events', '<n/>', { ...headers, 'content-type': 'application/xml' })).toMatchObject({ status: 415 });
    expect(await ingest().post('/v1/events', '{"n":', headers)).toMatchObject({ status: 400, body: { code: 'invalid_json' } });
  });

  it.each([
    ['{"specversion":"0.3"}', 'unknown_format'],
    ['{}', 'missing_field'],
    ['{"specversion":"1.0","id":"x","type":"t","subject":"s","data_base64":"!!"}', 'invalid_type'],
  ])('refuses the CloudEvent %s', async (body, code) => {
    expect(await ingest().post('/v1/events', body, { 'content-type': 'application/cloudevents+json' })).toMatchObject({ status: 422, body: { rejected: [{ code }] } });
  });

  it('takes gzip, also in several members, and chunked bodies', async () => {
    const first = event();
    const gzipped = gzipSync(JSON.stringify([first, event()]));
    expect(await ingest().post('/v1/events', gzipped, { 'content-encoding': 'gzip' })).toMatchObject({ status: 202, body: { accepted: 2 } });
    const members = Buffer.concat([gzipSync(`[${JSON.stringify(event({ data: { x: 'y'.repeat(1_000) } }))},`), gzipSync(`${JSON.stringify(event())}]`)]);
    expect(await ingest().post('/v1/events', members, { 'content-encoding': 'GZIP' })).toMatchObject({ status: 202, body: { accepted: 2 } });
    expect(await chunked(['[', JSON.stringify(event()), ',', JSON.stringify(event()), ']'])).toBe(202);
  });

  it('keeps all digits of a number, whatever stands beside it', async () => {
    const plain = event({ data: { n: 1.5, m: 0.0000001 } });
    const exact = String(event().id);
    await ingest().post('/v1/events', `[{"id":"${exact}","type":"t","subject":"s","data":{"n":123456789012.1234567890123456780,"big":1e400000,"dup":1,"dup":2}},${JSON.stringify({ ...plain, id: `${String(plain.id)}-beside` })}]`);
    await ingest().post('/v1/events', plain);
    expect((await recordOf(exact))?.data).toBe('{"big":1e400000,"dup":2,"n":123456789012.123456789012345678}');
    expect((await recordOf(plain.id))?.data).toBe('{"m":0.0000001,"n":1.5}');
    expect((await recordOf(`${String(plain.id)}-beside`))?.payload_hash).toBe((await recordOf(plain.id))?.payload_hash);
  });

  it('refuses each bad event by itself and keeps it with what was sent', async () => {
    const [good, other] = [event(), event()];
    const bad = `{ "id": "bad-1", "type": "t", "subject": "s", "time": "2031-01-01T00:00:00Z", "data": [1.10] }`;
    const answer = await ingest().post('/v1/events', `{"events":[${JSON.stringify(good)}, ${bad} ,5,${JSON.stringify(other)}]}`);
    expect(answer.status).toBe(202);
    expect(answer.body.accepted).toBe(2);
    expect(answer.body.rejected).toEqual([
      { index: 1, id: 'bad-1', code: 'invalid_time', detail: 'time must not be more than an hour ahead. data must be a JSON object.', errors: [expect.objectContaining({ pointer: '/time', code: 'invalid_time' }), expect.objectContaining({ pointer: '/data', code: 'invalid_type' })] },
      { index: 2, id: null, code: 'invalid_type', detail: 'An event must be a JSON object.', errors: [expect.objectContaining({ pointer: '' })] },
    ]);
    expect(await recordOf(good.id)).toBeDefined();
    expect(await recordOf(other.id)).toBeDefined();
    const letters = await ingest().refused();
    expect(letters.find((letter) => letter.event_id === 'bad-1')).toMatchObject({ kind: 'refused', organization: 'org_1', code: 'invalid_time', payload: bad, event_source: 'default', received_at: '2026-11-23T06:00:00.500000Z' });
    expect(letters.some((letter) => letter.payload === '5')).toBe(true);
  });

  it('refuses a broken line by itself', async () => {
    const body = [JSON.stringify(event()), '', '{"id": ', 'null', JSON.stringify(event({ data: { n: 1e21 } })), '[1]'].join('\n');
    const answer = await ingest().post('/v1/events', body, { 'content-type': 'application/x-ndjson' });
    expect(answer).toMatchObject({ status: 202, body: { accepted: 2 } });
    expect(answer.body.rejected.map(({ index, line, code }) => [index, line, code])).toEqual([[1, 3, 'unknown_format'], [2, 4, 'invalid_type'], [4, 6, 'invalid_type']]);
  });

  it('answers 422 with every fault where nothing is acceptable, and keeps none of it', async () => {
    const before = (await ingest().refused()).length;
    const one = await ingest().post('/v1/events', { id: 5, subject: '' });
    expect(one.headers.get('content-type')).toContain('application/problem+json');
    expect(one).toMatchObject({ status: 422, body: { status: 422, accepted: 0, errors: [{ pointer: '/id', code: 'invalid_type' }, { pointer: '/type', code: 'missing_field' }, { pointer: '/subject', code: 'invalid_string' }] } });
    const many = await ingest().post('/v1/events', [null, { id: 'x' }]);
    expect(many.status).toBe(422);
    expect(refusals(many)).toEqual(['0 invalid_type', '1 missing_field']);
    expect((await ingest().refused()).length).toBe(before);
  });

  it.each<[string, PostBody, Record<string, string>, number, string]>([
    ['broken JSON', '{"id":', {}, 400, 'invalid_json'],
    ['no body', '', {}, 400, 'invalid_json'],
    ['NaN', '{"id":NaN}', {}, 400, 'invalid_json'],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]), {}, 400, 'invalid_utf8'],
    ['no UTF-8 in lines', Buffer.from('{}\n\xff\n', 'latin1'), { 'content-type': 'application/x-ndjson' }, 400, 'invalid_utf8'],
    ['a broken gzip', gzipSync('[]'.repeat(50)).subarray(0, 20), { 'content-encoding': 'gzip' }, 400, 'invalid_gzip'],
    ['no gzip', 'plain text that is none', { 'content-encoding': 'gzip' }, 400, 'invalid_gzip'],
    ['another encoding', '[]', { 'content-encoding': 'br' }, 415, 'unsupported_encoding'],
    ['another charset', '[]', { 'content-type': 'application/json; charset=iso-8859-1' }, 415, 'unsupported_charset'],
    ['another type', '[]', { 'content-type': 'text/plain' }, 415, 'unsupported_media_type'],
    ['a type that is none', '[]', { 'content-type': 'json' }, 415, 'unsupported_media_type'],
    ['too many events', `[${'0,'.repeat(10_000)}0]`, {}, 413, 'too_many_events'],
    ['too many lines', '0\n'.repeat(10_001), { 'content-type': 'application/x-ndjson' }, 413, 'too_many_events'],
    ['too many bytes', `"${'x'.repeat(10 * 1_024 * 1_024)}"`, {}, 413, 'body_too_large'],
    ['a bomb', gzipSync(Buffer.alloc(50 * 1_024 * 1_024, 32)), { 'content-encoding': 'gzip' }, 413, 'body_too_large'],
    ['a wrong key', '[]', { authorization: 'Bearer wrong' }, 401, 'unauthorized'],
    ['no key', '[]', { authorization: '' }, 401, 'unauthorized'],
    ['a key that may only read', '[]', { authorization: 'Bearer key-reader' }, 403, 'scope_missing'],
  ])('refuses %s', async (_name, body, headers, status, code) => {
    const answer = await ingest().post('/v1/events', body, headers);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  });

  it('takes 10,000 events in one request', async () => {
    const before = (await ingest().events()).length;
    const answer = await ingest().post('/v1/events', Array.from({ length: 10_000 }, () => event()));
    expect(answer).toMatchObject({ status: 202, body: { accepted: 10_000, rejected: [] } });
    expect((await ingest().events()).length - before).toBe(10_000);
  });

  it('takes the key from X-API-Key, and writes as its organization', async () => {
    const posted = event();
    const response = await fetch(`${ingest().origin}/v1/events`, { method: 'POST', headers: { 'x-api-key': 'key-2', 'content-type': 'application/json' }, body: JSON.stringify(posted) });
    expect(response.status).toBe(202);
    expect(await recordOf(posted.id)).toMatchObject({ organization: 'org_2' });
  });
});

function chunked(parts: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: 'Bearer key-1', 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
    const sent = httpRequest(`${ingest().origin}/v1/events`, { method: 'POST', headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', reject);
    for (const part of parts) sent.write(part);
    sent.end();
  });
}
