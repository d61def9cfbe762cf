import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { useIngest, type Answer, type PostBody } from '../ingest-fixture.js';

const ingest = useIngest();
const sealing = useIngest({ rawRetentionSeconds: 86_400 });

const routes = [['/v1/events/void', 'void'], ['/v1/events/amend', 'amendment']] as const;
let made = 0;
const correction = (over: Record<string, unknown> = {}): Record<string, unknown> => ({ id: `c-${(made += 1)}`, data: { n: 1 }, ...over });
const recordOf = async (id: unknown) => (await ingest().corrections()).find((record) => record.id === id);

describe.each(routes)('POST %s', (path, kind) => {
  it('puts it into the log under the event’s key, with who, when and why', async () => {
    const posted = correction({ source: 'gw-eu-1', data: { bytes: 980, rate: 1.10 }, reason: 'counted twice' });
    expect(await ingest().post(path, posted)).toMatchObject({ status: 202, body: { accepted: 1, rejected: [] } });
    expect(await recordOf(posted.id)).toEqual({
      v: 2, kind, organization: 'org_1', source: 'gw-eu-1', id: posted.id, data: kind === 'void' ? null : '{"bytes":980,"rate":1.1}', reason: 'counted twice', made_by: 'key_org_1',
      received_at: '2026-11-23T06:00:00.500000Z', sealed_before: null,
    });
    expect(await ingest().keys()).toContain(`org_1/7/gw-eu-1/${String(posted.id)}`);
  });

  it('says what of the past is sealed', async () => {
    await sealing().post(path, correction());
    expect((await sealing().corrections()).at(-1)).toMatchObject({ sealed_before: '2026-10-31T10:00:00.000000Z' }); // A day before now in business time.
  });

  it.each<[string, () => PostBody, Record<string, string>]>([
    ['an array', () => [correction(), correction()], {}],
    ['wrapped ones', () => ({ events: [correction(), correction()] }), {}],
    ['a compressed body', () => new Uint8Array(gzipSync(JSON.stringify([correction(), correction()]))), { 'content-encoding': 'gzip', 'content-type': 'application/json; charset=utf-8' }],
  ])('takes %s', async (_, body, headers) => {
    const before = (await ingest().corrections()).length;
    expect(await ingest().post(path, body(), headers)).toMatchObject({ status: 202, body: { accepted: 2, rejected: [] } });
    expect((await ingest().corrections()).length - before).toBe(2);
  });

  it('takes nothing for nothing', async () => {
    expect(await ingest().post(path, [])).toMatchObject({ status: 202, body: { accepted: 0, rejected: [] } });
  });

  it('refuses one without harm to its neighbours, and buries none', async () => {
    const good = correction();
    const answer = await ingest().post(path, [{ source: '' }, good, 7]);
    expect(answer.status).toBe(202);
    expect(answer.body.accepted).toBe(1);
    expect(answer.body.rejected.map(({ index, code, errors }) => [index, code, errors.map(({ pointer }) => pointer)])).toEqual([
      [0, 'missing_field', kind === 'void' ? ['/id', '/source'] : ['/id', '/source', '/data']], [2, 'invalid_type', ['']],
    ]);
    expect(await recordOf(good.id)).toBeDefined();
    expect(await ingest().refused()).toEqual([]);
  });

  it.each<[string, PostBody, Record<string, string>, Partial<Answer['body']> & { status: number }]>([
    ['every fault of a single one', { id: '', reason: 5, data: {} }, {}, { status: 422, code: 'nothing_accepted' }],
    ['no JSON', '{"id":', {}, { status: 400, code: 'invalid_json' }],
    ['another type', 'id=1', { 'content-type': 'application/x-www-form-urlencoded' }, { status: 415, code: 'unsupported_media_type' }],
    ['too many', Array.from({ length: 10_001 }, () => ({ id: 'x', data: {} })), {}, { status: 413, code: 'too_many_events' }],
    ['a stranger', correction(), { authorization: 'Bearer nobody' }, { status: 401 }],
    ['who may only read', correction(), { authorization: 'Bearer key-reader' }, { status: 403 }],
  ])('refuses %s', async (_, body, headers, expected) => {
    const before = (await ingest().corrections()).length;
    expect(await ingest().post(path, body, headers)).toMatchObject({ status: expected.status, body: expected });
    expect(await ingest().corrections()).toHaveLength(before);
  });
});

it('names the faults of a single one beside rejected', async () => {
  const answer = await ingest().post('/v1/events/amend', { id: '', reason: 5 });
  expect(answer.body.errors?.map(({ pointer, code }) => `${pointer} ${code}`)).toEqual(['/id invalid_string', '/data missing_field', '/reason invalid_type']);
});
