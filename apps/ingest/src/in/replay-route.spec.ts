import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeUsageEventRecord, type UsageEventRecord } from '#contracts';
import { usePostgres } from '#testing';
import { IngestFixture, type Answer } from '../ingest-fixture.js';
import type { ReplayableDeadLetter } from '../replay-dead-letter.js';

usePostgres();

let ingest: IngestFixture;
beforeAll(async () => {
  ingest = await IngestFixture.start();
});
afterAll(async () => {
  await ingest.close();
});

const replay = (id: string): Promise<Answer> => ingest.post(`/v1/dead-letters/${id}/replay`, '');
const keep = (id: string, letter: ReplayableDeadLetter, organizationId = 'org_1'): void => {
  ingest.deadLetters.set(id, { ...letter, organizationId });
};
const record: UsageEventRecord = {
  v: 1, kind: 'event', organization: 'org_1', source: 'gw', id: 'poison-1', type: 't', subject: 's', time: '2026-11-01T09:00:00.000000Z', time_given: true,
  received_at: '2026-11-01T09:00:01.000000Z', data: '{}', payload_hash: '0'.repeat(64),
};

describe('POST /v1/dead-letters/{id}/replay', () => {
  it('posts a refused event again, with all its digits', async () => {
    keep('dl_1', { kind: 'refused', payload: '{"id":"again","type":"t","subject":"s","time":"2026-11-01T10:30:00Z","data":{"n":1.00000000000000000001}}' });
    expect(await replay('dl_1')).toMatchObject({ status: 202, body: { accepted: 1, rejected: [] } });
    expect((await ingest.events()).find(({ id }) => id === 'again')).toMatchObject({ organization: 'org_1', data: '{"n":1.00000000000000000001}' });
  });

  it('checks it again', async () => {
    keep('dl_2', { kind: 'refused', payload: '{"id":"again"}' });
    expect(await replay('dl_2')).toMatchObject({ status: 422, body: { accepted: 0, rejected: [{ id: 'again', code: 'missing_field' }] } });
  });

  it('puts a record that could not be handled back as it was', async () => {
    keep('dl_3', { kind: 'poison', payload: encodeUsageEventRecord(record) });
    expect(await replay('dl_3')).toMatchObject({ status: 202, body: { accepted: 1 } });
    expect(await ingest.events()).toContainEqual(record);
    expect(await ingest.keys()).toContain('org_1/2/gw/poison-1');
  });

  it.each<[string, ReplayableDeadLetter]>([
    ['a conflict', { kind: 'identity_conflict', payload: '{"id":"x","type":"t","subject":"s"}' }],
    ['a line', { kind: 'refused', payload: 'no log line' }],
    ['what was cut', { kind: 'refused', payload: '{"id":"x","type":"t","subject":"s","data":{"a":"xxx' }],
    ['a record of another organization', { kind: 'poison', payload: encodeUsageEventRecord({ ...record, organization: 'org_2' }) }],
    ['no record', { kind: 'poison', payload: 'junk' }],
  ])('can not replay %s', async (_name, letter) => {
    keep('dl_4', letter);
    expect(await replay('dl_4')).toMatchObject({ status: 409, body: { code: 'not_replayable' } });
  });

  it('finds nothing of another organization', async () => {
    keep('dl_5', { kind: 'refused', payload: '{}' }, 'org_2');
    expect(await replay('dl_5')).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(await replay('dl_none')).toMatchObject({ status: 404 });
  });
});
