import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aggregations, meterParts, type Aggregation } from '#domain';
import { findMeters, RollupVerifier, type RollupDifference } from '#persistence';
import { systemClock, type Clock } from '#platform';
import { useClickHouse, usePostgres } from '#testing';
import { AggregatorFixture, type TestEvent } from './aggregator-fixture.js';
import { AggregatorMetrics } from './aggregator-metrics.js';
import { CheckRollups } from './check-rollups.js';
import { VerifyRollups, type Verification } from './verify-rollups.js';

// Goal: a rollup that is not what its events say is found, whichever state it has, and nothing else is. Method: meters of every
// aggregation over the same events; then rows of the store are changed by hand, behind the product's back.

usePostgres();
useClickHouse();
let fixture: AggregatorFixture;
let verify: VerifyRollups;
let cases = 0;

beforeAll(async () => {
  fixture = await AggregatorFixture.start();
  verify = new VerifyRollups({ database: fixture.parts.database, verifier: new RollupVerifier(fixture.parts.clickhouse) });
});
afterAll(() => fixture.close());

const range = { from: Temporal.Instant.from('2026-11-01T00:00:00Z'), to: Temporal.Instant.from('2026-11-15T00:00:00Z') };
const hour = Temporal.Instant.from('2026-11-01T10:00:00Z').epochMilliseconds / 1_000;
const event = (id: string, v: string, change: Partial<TestEvent> = {}): TestEvent => ({ id, time: '2026-11-01T10:15:00Z', data: `{"g":"x","v":${v}}`, ...change });

/** An organization with a meter of each of these aggregations, some events, and rollups of them. */
async function story(events: readonly TestEvent[], kinds: readonly Aggregation[] = ['sum']): Promise<{ organization: string; check: (kind?: Aggregation) => Promise<Verification>; tell: (events: readonly TestEvent[], position: number) => Promise<void> }> {
  cases += 1;
  const [organization, partition] = [`org_${cases}`, cases];
  await fixture.addOrganizations([organization]);
  for (const aggregation of kinds) {
    await fixture.addMeter({ organizationId: organization, key: aggregation, aggregation, valuePath: aggregation === 'count' ? null : '$.v', percentile: aggregation === 'percentile' ? '50' : null, groupBy: { g: '$.g' } });
  }
  const tell = (told: readonly TestEvent[], position: number): Promise<void> => fixture.deliver(told.map((each) => ({ organization, ...each })), { partition, position });
  await tell(events, 0);
  await recompute();
  const check = async (kind: Aggregation = 'sum'): Promise<Verification> => {
    const [meter] = await fixture.parts.database.inOrganization(organization, (manager) => findMeters(manager, { reference: kind }));
    if (meter === undefined) throw new Error('There is no such meter.');
    return verify.execute(meterParts(meter), range);
  };
  return { organization, check, tell };
}

async function recompute(): Promise<void> {
  while ((await fixture.build.execute()) > 0);
  while ((await fixture.recompute().execute()) > 0);
}

const difference = (rawEvents: bigint, rollupEvents: bigint, values: [string | null, string | null]): RollupDifference => ({
  hour, subject: 's1', group: { g: 'x' }, rawEvents, rollupEvents, rawValue: values[0], rollupValue: values[1],
});

describe('rollups that are what their events say', () => {
  it('are equal, whatever they are of', async () => {
    const { check } = await story([event('1', '5'), event('2', '"7.5"'), event('3', 'null'), event('4', '5', { subject: 's2', time: '2026-11-09T23:59:59.999999Z' }), event('4', '6')], aggregations);
    for (const kind of aggregations) {
      // Two hours of a subject and group; the null counts for count only, the conflict for none.
      expect(await check(kind), kind).toEqual({ isRolledUp: true, groups: 2n, events: kind === 'count' ? 4n : 3n, dirtyCells: 0, differences: [], hasMore: false });
    }
  });

  it('are not compared where they wait to be computed', async () => {
    const { check, tell } = await story([event('1', '5')]);
    await tell([event('2', '7'), event('3', '1', { time: '2026-11-02T10:00:00Z' })], 1);
    expect(await check()).toMatchObject({ groups: 0n, dirtyCells: 2, differences: [] });
    await recompute();
    expect(await check()).toMatchObject({ groups: 2n, events: 3n, dirtyCells: 0, differences: [] });
  });

  it('are not there yet for a new meter', async () => {
    const { organization, check } = await story([event('1', '5')]);
    await fixture.addMeter({ organizationId: organization, key: 'count' });
    expect(await check('count')).toMatchObject({ isRolledUp: false, groups: 0n, differences: [] });
  });
});

describe('a rollup that is not', () => {
  // Without the second event: 5 of 5 and 7.
  it.each<[Aggregation, string | null, string | null]>([
    ['count', '1', '2'], ['sum', '5', '12'], ['min', '5', '5'], ['max', '5', '7'], ['avg', '5', '6'], ['unique_count', '1', '2'], ['latest', '5', '7'], ['percentile', '5', '6'],
    ['time_weighted_sum', '3.75', '5.25'], // For three quarters of an hour.
  ])('is found where an event is gone: %s', async (kind, raw, rollup) => {
    const { organization, check } = await story([event('1', '5'), event('2', '7')], [kind]);
    await fixture.parts.clickhouse.command({ sql: `DELETE FROM events WHERE organization_id = '${organization}' AND id = '2'` });
    expect((await check(kind)).differences).toEqual([difference(1n, 2n, [raw, rollup])]);
  });

  // As many events as before, and the state is another one all the same.
  it.each<[Aggregation, string | null, string | null]>([
    ['sum', '6', '7'], ['min', '1', '2'], ['max', '5', '5'], ['avg', '3', '3.5'], ['unique_count', '2', '2'], ['latest', '1', '2'], ['percentile', '3', '3.5'],
    ['time_weighted_sum', '1.083333333333333333', '1.75'], // 5 for five minutes, then 1 or 2 for forty.
  ])('is found where an event says something else: %s', async (kind, raw, rollup) => {
    const { organization, check } = await story([event('1', '5'), event('2', '2', { time: '2026-11-01T10:20:00Z' })], [kind]);
    await fixture.parts.clickhouse.command({ sql: `ALTER TABLE events UPDATE data = '{"g":"x","v":1}' WHERE organization_id = '${organization}' AND id = '2' SETTINGS mutations_sync = 1` });
    const { differences } = await check(kind);
    expect(differences).toEqual(kind === 'max' ? [] : [difference(2n, 2n, [raw, rollup])]);
  });

  it('is found where there is none, or one of nothing', async () => {
    const { organization, check } = await story([event('1', '5'), event('2', '7', { subject: 's2' })]);
    await fixture.parts.clickhouse.command({ sql: `DELETE FROM usage_rollups WHERE organization_id = '${organization}' AND subject = 's1'` });
    await fixture.parts.clickhouse.command({ sql: `DELETE FROM events WHERE organization_id = '${organization}' AND subject = 's2'` });
    expect((await check()).differences).toEqual([difference(1n, 0n, ['5', null]), { ...difference(0n, 1n, [null, '7']), subject: 's2' }]);
  });

  it('is one of at most a hundred, and more are said to be there', async () => {
    const { organization, check } = await story(Array.from({ length: 105 }, (_, nth) => event(`${nth}`, '1', { subject: `s${nth}` })));
    await fixture.parts.clickhouse.command({ sql: `DELETE FROM usage_rollups WHERE organization_id = '${organization}'` });
    const found = await check();
    expect([found.differences.length, found.hasMore, found.groups]).toEqual([100, true, 105n]);
  });
});

describe('the daily check', () => {
  it('looks at each meter once a day, at the hours that are over, and tells of what differs', async () => {
    let now = Temporal.Instant.from('2026-11-03T12:30:00Z');
    const clock: Clock = { now: () => now, sleep: (durationMs, signal) => systemClock.sleep(durationMs, signal) };
    const metrics = new AggregatorMetrics(clock);
    const lines: { msg: string; meter?: string; first?: string }[] = [];
    const logger = pino({ level: 'error' }, { write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[number]) });
    const check = new CheckRollups({ database: fixture.parts.database, verify, metrics, clock, logger });
    const told = async (name: string): Promise<number | undefined> => (await metrics.metrics.find((metric) => (metric as unknown as { name: string }).name === name)?.get())?.values[0]?.value;
    const one = await story([event('1', '5', { time: '2026-11-01T10:59:59Z' }), event('2', '5', { time: '2026-11-01T11:00:00Z' }), event('3', '5', { time: '2026-11-03T11:00:00Z' })]);
    while ((await check.execute()) > 0); // Meters of the other cases.
    lines.length = 0;
    const before = (await told('tollway_rollup_checks_total')) ?? 0;
    await fixture.parts.clickhouse.command({ sql: `DELETE FROM events WHERE organization_id = '${one.organization}'` });

    now = Temporal.Instant.from('2026-11-04T12:29:59Z'); // A second short of a day.
    expect(await check.execute()).toBe(0);
    now = Temporal.Instant.from('2026-11-03T12:30:00Z').add({ hours: 24 });
    let checked = 0;
    for (let more = await check.execute(); more > 0; more = await check.execute()) checked += more;
    expect(checked).toBe((await told('tollway_rollup_checks_total'))! - before);
    expect(await told('tollway_rollup_last_check_timestamp_seconds')).toBe(now.epochMilliseconds / 1_000);
    // Of the last 48 closed hours, 2 November 11:00 to 4 November 11:00: only the third event's.
    const own = lines.filter(({ first }) => first?.includes('"rawEvents":"0"') && first.includes('s1'));
    expect(own.map(({ msg, meter }) => [msg, meter])).toEqual([['A meter’s rollups are not what its events say: see docs/runbooks/rollups-differ.md.', 'sum']]);
    expect(own[0]?.first).toContain(`"hour":${Temporal.Instant.from('2026-11-03T11:00:00Z').epochMilliseconds / 1_000}`);
    expect(await told('tollway_rollup_differences_total')).toBeGreaterThanOrEqual(1);
  });

  it('is one process’s at a time, and a check that fails is none', async () => {
    const now = Temporal.Instant.from('2027-01-01T00:00:00Z');
    const clock: Clock = { now: () => now, sleep: (durationMs, signal) => systemClock.sleep(durationMs, signal) };
    let entered = 0;
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => { release = resolve; });
    const failing = { execute: async () => { entered += 1; await held; throw new Error('The store is away.'); } } as unknown as VerifyRollups; // Only this one question is asked.
    const use = { database: fixture.parts.database, metrics: new AggregatorMetrics(clock), clock, logger: pino({ level: 'silent' }) };
    const first = new CheckRollups({ ...use, verify: failing }).execute();
    await expect.poll(() => entered, { timeout: 10_000 }).toBe(1);
    expect(await new CheckRollups({ ...use, verify }).execute()).toBe(0);
    release();
    await expect(first).rejects.toThrow('The store is away.');
    expect(await new CheckRollups({ ...use, verify }).execute()).toBeGreaterThan(0);
  });
});
