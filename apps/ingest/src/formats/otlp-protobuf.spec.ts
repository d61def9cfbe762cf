import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { describe, expect, it } from 'vitest';
import { decodeExportRequest, encodeExportResponse, encodeStatus } from './otlp-protobuf.js';

const { LengthDelimited, Varint, Bit64, Bit32 } = WireType;
type Fill = (writer: BinaryWriter) => unknown;

function inside(writer: BinaryWriter, field: number, fill: Fill): BinaryWriter {
  writer.tag(field, LengthDelimited).fork();
  fill(writer);
  return writer.join();
}

/** A request with one record of one resource. */
function requestOf(fillRecord: Fill, fillResource: Fill = () => undefined): Uint8Array {
  const writer = new BinaryWriter();
  inside(writer, 1, (logs) => {
    inside(logs as BinaryWriter, 1, fillResource);
    inside(logs as BinaryWriter, 2, (scope) => inside(scope as BinaryWriter, 2, fillRecord));
  });
  return writer.finish();
}

const keyValue = (writer: BinaryWriter, key: string, fillValue: Fill): unknown => {
  writer.tag(1, LengthDelimited).string(key);
  return inside(writer, 2, fillValue);
};

describe('decodeExportRequest', () => {
  it('gives every field that is read in its JSON form, and skips the others', () => {
    const bytes = requestOf(
      (record) => {
        record.tag(1, Bit64).fixed64('1795420800123456789');
        record.tag(2, Varint).int32(9); // severity_number
        inside(record, 5, (body) => body.tag(1, LengthDelimited).string('api.request'));
        inside(record, 6, (attribute) => keyValue(attribute, 'n', (value) => value.tag(3, Varint).int64('-9223372036854775808')));
        inside(record, 6, (attribute) => keyValue(attribute, 'd', (value) => value.tag(4, Bit64).double(0.1)));
        inside(record, 6, (attribute) => keyValue(attribute, 'nan', (value) => value.tag(4, Bit64).double(Number.NaN)));
        inside(record, 6, (attribute) => keyValue(attribute, 'b', (value) => value.tag(2, Varint).bool(true)));
        inside(record, 6, (attribute) => keyValue(attribute, 'x', (value) => value.tag(7, LengthDelimited).bytes(Uint8Array.of(1, 2))));
        inside(record, 6, (attribute) => keyValue(attribute, 'l', (value) => inside(value, 5, (list) => inside(list, 1, (item) => item.tag(1, LengthDelimited).string('a')))));
        inside(record, 6, (attribute) => keyValue(attribute, 'm', (value) => inside(value, 6, (map) => inside(map, 1, (item) => keyValue(item, 'k', (inner) => inner.tag(2, Varint).bool(false))))));
        record.tag(8, Bit32).fixed32(1); // flags
        record.tag(9, LengthDelimited).bytes(Uint8Array.fromHex('5b8efff798038103d269b633813fc60c'));
        record.tag(10, LengthDelimited).bytes(Uint8Array.fromHex('eee19b7ec3c1b174'));
        record.tag(11, Bit64).fixed64('1');
        record.tag(12, LengthDelimited).string('e');
        record.tag(500, Varint).int32(1); // Of a later version.
      },
      (resource) => inside(resource, 1, (attribute) => keyValue(attribute, 'service.name', (value) => value.tag(1, LengthDelimited).string('gw-1'))),
    );
    expect(decodeExportRequest(bytes)).toEqual({
      resourceLogs: [{
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'gw-1' } }] },
        scopeLogs: [{ logRecords: [{
          timeUnixNano: '1795420800123456789', observedTimeUnixNano: '1', body: { stringValue: 'api.request' }, traceId: '5b8efff798038103d269b633813fc60c', spanId: 'eee19b7ec3c1b174', eventName: 'e',
          attributes: [
            { key: 'n', value: { intValue: '-9223372036854775808' } }, { key: 'd', value: { doubleValue: 0.1 } }, { key: 'nan', value: { doubleValue: 'NaN' } }, { key: 'b', value: { boolValue: true } }, { key: 'x', value: { bytesValue: 'AQI=' } },
            { key: 'l', value: { arrayValue: { values: [{ stringValue: 'a' }] } } }, { key: 'm', value: { kvlistValue: { values: [{ key: 'k', value: { boolValue: false } }] } } },
          ],
        }] }],
      }],
    });
  });

  it('takes nothing for an empty request', () => {
    expect(decodeExportRequest(new Uint8Array())).toEqual({});
  });

  it('skips a field whose wire type is not its own', () => {
    expect(decodeExportRequest(requestOf((record) => record.tag(12, Varint).int32(5)))).toMatchObject({ resourceLogs: [{ scopeLogs: [{ logRecords: [{}] }] }] });
  });

  const whole = requestOf((record) => record.tag(12, LengthDelimited).string('event'));
  it.each([
    ['cut off', whole.subarray(0, -1)], ['text', Buffer.from('{"resourceLogs":[]}')], ['a message longer than the body', Uint8Array.of(0x0a, 0x7f, 0x12)], ['a field that leaves its message', Uint8Array.of(0x0a, 0x02, 0x12, 0x04, 1, 2, 3, 4)],
    ['a varint without an end', new Uint8Array(20).fill(0xff)], ['field 0', Uint8Array.of(0x02, 0x00)],
  ])('is null for %s', (_name, bytes) => {
    expect(decodeExportRequest(bytes)).toBeNull();
  });

  it('goes no deeper than any event may', () => {
    const nested = (levels: number): Fill => (value) => (levels === 0 ? value.tag(1, LengthDelimited).string('end') : inside(value, 5, (list) => inside(list, 1, nested(levels - 1))));
    const decoded = decodeExportRequest(requestOf((record) => inside(record, 6, (attribute) => keyValue(attribute, 'k', nested(500)))));
    expect(JSON.stringify(decoded)).not.toContain('end');
  });

  it('refuses more records than a request may have, and more messages than memory should', () => {
    const records = new BinaryWriter();
    inside(records, 1, (logs) => inside(logs, 2, (scope) => scope.raw(Buffer.from('1200'.repeat(10_001), 'hex')))); // Field 2, empty.
    expect(() => decodeExportRequest(records.finish())).toThrow(/10000 events/);
    const attributes = requestOf((record) => record.raw(Buffer.from('3200'.repeat(2_000_001), 'hex'))); // Field 6, empty.
    expect(() => decodeExportRequest(attributes)).toThrow(/10000 events/);
  });
});

describe('answers', () => {
  it.each([
    ['of nothing refused', encodeExportResponse(null), ''],
    ['of a part refused', encodeExportResponse({ rejected: 300, message: 'no' }), '0a0708ac0212026e6f'], // 1: 7 bytes { 1: varint 300 = ac 02, 2: "no" }
    ['of a status', encodeStatus({ code: 3, message: 'no' }), '080312026e6f'], // 1: varint 3, 2: "no"
  ])('%s are protobuf', (_name, bytes, hex) => {
    expect(bytes.toHex()).toBe(hex);
  });
});
