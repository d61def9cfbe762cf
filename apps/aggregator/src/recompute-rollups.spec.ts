import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bumpMarks, readDirtyCells } from '#persistence';
import { useClickHouse, usePostgres } from '#testing';
import { AggregatorFixture } from './aggregator-fixture.js';

// Goal: rollups say what the raw events say, whatever runs between what. Method: the steps of consumer, recompute and
// reader are run in every order that matters, with an insert held open where it hurts.

usePostgres();
useClickHouse();
let fixture: AggregatorFixture;
let cases = 0;

beforeAll(async () => {
  fixture = await AggregatorFixture.start();
});
afterAll(() => fixture.close());

const time = '2026-11-01T10:00:00Z';
const total = '2026-11-01T00:00:00Z';

async function fresh(): Promise<{ organization: string; partition: number }> {
  cases += 1;
  const organization = `org_${cases}`;
  await fixture.addOrganizations([organization]);
  return { organization, partition: cases };
}

async function drain(): Promise<void> {
  while ((await fixture.build.execute()) > 0);
  while ((await fixture.recompute().execute()) > 0);
}

async function dirty(organization: string): Promise<number> {
  const [from, to] = [Temporal.Instant.from('2026-01-01T00:00:00Z'), Temporal.Instant.from('2027-01-01T00:00:00Z')];
  const cells = await fixture.parts.database.inOrganization(organization, (manager) =>
    readDirtyCells(manager, { organizationId: organization, eventType: 'call', from, to, buckets: null, limit: 100 }));
  return cells.length;
}

async function rollups(organization: string): Promise<string[]> {
  const rows = await fixture.parts.clickhouse.query<{ row: string }>({
    sql: `SELECT concat(subject, ' ', toString(group_values), ' ', toString(count), ' ', toString(sum)) AS row FROM usage_rollups FINAL WHERE organization_id = '${organization}' ORDER BY row`,
  });
  return rows.map(({ row }) => row);
}

describe('clean hours', () => {
  it('are read from rollups, dirty ones and those that a bound cuts from raw events', async () => {
    const { organization, partition } = await fresh();
    await fixture.addMeter({ organizationId: organization, key: 'calls' });
    await fixture.deliver([{ organization, id: '1', time }, { organization, id: '2', time: '2026-11-01T12:15:00Z' }], { partition });
    await drain();
    expect(await dirty(organization)).toBe(0);
    // Without the raw events, only rollups can answer.
    await fixture.parts.clickhouse.command({ sql: `DELETE FROM events WHERE organization_id = '${organization}'` });
    expect(await fixture.ask('calls', {}, organization)).toEqual([`${total} 2`]);
    expect(await fixture.ask('calls', { window: 'day', time_zone: 'Asia/Kolkata' }, organization)).toEqual([`${total} 2`]);
    expect(await fixture.ask('calls', { to: '2026-11-01T12:10:00Z' }, organization)).toEqual([`${total} 1`]); // The cut hour is raw, and empty now.
    expect(await fixture.ask('calls', { window: 'minute' }, organization)).toEqual([]);
    expect(await fixture.ask('calls', { window: 'hour', time_zone: 'Asia/Kolkata' }, organization)).toEqual([]);
    await fixture.deliver([{ organization, id: '3', time }], { partition, position: 2 });
    expect(await fixture.ask('calls', {}, organization)).toEqual([`${total} 2`]); // 12:00 rolled up, 10:00 raw with the new one.
  });

  it('wait until nothing has come for a while, or one has waited long enough', async () => {
    const { organization, partition } = await fresh();
    await fixture.addMeter({ organizationId: organization, key: 'calls' });
    await drain();
    await fixture.deliver([{ organization, id: '1', time }], { partition });
    expect(await fixture.recompute({ quietMs: 60_000, waitMaxMs: 600_000 }).execute()).toBe(0);
    await fixture.parts.admin.query(`update dirty_marks set first_marked_at = first_marked_at - interval '11 minutes' where organization_id = $1`, [organization]);
    expect(await fixture.recompute({ quietMs: 60_000, waitMaxMs: 600_000 }).execute()).toBe(1);
  });
});

describe('an insert that is held open', () => {
  it('is not lost by a recompute that ran beside it', async () => {
    const { organization, partition } = await fresh();
    await fixture.addMeter({ organizationId: organization, key: 'calls' });
    await drain();
    const events = heldOpen();
    const delivered = fixture.deliver([{ organization, id: '1', time }], { partition });
    await events.reached;
    expect(await dirty(organization)).toBe(1); // Marked before the insert …
    await fixture.recompute().execute();
    expect(await dirty(organization)).toBe(0); // … and the recompute, which saw nothing, has taken the mark away.
    expect(await rollups(organization)).toEqual([]);
    events.letGo();
    await delivered;
    expect(await dirty(organization)).toBe(1); // Marked again, before the batch counts as handled.
    expect(await fixture.ask('calls', {}, organization)).toEqual([`${total} 1`]);
    await drain();
    expect(await rollups(organization)).toEqual(["s1 [] 1 0"]);
    expect(await fixture.ask('calls', {}, organization)).toEqual([`${total} 1`]);
  });

  it('keeps its mark when it ends between the reading and the clearing of marks', async () => {
    const { organization, partition } = await fresh();
    await fixture.addMeter({ organizationId: organization, key: 'calls' });
    await fixture.deliver([{ organization, id: '1', time }], { partition });
    await fixture.build.execute();
    const command = fixture.parts.clickhouse.command.bind(fixture.parts.clickhouse);
    fixture.parts.clickhouse.command = async (statement) => {
      await command(statement);
      fixture.parts.clickhouse.command = command;
      await fixture.deliver([{ organization, id: '2', time }], { partition, position: 1 });
    };
    await fixture.recompute().execute();
    expect(await dirty(organization)).toBe(1);
    expect(await rollups(organization)).toEqual(['s1 [] 1 0']);
    expect(await fixture.ask('calls', {}, organization)).toEqual([`${total} 2`]);
    await drain();
    expect(await rollups(organization)).toEqual(['s1 [] 2 0']);
  });
});

describe('a recompute', () => {
  it('writes what is there now, and zero for a group that has gone', async () => {
    const { organization, partition } = await fresh();
    await fixture.addMeter({ organizationId: organization, key: 'bytes', aggregation: 'sum', valuePath: '$.n', groupBy: { g: '$.g' } });
    await fixture.deliver([{ organization, id: '1', time, data: '{"g":"a","n":1.5}' }, { organization, id: '2', time, data: '{"g":"b","n":2}' }], { partition });
    await drain();
    expect(await rollups(organization)).toEqual(["s1 ['a'] 1 1.5", "s1 ['b'] 1 2"]);
    await fixture.parts.clickhouse.command({ sql: `DELETE FROM events WHERE organization_id = '${organization}' AND id = '2'` });
    const hour = Temporal.Instant.from(time).epochMilliseconds / 1_000;
    const [{ bucket } = { bucket: 0 }] = await fixture.parts.clickhouse.query<{ bucket: number }>({ sql: `SELECT bucket FROM events WHERE organization_id = '${organization}'` });
    await fixture.parts.database.acrossOrganizations((manager) => bumpMarks(manager, [{ organizationId: organization, eventType: 'call', hour, bucket }]));
    await drain();
    expect(await rollups(organization)).toEqual(["s1 ['a'] 1 1.5", "s1 ['b'] 0 0"]);
    expect(await fixture.ask('bytes', { group_by: 'g' }, organization)).toEqual([`${total} a 1.5`]);
    expect(await fixture.ask('bytes', {}, organization)).toEqual([`${total} 1.5`]);
  });

  it('never lets a late writer with an old generation win', async () => {
    const { organization, partition } = await fresh();
    await fixture.addMeter({ organizationId: organization, key: 'calls' });
    await fixture.deliver([{ organization, id: '1', time }], { partition });
    await drain();
    await fixture.parts.clickhouse.command({
      sql: `INSERT INTO usage_rollups SELECT * REPLACE (99 AS count, generation - 1 AS generation) FROM usage_rollups WHERE organization_id = '${organization}'`,
    });
    expect(await fixture.ask('calls', {}, organization)).toEqual([`${total} 1`]);
  });

  it('is left to one of two processes', async () => {
    const { organization, partition } = await fresh();
    await fixture.addMeter({ organizationId: organization, key: 'calls' });
    await drain();
    await fixture.deliver([{ organization, id: '1', time }], { partition });
    const done = await Promise.all([fixture.recompute().execute(), fixture.recompute().execute()]);
    expect(done.toSorted()).toEqual([0, 1]);
  });
});

describe('a new meter', () => {
  it('counts the past: raw until its rollups are built, and from them after that', async () => {
    const { organization, partition } = await fresh();
    await fixture.deliver([{ organization, id: '1', time, data: '{"n":1}' }, { organization, id: '2', time: '2025-01-01T00:00:00Z', data: '{"n":2}' }], { partition });
    await drain(); // Marks of types without meters go too.
    expect(await dirty(organization)).toBe(0);
    await fixture.addMeter({ organizationId: organization, key: 'sum', aggregation: 'sum', valuePath: '$.n' });
    expect(await fixture.ask('sum', { from: '2025-01-01T00:00:00Z' }, organization)).toEqual(['2025-01-01T00:00:00Z 3']);
    expect(await fixture.build.execute()).toBe(1);
    expect(await fixture.build.execute()).toBe(0);
    expect(await rollups(organization)).toEqual(['s1 [] 1 1', 's1 [] 1 2']);
    await fixture.parts.clickhouse.command({ sql: `DELETE FROM events WHERE organization_id = '${organization}'` });
    expect(await fixture.ask('sum', { from: '2025-01-01T00:00:00Z' }, organization)).toEqual(['2025-01-01T00:00:00Z 3']);
  });

  it('loses nothing that comes while its past is built', async () => {
    const { organization, partition } = await fresh();
    await fixture.deliver([{ organization, id: '1', time }], { partition });
    await drain();
    await fixture.addMeter({ organizationId: organization, key: 'calls' });
    const command = fixture.parts.clickhouse.command.bind(fixture.parts.clickhouse);
    fixture.parts.clickhouse.command = async (statement) => {
      await command(statement); // The day is built, and only then an event comes for it.
      fixture.parts.clickhouse.command = command;
      await fixture.deliver([{ organization, id: '2', time }], { partition, position: 1 });
      await fixture.recompute().execute();
    };
    await fixture.build.execute();
    expect(await rollups(organization)).toEqual(['s1 [] 2 0']);
    expect(await fixture.ask('calls', {}, organization)).toEqual([`${total} 2`]);
  });
});

/** Lets the next insert of events wait until it is let go. */
function heldOpen(): { reached: Promise<void>; letGo: () => void } {
  const { clickhouse } = fixture.parts;
  const insert = clickhouse.insert.bind(clickhouse);
  const [reached, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  clickhouse.insert = async (table, columns, rows) => {
    clickhouse.insert = insert;
    reached.resolve();
    await held.promise;
    await insert(table, columns, rows);
  };
  return { reached: reached.promise, letGo: held.resolve };
}
