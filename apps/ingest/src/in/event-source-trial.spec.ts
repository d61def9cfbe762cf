import { describe, expect, it } from 'vitest';
import type { EventSourceTrialBody } from '#contracts';
import type { Meter } from '#domain';
import type { EventSource } from '#persistence';
import { useIngest } from '../ingest-fixture.js';

// The fixture's clocks stand at 2026-11-01T10:00:00Z in business time.
const ingest = useIngest({ businessNow: '2026-11-01T10:00:00Z' }, (own) => {
  own.eventSources.set('org_1/farm', { ...stored, key: 'farm' });
  own.eventSources.set('org_1/old', { ...stored, key: 'old', archivedAt: Temporal.Instant.from('2026-10-01T00:00:00Z') });
  own.meters.push(
    meter({ key: 'jobs', aggregation: 'count', groupBy: { quality: '$.quality', where: '$.place.region' } }),
    meter({ key: 'seconds', aggregation: 'sum', valuePath: '$.seconds', filter: 'data.quality == "hd"' }),
    meter({ key: 'others', aggregation: 'count', eventType: 'other' }),
    meter({ key: 'strangers', aggregation: 'count', organizationId: 'org_2' }),
  );
});

const stored: EventSource = {
  id: 'src_1', organizationId: 'org_1', key: 'farm', name: '', format: 'json', source: 'farm-eu', archivedAt: null, createdAt: Temporal.Instant.from('2026-01-01T00:00:00Z'), metadata: {},
  mapping: { id: ['$.job'], subject: ['$.account'], type: null, time: null, timeUnit: 'rfc3339', data: null, defaults: { type: 'render' } },
};

function meter(of: Pick<Meter, 'key' | 'aggregation'> & Partial<Meter>): Meter {
  return { id: `mtr_${of.key}`, organizationId: 'org_1', eventType: 'render', valuePath: null, percentile: null, groupBy: {}, filter: null, ...of };
}

const draft = {
  format: 'json', key: 'draft', name: 'Draft', metadata: { a: 'b' },
  mapping: { id: '$.job.id', subject: ['$.tenant', '$.account'], time: '$.at', time_unit: 'seconds', data: { seconds: '$.usage.seconds', quality: '$.job.quality', place: '$.place' } },
  defaults: { type: 'render' },
};
const entry = (id: string, more: object = {}): string => JSON.stringify({ job: { id, quality: 'hd' }, account: 'cus_42', at: 1_793_520_000, usage: { seconds: 2 }, ...more });

async function tried(body: object, key = 'key-catalog'): Promise<EventSourceTrialBody> {
  const answer = await ingest().post('/v1/event-sources/try', body, { authorization: `Bearer ${key}` });
  expect(answer.status).toBe(200);
  return answer.body as unknown as EventSourceTrialBody;
}

async function refusals(body: object | string, headers: Record<string, string> = {}): Promise<[number, string[]]> {
  const answer = await ingest().post('/v1/event-sources/try', body, headers);
  return [answer.status, (answer.body.errors ?? []).map(({ pointer, code }) => `${pointer} ${code}`).toSorted()];
}

describe('POST /v1/event-sources/try', () => {
  it('says which events a draft makes, with all digits, and what its meters would count of each', async () => {
    const lines = ['{"job":{"id":"j1","quality":"hd"},"account":"cus_42","at":1793520000,"usage":{"seconds":12.345678901234567891},"place":{"region":7}}', '', entry('j2', { job: { id: 'j2', quality: 'sd' } })];
    const { object, events, rejected } = await tried({ ...draft, body: lines.join('\n') });
    expect([object, rejected]).toEqual(['event_source_trial', []]);
    expect(events[0]).toMatchObject({
      index: 0, line: 1, time_given: true, state: 'counted', reasons: [],
      // 1793520000 is 2026-11-01T08:00:00Z.
      event: { id: 'j1', source: 'draft', type: 'render', subject: 'cus_42', time: '2026-11-01T08:00:00.000000Z', data: { quality: 'hd', place: { region: 7 } } },
      meters: [{ meter: 'jobs', value: '1', group: { quality: 'hd', where: '7' } }, { meter: 'seconds', value: '12.345678901234567891', group: {} }],
    });
    expect(events[1]).toEqual({
      index: 1, line: 3, time_given: true, state: 'counted',
      event: { id: 'j2', source: 'draft', type: 'render', subject: 'cus_42', time: '2026-11-01T08:00:00.000000Z', data: { quality: 'sd', seconds: 2 } },
      meters: [{ meter: 'jobs', value: '1', group: { quality: 'sd', where: '' } }],
      reasons: [{ meter: 'seconds', code: 'filtered_out', detail: expect.any(String) as string }],
    });
  });

  it('gives events that can be posted as they are', async () => {
    const response = await fetch(`${ingest().origin}/v1/event-sources/try`, {
      method: 'POST', headers: { authorization: 'Bearer key-catalog', 'content-type': 'application/json' },
      body: JSON.stringify({ ...draft, source: 'posted', body: '{"job":{"id":"p1"},"account":"cus_42","at":1793520000,"usage":{"seconds":0.1234567890123456789}}' }),
    });
    const event = /"event":(\{.*?\}\})/.exec(await response.text())?.[1] ?? '';
    expect(event).toContain('"seconds":0.1234567890123456789');
    expect(await ingest().post('/v1/events', event)).toMatchObject({ status: 202, body: { accepted: 1 } });
    expect((await ingest().events()).find(({ id }) => id === 'p1')).toMatchObject({ source: 'posted', time: '2026-11-01T08:00:00.000000Z', data: '{"seconds":0.1234567890123456789}' });
  });

  it('names what would be refused as a posted entry would be, and the reasons of each meter', async () => {
    const sample = ['junk', entry('', { usage: {} }), entry('j3', { account: undefined, at: 4_000_000_000 }), entry('j4', { usage: { seconds: 'many' } })].join('\n');
    const { events, rejected } = await tried({ ...draft, body: sample });
    expect(rejected.map(({ index, line, id, errors }) => [index, line, id, ...errors.map(({ pointer, code }) => `${pointer} ${code}`)])).toEqual([
      [0, 1, expect.any(String), ' unknown_format'],
      [2, 3, 'j3', '/subject missing_field', '/time invalid_time'], // 4000000000 is in 2096.
    ]);
    expect(events.map(({ event, meters, reasons }) => [event.id, meters.map((counted) => counted.meter), reasons.map((reason) => `${reason.meter ?? ''} ${reason.code}`)])).toEqual([
      // An empty text is no id, so what the line says identifies it.
      [expect.stringMatching(/^[0-9a-f]{64}-1$/), ['jobs'], ['seconds value_missing']],
      ['j4', ['jobs'], ['seconds value_no_decimal']],
    ]);
  });

  it('tells copies within the sample: a mapping whose id is none would count once', async () => {
    const { events } = await tried({ ...draft, body: `[${[entry('same'), entry('same'), entry('same', { usage: { seconds: 3 } })].join(',')}]` });
    expect(events.map(({ index, state, meters }) => [index, state, meters.length])).toEqual([[0, 'counted', 2], [1, 'duplicate', 0], [2, 'conflict', 0]]);
  });

  it('takes a stored source, and the receipt where there is no time', async () => {
    const sample = '{"job":"j1","account":"cus_42","quality":"hd"}';
    const { events } = await tried({ source_key: 'farm', body: sample });
    expect(events).toMatchObject([{ time_given: false, event: { id: 'j1', source: 'farm-eu', time: '2026-11-01T10:00:00.000000Z', data: { job: 'j1', account: 'cus_42', quality: 'hd' } } }]);
    expect(await tried({ source_key: 'farm', format: 'json', body: sample })).toMatchObject({ events: [{ event: { id: 'j1' } }] });
  });

  it('reads as the format does where nothing is mapped, and says where no meter counts', async () => {
    const { events } = await tried({ format: 'kong', body: '{"request":{"id":"k1","uri":"/a"},"consumer":{"custom_id":"cus_42"},"response":{"status":200}}' });
    expect(events).toMatchObject([{
      event: { id: 'k1', source: 'kong', type: 'http.request', subject: 'cus_42', data: { path: '/a', status: 200 } }, state: 'not_counted', meters: [], reasons: [{ meter: null, code: 'no_meter' }],
    }]);
  });

  it('appends and stores nothing', async () => {
    const count = async (): Promise<[number, number]> => [(await ingest().events()).length, (await ingest().refused()).length];
    const before = await count();
    await tried({ ...draft, body: `${entry('n1')}\njunk` });
    expect(await count()).toEqual(before);
    expect(before[1]).toBe(0);
  });
});

describe('bad input to POST /v1/event-sources/try', () => {
  it.each<[string, object, string[]]>([
    ['nothing', {}, ['/body missing_field', '/format missing_field']],
    ['wrong types beside what is missing', { body: 7, source: '\u0000', extra: 1, mapping: { time_unit: 'days', subject: [] } }, ['/body invalid_type', '/extra unknown_field', '/format missing_field', '/mapping/subject too_small', '/mapping/time_unit invalid_value', '/source invalid']],
    ['a source and a mapping', { source_key: 'farm', mapping: {}, key: 'x', body: 'x' }, ['/key invalid', '/mapping invalid']],
    ['a mapping that makes no events', { format: 'json', mapping: { id: 'job.id', data: { 'a/b': '$' } }, body: 'x' }, ['/mapping/data/a~1b invalid_path', '/mapping/id/0 invalid_path', '/mapping/subject missing_field', '/mapping/type missing_field']],
    ['a format that no mapping reads', { format: 'combined', body: 'x' }, ['/format invalid_value']],
    ['an unknown source', { source_key: 'nobody', body: 'x' }, ['/source_key unknown_event_source']],
    ['an archived source', { source_key: 'old', body: 'x' }, ['/source_key archived_event_source']],
    ['a source of another format', { source_key: 'farm', format: 'kong', body: 'x' }, ['/source_key format_mismatch']],
    ['a name that no store can ask for', { source_key: 'a\u0000', body: 'x' }, ['/source_key invalid']],
    ['no sample', { ...draft, body: '' }, ['/body too_small']],
    ['101 entries', { ...draft, body: '{}\n'.repeat(101) }, ['/body too_many_events']],
    ['a sample above 1 MiB', { ...draft, body: 'é'.repeat(524_289) }, ['/body invalid']], // 2 * 524,289 = 1,048,578 bytes.
  ])('%s is refused, every fault named', async (_name, body, faults) => {
    expect(await refusals(body)).toEqual([422, faults]);
  });

  it('takes 100 entries', async () => {
    expect((await tried({ ...draft, body: '{}\n'.repeat(100) })).rejected).toHaveLength(100);
  });

  it.each<[string, number, Record<string, string>]>([
    ['{', 400, {}], ['', 400, {}], ['[]', 422, {}], ['null', 422, {}], ['{}', 415, { 'content-type': 'text/plain' }], ['{}', 403, { authorization: 'Bearer key-gateway' }], ['{}', 401, { authorization: 'Bearer nobody' }],
  ])('%j is answered %i', async (body, status, headers) => {
    expect((await refusals(body, headers))[0]).toBe(status);
  });

  it('finds no source and no meter of another organization', async () => {
    expect(await refusals({ source_key: 'farm', body: 'x' }, { authorization: 'Bearer key-2' })).toEqual([422, ['/source_key unknown_event_source']]);
    const { events } = await tried({ ...draft, body: entry('j1') }, 'key-2');
    expect(events[0]?.meters.map((counted) => counted.meter)).toEqual(['strangers']);
  });
});
