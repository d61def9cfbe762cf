import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RecordVersionUnknown } from '#contracts';
import { useClickHouse, usePostgres } from '#testing';
import { AggregatorFixture, batchOf, recordOf, type TestEvent } from './aggregator-fixture.js';

// Goal: what becomes of copies, and that no record stops its neighbours. Method: the real consumer, an organization for
// each case, one partition of its own where positions matter.

usePostgres();
useClickHouse();
let fixture: AggregatorFixture;
let cases = 0;

beforeAll(async () => {
  fixture = await AggregatorFixture.start();
});
afterAll(() => fixture.close());

async function fresh(options: { dedupeWindowSeconds?: number } = {}): Promise<{ organization: string; partition: number; deliver: (events: readonly TestEvent[], position?: number) => Promise<void> }> {
  cases += 1;
  const organization = `org_${cases}`;
  const partition = cases;
  await fixture.addOrganizations([organization], options.dedupeWindowSeconds);
  await fixture.addMeter({ organizationId: organization, key: 'calls' });
  const deliver = (events: readonly TestEvent[], position = 0): Promise<void> => fixture.deliver(events.map((event) => ({ organization, ...event })), { partition, position });
  return { organization, partition, deliver };
}

async function states(organization: string): Promise<string[]> {
  const page = { limit: 100, startingAfter: null, endingBefore: null };
  const listed = await fixture.listEvents.execute(organization, { page, type: null, subject: null, customer: null, source: null, id: null, state: null, meter: null, data: {}, from: null, to: null });
  if (!listed.ok) throw new Error(listed.detail);
  return listed.value.events.map(({ source, id, subject, state, data }) => `${source}/${id} ${subject} ${state} ${data}`);
}

async function letters(organization: string): Promise<{ kind: string; payload: string; counted_payload: string | null; detail: string }[]> {
  await fixture.readDeadLetters();
  const all = { organizationId: organization, kinds: null, code: null, source: null, state: null, eventId: null, from: null, to: null };
  const { letters: found } = await fixture.readLetters.list(all, { limit: 100, startingAfter: null, endingBefore: null });
  return found.map(({ letter }) => letter);
}

const time = '2026-11-01T10:00:00Z';
const total = '2026-11-01T00:00:00Z';

describe('copies', () => {
  it('counts the first of equal ones, in one batch, in later ones, and of several sources each', async () => {
    const { organization, deliver } = await fresh();
    await deliver([{ id: '1', time }, { id: '1', time }, { id: '1', source: 'b', time }]);
    await deliver([{ id: '1', time }, { id: '2', time }], 3);
    fixture.restart();
    await deliver([{ id: '1', time }], 5);
    expect(await fixture.ask('calls', {}, organization)).toEqual([`${total} 3`]); // default/1, b/1, default/2.
    expect((await states(organization)).toSorted()).toEqual([
      'b/1 s1 counted {}', 'default/1 s1 counted {}', 'default/1 s1 duplicate {}', 'default/1 s1 duplicate {}', 'default/1 s1 duplicate {}', 'default/2 s1 counted {}',
    ]);
    expect(await letters(organization)).toEqual([]);
  });

  it.each<[string, TestEvent]>([
    ['data', { id: '1', time, data: '{"n":2}' }],
    ['subject', { id: '1', time, subject: 's2', data: '{"n":1}' }],
    ['type', { id: '1', time, type: 'other', data: '{"n":1}' }],
    ['time', { id: '1', time: '2026-11-01T10:00:01Z', data: '{"n":1}' }],
    ['a time that it leaves out', { id: '1', data: '{"n":1}' }],
    ['a number that is a text', { id: '1', time, data: '{"n":"1"}' }],
  ])('never counts one that differs in %s, and buries it with both payloads', async (_, second) => {
    const { organization, deliver } = await fresh();
    await deliver([{ id: '1', time, data: '{"n":1}' }]);
    await deliver([second], 1);
    expect(await fixture.ask('calls', {}, organization)).toEqual([`${total} 1`]);
    const [letter, ...more] = await letters(organization);
    expect(more).toEqual([]);
    expect(letter).toMatchObject({ kind: 'identity_conflict', code: 'identity_conflict', event_source: 'default', event_id: '1' });
    expect(JSON.parse(letter?.counted_payload ?? '')).toEqual({ id: '1', source: 'default', type: 'call', subject: 's1', time: '2026-11-01T10:00:00.000000Z', data: { n: 1 } });
    const { type = 'call', subject = 's1', data } = second;
    expect(JSON.parse(letter?.payload ?? '')).toMatchObject({ id: '1', type, subject, data: JSON.parse(data ?? '{}') as object });
  });

  it('keeps the digits of a conflict’s numbers in its letter, and takes the counted one from the same batch', async () => {
    const { organization, deliver } = await fresh();
    await deliver([{ id: '1', time, data: '{"n":0.1234567890123456789}' }, { id: '1', time, data: '{"n":1e41}' }]);
    const [letter] = await letters(organization);
    expect(letter?.payload).toContain('"data":{"n":1e41}');
    expect(letter?.counted_payload).toContain('"data":{"n":0.1234567890123456789}');
  });

  it('compares with the counted copy, not with a conflict in between', async () => {
    const { organization, deliver } = await fresh();
    await deliver([{ id: '1', time, data: '{"n":1}' }, { id: '1', time, data: '{"n":2}' }, { id: '1', time, data: '{"n":2}' }, { id: '1', time, data: '{"n":1}' }]);
    expect((await states(organization)).toSorted()).toEqual([
      'default/1 s1 conflict {"n":2}', 'default/1 s1 conflict {"n":2}', 'default/1 s1 counted {"n":1}', 'default/1 s1 duplicate {"n":1}',
    ]);
  });

  it('keeps organizations apart', async () => {
    const [one, two] = [await fresh(), await fresh()];
    await one.deliver([{ id: '1', time }]);
    await fixture.deliver([{ organization: two.organization, id: '1', time, data: '{"n":2}' }], { partition: one.partition, position: 1 });
    expect(await fixture.ask('calls', {}, one.organization)).toEqual([`${total} 1`]);
    expect(await fixture.ask('calls', {}, two.organization)).toEqual([`${total} 1`]);
    expect(await letters(two.organization)).toEqual([]);
  });
});

describe('the dedupe window', () => {
  const day = 86_400;
  // Ahead of the machine's clock, by which the store drops the rows of windows that are over.
  const receivedAt = '2099-11-01T10:00:00Z';

  it.each<[string, TestEvent, TestEvent, number, string[]]>([
    ['recognises a copy without a time at its last microsecond', { id: '1', receivedAt }, { id: '1', receivedAt: '2099-11-02T10:00:00Z' }, 1, ['counted', 'duplicate']],
    ['takes it for a new event after that', { id: '1', receivedAt }, { id: '1', receivedAt: '2099-11-02T10:00:00.000001Z' }, 2, ['counted', 'counted']],
    ['forgets conflicts after that', { id: '1', receivedAt, time, data: '{"n":1}' }, { id: '1', receivedAt: '2099-11-03T10:00:00Z', time, data: '{"n":2}' }, 2, ['counted', 'counted']],
    ['never forgets equal copies with a time', { id: '1', receivedAt, time }, { id: '1', receivedAt: '2101-11-01T10:00:00Z', time }, 1, ['counted', 'duplicate']],
  ])('%s', async (_, first, second, count, verdicts) => {
    const { organization, deliver } = await fresh({ dedupeWindowSeconds: day });
    await deliver([first]);
    await deliver([second], 1);
    expect(await fixture.ask('calls', { to: '2100-01-01T00:00:00Z' }, organization)).toEqual([`${total} ${count}`]);
    expect((await states(organization)).map((state) => state.split(' ')[2]).toSorted()).toEqual(verdicts);
  });

  it('counts equal copies with a time once also when the first is no longer known', async () => {
    const { organization, deliver } = await fresh({ dedupeWindowSeconds: day });
    await deliver([{ id: '1', receivedAt, time }]);
    await fixture.parts.clickhouse.command({ sql: `DELETE FROM event_copies WHERE organization_id = '${organization}'` });
    fixture.restart();
    await deliver([{ id: '1', receivedAt: '2027-11-01T10:00:00Z', time }], 1);
    expect(await fixture.ask('calls', {}, organization)).toEqual([`${total} 1`]);
  });
});

describe('a batch of many months', () => {
  it('is counted whole', async () => {
    const { organization, deliver } = await fresh();
    const months = Array.from({ length: 130 }, (_, month) => `20${String(10 + Math.floor(month / 12))}-${String(1 + (month % 12)).padStart(2, '0')}-15T00:00:00Z`);
    await deliver(months.map((month, index) => ({ id: `${index}`, time: month })));
    expect(await fixture.ask('calls', { from: '2010-01-01T00:00:00Z' }, organization)).toEqual(['2010-01-01T00:00:00Z 130']);
    expect(await fixture.ask('calls', { from: '2010-01-01T00:00:00Z', window: 'month' }, organization)).toHaveLength(130);
  });
});

describe('records that come again', () => {
  it('change nothing, however they are cut', async () => {
    const { organization, partition } = await fresh();
    const { records } = batchOf([{ organization, id: '1', time }, { organization, id: '1', time }, { organization, id: '2', time, data: '{"n":1}' }, { organization, id: '2', time, data: '{"n":2}' }]);
    await fixture.deliver(records, { partition });
    await fixture.deliver(records, { partition });
    fixture.restart();
    for (const record of records) await fixture.deliver([record], { partition });
    await fixture.deliver(records.slice(1), { partition });
    expect(await fixture.ask('calls', {}, organization)).toEqual([`${total} 2`]);
    expect((await states(organization)).map((state) => state.split(' ')[2]).toSorted()).toEqual(['conflict', 'counted', 'counted', 'duplicate']);
    expect(await letters(organization)).toHaveLength(1);
  });

  it('are judged like the first time where only a part was stored', async () => {
    const { organization, partition } = await fresh();
    const { records } = batchOf([{ organization, id: '1', time }, { organization, id: '1', time, data: '{"n":2}' }, { organization, id: '3', time }]);
    await fixture.deliver(records, { partition });
    // As after a kill between the two inserts, and between two of its partitions.
    await fixture.parts.clickhouse.command({ sql: `DELETE FROM event_copies WHERE organization_id = '${organization}' AND position != 1` });
    fixture.restart();
    await fixture.deliver(records, { partition });
    expect((await states(organization)).toSorted()).toEqual(['default/1 s1 conflict {"n":2}', 'default/1 s1 counted {}', 'default/3 s1 counted {}']);
  });

  it('stay what they were when they come after later ones', async () => {
    const { organization, partition } = await fresh({ dedupeWindowSeconds: 60 });
    const { records } = batchOf([{ organization, id: '1', receivedAt: '2099-11-01T00:00:00Z' }, { organization, id: '1', receivedAt: '2099-11-02T00:00:00Z' }]);
    await fixture.deliver(records, { partition });
    fixture.restart();
    await fixture.deliver(records.slice(0, 1), { partition });
    expect((await states(organization)).map((state) => state.split(' ')[2])).toEqual(['counted', 'counted']);
    expect(await fixture.ask('calls', { to: '2100-01-01T00:00:00Z' }, organization)).toEqual([`${total} 2`]);
  });
});

describe('a record that can not be read', () => {
  it.each([
    ['no JSON', '{"v":1,'],
    ['a field of another type', JSON.stringify({ ...recordOf({ id: 'x' }), subject: 7 })],
    ['data that is no JSON', JSON.stringify({ ...recordOf({ id: 'x' }), data: '{"n":' })],
    ['a time that is none', JSON.stringify({ ...recordOf({ id: 'x' }), time: '2026-02-30T00:00:00.000000Z' })],
  ])('goes to the dead letters (%s), and its neighbours are counted', async (_, value) => {
    const { organization, partition } = await fresh();
    const [before, after] = batchOf([{ organization, id: '1', time }, { organization, id: '2', time }]).records;
    const broken = { position: 1n, key: `${organization}/7/default/x`, value: value.replaceAll('org_a', organization), appendedAt: Temporal.Instant.from('2026-11-20T00:00:00Z') };
    await fixture.deliver([before!, broken, { ...after!, position: 2n }], { partition });
    expect(await fixture.ask('calls', {}, organization)).toEqual([`${total} 2`]);
    const found = await letters(organization);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ kind: 'poison', code: 'poison', payload: broken.value });
  });

  it('goes to the dead letters where it is the first of its batch, and its receipt is no instant', async () => {
    const { organization, partition } = await fresh();
    const [after] = batchOf([{ organization, id: '1', time }]).records;
    const value = JSON.stringify({ ...recordOf({ id: 'x' }), received_at: '' }).replaceAll('org_a', organization);
    await fixture.deliver([{ position: 0n, key: `${organization}/7/default/x`, value, appendedAt: Temporal.Instant.from('2026-11-20T00:00:00Z') }, { ...after!, position: 1n }], { partition });
    expect(await fixture.ask('calls', {}, organization)).toEqual([`${total} 1`]);
    expect(await letters(organization)).toEqual([expect.objectContaining({ kind: 'poison', code: 'poison', payload: value, detail: 'The record could not be handled: An instant of the record is not as records have it.' })]);
  });

  it('stops everything when it is of a version of the future', async () => {
    const { organization, partition } = await fresh();
    const [one] = batchOf([{ organization, id: '1', time }]).records;
    const future = { ...one!, position: 1n, value: JSON.stringify({ ...recordOf({ id: 'x' }), v: 3 }) };
    await expect(fixture.deliver([one!, future], { partition })).rejects.toThrow(RecordVersionUnknown);
    expect(await fixture.ask('calls', {}, organization)).toEqual([]);
  });

  it('is found alone when the store refuses it', async () => {
    const { organization, partition } = await fresh();
    const events = Array.from({ length: 7 }, (_, index) => ({ organization, id: `${index}`, time }));
    const { records } = batchOf(events);
    // The store refuses nothing that ingest takes, so a rule is made for the occasion.
    await fixture.parts.clickhouse.command({ sql: `ALTER TABLE events ADD CONSTRAINT no_three CHECK organization_id != '${organization}' OR id != '3'` });
    await fixture.deliver(records, { partition });
    await fixture.parts.clickhouse.command({ sql: 'ALTER TABLE events DROP CONSTRAINT no_three' });
    expect(await fixture.ask('calls', {}, organization)).toEqual([`${total} 6`]);
    expect((await letters(organization)).map(({ kind, payload }) => [kind, (JSON.parse(payload) as { id: string }).id])).toEqual([['poison', '3']]);
  });
});

describe('usage that changed', () => {
  it('is told after the batch, with its subjects and earliest time', async () => {
    const { organization, deliver } = await fresh();
    await deliver([{ id: '1', time, subject: 's2' }, { id: '2', time: '2026-10-01T00:00:00Z' }, { id: '2', time: '2026-09-01T00:00:00Z' }]);
    const told: unknown[] = [];
    const subscription = await fixture.parts.log.subscribe({
      topic: 'tollway.usage-changed', group: `spec-${organization}`, batchSizeMax: 1_000,
      handle: async ({ records }) => void told.push(...records.filter(({ key }) => key === organization).map(({ value }) => JSON.parse(value) as unknown)),
    });
    await expect.poll(() => told, { timeout: 10_000 }).toEqual([{ v: 1, organization, event_types: ['call'], subjects: ['s2', 's1'], earliest: '2026-10-01T00:00:00.000000Z' }]);
    await subscription.close();
  });
});
