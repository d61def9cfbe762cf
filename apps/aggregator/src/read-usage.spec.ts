import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useClickHouse, usePostgres } from '#testing';
import { AggregatorFixture } from './aggregator-fixture.js';

// Goal: the questions that can be asked of usage. Method: one organization with few events, each answer by hand, asked of raw
// events first and of rollups after; a second organization holds the same names and must never show.

usePostgres();
useClickHouse();
let fixture: AggregatorFixture;
let one: string;
let two: string;

beforeAll(async () => {
  fixture = await AggregatorFixture.start();
  await fixture.addOrganizations(['org_a', 'org_b']);
  for (const organizationId of ['org_a', 'org_b']) {
    await fixture.addMeter({ organizationId, key: 'calls', groupBy: { route: '$.route' } });
    await fixture.addMeter({ organizationId, key: 'users', aggregation: 'unique_count', valuePath: '$.user' });
    await fixture.addMeter({ organizationId, key: 'most', aggregation: 'max', valuePath: '$.n' });
    await fixture.addMeter({ organizationId, key: 'mean', aggregation: 'avg', valuePath: '$.n' });
    await fixture.addMeter({ organizationId, key: 'all', aggregation: 'sum', valuePath: '$.n' });
    await fixture.addMeter({ organizationId, key: 'last', aggregation: 'latest', valuePath: '$.n' });
    await fixture.addMeter({ organizationId, key: 'p75', aggregation: 'percentile', percentile: '75', valuePath: '$.n', groupBy: { route: '$.route' } });
  }
  one = await fixture.addCustomer({ key: 'one', subjects: [{ subject: 'moves', to: '2026-11-02T10:20:00Z' }, { subject: 'mine' }] });
  two = await fixture.addCustomer({ key: 'two', subjects: [{ subject: 'moves', from: '2026-11-02T10:20:00Z', to: '2026-11-03T00:00:00Z' }] });
  await fixture.addCustomer({ key: 'none' });
  await fixture.deliver([
    { id: '1', subject: 'moves', time: '2026-11-01T09:00:00Z', data: '{"n":1,"route":"/a","user":"u1"}' },
    { id: '2', subject: 'moves', time: '2026-11-02T10:19:59.999999Z', data: '{"n":2,"route":"/a","user":"u2"}' },
    { id: '3', subject: 'moves', time: '2026-11-02T10:20:00Z', data: '{"n":-2,"route":"/b","user":"u1"}' },
    { id: '4', subject: 'moves', time: '2026-11-03T00:00:00Z', data: '{"n":4,"route":"/b","user":"u3"}' },
    { id: '5', subject: 'mine', time: '2026-11-02T23:30:00Z', data: '{"n":0.5,"route":"/a","user":"u2"}' },
    { id: '6', subject: 'nobody', time: '2026-11-02T12:00:00Z', data: '{"n":-1,"user":null}' },
  ]);
  await fixture.deliver(Array.from({ length: 5 }, (_, index) => ({ organization: 'org_b', id: `${index}`, subject: 'moves', time: '2026-11-02T10:00:00Z', data: '{"n":9,"route":"/a"}' })), { position: 6 });
});
afterAll(() => fixture.close());

const total = '2026-11-01T00:00:00Z';
const questions: [string, Record<string, string | string[]>, () => unknown][] = [
  ['calls', {}, () => [`${total} 6`]],
  ['calls', { group_by: 'customer' }, () => [`${total} null 2`, `${total} ${one} 3`, `${total} ${two} 1`]],
  ['calls', { customer: 'one' }, () => [`${total} ${one} 3`]],
  ['calls', { customer: 'one', group_by: 'subject,route' }, () => [`${total} ${one} mine /a 1`, `${total} ${one} moves /a 2`]],
  ['calls', { customer: 'two', window: 'hour' }, () => [`2026-11-02T10:00:00Z ${two} 1`]],
  ['calls', { customer: 'none' }, () => []],
  ['calls', { customer: 'none', fill: 'zero' }, () => [`${total} cus_org_a_none 0`]],
  ['calls', { customer: 'two', subject: 'mine' }, () => []],
  ['calls', { subject: 'moves', group_by: 'customer' }, () => [`${total} null moves 1`, `${total} ${one} moves 2`, `${total} ${two} moves 1`]],
  ['calls', { subject: 'nobody', group_by: 'customer' }, () => [`${total} null nobody 1`]], // No subject asked for has a customer.
  ['calls', { subject: 'nobody', group_by: 'customer,route', window: 'day', limit: '1' }, () => ['2026-11-02T00:00:00Z null nobody  1']],
  ['p75', { subject: 'nobody', group_by: 'customer' }, () => [`${total} null nobody -1`]],
  ['calls', { subject: 'moves' }, () => [`${total} moves 4`]],
  ['calls', { 'filter[route]': '/b', window: 'day' }, () => ['2026-11-02T00:00:00Z 1', '2026-11-03T00:00:00Z 1']],
  ['calls', { 'filter[route]': '' }, () => [`${total} 1`]],
  // 23:30Z of the 2nd is 00:30 of the 3rd in Berlin.
  ['calls', { window: 'day', time_zone: 'Europe/Berlin' }, () => [`${total} 1`, '2026-11-01T23:00:00Z 3', '2026-11-02T23:00:00Z 2']],
  // Kolkata's days begin at 18:30Z.
  ['calls', { window: 'day', time_zone: 'Asia/Kolkata' }, () => [`${total} 1`, '2026-11-01T18:30:00Z 3', '2026-11-02T18:30:00Z 2']],
  ['calls', { window: 'hour', time_zone: 'Asia/Kolkata', from: '2026-11-02T10:00:00Z', to: '2026-11-02T13:00:00Z' }, () => ['2026-11-02T10:00:00Z 2', '2026-11-02T11:30:00Z 1']],
  ['calls', { window: 'month', time_zone: 'Asia/Kolkata', from: '2026-10-01T00:00:00Z' }, () => ['2026-10-31T18:30:00Z 6']],
  ['calls', { window: 'day', fill: 'zero', from: '2026-11-02T00:00:00Z', to: '2026-11-05T00:00:00Z' }, () => ['2026-11-02T00:00:00Z 4', '2026-11-03T00:00:00Z 1', '2026-11-04T00:00:00Z 0']],
  ['calls', { window: 'day', fill: 'zero', group_by: 'route', from: '2026-11-02T00:00:00Z', to: '2026-11-04T00:00:00Z' }, () => [
    '2026-11-02T00:00:00Z  1', '2026-11-02T00:00:00Z /a 2', '2026-11-02T00:00:00Z /b 1', '2026-11-03T00:00:00Z  0', '2026-11-03T00:00:00Z /a 0', '2026-11-03T00:00:00Z /b 1',
  ]],
  ['calls', { from: '2026-11-02T10:19:59.999999Z', to: '2026-11-02T10:20:00Z' }, () => ['2026-11-02T10:19:59.999999Z 1']],
  ['calls', { from: '2026-11-02T10:19:59.9999991Z', to: '2026-11-02T10:20:00.0000001Z' }, () => ['2026-11-02T10:20:00Z 1']],
  ['users', {}, () => [`${total} 3`]],
  ['users', { customer: 'one' }, () => [`${total} ${one} 2`]], // u1, u2 twice.
  ['most', { window: 'day' }, () => ['2026-11-01T00:00:00Z 1', '2026-11-02T00:00:00Z 2', '2026-11-03T00:00:00Z 4']],
  ['most', { subject: 'nobody', window: 'day', fill: 'zero' }, () => ['2026-11-02T00:00:00Z nobody -1']], // Nothing has no greatest value.
  ['mean', {}, () => [`${total} 0.75`]], // (1 + 2 - 2 + 4 + 0.5 - 1) / 6
  ['mean', { to: '2026-11-02T13:00:00Z', from: '2026-11-02T10:20:00Z' }, () => ['2026-11-02T10:20:00Z -1.5']],
  ['mean', { subject: 'moves', from: '2026-11-02T00:00:00Z', to: '2026-11-03T01:00:00Z' }, () => ['2026-11-02T00:00:00Z moves 1.333333333333']], // 4 / 3
  ['last', { customer: 'one' }, () => [`${total} ${one} 0.5`]],
  // Several values of a filter.
  ['calls', { 'filter[route]': ['/b', '', '/b'] }, () => [`${total} 3`]],
  ['calls', { subject: ['mine', 'nobody', 'unheard of'] }, () => [`${total} 2`]],
  ['calls', { subject: ['mine', 'nobody'], group_by: 'subject' }, () => [`${total} mine 1`, `${total} nobody 1`]],
  // Texts that would end a text, were they not told apart.
  ['calls', { 'filter[route]': ['/b', `'`, '\\'] }, () => [`${total} 2`]],
  ['calls', { subject: ['nobody', `mine' OR '1`, `\\' OR 1 --`, '{p0:String}', ';'] }, () => [`${total} 1`]],
  ['calls', { customer: ['two', 'one'] }, () => [`${total} 4`]],
  ['calls', { customer: ['two', 'one'], group_by: 'customer' }, () => [`${total} ${one} 3`, `${total} ${two} 1`]],
  ['calls', { customer: ['one', 'cus_org_a_one'] }, () => [`${total} ${one} 3`]],
  ['calls', { customer: ['one', 'two'], subject: ['moves', 'mine'], 'filter[route]': ['/a', '/c'] }, () => [`${total} 3`]],
  // Groups by their value over the whole range, and the first of them.
  ['calls', { group_by: 'route', order: '-value' }, () => [`${total} /a 3`, `${total} /b 2`, `${total}  1`]],
  ['calls', { group_by: 'route', order: 'value' }, () => [`${total}  1`, `${total} /b 2`, `${total} /a 3`]],
  ['calls', { group_by: 'subject', order: '-value' }, () => [`${total} moves 4`, `${total} mine 1`, `${total} nobody 1`]], // Equal ones by their names.
  ['calls', { group_by: 'subject', limit: '2' }, () => [`${total} moves 4`, `${total} mine 1`, `${total} other 1`]],
  ['calls', { group_by: 'subject', limit: '3' }, () => [`${total} moves 4`, `${total} mine 1`, `${total} nobody 1`]], // Nothing is left for others.
  ['calls', { group_by: 'route', limit: '2', order: 'window' }, () => [`${total}  1`, `${total} /a 3`, `${total} other 2`]],
  ['calls', { group_by: 'customer', limit: '1' }, () => [`${total} ${one} 3`, `${total} other 3`]],
  ['calls', { group_by: 'customer', limit: '2', order: 'value' }, () => [`${total} ${two} 1`, `${total} null 2`, `${total} other 3`]],
  ['calls', { customer: ['one', 'two'], group_by: 'customer,route', limit: '1' }, () => [`${total} ${one} /a 3`, `${total} other 1`]],
  ['calls', { customer: 'one', group_by: 'subject', limit: '1' }, () => [`${total} ${one} moves 2`, `${total} ${one} other 1`]],
  ['calls', { customer: 'none', group_by: 'route', limit: '1' }, () => []],
  ['calls', { group_by: 'route', window: 'day', limit: '1' }, () => ['2026-11-01T00:00:00Z /a 1', '2026-11-02T00:00:00Z /a 2', '2026-11-02T00:00:00Z other 2', '2026-11-03T00:00:00Z other 1']],
  ['calls', { group_by: 'route', window: 'day', limit: '1', fill: 'zero', to: '2026-11-04T00:00:00Z' }, () => [
    '2026-11-01T00:00:00Z /a 1', '2026-11-01T00:00:00Z other 0', '2026-11-02T00:00:00Z /a 2', '2026-11-02T00:00:00Z other 2', '2026-11-03T00:00:00Z /a 0', '2026-11-03T00:00:00Z other 1',
  ]],
  ['calls', { group_by: 'route', window: 'day', order: 'value' }, () => [
    '2026-11-01T00:00:00Z /a 1', '2026-11-02T00:00:00Z  1', '2026-11-02T00:00:00Z /b 1', '2026-11-02T00:00:00Z /a 2', '2026-11-03T00:00:00Z /b 1',
  ]],
  ['all', { group_by: 'subject', limit: '1' }, () => [`${total} moves 5`, `${total} other -0.5`]], // 1 + 2 - 2 + 4; 0.5 - 1
  ['users', { group_by: 'subject', limit: '1' }, () => [`${total} moves 3`]], // Others' users may be the same ones: they don't add up.
  ['mean', { group_by: 'subject', limit: '2', order: 'value' }, () => [`${total} nobody -1`, `${total} mine 0.5`]],
  ['mean', { group_by: 'subject', limit: '1', window: 'day' }, () => ['2026-11-01T00:00:00Z moves 1', '2026-11-02T00:00:00Z moves 0', '2026-11-03T00:00:00Z moves 4']], // 5 / 4 over all, 0 on the second.
  ['most', { group_by: 'subject', order: 'value' }, () => [`${total} nobody -1`, `${total} mine 0.5`, `${total} moves 4`]],
  ['users', { group_by: 'subject', limit: '1', window: 'day' }, () => ['2026-11-01T00:00:00Z moves 1', '2026-11-02T00:00:00Z moves 2', '2026-11-03T00:00:00Z moves 1']],
  ['last', { group_by: 'subject', limit: '1', window: 'month' }, () => [`${total} moves 4`]],
  ['p75', {}, () => [`${total} 1.75`]], // -2, -1, 0.5, 1, 2, 4: place 5 × 0.75 = 3.75, 1 + 0.75 × 1
  ['p75', { customer: 'one' }, () => [`${total} ${one} 1.5`]], // 0.5, 1, 2: place 1.5
  ['p75', { group_by: 'route' }, () => [`${total}  -1`, `${total} /a 1.5`, `${total} /b 2.5`]], // -2, 4: -2 + 0.75 × 6
  ['p75', { window: 'day', time_zone: 'Asia/Kolkata' }, () => [`${total} 1`, '2026-11-01T18:30:00Z 0.5', '2026-11-02T18:30:00Z 3.125']], // -2, -1, 2; 0.5, 4
  ['p75', { group_by: 'route', order: '-value', limit: '2' }, () => [`${total} /b 2.5`, `${total} /a 1.5`]],
  ['p75', { group_by: 'subject', order: 'value', window: 'month' }, () => [`${total} nobody -1`, `${total} mine 0.5`, `${total} moves 2.5`]], // -2, 1, 2, 4: place 2.25
  ['p75', { window: 'day', fill: 'zero', subject: 'nobody' }, () => ['2026-11-02T00:00:00Z nobody -1']],
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
    expect(usage.ok && usage.value.totals.map(({ meter, value }) => [meter.key, value])).toEqual([['all', '-2'], ['calls', '1'], ['last', '-2'], ['mean', '-2'], ['most', '-2'], ['p75', '-2'], ['users', '1']]);
    const nothing = await fixture.readCustomer.execute({ organizationId: 'org_a', customer: 'none' }, { from: total, to: '2026-12-01T00:00:00Z' });
    expect(nothing.ok && nothing.value.totals.map(({ meter, value }) => [meter.key, value])).toEqual([['all', '0'], ['calls', '0'], ['last', null], ['mean', null], ['most', null], ['p75', null], ['users', '0']]);
  });

  it('every meter but those that are archived, as users call them', async () => {
    const ask = async () => fixture.readCustomer.execute({ organizationId: 'org_b', customer: 'cus_org_b_one' }, { from: total, to: '2026-12-01T00:00:00Z' });
    await fixture.addCustomer({ key: 'one', organization: 'org_b' });
    await fixture.parts.admin.query(`update meters set name = 'Sum of n', unit = 'unit' where id = 'mtr_org_b_all'`);
    await fixture.parts.admin.query(`update meters set archived_at = now() where organization_id = 'org_b' and key not in ('all', 'calls')`);
    const usage = await ask();
    await fixture.parts.admin.query(`delete from customers where id = 'cus_org_b_one'`);
    expect(usage.ok && usage.value.totals.map(({ meter, name, unit, value }) => [meter.key, name, unit, value])).toEqual([['all', 'Sum of n', 'unit', '0'], ['calls', 'calls', null, '0']]);
  });

  it('slices of several customers until each of their ends, in one question', async () => {
    const at = (text: string): Temporal.Instant => Temporal.Instant.from(text);
    const slices = [
      { ref: 'x', customerId: one, from: at(total), to: at('2026-12-01T00:00:00Z'), ends: ['2026-11-02T00:00:00Z', '2026-11-03T00:00:00Z', '2026-11-04T00:00:00Z'].map(at) },
      { ref: 'y', customerId: two, from: at('2026-11-02T10:20:00Z'), to: at('2026-11-03T00:00:00Z'), ends: [at('2026-11-02T10:20:00Z').add({ seconds: 1 }), at('2026-11-03T00:00:00Z')] },
      { ref: 'z', customerId: one, from: at('2026-11-02T10:00:00Z'), to: at('2026-11-02T11:00:00Z'), ends: [at('2026-11-02T11:00:00Z')] },
      { ref: 'none', customerId: 'cus_org_a_none', from: at(total), to: at('2026-12-01T00:00:00Z'), ends: [at('2026-12-01T00:00:00Z')] },
    ];
    const read = async (meterId: string, groupBy: string[] = []): Promise<string[]> => {
      const { rows } = await fixture.usage.readSlices({ now: fixture.now, organizationId: 'org_a', meterId, groupBy, slices });
      return rows.map(({ ref, end, group, value }) => [ref, end.toString().slice(5, 13), ...Object.values(group), value].join(' ')).toSorted();
    };
    expect(await read('mtr_org_a_calls')).toEqual(['x 11-02T00 1', 'x 11-03T00 3', 'x 11-04T00 3', 'y 11-02T10 1', 'y 11-03T00 1', 'z 11-02T11 1']);
    expect(await read('mtr_org_a_calls', ['route'])).toEqual(['x 11-02T00 /a 1', 'x 11-03T00 /a 3', 'x 11-04T00 /a 3', 'y 11-02T10 /b 1', 'y 11-03T00 /b 1', 'z 11-02T11 /a 1']);
    expect(await read('mtr_org_a_users')).toEqual(['x 11-02T00 1', 'x 11-03T00 2', 'x 11-04T00 2', 'y 11-02T10 1', 'y 11-03T00 1', 'z 11-02T11 1']); // u1; u1, u2.
    expect(await read('mtr_org_a_most')).toEqual(['x 11-02T00 1', 'x 11-03T00 2', 'x 11-04T00 2', 'y 11-02T10 -2', 'y 11-03T00 -2', 'z 11-02T11 2']);
    expect(await read('mtr_org_a_mean')).toEqual(['x 11-02T00 1', 'x 11-03T00 1.166666666667', 'x 11-04T00 1.166666666667', 'y 11-02T10 -2', 'y 11-03T00 -2', 'z 11-02T11 2']); // 3.5 / 3
    expect(await read('mtr_org_a_last')).toEqual(['x 11-02T00 1', 'x 11-03T00 0.5', 'x 11-04T00 0.5', 'y 11-02T10 -2', 'y 11-03T00 -2', 'z 11-02T11 2']);
    // 1; 0.5, 1, 2: place 1.5.
    expect(await read('mtr_org_a_p75')).toEqual(['x 11-02T00 1', 'x 11-03T00 1.5', 'x 11-04T00 1.5', 'y 11-02T10 -2', 'y 11-03T00 -2', 'z 11-02T11 2']);
  });

  it('the same whether slices have one list of ends, or many and long ones', async () => {
    const from = Temporal.Instant.from('2026-11-01T00:00:00Z');
    const days = Array.from({ length: 3 }, (_, day) => from.add({ hours: 24 * (day + 1) }));
    const minutesUntil = (end: Temporal.Instant, later: number) => [...Array.from({ length: 2_600 }, (_, minute) => end.subtract({ minutes: 2_600 - minute }).add({ seconds: later })), end];
    const read = async (endsOf: (customer: number) => readonly Temporal.Instant[]): Promise<string[]> => {
      const slices = [one, two].map((customerId, index) => ({ ref: customerId, customerId, from, to: from.add({ hours: 72 }), ends: endsOf(index) }));
      const { rows } = await fixture.usage.readSlices({ now: fixture.now, organizationId: 'org_a', meterId: 'mtr_org_a_calls', groupBy: [], slices });
      return rows.filter(({ end }) => days.some((day) => day.equals(end))).map(({ ref, end, value }) => [ref, end.toString().slice(5, 10), value].join(' ')).toSorted();
    };
    const whole = await read(() => days);
    expect(whole).toContain(`${one} 11-03 3`);
    const last = days.at(-1) ?? from;
    expect(await read((customer) => minutesUntil(last, customer + 1))).toEqual(whole.filter((row) => row.includes('11-04')));
    expect(await read((customer) => (customer === 0 ? days : days.slice(2)))).toEqual(whole.filter((row) => row.startsWith(one) || row.includes('11-04')));
  });
});

describe('a question that can not be answered', () => {
  it.each<[string, Record<string, string | string[]>, unknown]>([
    ['none', {}, 'not_found'],
    ['mtr_org_b_calls', {}, 'not_found'],
    ['calls', { customer: 'nobody' }, 'not_found'],
    ['calls', { customer: 'cus_org_b_one' }, 'not_found'],
    ['calls', { customer: ['one', 'nobody'] }, 'not_found'],
    ['calls', { limit: '5' }, ['/limit nothing_to_limit']],
    ['calls', { to: total }, ['/to invalid_range']],
    ['calls', { from: '2026-12-02T00:00:00Z', group_by: 'route,x,route', time_zone: 'Mars', 'filter[y]': '1' }, [
      '/to invalid_range', '/time_zone invalid_time_zone', '/group_by unknown_dimension', '/group_by duplicate_dimension', '/filter[y] unknown_dimension']],
    ['calls', { from: '0001-01-01T00:00:00Z', to: '9999-01-01T00:00:00Z' }, ['/from invalid_range', '/to invalid_range']],
    ['calls', { group_by: 'toString' }, ['/group_by unknown_dimension']],
    ['calls', { window: 'minute', fill: 'zero', to: '2026-12-06T00:00:00Z' }, 'result_too_large'], // 35 × 1,440 = 50,400
  ])('%s %j: %j', async (meter, query, answer) => {
    expect(await fixture.ask(meter, query)).toEqual(answer);
  });

  it('is one with more rows than fit', async () => {
    await fixture.addMeter({ key: 'ids', eventType: 'many', groupBy: { n: '$.n' } });
    for (let part = 0; part < 6; part += 1) {
      const events = Array.from({ length: part < 5 ? 10_000 : 1 }, (_, index) => ({ id: `${part}-${index}`, type: 'many', time: '2026-11-01T10:00:00Z', data: `{"n":${part * 10_000 + index}}` }));
      await fixture.deliver(events, { partition: 9, position: part * 10_000 });
      if (part === 4) expect(await fixture.ask('ids', { group_by: 'n' })).toHaveLength(50_000);
    }
    expect(await fixture.ask('ids', { group_by: 'n' })).toBe('result_too_large');
    expect(await fixture.ask('ids', {})).toEqual([`${total} 50001`]);
    expect(await fixture.ask('ids', { group_by: 'n', limit: '1' })).toEqual([`${total} 0 1`, `${total} other 50000`]); // Their number does not matter to the first of them.
  }, 60_000);
});
