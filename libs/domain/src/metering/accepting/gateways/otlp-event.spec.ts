import { describe, expect, it } from 'vitest';
import { ExactNumber } from '../exact-json.js';
import { otlpAttributes, otlpEvent } from './otlp-event.js';

const attribute = (key: string, value: object): object => ({ key, value });
const record = {
  timeUnixNano: '1795420800123456789', observedTimeUnixNano: '1795420801000000000', body: { stringValue: 'api.request' }, traceId: '5B8EFFF798038103D269B633813FC60C', spanId: 'EEE19B7EC3C1B174',
  attributes: [attribute('customer.id', { stringValue: 'cus_42' }), attribute('http.response.status_code', { intValue: '200' }), attribute('event.id', { stringValue: '5f3c' })],
};
const read = (over: object, resourceAttributes = {}) => otlpEvent({ record: { ...record, ...over }, resourceAttributes });

describe('otlpEvent', () => {
  it('takes a record by its body, its attributes and its time to the microsecond', () => {
    expect(read({})).toEqual({
      requestId: '5f3c', type: 'api.request', subject: 'cus_42', time: '2026-11-23T08:00:00.123456Z', data: { 'customer.id': 'cus_42', 'http.response.status_code': 200, 'event.id': '5f3c' },
    });
  });

  it.each<[object, string | null]>([
    [{ eventName: 'e' }, 'e'], [{ eventName: '' }, 'api.request'], [{ body: undefined }, null], [{ body: { kvlistValue: {} } }, null], [{ body: undefined, attributes: [attribute('event.name', { stringValue: 'n' })] }, 'n'],
  ])('with %j has the type %s', (over, type) => {
    expect(read(over).type).toBe(type);
  });

  it('takes customer.id before enduser.id, and both before those of the resource', () => {
    const resource = { 'customer.id': 'of-resource' };
    expect(read({ attributes: [attribute('enduser.id', { stringValue: 'e' }), attribute('customer.id', { intValue: 7 })] }, resource).subject).toBe('7');
    expect(read({ attributes: [attribute('enduser.id', { stringValue: 'e' })] }, resource).subject).toBe('e');
    expect(read({ attributes: [] }, resource).subject).toBe('of-resource');
    expect(read({ attributes: [] }).subject).toBeNull();
  });

  it.each<[object, string | null]>([
    [{}, '5b8efff798038103d269b633813fc60c-eee19b7ec3c1b174'], [{ spanId: '' }, null], [{ traceId: '0'.repeat(32) }, null], [{ spanId: 'xyz' }, null], [{ traceId: 5 }, null], [{ attributes: [attribute('event.id', { intValue: '12345678901234567890' })] }, '12345678901234567890'],
  ])('without an event.id and with %j has the id %s', (over, id) => {
    expect(read({ attributes: [], ...over }).requestId).toBe(id);
  });

  it.each<[object, unknown]>([
    [{ timeUnixNano: '0' }, '2026-11-23T08:00:01.000000Z'], [{ timeUnixNano: undefined }, '2026-11-23T08:00:01.000000Z'], [{ timeUnixNano: 0, observedTimeUnixNano: 0 }, undefined],
    [{ timeUnixNano: new ExactNumber('1795420800123456789') }, '2026-11-23T08:00:00.123456Z'], [{ timeUnixNano: 'x' }, 'x'],
  ])('with %j has the time %s', (over, time) => {
    expect(read(over).time).toBe(time);
  });
});

describe('otlpAttributes', () => {
  it('are what JSON has for each kind of value', () => {
    expect(
      otlpAttributes([
        attribute('text', { stringValue: '' }), attribute('yes', { boolValue: false }), attribute('small', { intValue: '-7' }), attribute('large', { intValue: '9223372036854775807' }), attribute('real', { doubleValue: 0.5 }), attribute('nan', { doubleValue: 'NaN' }),
        attribute('bytes', { bytesValue: 'AQI=' }), attribute('list', { arrayValue: { values: [{ intValue: 1 }, { stringValue: 'a' }, {}] } }), attribute('empty', { arrayValue: {} }),
        attribute('map', { kvlistValue: { values: [attribute('a', { kvlistValue: { values: [attribute('b', { boolValue: true })] } })] } }), attribute('nothing', {}), attribute('odd', { intValue: 'x' }), { key: 5 }, 'x', null,
      ]),
    ).toEqual({
      text: '', yes: false, small: -7, large: new ExactNumber('9223372036854775807'), real: 0.5, nan: 'NaN', bytes: 'AQI=', list: [1, 'a', null], empty: [], map: { a: { b: true } }, nothing: null, odd: 'x',
    });
  });

  it('go as deep as data may, and one level further for the event to be refused', () => {
    const nested = (levels: number): object => (levels === 0 ? { stringValue: 'end' } : { kvlistValue: { values: [attribute('k', nested(levels - 1))] } });
    const depthOf = (value: unknown): number => (typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0);
    expect(depthOf(otlpAttributes([attribute('k', nested(9))]))).toBe(10);
    expect(depthOf(otlpAttributes([attribute('k', nested(10))]))).toBe(11);
    expect(depthOf(otlpAttributes([attribute('k', nested(500))]))).toBe(11);
  });
});
