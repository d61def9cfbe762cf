import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useClickHouse, usePostgres } from '#testing';
import { AggregatorFixture } from './aggregator-fixture.js';

// Goal: unit-hours of gauges. Method: few events whose values last, each answer by hand, asked of raw events first and of rollups after;
// then what comes late, is voided or amended changes the hours after it.

usePostgres();
useClickHouse();
let fixture: AggregatorFixture;
let one: string;
let two: string;

beforeAll(async () => {
  fixture = await AggregatorFixture.start();
  await fixture.addOrganizations(['org_a', 'org_b']);
  for (const organizationId of ['org_a', 'org_b']) {
    await fixture.addMeter({ organizationId, key: 'seats', eventType: 'gauge', aggregation: 'time_weighted_sum', valuePath: '$.n' });
    await fixture.addMeter({ organizationId, key: 'stored', eventType: 'store', aggregation: 'time_weighted_sum', valuePath: '$.gb', groupBy: { region: '$.region' }, filter: 'data.ok == true' });
    await fixture.addMeter({ organizationId, key: 'large', eventType: 'large', aggregation: 'time_weighted_sum', valuePath: '$.n' });
  }
  one = await fixture.addCustomer({ key: 'one', subjects: [{ subject: 'moves', to: '2026-11-02T10:20:00Z' }, { subject: 'disk' }] });
  two = await fixture.addCustomer({ key: 'two', subjects: [{ subject: 'moves', from: '2026-11-02T10:20:00Z', to: '2026-11-03T00:00:00Z' }] });
  const set = (id: string, subject: string, time: string, n: string) => ({ id, type: 'gauge', subject, time, data: `{"n":${n}}` });
  const store = (id: string, time: string, data: string) => ({ id, type: 'store', subject: 'b', time, data });
  await fixture.deliver([
    set('d0', 'disk', '2026-10-20T00:00:00Z', '10'),
    set('d1', 'disk', '2026-11-01T00:30:00Z', '4'),
    set('d2', 'disk', '2026-11-01T02:20:00Z', '1'), // At one instant the later in the log counts.
    set('d3', 'disk', '2026-11-01T02:20:00Z', '7'),
    set('d4', 'disk', '2026-11-02T00:00:00Z', '0.5'),
    set('d5', 'disk', '2026-11-03T00:00:00Z', '0'),
    set('m1', 'moves', '2026-11-02T10:00:00Z', '6'),
    set('m2', 'moves', '2026-11-03T06:00:00Z', '-3'),
    set('t1', 'third', '2026-11-05T00:00:00Z', '1'),
    set('t2', 'third', '2026-11-05T00:20:00Z', '0'),
    store('b1', '2026-11-01T00:00:00Z', '{"gb":10,"ok":true,"region":"eu"}'),
    store('b2', '2026-11-01T06:00:00Z', '{"gb":2,"ok":true,"region":"us"}'),
    store('b3', '2026-11-01T12:00:00Z', '{"gb":4,"ok":true,"region":"eu"}'),
    store('b4', '2026-11-01T13:00:00Z', '{"gb":100,"ok":false,"region":"eu"}'), // The filter does not let it through.
    store('b5', '2026-11-01T14:00:00Z', '{"ok":true,"region":"eu"}'), // No value: the last one stays.
    { id: 'l1', type: 'large', subject: 'l', time: '2000-01-01T00:00:00Z', data: '{"n":99999999999999999999.999999999999999999}' },
  ]);
  await fixture.deliver([{ organization: 'org_b', ...set('d0', 'disk', '2026-10-01T00:00:00Z', '1000') }], { position: 100 });
});
afterAll(() => fixture.close());

const total = '2026-11-01T00:00:00Z';
const first = '2026-11-01T';
const questions: [string, Record<string, string | string[]>, () => unknown][] = [
  // Disk: 10 × ½ + 4 × 11/6 + 7 × 65/3 + 0.5 × 24 = 176. Moves: 6 × 20 − 3 × 666 = −1878. Third: ⅓.
  ['seats', {}, () => [`${total} -1701.666666666666666667`]],
  ['seats', { subject: 'disk' }, () => [`${total} disk 176`]],
  ['seats', { subject: 'third' }, () => [`${total} third 0.333333333333333333`]],
  ['seats', { customer: 'one' }, () => [`${total} ${one} 178`]], // Disk, and 6 for twenty minutes.
  ['seats', { customer: 'two' }, () => [`${total} ${two} 82`]], // 6 × 13 h 40 min
  ['seats', { group_by: 'customer' }, () => [`${total} null -1961.666666666666666667`, `${total} ${one} 178`, `${total} ${two} 82`]], // 6 × 6 − 1998 + ⅓
  ['seats', { subject: 'moves', customer: 'one', window: 'hour' }, () => [`2026-11-02T10:00:00Z ${one} moves 2`]],
  ['seats', { customer: 'two', window: 'hour', to: '2026-11-02T12:00:00Z' }, () => [`2026-11-02T10:00:00Z ${two} 4`, `2026-11-02T11:00:00Z ${two} 6`]],
  ['seats', { subject: 'disk', window: 'day' }, () => [`${total} disk 164`, '2026-11-02T00:00:00Z disk 12', '2026-11-03T00:00:00Z disk 0']], // Set to 0 on the 3rd, and nothing since.
  ['seats', { subject: 'disk', window: 'hour', to: `${first}04:00:00Z` }, () => [`${total} disk 7`, `${first}01:00:00Z disk 4`, `${first}02:00:00Z disk 6`, `${first}03:00:00Z disk 7`]], // 4 × ⅓ + 7 × ⅔
  // Kolkata's hours begin at half past.
  ['seats', { subject: 'disk', window: 'hour', time_zone: 'Asia/Kolkata', to: `${first}03:00:00Z` }, () => [`${total} disk 5`, `${first}00:30:00Z disk 4`, `${first}01:30:00Z disk 4.5`, `${first}02:30:00Z disk 3.5`]],
  ['seats', { subject: 'disk', window: 'day', time_zone: 'Asia/Kolkata' }, () => [`${total} disk 125.5`, `${first}18:30:00Z disk 47.75`, '2026-11-02T18:30:00Z disk 2.75']], // Together 176.
  ['seats', { subject: 'moves', window: 'day', time_zone: 'Europe/Berlin', from: '2026-11-02T00:00:00Z', to: '2026-11-04T00:00:00Z' }, () => [
    '2026-11-02T00:00:00Z moves 78', '2026-11-02T23:00:00Z moves -9', '2026-11-03T23:00:00Z moves -3']], // 6 × 13; 6 × 7 − 3 × 17; −3
  ['seats', { subject: 'moves', window: 'month', to: '2027-03-01T00:00:00Z' }, () => [`${total} moves -1878`, '2026-12-01T00:00:00Z moves -2232']], // Now is the 1st of January.
  ['seats', { from: '2027-01-01T00:00:00Z', to: '2027-02-01T00:00:00Z' }, () => []],
  ['seats', { from: '2026-10-01T00:00:00Z', to: total }, () => ['2026-10-01T00:00:00Z 2880']], // 10 for twelve days
  ['seats', { from: '2026-10-01T00:00:00Z', to: '2026-10-20T00:00:00Z' }, () => []], // 0 until the first event.
  ['seats', { from: '2026-10-31T23:15:00Z', to: `${first}00:45:00Z`, subject: 'disk' }, () => ['2026-10-31T23:15:00Z disk 13.5']], // 10 × 1¼ + 4 × ¼
  // A sixtieth of 10 and of 4: the total is rounded at each window's end, so that they add up to 0.3.
  ['seats', { subject: 'disk', window: 'minute', from: `${first}00:29:00Z`, to: `${first}00:32:00Z` }, () => [
    `${first}00:29:00Z disk 0.166666666666666667`, `${first}00:30:00Z disk 0.066666666666666666`, `${first}00:31:00Z disk 0.066666666666666667`]],
  ['seats', { subject: 'disk', from: `${first}00:29:00Z`, to: `${first}00:32:00Z` }, () => [`${first}00:29:00Z disk 0.3`]],
  ['seats', { subject: 'disk', from: `${first}02:20:00Z`, to: `${first}02:21:00Z` }, () => [`${first}02:20:00Z disk 0.116666666666666667`]], // 7 / 60
  ['seats', { subject: 'third', from: '2026-11-05T00:10:00Z', to: '2026-11-05T00:15:00Z' }, () => ['2026-11-05T00:10:00Z third 0.083333333333333333']],
  ['seats', { subject: 'third', from: '2026-11-05T00:00:00Z', to: '2026-11-05T00:00:00.000009Z' }, () => ['2026-11-05T00:00:00Z third 0.0000000025']],
  ['seats', { subject: 'third', from: '2026-11-05T00:00:00Z', to: '2026-11-05T00:00:00.000001Z' }, () => ['2026-11-05T00:00:00Z third 0.000000000277777778']],
  ['seats', { subject: 'third', window: 'day', fill: 'zero', from: '2026-11-04T00:00:00Z', to: '2026-11-07T00:00:00Z' }, () => [
    '2026-11-04T00:00:00Z third 0', '2026-11-05T00:00:00Z third 0.333333333333333333', '2026-11-06T00:00:00Z third 0']],
  ['seats', { group_by: 'subject', order: '-value' }, () => [`${total} disk 176`, `${total} third 0.333333333333333333`, `${total} moves -1878`]],
  ['seats', { group_by: 'subject', limit: '1' }, () => [`${total} disk 176`, `${total} other -1877.666666666666666667`]],
  ['seats', { group_by: 'subject', limit: '1', window: 'day', from: '2026-11-02T00:00:00Z', to: '2026-11-04T00:00:00Z' }, () => [ // Moves 66, disk 12.
    '2026-11-02T00:00:00Z moves 84', '2026-11-02T00:00:00Z other 12', '2026-11-03T00:00:00Z moves -18', '2026-11-03T00:00:00Z other 0']],
  ['stored', { to: '2026-11-02T00:00:00Z' }, () => [`${total} 204`]],
  ['stored', { to: '2026-11-02T00:00:00Z', group_by: 'region' }, () => [`${total} eu 168`, `${total} us 36`]], // 10 × 12 + 4 × 12; 2 × 18
  ['stored', { to: '2026-11-03T00:00:00Z', window: 'day', 'filter[region]': 'us' }, () => [`${total} 36`, '2026-11-02T00:00:00Z 48']],
  ['stored', { from: '2026-11-02T00:00:00Z', to: '2026-11-03T00:00:00Z', group_by: 'subject,region', order: 'value' }, () => ['2026-11-02T00:00:00Z b us 48', '2026-11-02T00:00:00Z b eu 96']],
  ['large', { to: `${first}03:00:00Z` }, () => [`${total} 299999999999999999999.999999999999999997`]],
  ['large', { from: '2000-01-01T00:00:00Z', to: total, window: 'month', time_zone: 'UTC', limit: '1', group_by: 'subject', order: 'window' }, () => expect.arrayContaining(['2026-10-01T00:00:00Z l 74399999999999999999999.999999999999999256'])],
];

describe.each([
  ['raw events', async () => undefined],
  ['rollups', async () => {
    while ((await fixture.build.execute()) > 0);
    while ((await fixture.recompute().execute()) > 0);
  }],
])('from %s', (_, prepare) => {
  beforeAll(prepare);

  it.each(questions)('%s %j', async (meter, query, rows) => {
    expect(await fixture.ask(meter, query)).toEqual(rows());
  });

  it('every meter of one customer', async () => {
    const usage = await fixture.readCustomer.execute({ organizationId: 'org_a', customer: 'two' }, { from: total, to: '2026-12-01T00:00:00Z' });
    expect(usage.ok && usage.value.totals.map(({ meter, value }) => [meter.key, value])).toEqual([['large', '0'], ['seats', '82'], ['stored', '0']]);
  });

  it('slices of several customers until each of their ends, and until now', async () => {
    const at = (text: string): Temporal.Instant => Temporal.Instant.from(text);
    const days = (...list: string[]): Temporal.Instant[] => list.map((day) => at(`2026-11-${day}:00Z`));
    const slices = [
      { ref: 'x', customerId: one, from: at(total), to: at('2026-11-05T00:00:00Z'), ends: days('02T00:00', '03T00:00', '04T00:00', '05T00:00') },
      { ref: 'y', customerId: two, from: at('2026-11-02T00:00:00Z'), to: at('2026-11-04T00:00:00Z'), ends: days('03T00:00', '04T00:00') },
      { ref: 'z', customerId: one, from: at('2026-11-02T10:10:00Z'), to: at('2026-11-02T11:00:00Z'), ends: days('02T10:15', '02T11:00') },
    ];
    const read = async (options: { isByEnd?: boolean; now?: string; exempt?: string }): Promise<string[]> => {
      const { now, ...rest } = options;
      const { rows } = await fixture.usage.readSlices({ now: now === undefined ? fixture.now : at(now), organizationId: 'org_a', meterId: 'mtr_org_a_seats', groupBy: [], slices, ...rest });
      return rows.map(({ ref, end, value }) => [ref, end.toString().slice(8, 16), value].join(' ')).toSorted();
    };
    // Disk 164, then 12, and 2 of what moves. Z: 6 × 5 min + 0.5 × 5 min, then 6 × 5 min and 0.5 × 45 min more.
    expect(await read({})).toEqual(['x 02T00:00 164', 'x 03T00:00 178', 'x 04T00:00 178', 'x 05T00:00 178', 'y 03T00:00 82', 'y 04T00:00 82', 'z 02T10:15 0.541666666666666667', 'z 02T11:00 1.416666666666666667']);
    expect(await read({ isByEnd: true })).toEqual(['x 02T00:00 164', 'x 03T00:00 14', 'x 04T00:00 0', 'y 03T00:00 82', 'z 02T10:15 0.541666666666666667', 'z 02T11:00 0.875']);
    // At noon of the 2nd: 0.5 × 12 of disk; 6 × 100 min.
    expect(await read({ now: '2026-11-02T12:00:00Z' })).toEqual(['x 02T00:00 164', 'x 03T00:00 172', 'x 04T00:00 172', 'x 05T00:00 172', 'y 03T00:00 10', 'y 04T00:00 10', 'z 02T10:15 0.541666666666666667', 'z 02T11:00 1.416666666666666667']);
    // Without the event that set 7, the one at the same instant stands: 1 for 21 h 40 min.
    expect((await read({ exempt: 'data.n == 7' }))[0]).toBe('x 02T00:00 34'); // 5 + 22/3 + 65/3
  });
});

describe('what changes the past', () => {
  const settle = async (): Promise<void> => {
    while ((await fixture.build.execute()) > 0);
    while ((await fixture.recompute().execute()) > 0);
  };
  const november = { from: total, to: '2026-12-01T00:00:00Z', subject: 'late' };
  let position = 1_000;
  const tell = async (event: Parameters<AggregatorFixture['deliver']>[0][number]): Promise<void> => {
    await fixture.deliver([event], { position });
    position += 1;
  };
  const set = (id: string, time: string, n: string) => ({ id, type: 'gauge', subject: 'late', time, data: `{"n":${n}}` });

  // Each is read while its hours wait to be computed again, and once they are.
  it.each<[string, () => Promise<void>, string[]]>([
    ['an event', () => tell(set('a', '2026-09-10T12:00:00Z', '2')), [`${total} late 1440`]], // 2 × 720
    ['a late one between it and November', () => tell(set('b', '2026-10-01T00:30:00Z', '3')), [`${total} late 2160`]],
    ['one before both', () => tell(set('c', '2026-08-01T00:00:00Z', '9')), [`${total} late 2160`]],
    ['an amendment of the one that lasts', () => tell({ id: 'b', amend: '{"n":5}' }), [`${total} late 3600`]],
    ['one in November', () => tell(set('d', '2026-11-16T00:00:00Z', '1')), [`${total} late 2160`]], // 5 × 360 + 360
    ['a void of the one before', () => tell({ id: 'b', void: true }), [`${total} late 1080`]], // 2 × 360 + 360
    ['a void of that of November', () => tell({ id: 'd', void: true }), [`${total} late 1440`]],
    ['an amendment that takes the value', () => tell({ id: 'a', amend: '{}' }), [`${total} late 6480`]], // 9 × 720
    ['a void of the last that is left', () => tell({ id: 'c', void: true }), []],
  ])('%s', async (_, happens, rows) => {
    await happens();
    expect(await fixture.ask('seats', november)).toEqual(rows);
    await settle();
    expect(await fixture.ask('seats', november)).toEqual(rows);
  });

  it('another moment', async () => {
    await tell(set('e', '2026-11-10T06:10:00Z', '6'));
    fixture.now = Temporal.Instant.from('2026-11-10T08:00:00Z');
    const day = { from: '2026-11-10T00:00:00Z', to: '2026-11-11T00:00:00Z', subject: 'late' };
    expect(await fixture.ask('seats', day)).toEqual(['2026-11-10T00:00:00Z late 11']); // 6 × 110 min
    await settle();
    expect(await fixture.ask('seats', day)).toEqual(['2026-11-10T00:00:00Z late 11']);
    fixture.now = Temporal.Instant.from('2026-11-10T08:07:30Z');
    expect(await fixture.ask('seats', { ...day, window: 'hour' })).toEqual(['06 5', '07 6', '08 0.75'].map((row) => `2026-11-10T${row.slice(0, 2)}:00:00Z late${row.slice(2)}`));
    fixture.now = Temporal.Instant.from('2026-11-10T06:10:00Z');
    expect(await fixture.ask('seats', day)).toEqual([]); // It has only just been set.
    await fixture.parts.admin.query(`insert into test_clocks (organization_id, now) values ('org_a', '2026-11-10T06:20:00Z')`);
    expect(await fixture.ask('seats', day)).toEqual(['2026-11-10T00:00:00Z late 1']); // The organization's own clock counts.
  });
});
