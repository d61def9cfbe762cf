import { describe, expect, it } from 'vitest';
import type { EventSource } from '#persistence';
import { useIngest } from '../ingest-fixture.js';

const ingest = useIngest({}, () => {
  keep({ key: 'farm', format: 'json', mapping: { ...nothing, id: ['$.job.id'], subject: ['$.account'], time: ['$.at'], timeUnit: 'seconds', data: { seconds: '$.usage.seconds' }, defaults: { type: 'render' } } });
  keep({ key: 'kong-tokens', format: 'kong', source: 'kong-eu', mapping: { ...nothing, data: { tokens: '$.response.headers.x-tokens' } } });
  keep({ key: 'old', format: 'json', archivedAt: Temporal.Instant.from('2026-10-01T00:00:00Z') });
});

const nothing: EventSource['mapping'] = { id: null, subject: null, type: null, time: null, timeUnit: 'rfc3339', data: null, defaults: {} };

function keep(source: Pick<EventSource, 'key' | 'format'> & Partial<EventSource>): void {
  ingest().eventSources.set(`org_1/${source.key}`, {
    id: `src_${source.key}`, organizationId: 'org_1', name: '', source: null, mapping: nothing, archivedAt: null, createdAt: Temporal.Instant.from('2026-01-01T00:00:00Z'), metadata: {}, ...source,
  });
}

const eventsOf = async (source: string) => (await ingest().events()).filter((event) => event.source === source);

describe('?source_key=', () => {
  it('reads entries of any kind as its mapping says, with all digits, and refuses by itself what lacks something', async () => {
    const lines = ['{"job":{"id":"j1"},"account":"cus_42","at":1793520000,"usage":{"seconds":12.345678901234567890}}', '{"job":{"id":"j2"},"at":1793520000}', 'junk'].join('\n');
    expect(await ingest().post('/v1/events?source_key=farm', lines, { 'content-type': 'text/plain' })).toMatchObject({
      status: 202, body: { accepted: 1, rejected: [{ index: 1, id: 'j2', code: 'missing_field', errors: [{ pointer: '/subject' }] }, { index: 2, line: 3, code: 'unknown_format' }] },
    });
    expect(await eventsOf('farm')).toMatchObject([{ id: 'j1', type: 'render', subject: 'cus_42', time: '2026-11-01T08:00:00.000000Z', data: '{"seconds":12.34567890123456789}' }]);
  });

  it('answers 2xx also where nothing was acceptable', async () => {
    expect(await ingest().post('/v1/events?source_key=farm', '{"job":{"id":"j3"}}')).toMatchObject({ status: 202, body: { accepted: 0, rejected: [{ id: 'j3' }] } });
    expect((await ingest().refused()).find(({ event_id }) => event_id === 'j3')).toMatchObject({ event_source: 'farm', code: 'missing_field' });
  });

  it('adds to what the format reads, on the route of the format and on that of events', async () => {
    const entry = (id: string) => ({ request: { id, uri: '/a' }, consumer: { custom_id: 'cus_42' }, response: { headers: { 'x-tokens': '37' } } });
    expect(await ingest().post('/v1/ingest/kong?source_key=kong-tokens', [entry('k1')])).toMatchObject({ status: 202, body: { accepted: 1 } });
    expect(await ingest().post('/v1/events?source_key=kong-tokens', entry('k2'))).toMatchObject({ status: 202, body: { accepted: 1 } });
    expect((await eventsOf('kong-eu')).map(({ id, data }) => `${id} ${data}`).toSorted()).toEqual(['k1 {"path":"/a","tokens":"37"}', 'k2 {"path":"/a","tokens":"37"}']);
  });

  it.each([
    ['/v1/events?source_key=nobody', 'unknown_event_source'], ['/v1/events?source_key=old', 'archived_event_source'], ['/v1/ingest/nginx?source_key=kong-tokens', 'format_mismatch'], ['/v1/ingest/combined?source_key=farm', 'format_mismatch'],
    ['/v1/ingest/kong?source_key=kong-tokens&subject=user', 'custom'], ['/v1/ingest/kong?source_key=kong-tokens&batch=b', 'custom'],
  ])('%s is refused as a whole', async (path, code) => {
    const answer = await ingest().post(path, '{}');
    expect([answer.status, answer.body.errors?.map(({ pointer }) => pointer)]).toEqual([422, ['/source_key']]);
    if (code !== 'custom') expect(answer.body.errors?.[0]?.code).toBe(code);
  });

  it('finds no source of another organization', async () => {
    expect(await ingest().post('/v1/events?source_key=farm', '{}', { authorization: 'Bearer key-2' })).toMatchObject({ status: 422, body: { errors: [{ code: 'unknown_event_source' }] } });
  });

  it('is one at most', async () => {
    expect((await ingest().post('/v1/events?source_key=farm&source_key=old', '{}')).status).toBe(422);
  });
});
