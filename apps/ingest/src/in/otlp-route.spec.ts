import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { UsageEventRecord } from '#contracts';
import { useIngest } from '../ingest-fixture.js';

const ingest = useIngest();

interface OtlpAnswer {
  readonly status: number;
  readonly type: string | null;
  readonly bytes: Buffer;
}

async function post(body: string | Uint8Array, headers: Record<string, string> = {}): Promise<OtlpAnswer> {
  const response = await fetch(`${ingest().origin}/v1/logs`, { method: 'POST', headers: { authorization: 'Bearer key-1', 'content-type': 'application/json', ...headers }, body: body as Uint8Array<ArrayBuffer> | string });
  return { status: response.status, type: response.headers.get('content-type'), bytes: Buffer.from(await response.arrayBuffer()) };
}

const protobuf = { 'content-type': 'application/x-protobuf' };
const jsonOf = ({ bytes }: OtlpAnswer): unknown => JSON.parse(bytes.toString());
const requestOf = (...records: readonly string[]): string => `{"resourceLogs":[{"resource":{"attributes":[]},"scopeLogs":[{"logRecords":[${records.join(',')}]}]}]}`;
const record = (id: string, over = ''): string =>
  `{"timeUnixNano":"1793520000123456789","body":{"stringValue":"api.request"},"attributes":[{"key":"event.id","value":{"stringValue":"${id}"}},{"key":"customer.id","value":{"stringValue":"cus_42"}},{"key":"tokens","value":{"intValue":"9007199254740993"}}]${over}}`;
const eventsOf = async (): Promise<UsageEventRecord[]> => (await ingest().events()).filter(({ source }) => source === 'otlp');

/** What `request` of one record is in protobuf, made by hand: event_name "api.request", customer.id "cus_42", event.id "pb1". */
const protobufRequest = Buffer.from(
  [
    '0a4e', '124c', '124a', // resource_logs (78) > scope_logs (76) > log_records (74)
    '620b', Buffer.from('api.request').toString('hex'), // 13 bytes: event_name
    '321f', '0a0b', Buffer.from('customer.id').toString('hex'), '1210', '0a0e', Buffer.from('cus_42_and_on!').toString('hex'), // 33 bytes
    '321a', '0a08', Buffer.from('event.id').toString('hex'), '120e', '0a0c', Buffer.from('pb1_________').toString('hex'), // 28 bytes
  ].join(''),
  'hex',
);

describe('POST /v1/logs', () => {
  it('takes JSON, and answers with an empty object', async () => {
    const answer = await post(requestOf(record('j1')));
    expect([answer.status, answer.type, answer.bytes.toString()]).toEqual([200, 'application/json; charset=utf-8', '{}']);
    expect((await eventsOf()).find(({ id }) => id === 'j1')).toMatchObject({
      type: 'api.request', subject: 'cus_42', time: '2026-11-01T08:00:00.123456Z', time_given: true, data: '{"customer.id":"cus_42","event.id":"j1","tokens":9007199254740993}',
    });
  });

  it('takes protobuf, compressed or not, and answers with the empty message', async () => {
    for (const [body, headers] of [[protobufRequest, protobuf], [gzipSync(protobufRequest), { ...protobuf, 'content-encoding': 'gzip' }]] as const) {
      const answer = await post(body, headers);
      expect([answer.status, answer.type, answer.bytes.length]).toEqual([200, 'application/x-protobuf', 0]);
    }
    expect((await eventsOf()).filter(({ id }) => id === 'pb1_________')).toMatchObject([{ subject: 'cus_42_and_on!', type: 'api.request' }, { subject: 'cus_42_and_on!' }]);
  });

  it('takes an empty request', async () => {
    expect([(await post('{}')).status, (await post('')).status, (await post('{"resourceLogs":null}')).status, (await post('', protobuf)).status]).toEqual([200, 200, 200, 200]);
  });

  it('counts what it refuses in a 200, and keeps it', async () => {
    const nobody = '{"body":{"stringValue":"t"},"attributes":[{"key":"event.id","value":{"stringValue":"nobody"}}]}';
    const answer = await post(requestOf(record('j2'), nobody, '7'));
    expect(answer.status).toBe(200);
    expect(jsonOf(answer)).toEqual({ partialSuccess: { rejectedLogRecords: '2', errorMessage: '2 refused, kept in the dead letters. The first one (record 1): An event needs its subject.' } });
    expect((await ingest().refused()).find(({ event_id }) => event_id === 'nobody')).toMatchObject({ code: 'missing_field', event_source: 'otlp', payload: '{"data":{"event.id":"nobody"},"id":"nobody","source":"otlp","type":"t"}' });
    // resource_logs (8 bytes) > scope_logs (6) > log_records (4) > event_name "ab": nobody's. Partial success is field 1, and its own field 1 the number.
    const partial = await post(Buffer.from('0a08' + '1206' + '1204' + '62026162', 'hex'), protobuf);
    expect([partial.status, partial.bytes.subarray(0, 1).toString('hex'), partial.bytes.subarray(2, 4).toString('hex')]).toEqual([200, '0a', '0801']);
  });

  it('gives records without ids the same identity in every request, and equal ones an ordinal', async () => {
    const plain = '{"timeUnixNano":"1793520000000000000","body":{"stringValue":"plain"},"attributes":[{"key":"customer.id","value":{"stringValue":"c"}}]}';
    await post(requestOf(plain, plain));
    await post(requestOf(plain));
    const ids = (await eventsOf()).filter(({ type }) => type === 'plain').map(({ id }) => id);
    expect(ids.map((id) => id.slice(64)).toSorted()).toEqual(['-1', '-1', '-2']);
    expect(new Set(ids).size).toBe(2);
  });

  it('answers errors as google.rpc.Status in the encoding of the request', async () => {
    const cut = await post(protobufRequest.subarray(0, 40), protobuf);
    expect([cut.status, cut.type, cut.bytes.toString('hex').slice(0, 4)]).toEqual([400, 'application/x-protobuf', '0803']); // code 3
    const notJson = await post('{');
    expect([notJson.status, jsonOf(notJson)]).toEqual([400, { code: 3, message: expect.stringContaining('no valid JSON') as string }]);
    expect((await post('[]')).status).toBe(400);
    const unknown = await post(requestOf(record('j3')), { authorization: 'Bearer wrong' });
    expect([unknown.status, jsonOf(unknown)]).toMatchObject([401, { code: 16 }]);
    expect((await post('x', { 'content-type': 'text/plain' })).status).toBe(415);
    const many = await post(requestOf(...Array.from({ length: 10_001 }, () => '{}')));
    expect([many.status, jsonOf(many)]).toEqual([413, { code: 3, message: 'A request may have 10000 events.' }]);
  });
});
