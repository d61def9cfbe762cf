import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { MakeBody } from './bodies.js';
import type { Door, GoodEntry } from './doors.js';

/** A field of protobuf whose value has a length. */
function field(number: number, value: Buffer | string): Buffer {
  const bytes = Buffer.from(value as string);
  const length: number[] = [];
  for (let rest = bytes.length; ; rest >>>= 7) {
    length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    if (rest <= 0x7f) break;
  }
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes]);
}

const attribute = (key: Buffer | string, value: Buffer): Buffer => field(6, Buffer.concat([field(1, key), field(2, value)]));
/** resource_logs > scope_logs > log_records. Requests one behind the other are one request with the records of all. */
const requestOf = (...fields: readonly Buffer[]): Buffer => field(1, field(2, field(2, Buffer.concat(fields))));

function good({ id, subject }: GoodEntry): Buffer {
  return requestOf(field(12, 'plain'), attribute('event.id', field(1, id)), attribute('customer.id', field(1, subject)), attribute('n', field(1, '1.50')));
}

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
/** Arrays in arrays; each level has two fields. */
const deep = fc.nat(200).map((levels) => Array.from({ length: levels }).reduce<Buffer>((value) => field(5, field(1, value)), field(1, 'x')));
const value = fc.oneof({ weight: 4, arbitrary: bytes.map((text) => field(1, text)) }, { weight: 1, arbitrary: deep }, { weight: 1, arbitrary: bytes.map((text) => field(7, text)) }, { weight: 1, arbitrary: fc.integer({ min: 60_000, max: 70_000 }).map((length) => field(1, 'é'.repeat(length / 2))) });
const key = fc.oneof(fc.constantFrom('event.id', 'customer.id', 'n', '__proto__', 'constructor', ''), bytes);
const member = fc.oneof(fc.tuple(key, value).map(([name, held]) => attribute(name, held)), value.map((held) => field(5, held)), fc.tuple(fc.constantFrom(3, 9, 10, 12, 15), bytes).map(([number, held]) => field(number, held)));
const nasty = fc.array(member, { maxLength: 6 }).map((members) => requestOf(...members));

/** Requests of OTLP in protobuf: nasty records between good ones, and requests that are cut, flipped or junk. */
export function protobufBodies(door: Door): fc.Arbitrary<MakeBody> {
  const headers = { 'content-type': door.type };
  const sample = Buffer.concat([good({ id: 'nasty', subject: 'nasty' }), good({ id: 'nasty', subject: 'nasty' })]);
  const broken = fc.tuple(fc.nat(sample.length - 1), fc.nat(255), fc.nat(60)).map(([at, byte, ends]) => {
    const body = Buffer.from(sample);
    body[at] = byte;
    return body.subarray(0, body.length - (byte % 2 === 0 ? ends : 0));
  });
  const alone = (kind: string, body: fc.Arbitrary<Buffer>): fc.Arbitrary<MakeBody> => body.map((sent) => () => ({ kind, bytes: sent, headers, neighbours: 0 }));
  const between = fc.tuple(fc.array(nasty, { minLength: 1, maxLength: 3 }), fc.boolean()).map(([records, isZipped]): MakeBody => (next) => {
    const body = Buffer.concat([good(next()), ...records, good(next())]);
    return { kind: 'nasty records between good ones', bytes: isZipped ? gzipSync(body) : body, headers: { ...headers, ...(isZipped ? { 'content-encoding': 'gzip' } : {}) }, neighbours: 2 };
  });
  return fc.oneof({ weight: 5, arbitrary: between }, { weight: 3, arbitrary: alone('a broken request', broken) }, { weight: 1, arbitrary: alone('junk', bytes) }, { weight: 1, arbitrary: alone('nasty records', nasty) });
}
