import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scanUsageEventRecord } from './scan-usage-event.js';
import { encodeUsageEventRecord, type UsageEventRecord } from './usage-event-record.js';

// Goal: what the scanner reads is what JSON.parse reads, and what it does not know it leaves alone. Method: a record as it is written, one
// of each thing that may stand in it, and texts that are nearly records.

const plain: UsageEventRecord = {
  v: 1, kind: 'event', organization: 'org_1', source: 'gw', id: '1', type: 'call', subject: 's', time: '2026-11-01T10:00:00.000000Z', time_given: true,
  received_at: '2026-11-01T10:00:01.000000Z', data: '{"a":"x\\"y","b":[1,null]}', payload_hash: '0f'.repeat(32),
};

describe('scanUsageEventRecord', () => {
  it.each<[string, Partial<UsageEventRecord>]>([
    ['as it is', {}], ['no time given', { time_given: false }], ['empty data', { data: '' }], ['data without an escape', { data: '1' }], ['data that holds a record', { data: encodeUsageEventRecord(plain) }],
    ['data that ends in a backslash', { data: '\\' }], ['data with control characters', { data: '\u0000\n\u001f' }], ['half a surrogate pair in data', { data: '"\ud800"' }], ['letters of many bytes', { subject: 'grün 🛣', data: '{"é":"🛣"}' }],
    ['empty texts', { source: '', id: '', subject: '' }], ['commas, colons and braces', { id: '},{:', subject: ',' }],
  ])('reads what was written: %s', (_, part) => {
    const record = { ...plain, ...part };
    expect(scanUsageEventRecord(encodeUsageEventRecord(record))).toEqual(record);
  });

  it.each<[string, string]>([
    ['no JSON', 'no'], ['nothing', ''], ['another version', encodeUsageEventRecord(plain).replace('"v":1', '"v":2')], ['an escape in a name', encodeUsageEventRecord({ ...plain, id: 'a"b' })],
    ['an escape in the hash', encodeUsageEventRecord({ ...plain, payload_hash: 'a\\' })], ['another order', JSON.stringify(Object.fromEntries(Object.entries(plain).toReversed()))], ['blanks', JSON.stringify(plain, null, 1)],
    ['a field more', JSON.stringify({ ...plain, more: 1 })], ['a field that is no text', JSON.stringify({ ...plain, subject: 1 })], ['a raw tab', encodeUsageEventRecord(plain).replace('gw', 'g\tw')],
    ['a quote too many in data', encodeUsageEventRecord({ ...plain, data: 'x' }).replace('"x"', '"x"y"')], ['an unknown escape in data', encodeUsageEventRecord({ ...plain, data: 'x' }).replace('"x"', '"\\x"')],
    ['cut off', encodeUsageEventRecord(plain).slice(0, -1)], ['something behind it', `${encodeUsageEventRecord(plain)}}`],
  ])('leaves alone: %s', (_, text) => {
    expect(scanUsageEventRecord(text)).toBeNull();
  });

  it('never reads anything but what JSON.parse reads', () => {
    const records = fc.record({
      v: fc.constant(1 as const), kind: fc.constant('event' as const), organization: fc.string(), source: fc.string(), id: fc.string({ unit: 'binary' }), type: fc.string(), subject: fc.string({ unit: 'grapheme' }),
      time: fc.constant(plain.time), time_given: fc.boolean(), received_at: fc.string(), data: fc.json(), payload_hash: fc.string(),
    }, { noNullPrototype: true });
    const edits = fc.array(fc.record({ at: fc.nat(), cut: fc.nat({ max: 3 }), put: fc.constantFrom('', '"', '\\', '\\"', ',', '}', '"}', '\t', 'true', '","payload_hash":"', '","data":"', '\\u0041') }), { maxLength: 2 });
    fc.assert(fc.property(records, edits, (record, changes) => {
      let text = encodeUsageEventRecord(record);
      for (const { at, cut, put } of changes) text = text.slice(0, at % text.length) + put + text.slice((at % text.length) + cut);
      const scanned = scanUsageEventRecord(text);
      if (scanned !== null) expect(JSON.parse(text)).toEqual(scanned);
    }), { numRuns: 3_000 });
  });
});
