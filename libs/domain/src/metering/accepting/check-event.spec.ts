import { describe, expect, it } from 'vitest';
import { checkEvent, identityTextSizeMax, type TimeBounds } from './check-event.js';
import { ExactNumber } from './exact-json.js';
import { scanInstant } from './micro-instant.js';
import { payloadHashInput } from './payload-hash-input.js';

const bounds: TimeBounds = { latest: scanInstant('2026-11-01T11:00:00Z')!, oldest: null, receipt: '2026-11-01T10:00:00.000000Z' };
const whole = { id: 'e1', source: 'gw', type: 'api.request', subject: 'acme', time: '2026-11-01T09:00:00Z', data: { n: 1 } };

function faultsOf(input: unknown, over: Partial<TimeBounds> = {}): string[] {
  const checked = checkEvent(input, { ...bounds, ...over });
  return checked.ok ? [] : checked.faults.map((fault) => `${fault.code} ${fault.pointer}`);
}

describe('checkEvent', () => {
  it('takes a whole event', () => {
    expect(checkEvent({ ...whole, specversion: '1.0', anything: [1] }, bounds)).toEqual({
      ok: true,
      event: { id: 'e1', source: 'gw', type: 'api.request', subject: 'acme', time: '2026-11-01T09:00:00.000000Z', timeGiven: true, data: '{"n":1}' },
    });
  });

  it.each([[{}], [{ source: null, time: null, data: null }]])('fills in what may be absent: %j', (given) => {
    expect(checkEvent({ id: 'e1', type: 't', subject: 's', ...given }, bounds)).toEqual({
      ok: true,
      event: { id: 'e1', source: 'default', type: 't', subject: 's', time: bounds.receipt, timeGiven: false, data: '{}' },
    });
  });

  // The order of an event's faults is contract: as a whole, then id, source, type, subject, time, data.
  it.each<[string, unknown, string[]]>([
    ['null', null, ['invalid_type ']],
    ['an array', [], ['invalid_type ']],
    ['a string', 'x', ['invalid_type ']],
    ['a number', 5, ['invalid_type ']],
    ['a long number', new ExactNumber('1e400'), ['invalid_type ']],
    ['nothing', {}, ['missing_field /id', 'missing_field /type', 'missing_field /subject']],
    ['nulls', { id: null, type: null, subject: null }, ['missing_field /id', 'missing_field /type', 'missing_field /subject']],
    ['wrong types', { id: 1, source: true, type: [], subject: {}, time: 1, data: [] }, ['invalid_type /id', 'invalid_type /source', 'invalid_type /type', 'invalid_type /subject', 'invalid_type /time', 'invalid_type /data']],
    ['numbers with many digits', { ...whole, id: new ExactNumber('1'), time: new ExactNumber('1'), data: new ExactNumber('1') }, ['invalid_type /id', 'invalid_type /time', 'invalid_type /data']],
    ['empty strings', { ...whole, id: '', source: '', type: '', subject: '' }, ['invalid_string /id', 'invalid_string /source', 'invalid_string /type', 'invalid_string /subject']],
    ['U+0000', { ...whole, id: 'a\0b' }, ['invalid_string /id']],
    ['lone surrogates', { ...whole, source: '\ud800', subject: 'a\udc00' }, ['invalid_string /source', 'invalid_string /subject']],
    ['a long text with U+0000', { ...whole, type: `\0${'x'.repeat(256)}` }, ['invalid_string /type', 'too_long /type']],
    ['257 bytes', { ...whole, id: 'x'.repeat(257), subject: `${'é'.repeat(128)}x` }, ['too_long /id', 'too_long /subject']],
    ['no instant', { ...whole, time: 'yesterday' }, ['invalid_time /time']],
    ['a leap second', { ...whole, time: '2016-12-31T23:59:60Z' }, ['invalid_time /time']],
    ['an empty time', { ...whole, time: '' }, ['invalid_time /time']],
    ['data as text', { ...whole, data: '{"n":1}' }, ['invalid_type /data']],
    ['all at once', { id: 5, source: '\0', subject: 's', time: 'x', data: 1 }, ['invalid_type /id', 'invalid_string /source', 'missing_field /type', 'invalid_time /time', 'invalid_type /data']],
  ])('refuses %s', (_name, input, faults) => {
    expect(faultsOf(input)).toEqual(faults);
  });

  it.each([['x'.repeat(256)], ['é'.repeat(128)], ['😀'.repeat(64)], [' '], ['\u0001'], ['🙂 any\ttext']])('takes %j as an id', (id) => {
    expect(new TextEncoder().encode(id).length).toBeLessThanOrEqual(identityTextSizeMax);
    expect(faultsOf({ ...whole, id })).toEqual([]);
  });

  it.each<[string, string | null, string[]]>([
    ['1999-12-31T23:59:59.999999Z', null, ['invalid_time /time']],
    ['2000-01-01T00:00:00Z', null, []],
    ['2000-01-01T00:59:59+01:00', null, ['invalid_time /time']],
    ['2026-11-01T11:00:00.0000009Z', null, []], // Cut to the microsecond before it is compared.
    ['2026-11-01T11:00:00.000001Z', null, ['invalid_time /time']],
    ['2026-11-01T13:00:00+02:00', null, []],
    ['2026-10-01T00:00:00Z', '2026-10-01T00:00:00Z', []],
    ['2026-09-30T23:59:59.999999Z', '2026-10-01T00:00:00Z', ['too_old /time']],
    ['1990-01-01T00:00:00Z', '2026-10-01T00:00:00Z', ['invalid_time /time']],
  ])('bounds %s, kept from %s', (time, oldest, faults) => {
    expect(faultsOf({ ...whole, time }, { oldest: oldest === null ? null : scanInstant(oldest) })).toEqual(faults);
  });
});

describe('the words of the sender', () => {
  it('stand in every fault', () => {
    const names = { id: 'transaction_id', source: 'external_subscription_id', type: 'code', subject: 'payload.customer', time: 'timestamp', data: 'properties' };
    const deep = JSON.parse(`${'{"a":'.repeat(11)}1${'}'.repeat(11)}`) as unknown;
    const checked = checkEvent({ id: '', source: 5, type: 'x'.repeat(257), time: 'noon', data: deep }, bounds, names);
    expect(checked.ok ? [] : checked.faults).toEqual([
      { pointer: '/transaction_id', code: 'invalid_string', detail: 'transaction_id must not be empty.' },
      { pointer: '/external_subscription_id', code: 'invalid_type', detail: 'external_subscription_id must be a string.' },
      { pointer: '/code', code: 'too_long', detail: 'code may have 256 bytes of UTF-8.' },
      { pointer: '/payload/customer', code: 'missing_field', detail: 'An event needs its payload.customer.' },
      { pointer: '/timestamp', code: 'invalid_time', detail: 'timestamp must be an instant as RFC 3339 writes it, with Z or an offset, and no leap second.' },
      { pointer: '/properties', code: 'too_deep', detail: 'properties may be nested 10 levels deep, itself included.' },
    ]);
  });
});

describe('payloadHashInput', () => {
  const hashed = (over: object): string => payloadHashInput({ type: 't', subject: 's', time: '2026-11-01T10:00:00.000000Z', timeGiven: true, data: '{}', ...over });

  it('differs with each part, and parts never run together', () => {
    const inputs = [hashed({}), hashed({ type: 'u' }), hashed({ subject: 'x' }), hashed({ time: '2026-11-01T10:00:00.000001Z' }), hashed({ data: '{"a":1}' }), hashed({ timeGiven: false }), hashed({ type: 't1:s', subject: '' }), hashed({ type: '', subject: 't1:s' })];
    expect(new Set(inputs).size).toBe(inputs.length);
  });

  it('leaves a time out that the sender did not give', () => {
    expect(hashed({ timeGiven: false })).toBe(hashed({ timeGiven: false, time: '2020-01-01T00:00:00.000000Z' }));
    expect(hashed({})).toBe('1:t1:s27:2026-11-01T10:00:00.000000Z2:{}');
  });
});
