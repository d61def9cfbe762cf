import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { eventsMax } from '#contracts';
import { tooManyEvents } from './too-large.js';

/** What a field holds, and how it reads in OTLP's JSON form. */
type FieldKind = 'text' | 'bool' | 'int64' | 'fixed64' | 'double' | 'hex' | 'base64';

interface Field {
  readonly name: string;
  readonly holds: FieldKind | (() => MessageType);
  readonly isRepeated?: boolean;
}

/** Fields by their number. Numbers that are not listed are skipped, as protobuf wants it. */
type MessageType = Readonly<Record<number, Field>>;

const anyValue: MessageType = {
  1: { name: 'stringValue', holds: 'text' },
  2: { name: 'boolValue', holds: 'bool' },
  3: { name: 'intValue', holds: 'int64' },
  4: { name: 'doubleValue', holds: 'double' },
  5: { name: 'arrayValue', holds: () => ({ 1: { name: 'values', holds: () => anyValue, isRepeated: true } }) },
  6: { name: 'kvlistValue', holds: () => ({ 1: { name: 'values', holds: () => keyValue, isRepeated: true } }) },
  7: { name: 'bytesValue', holds: 'base64' },
};
const keyValue: MessageType = { 1: { name: 'key', holds: 'text' }, 2: { name: 'value', holds: () => anyValue } };
const logRecord: MessageType = {
  1: { name: 'timeUnixNano', holds: 'fixed64' },
  5: { name: 'body', holds: () => anyValue },
  6: { name: 'attributes', holds: () => keyValue, isRepeated: true },
  9: { name: 'traceId', holds: 'hex' },
  10: { name: 'spanId', holds: 'hex' },
  11: { name: 'observedTimeUnixNano', holds: 'fixed64' },
  12: { name: 'eventName', holds: 'text' },
};
const scopeLogs: MessageType = { 2: { name: 'logRecords', holds: () => logRecord, isRepeated: true } };
const resource: MessageType = { 1: { name: 'attributes', holds: () => keyValue, isRepeated: true } };
const resourceLogs: MessageType = { 1: { name: 'resource', holds: () => resource }, 2: { name: 'scopeLogs', holds: () => scopeLogs, isRepeated: true } };
const exportRequest: MessageType = { 1: { name: 'resourceLogs', holds: () => resourceLogs, isRepeated: true } };

const wireTypes: Readonly<Record<FieldKind, WireType>> = {
  text: WireType.LengthDelimited, bool: WireType.Varint, int64: WireType.Varint, fixed64: WireType.Bit64, double: WireType.Bit64, hex: WireType.LengthDelimited, base64: WireType.LengthDelimited,
};

/** Messages within messages that are read: more than the deepest data that an event may have. What lies deeper is left out. */
const levelsMax = 48;
/** Messages of a request. Two bytes make one, and each takes fifty in memory. */
const messagesMax = 2_000_000;

/** An export request in OTLP's JSON form; null where the bytes are none. Throws 413 where it holds too much. */
export function decodeExportRequest(bytes: Uint8Array): Record<string, unknown> | null {
  try {
    return new MessageReader(new BinaryReader(bytes)).message(exportRequest, { end: bytes.length, level: 1 });
  } catch (error) {
    if (error instanceof TooMuch) throw tooManyEvents();
    return null;
  }
}

class TooMuch extends Error {}

class MessageReader {
  private messages = 0;
  private records = 0;

  constructor(private readonly reader: BinaryReader) {}

  message(type: MessageType, { end, level }: { readonly end: number; readonly level: number }): Record<string, unknown> {
    this.count(type);
    const { reader } = this;
    const message: Record<string, unknown> = {};
    while (reader.pos < end) {
      const [number, wireType] = reader.tag();
      const field = type[number];
      const isKnown = field !== undefined && wireType === (typeof field.holds === 'string' ? wireTypes[field.holds] : WireType.LengthDelimited);
      if (!isKnown) {
        reader.skip(wireType, number);
        continue;
      }
      const value = typeof field.holds === 'string' ? this.scalar(field.holds) : this.nested(field.holds(), level + 1);
      if (field.isRepeated !== true) message[field.name] = value;
      else ((message[field.name] ??= []) as unknown[]).push(value);
    }
    if (reader.pos !== end) throw new RangeError('A message ends within one of its fields.');
    return message;
  }

  private nested(type: MessageType, level: number): Record<string, unknown> {
    const end = this.reader.uint32() + this.reader.pos;
    if (end > this.reader.len) throw new RangeError('A message is longer than the body.');
    if (level <= levelsMax) return this.message(type, { end, level });
    this.reader.pos = end;
    return {};
  }

  private count(type: MessageType): void {
    this.messages += 1;
    if (type === logRecord) this.records += 1;
    if (this.messages > messagesMax || this.records > eventsMax) throw new TooMuch();
  }

  private scalar(kind: FieldKind): unknown {
    const { reader } = this;
    switch (kind) {
      case 'text': return reader.string();
      case 'bool': return reader.bool();
      case 'int64': return String(reader.int64());
      case 'fixed64': return String(reader.fixed64());
      case 'double': return jsonDouble(reader.double());
      case 'hex': return reader.bytes().toHex();
      case 'base64': return reader.bytes().toBase64();
    }
  }
}

/** JSON has no other numbers; protobuf's JSON form writes them as text. */
function jsonDouble(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

/** `ExportLogsServiceResponse` of a request of which some records were refused, or of none. */
export function encodeExportResponse(partial: { readonly rejected: number; readonly message: string } | null): Uint8Array {
  const writer = new BinaryWriter();
  if (partial !== null) {
    writer.tag(1, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.Varint).int64(partial.rejected);
    writer.tag(2, WireType.LengthDelimited).string(partial.message).join();
  }
  return writer.finish();
}

/** `google.rpc.Status`. */
export function encodeStatus({ code, message }: { readonly code: number; readonly message: string }): Uint8Array {
  const writer = new BinaryWriter().tag(1, WireType.Varint).int32(code);
  return writer.tag(2, WireType.LengthDelimited).string(message).finish();
}
