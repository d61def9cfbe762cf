import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useClickHouse, usePostgres } from '#testing';
import { AggregatorFixture } from './aggregator-fixture.js';

// Goal: what is counted, by hand. Method: the real consumer on real stores; each question is asked of raw events, then of rollups.

usePostgres();
useClickHouse();
let fixture: AggregatorFixture;

beforeAll(async () => {
  fixture = await AggregatorFixture.start();
  await fixture.addOrganizations(['org_a', 'org_b']);
});

afterAll(() => fixture.close());

describe('a handful of events', () => {
  beforeAll(async () => {
    await fixture.addMeter({ key: 'calls', groupBy: { route: '$.route', status: '$.status' } });
    await fixture.addMeter({ key: 'bytes', aggregation: 'sum', valuePath: '$.bytes', groupBy: { route: '$.route' } });
    await fixture.addMeter({ key: 'least', aggregation: 'min', valuePath: '$.bytes' });
    await fixture.addMeter({ key: 'most', aggregation: 'max', valuePath: '$.bytes' });
    await fixture.addMeter({ key: 'mean', aggregation: 'avg', valuePath: '$.bytes' });
    await fixture.addMeter({ key: 'routes', aggregation: 'unique_count', valuePath: '$.route' });
    await fixture.addMeter({ key: 'last', aggregation: 'latest', valuePath: '$.bytes' });
    await fixture.addMeter({ key: 'good', filter: 'data.status < 500 && has(data.route)' });
    await fixture.addMeter({ key: 'kilobytes', aggregation: 'sum', valuePath: 'data.bytes / 1000.0', filter: 'data.status < 500 || data.route.matches("^/a$") && data.status % 100 == 0' });
    await fixture.addMeter({ key: 'heavy', aggregation: 'max', valuePath: 'has(data.route) ? double(data.bytes) * 2 : 0.5', groupBy: { route: '$.route' } });
    await fixture.deliver([
      { id: '1', time: '2026-11-01T10:00:00.123456Z', data: '{"bytes":100,"route":"/a","status":200}' },
      { id: '2', time: '2026-11-01T10:30:00Z', data: '{"bytes":0.1,"route":"/b","status":200}' },
      { id: '3', time: '2026-11-01T11:00:00Z', data: '{"bytes":123456789012.123456789012345678,"route":"/a","status":500}' },
      { id: '4', time: '2026-11-02T00:00:00Z', subject: 's2', data: '{"bytes":"0.2","status":404}' },
      { id: '5', time: '2026-11-02T00:00:00Z', subject: 's2', data: '{"bytes":"many"}' },
    ]);
  });

  const answers: [string, string[], Record<string, string>?][] = [
    ['calls', ['2026-11-01T00:00:00Z 5']],
    // 100 + 0.1 + 123456789012.123456789012345678 + 0.2
    ['bytes', ['2026-11-01T00:00:00Z 123456789112.423456789012345678']],
    ['least', ['2026-11-01T00:00:00Z 0.1']],
    ['most', ['2026-11-01T00:00:00Z 123456789012.123456789012345678']],
    // 123456789112.423456789012345678 / 4 = 30864197278.1058641972530864195
    ['mean', ['2026-11-01T00:00:00Z 30864197278.105864197253']],
    ['routes', ['2026-11-01T00:00:00Z 2']],
    ['last', ['2026-11-01T00:00:00Z 0.2']],
    ['good', ['2026-11-01T00:00:00Z 2']],
    // 0.1 + 0.0001 + 123456789.012123456789012346, the last rounded from …345678; the text of the fourth is no number.
    ['kilobytes', ['2026-11-01T00:00:00Z 123456789.112223456789012346']],
    ['heavy', ['2026-11-01T00:00:00Z  0.5', '2026-11-01T00:00:00Z /a 246913578024.246913578024691356', '2026-11-01T00:00:00Z /b 0.2'], { group_by: 'route' }],
    ['calls', ['2026-11-01T00:00:00Z s1 3', '2026-11-01T00:00:00Z s2 2'], { group_by: 'subject' }],
    ['calls', ['2026-11-01T00:00:00Z  2', '2026-11-01T00:00:00Z /a 2', '2026-11-01T00:00:00Z /b 1'], { group_by: 'route' }],
    ['calls', ['2026-11-01T00:00:00Z 2'], { 'filter[status]': '200' }],
    ['calls', ['2026-11-01T00:00:00Z 3', '2026-11-02T00:00:00Z 2'], { window: 'day' }],
    ['calls', ['2026-11-01T10:00:00Z 2', '2026-11-01T11:00:00Z 1', '2026-11-02T00:00:00Z 2'], { window: 'hour' }],
    ['calls', ['2026-11-01T10:00:00Z 1', '2026-11-01T10:30:00Z 1', '2026-11-01T11:00:00Z 1', '2026-11-02T00:00:00Z 2'], { window: 'minute' }],
    ['calls', ['2026-11-01T10:15:00Z 2'], { from: '2026-11-01T10:15:00Z', to: '2026-11-01T11:30:00Z' }],
  ];

  it.each(answers)('from raw events: %s is %j %j', async (meter, rows, query) => {
    expect(await fixture.ask(meter, query)).toEqual(rows);
  });

  describe('rolled up', () => {
    beforeAll(async () => {
      await fixture.build.execute();
      await fixture.recompute().execute();
    });

    it.each(answers)('%s is %j %j', async (meter, rows, query) => {
      expect(await fixture.ask(meter, query)).toEqual(rows);
    });
  });
});
