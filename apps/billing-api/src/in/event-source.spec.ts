import { describe, expect, it } from 'vitest';
import { usePostgres } from '#testing';
import { startBillingApi } from '../fixtures/billing-api-app.js';

usePostgres();
const { owner } = await startBillingApi();

const render = {
  key: 'render-farm', name: 'Render farm', format: 'json',
  mapping: { id: '$.job.id', subject: ['$.tenant', '$.account'], time: '$.at', time_unit: 'seconds', data: { seconds: '$.usage.seconds' } },
  defaults: { type: 'render' },
};
const pointersOf = ({ body }: { body: { errors: { pointer: string; code: string }[] } }): string[] => body.errors.map(({ pointer, code }) => `${pointer} ${code}`);

describe('/v1/event-sources', () => {
  it('are created, read, listed, renamed, replaced and archived', async () => {
    const { status, body } = await owner('POST', '/v1/event-sources', render);
    expect([status, body]).toEqual([201, {
      id: expect.stringMatching(/^src_/) as string, object: 'event_source', key: 'render-farm', name: 'Render farm', format: 'json', source: 'render-farm', archived_at: null, created_at: expect.any(String) as string, metadata: {},
      mapping: { id: ['$.job.id'], subject: ['$.tenant', '$.account'], type: null, time: ['$.at'], time_unit: 'seconds', data: { seconds: '$.usage.seconds' } },
      defaults: { type: 'render' },
    }]);
    expect((await owner('GET', `/v1/event-sources/${body.id}`)).body).toEqual(body);
    expect((await owner('GET', '/v1/event-sources')).body).toEqual({ data: [body], has_more: false });
    expect((await owner('PATCH', '/v1/event-sources/render-farm', { name: 'Farm', metadata: { a: 'b' } })).body).toEqual({ ...body, name: 'Farm', metadata: { a: 'b' } });
    const replaced = await owner('PUT', '/v1/event-sources/render-farm', { name: 'Kong', format: 'kong', source: 'kong-eu' });
    expect(replaced).toMatchObject({ status: 200, body: { id: body.id, format: 'kong', source: 'kong-eu', mapping: { id: null, data: null, time_unit: 'rfc3339' }, defaults: {}, metadata: {} } });
    expect((await owner('POST', '/v1/event-sources/render-farm/archive')).body.archived_at).not.toBeNull();
    expect((await owner('GET', '/v1/event-sources')).body.data).toEqual([]);
  });

  it('takes back what it showed', async () => {
    const { body } = await owner('POST', '/v1/event-sources', { ...render, key: 'again' });
    const { id: _id, object: _object, archived_at: _archived, created_at: _created, ...shown } = body;
    expect(await owner('PUT', '/v1/event-sources/again', shown)).toMatchObject({ status: 200, body });
  });

  it('names every fault of a mapping', async () => {
    expect(pointersOf(await owner('POST', '/v1/event-sources', { key: 'x', name: 'x', format: 'json', mapping: { id: 'job.id', subject: ['$.a', '$[0]'], data: { n: '$' } } }))).toEqual([
      '/mapping/id/0 invalid_path', '/mapping/subject/1 invalid_path', '/mapping/data/n invalid_path', '/mapping/type missing_field',
    ]);
    expect(pointersOf(await owner('POST', '/v1/event-sources', { key: 'x', name: 'x', format: 'combined', source: '\u0000', mapping: { time_unit: 'days', subject: [] } })).map((fault) => fault.split(' ')[0]).toSorted()).toEqual([
      '/format', '/mapping/subject', '/mapping/time_unit', '/source',
    ]);
    expect((await owner('PATCH', '/v1/event-sources/render-farm', { format: 'kong' })).status).toBe(422);
  });
});
