import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RollupStore, RollupVerifier } from '#persistence';
import { useClickHouse, usePostgres } from '#testing';
import { AggregatorFixture } from './aggregator-fixture.js';
import { BuildMeterRollups } from './build-meter-rollups.js';
import { VerifyMeter } from './verify-meter.js';
import { VerifyRollups } from './verify-rollups.js';

// Goal: rollups of a meter's versions are those of the right one at any moment: while they are built, when a build is cut off, when
// events come meanwhile, and when later versions take an earlier one's time. Method: an organization for each story, two days of events.

usePostgres();
useClickHouse();
let fixture: AggregatorFixture;
let organizations = 0;

beforeAll(async () => {
  fixture = await AggregatorFixture.start();
});
afterAll(() => fixture.close());

/** Ten events of 1 and 2 November, one each hour from 18:00 on, each of value 1 and of its hour as another. */
async function story() {
  organizations += 1;
  const organization = `org_v${organizations}`;
  await fixture.addOrganizations([organization]);
  const id = await fixture.addMeter({ key: 'm', organizationId: organization, aggregation: 'sum', valuePath: '$.one' });
  const told = Array.from({ length: 10 }, (_, nth) => {
    const time = Temporal.Instant.from('2026-11-01T18:15:00Z').add({ hours: nth });
    return { organization, id: `e${nth}`, time: time.toString(), data: `{"hour":${time.toZonedDateTimeISO('UTC').hour},"one":1}` };
  });
  const partition = organizations;
  let late = 0;
  await fixture.deliver(told, { partition });
  const verify = new VerifyMeter({ database: fixture.parts.database, usage: fixture.usage, verify: new VerifyRollups({ database: fixture.parts.database, verifier: new RollupVerifier(fixture.parts.clickhouse) }) });
  return {
    organization, id,
    tell: (time: string, data: string) => {
      late += 1;
      return fixture.deliver([{ organization, id: `late${late}`, time, data }], { partition, position: 100 + late });
    },
    sum: async (query: Record<string, string> = {}) => (await fixture.ask('m', query, organization) as string[]).map((row) => row.slice(5)),
    verified: async () => {
      const found = await verify.execute({ organizationId: organization, meter: 'm' }, { from: '2026-11-01T00:00:00Z', to: '2026-11-03T00:00:00Z' });
      return found.ok ? [found.value.isRolledUp, found.value.events, found.value.dirtyCells, found.value.differences.length] : found.code;
    },
  };
}

async function recompute(): Promise<void> {
  while ((await fixture.build.execute()) > 0);
  while ((await fixture.recompute().execute()) > 0);
}

describe('a meter of several versions', () => {
  it('adds up the parts that its versions count, from events and from rollups', async () => {
    const { id, sum, verified } = await story();
    await recompute();
    // 18 to 21 o'clock bring 1 each; what comes from half past nine on brings its hour: 22 + 23 + 0 + 1 + 2 + 3.
    await fixture.addVersion(id, { effectiveAt: '2026-11-01T21:30:00Z', valuePath: '$.hour' });
    const answers = async () => [await sum(), await sum({ window: 'day' }), await sum({ from: '2026-11-01T21:00:00Z', to: '2026-11-01T23:00:00Z', window: 'hour' })];
    const expected = [['11-01T00:00:00Z 55'], ['11-01T00:00:00Z 49', '11-02T00:00:00Z 6'], ['11-01T21:00:00Z 1', '11-01T22:00:00Z 22']];
    expect(await answers()).toEqual(expected);
    expect(await verified()).toEqual([false, 3n, 0, 0]);
    await recompute();
    expect(await answers()).toEqual(expected);
    // The hour that both versions share is not compared: nobody reads its rollups.
    expect(await verified()).toEqual([true, 9n, 0, 0]);
  });

  it('gives no time back: a later version takes that of others, also of one that was to begin later', async () => {
    const { id, sum, verified } = await story();
    await fixture.addVersion(id, { effectiveAt: '2026-11-02T00:00:00Z', valuePath: '$.hour' });
    await recompute();
    expect(await sum({ window: 'day' })).toEqual(['11-01T00:00:00Z 6', '11-02T00:00:00Z 6']);
    await fixture.addVersion(id, { effectiveAt: '2026-11-01T20:00:00Z', valuePath: '$.one', filter: 'data.hour != 1', groupBy: { h: '$.hour' } });
    for (let turn = 0; turn < 2; turn += 1) {
      expect(await sum({ window: 'day' })).toEqual(['11-01T00:00:00Z 6', '11-02T00:00:00Z 3']);
      expect(await sum({ group_by: 'h', 'filter[h]': '' })).toEqual(['11-01T00:00:00Z  2']);
      expect(await sum({ group_by: 'h', order: '-value', limit: '2' })).toEqual(['11-01T00:00:00Z  2', '11-01T00:00:00Z 0 1', '11-01T00:00:00Z other 6']);
      await recompute();
    }
    expect(await verified()).toEqual([true, 9n, 0, 0]);
  });

  it('is right while a build is cut off, and when it is done again', async () => {
    const { id, sum, verified } = await story();
    await recompute();
    await fixture.addVersion(id, { effectiveAt: '2026-11-01T19:00:00Z', valuePath: '$.hour' });
    let days = 0;
    class Dying extends RollupStore {
      override async buildDay(...day: Parameters<RollupStore['buildDay']>): Promise<void> {
        if ((days += 1) > 1) throw new Error('Killed.');
        await super.buildDay(...day);
      }
    }
    const dying = new BuildMeterRollups({ database: fixture.parts.database, rollups: new Dying(fixture.parts.clickhouse) });
    await expect(dying.execute()).rejects.toThrow('Killed.');
    const whole = ['11-01T00:00:00Z 112']; // 1 + 19 + 20 + 21 + 22 + 23 + 0 + 1 + 2 + 3
    expect(await sum()).toEqual(whole);
    expect(await verified()).toEqual([false, 1n, 0, 0]);
    await recompute();
    expect([await sum(), await verified()]).toEqual([whole, [true, 10n, 0, 0]]);
  });

  it('counts what comes while a version is built, and corrections of both sides', async () => {
    const { organization, id, sum, tell, verified } = await story();
    await recompute();
    await fixture.addVersion(id, { effectiveAt: '2026-11-01T22:00:00Z', valuePath: '$.hour', eventType: 'call' });
    class Interrupted extends RollupStore {
      override async buildDay(...day: Parameters<RollupStore['buildDay']>): Promise<void> {
        await super.buildDay(...day);
        await tell('2026-11-01T18:30:00Z', '{"hour":100,"one":1}'); // The first version's.
        await tell('2026-11-02T00:30:00Z', '{"hour":100,"one":1}'); // The second one's.
        await fixture.recompute().execute();
      }
    }
    await new BuildMeterRollups({ database: fixture.parts.database, rollups: new Interrupted(fixture.parts.clickhouse) }).execute();
    const before = 4 + 22 + 23 + 0 + 1 + 2 + 3; // 55
    expect(await sum()).toEqual([`11-01T00:00:00Z ${before + 2 + 200}`]);
    await fixture.deliver([{ organization, id: 'e0', void: true }, { organization, id: 'e5', void: true }, { organization, id: 'e6', amend: '{"hour":0.5,"one":7}' }], { partition: organizations, position: 200 });
    for (let turn = 0; turn < 2; turn += 1) {
      expect(await sum()).toEqual([`11-01T00:00:00Z ${before + 2 + 200 - 1 - 23 + 0.5}`]);
      await recompute();
    }
    expect((await verified())).toEqual([true, 12n, 0, 0]);
  });

  it('may count another type of event from an instant on', async () => {
    const { organization, id, sum, verified } = await story();
    await fixture.addVersion(id, { effectiveAt: '2026-11-01T20:00:00Z', eventType: 'request', filter: 'data.one == 1' });
    await fixture.deliver([
      { organization, id: 'r1', type: 'request', time: '2026-11-01T19:59:59.999999Z', data: '{"one":1}' },
      { organization, id: 'r2', type: 'request', time: '2026-11-01T20:00:00Z', data: '{"one":1}' },
    ], { partition: organizations, position: 300 });
    for (let turn = 0; turn < 2; turn += 1) {
      expect(await sum()).toEqual(['11-01T00:00:00Z 3']); // 18 and 19 o'clock, and r2.
      await recompute();
    }
    expect(await verified()).toEqual([true, 3n, 0, 0]);
    const page = { limit: 100, startingAfter: null, endingBefore: null };
    const all = { page, type: null, subject: null, customer: null, source: null, id: null, meter: null, state: null, data: {}, from: Temporal.Instant.from('2026-11-01T00:00:00Z'), to: Temporal.Instant.from('2026-11-03T00:00:00Z') };
    const listed = await fixture.listEvents.execute(organization, all);
    const found = await fixture.listEvents.execute(organization, { ...all, meter: 'm' });
    if (!listed.ok || !found.ok) throw new Error('The search was refused.');
    const counted = listed.value.events.filter(({ state }) => state === 'counted').map((event) => event.id);
    expect(counted.toSorted()).toEqual(['e0', 'e1', 'r2']);
    expect(found.value.events.map((event) => event.id).toSorted()).toEqual(counted.toSorted());
  });
});
