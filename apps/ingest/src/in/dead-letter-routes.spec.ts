import { beforeEach, describe, expect, it } from 'vitest';
import { encodeUsageEventRecord, type UsageEventRecord } from '#contracts';
import type { DeadLetter, DeadLetterState } from '#persistence';
import { useIngest, type Answer, type PostBody } from '../ingest-fixture.js';

// Goal: what is done with dead letters, as the log sees it. Method: the routes on a real log; the letters stand in memory,
// where what the aggregator would make of the log is said by hand.

const ingest = useIngest();
beforeEach(() => ingest().deadLetters.clear());

type Payload = Pick<DeadLetter, 'kind' | 'payload'>;

const open: DeadLetterState = { state: 'open', changedAt: null, changedBy: null, reason: null, replayedAs: null, changes: [] };
const receivedAt = '2026-11-01T09:00:01.000000Z';

function keep(id: string, letter: Payload & Partial<DeadLetter>, became: Partial<DeadLetterState> = {}): void {
  const rest = { organization: 'org_1', code: 'missing_field', detail: '', errors: [], received_at: receivedAt, counted_payload: null, event_source: 'gw', event_id: 'x' };
  ingest().deadLetters.set(id, { letter: { ...rest, id, ...letter }, became: { ...open, ...became } });
}

const replay = (id: string, body: PostBody = ''): Promise<Answer> => ingest().post(`/v1/dead-letters/${id}/replay`, body);
const events = async (id: string): Promise<UsageEventRecord[]> => (await ingest().events()).filter((event) => event.id === id);
const changesOf = async (id: string) => (await ingest().changedLetters()).filter((change) => change.id === id);
const record: UsageEventRecord = {
  v: 1, kind: 'event', organization: 'org_1', source: 'gw', id: 'poison-1', type: 't', subject: 's', time: '2026-11-01T09:00:00.000000Z', time_given: true,
  received_at: receivedAt, data: '{}', payload_hash: '0'.repeat(64),
};

describe('POST /v1/dead-letters/{id}/replay', () => {
  it('posts a refused event again, with all its digits, and notes it', async () => {
    keep('dl_1', { kind: 'refused', payload: '{"id":"again","type":"t","subject":"s","time":"2026-11-01T10:30:00Z","data":{"n":1.00000000000000000001}}' });
    expect(await replay('dl_1')).toMatchObject({ status: 202, body: { accepted: 1, rejected: [], replayed_as: { source: 'default', id: 'again' }, changes: [] } });
    expect(await events('again')).toMatchObject([{ organization: 'org_1', data: '{"n":1.00000000000000000001}' }]);
    expect(await changesOf('dl_1')).toEqual([{
      v: 2, kind: 'state', id: 'dl_1', organization: 'org_1', received_at: receivedAt, state: 'replayed', changed_at: '2026-11-23T06:00:00.500000Z', changed_by: 'key_org_1', reason: null,
      event_source: 'default', event_id: 'again', changes: [],
    }]);
  });

  it('checks it again, and leaves it open', async () => {
    keep('dl_2', { kind: 'refused', payload: '{"id":"again"}' });
    expect(await replay('dl_2')).toMatchObject({ status: 422, body: { accepted: 0, rejected: [{ id: 'again', code: 'missing_field' }] } });
    expect(await changesOf('dl_2')).toEqual([]);
    expect((await ingest().refused()).length).toBe(0); // The letter is there already.
  });

  it('posts a corrected event, and tells what was changed, digit for digit', async () => {
    keep('dl_3', { kind: 'refused', payload: '{"id":"fix","type":"t","data":{"n":12345678901234567890.5,"old":1}}' });
    const answer = await replay('dl_3', '{"event":{"id":"fix","type":"t","subject":"s","data":{"n":12345678901234567890.25}}}');
    expect(answer).toMatchObject({ status: 202, body: { accepted: 1, replayed_as: { source: 'default', id: 'fix' } } });
    expect((answer.body as { changes?: unknown }).changes).toMatchObject([{ pointer: '/data/n' }, { pointer: '/data/old', from: 1 }, { pointer: '/subject', to: 's' }]);
    expect(await events('fix')).toMatchObject([{ subject: 's', data: '{"n":12345678901234567890.25}' }]);
    expect((await changesOf('dl_3'))[0]?.changes).toEqual([
      { pointer: '/data/n', from: '12345678901234567890.5', to: '12345678901234567890.25' }, { pointer: '/data/old', from: '1', to: null }, { pointer: '/subject', from: null, to: '"s"' },
    ]);
  });

  it('puts a record that could not be handled back as it was', async () => {
    keep('dl_4', { kind: 'poison', payload: encodeUsageEventRecord(record) });
    expect(await replay('dl_4')).toMatchObject({ status: 202, body: { accepted: 1, replayed_as: { source: 'gw', id: 'poison-1' } } });
    expect(await ingest().events()).toContainEqual(record);
    expect(await ingest().keys()).toContain('org_1/2/gw/poison-1');
  });

  it('takes a conflict under an id of its own, and a line as the event that it should have been', async () => {
    keep('dl_5', { kind: 'identity_conflict', payload: '{"id":"x","source":"gw","type":"t","subject":"s"}' });
    expect(await replay('dl_5', { event: { id: 'x', source: 'gw', type: 't', subject: 'other' } })).toMatchObject({ status: 409, body: { code: 'not_replayable' } });
    expect(await replay('dl_5', { event: { id: 'x-2', source: 'gw', type: 't', subject: 's' } })).toMatchObject({ status: 202, body: { changes: [{ pointer: '/id', from: 'x', to: 'x-2' }] } });
    keep('dl_6', { kind: 'refused', payload: 'no log line' });
    expect(await replay('dl_6', { event: { id: 'line', type: 't', subject: 's' } })).toMatchObject({
      status: 202, body: { replayed_as: { id: 'line' }, changes: [{ pointer: '', from: 'no log line', to: { id: 'line', type: 't', subject: 's' } }] },
    });
  });

  it('does nothing a second time', async () => {
    keep('dl_7', { kind: 'refused', payload: '{"id":"twice","type":"t","subject":"s"}' }, { state: 'replayed', replayedAs: { source: 'default', id: 'twice' } });
    for (const body of ['', { event: { id: 'twice', type: 't', subject: 'z' } }]) {
      expect(await replay('dl_7', body)).toMatchObject({ status: 202, body: { accepted: 1, rejected: [], replayed_as: { id: 'twice' } } });
    }
    expect(await replay('dl_7', { event: { id: 'thrice', type: 't', subject: 's' } })).toMatchObject({ status: 409, body: { code: 'already_replayed' } });
    expect([await events('twice'), await events('thrice'), await changesOf('dl_7')]).toEqual([[], [], []]);
  });

  it('takes one that was put aside', async () => {
    keep('dl_8', { kind: 'refused', payload: '{"id":"aside","type":"t","subject":"s"}' }, { state: 'discarded' });
    expect(await replay('dl_8')).toMatchObject({ status: 202, body: { accepted: 1 } });
  });

  it.each<[string, Payload]>([
    ['a conflict', { kind: 'identity_conflict', payload: '{"id":"x","type":"t","subject":"s"}' }],
    ['a line', { kind: 'refused', payload: 'no log line' }],
    ['what was cut', { kind: 'refused', payload: '{"id":"x","type":"t","subject":"s","data":{"a":"xxx' }],
    ['a record of another organization', { kind: 'poison', payload: encodeUsageEventRecord({ ...record, organization: 'org_2' }) }],
    ['no record', { kind: 'poison', payload: 'junk' }],
  ])('can not replay %s as it was', async (_name, letter) => {
    keep('dl_9', letter);
    expect(await replay('dl_9')).toMatchObject({ status: 409, body: { code: 'not_replayable' } });
  });

  it.each<[PostBody, number, string]>([
    ['{"event":', 400, 'invalid_json'], ['[]', 422, 'invalid_request'], ['{}', 422, 'invalid_request'], [{ event: 'x' }, 422, 'invalid_request'], [{ event: {}, id: 'x' }, 422, 'invalid_request'],
    [{ event: {} }, 422, 'nothing_accepted'],
  ])('refuses %j: %i %s', async (body, status, code) => {
    keep('dl_10', { kind: 'refused', payload: '{}' });
    expect(await replay('dl_10', body)).toMatchObject({ status, body: { code } });
  });

  it('finds nothing of another organization', async () => {
    keep('dl_11', { kind: 'refused', payload: '{}', organization: 'org_2' });
    for (const path of ['dl_11/replay', 'dl_none/replay', 'dl_11/discard', '%00/discard']) expect(await ingest().post(`/v1/dead-letters/${path}`, '')).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });
});

describe('POST /v1/dead-letters/{id}/discard', () => {
  it('puts a letter aside once, with a reason', async () => {
    keep('dl_20', { kind: 'refused', payload: '{}' });
    expect(await ingest().post('/v1/dead-letters/dl_20/discard', { reason: 'A test of ours.' })).toMatchObject({ status: 202, body: { id: 'dl_20', state: 'discarded' } });
    expect(await changesOf('dl_20')).toMatchObject([{ state: 'discarded', reason: 'A test of ours.', event_id: null }]);
    keep('dl_20', { kind: 'refused', payload: '{}' }, { state: 'discarded' });
    expect(await ingest().post('/v1/dead-letters/dl_20/discard', '')).toMatchObject({ status: 202 });
    expect(await changesOf('dl_20')).toHaveLength(1);
  });

  it('does not put aside what is counted', async () => {
    keep('dl_21', { kind: 'refused', payload: '{}' }, { state: 'replayed', replayedAs: { source: 'a', id: 'b' } });
    expect(await ingest().post('/v1/dead-letters/dl_21/discard', '')).toMatchObject({ status: 409, body: { code: 'already_replayed' } });
    expect(await ingest().post('/v1/dead-letters/dl_21/discard', { reason: 'a\0' })).toMatchObject({ status: 422, body: { errors: [{ pointer: '/reason' }] } });
  });
});

describe('many at once', () => {
  beforeEach(() => {
    for (let index = 0; index < 130; index += 1) keep(`dl_m${index}`, { kind: 'refused', payload: index % 50 === 7 ? '{"id":"bad"}' : `{"id":"many-${index}","type":"t","subject":"s"}` });
    keep('dl_conflict', { kind: 'identity_conflict', code: 'identity_conflict', payload: '{"id":"x","type":"t","subject":"s"}' });
    keep('dl_done', { kind: 'refused', payload: '{}' }, { state: 'discarded' });
    keep('dl_theirs', { kind: 'refused', payload: '{"id":"theirs","type":"t","subject":"s"}', organization: 'org_2' });
  });

  it('replays those that are open, says which stay so, and goes on behind the last one', async () => {
    const first = await ingest().post('/v1/dead-letters/replay', '');
    expect(first).toMatchObject({ status: 202, body: { replayed: 98, refused: [{ dead_letter: 'dl_m7', code: 'missing_field' }, { dead_letter: 'dl_m57' }], has_more: true, last: 'dl_m99' } });
    const second = await ingest().post('/v1/dead-letters/replay', { starting_after: 'dl_m99', limit: 1_000 });
    expect(second).toMatchObject({ status: 202, body: { replayed: 29, refused: [{ dead_letter: 'dl_m107' }], has_more: false, last: 'dl_m129' } });
    expect((await ingest().events()).filter(({ id }) => id.startsWith('many-'))).toHaveLength(127);
    expect((await ingest().changedLetters()).filter(({ id }) => id.startsWith('dl_m'))).toHaveLength(127);
    expect(await events('theirs')).toEqual([]);
  });

  it('puts aside those of a kind', async () => {
    expect(await ingest().post('/v1/dead-letters/discard', { kind: 'identity_conflict', reason: 'Known.' })).toMatchObject({ status: 202, body: { discarded: 1, has_more: false, last: 'dl_conflict' } });
    expect(await ingest().post('/v1/dead-letters/discard', { code: 'too_old' })).toMatchObject({ status: 202, body: { discarded: 0, has_more: false, last: null } });
    expect(await changesOf('dl_conflict')).toMatchObject([{ state: 'discarded', reason: 'Known.' }]);
  });

  it.each<[string, object, string[]]>([
    ['replay', { kind: 'identity_conflict', limit: 0, from: 'x', cdoe: 'y' }, ['/kind', '/limit', '/from', '/cdoe']],
    ['discard', { limit: 1_001, source: '\0' }, ['/limit', '/source']],
  ])('%s refuses %j', async (verb, body, pointers) => {
    const answer = await ingest().post(`/v1/dead-letters/${verb}`, body);
    expect(answer.status).toBe(422);
    expect(answer.body.errors?.map(({ pointer }) => pointer).toSorted()).toEqual(pointers.toSorted());
  });
});
