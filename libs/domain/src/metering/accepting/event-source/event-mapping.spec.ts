import { describe, expect, it } from 'vitest';
import { ExactNumber } from '../exact-json.js';
import { kongEvent } from '../gateways/kong-event.js';
import { mappingFaults, mappingReader, type EventMapping } from './event-mapping.js';

const nothing: EventMapping = { id: null, subject: null, type: null, time: null, timeUnit: 'rfc3339', data: null, defaults: {} };
const entry = { job: { id: 'j1', at: 1_793_520_000 }, account: { ref: 'cus_42' }, kind: 'render', usage: { seconds: new ExactNumber('12.345678901234567890') } };

describe('mappingReader', () => {
  it('takes what the paths lead to', () => {
    const mapping: EventMapping = { ...nothing, id: ['$.job.id'], subject: ['$.tenant', '$.account.ref'], type: ['$.kind'], time: ['$.job.at'], timeUnit: 'seconds', data: { seconds: '$.usage.seconds', missing: '$.usage.x' } };
    expect(mappingReader(mapping, null)(entry)).toEqual({ requestId: 'j1', subject: 'cus_42', type: 'render', time: '2026-11-01T08:00:00.000000Z', data: { seconds: new ExactNumber('12.345678901234567890') } });
  });

  it('takes the whole entry as data where none is named, and defaults where nothing is found', () => {
    expect(mappingReader({ ...nothing, type: ['$.nothing'], defaults: { subject: 'everybody', type: 'job' } }, null)(entry)).toEqual({ requestId: null, subject: 'everybody', type: 'job', time: undefined, data: entry });
  });

  it('leaves to the format what it does not name, and adds to its data', () => {
    const kong = { request: { id: 'r', uri: '/a', headers: { 'x-tokens': '37' } }, consumer: { custom_id: 'c' }, started_at: 1_793_520_000_123 };
    expect(mappingReader({ ...nothing, data: { tokens: '$.request.headers.x-tokens' }, defaults: { subject: 'unused' } }, kongEvent)(kong)).toEqual({
      requestId: 'r', type: 'http.request', subject: 'c', time: '2026-11-01T08:00:00.123000Z', data: { path: '/a', tokens: '37' },
    });
  });

  it('does not fall back to the format where a path that was given leads nowhere: another would be billed', () => {
    expect(mappingReader({ ...nothing, subject: ['$.team'], id: ['$.team'] }, kongEvent)({ request: { id: 'r' }, consumer: { custom_id: 'c' } })).toMatchObject({ subject: null, requestId: null });
  });

  it.each<[EventMapping['timeUnit'], unknown, unknown]>([
    ['rfc3339', '2026-11-01T08:00:00Z', '2026-11-01T08:00:00Z'], ['milliseconds', '1793520000123', '2026-11-01T08:00:00.123000Z'], ['nanoseconds', new ExactNumber('1793520000123456789'), '2026-11-01T08:00:00.123456Z'],
    ['seconds', 'soon', 'soon'], ['seconds', null, undefined],
  ])('reads a time in %s', (timeUnit, at, time) => {
    expect(mappingReader({ ...nothing, time: ['$.at'], timeUnit }, null)({ at }).time).toBe(time);
  });
});

describe('mappingFaults', () => {
  it('names every path that is none, and what any entry needs', () => {
    expect(mappingFaults({ ...nothing, id: ['$.a', 'b'], data: { 'x/y': '$' } }, false).map(({ pointer, code }) => `${pointer} ${code}`)).toEqual([
      '/mapping/id/1 invalid_path', '/mapping/data/x~1y invalid_path', '/mapping/subject missing_field', '/mapping/type missing_field',
    ]);
    expect(mappingFaults(nothing, true)).toEqual([]);
    expect(mappingFaults({ ...nothing, subject: ['$.s'], defaults: { type: 't' } }, false)).toEqual([]);
  });
});
