import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { nastyJson } from '#testing';
import type { Door, GoodEntry } from './doors.js';
import { protobufBodies } from './protobuf-bodies.js';

export interface HostileBody {
  readonly kind: string;
  readonly bytes: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  /** How many good entries stand in it. */
  readonly neighbours: number;
}

/** Makes the body, with good entries of the ids that it is given. */
export type MakeBody = (next: () => GoodEntry) => HostileBody;

type TextOf = (next: () => GoodEntry) => string;

const isForm = ({ type }: Door): boolean => type === 'application/x-www-form-urlencoded';
const stranger: GoodEntry = { id: 'nasty', subject: 'nasty' };

function objectOf(name: fc.Arbitrary<string>, value: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.array(fc.tuple(name, value), { maxLength: 6 }).map((members) => `{${members.map(([key, json]) => `"${key}":${json}`).join(',')}}`);
}

function nastyForm(door: Door): fc.Arbitrary<string> {
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }).map((text) => encodeURIComponent(text.toWellFormed())),
    fc.constantFrom('%', '%zz', '%ff', '%00', 'NaN', '1e400', '0'.repeat(5_000), `0.${'1'.repeat(40)}`, '4000000000', '-1'),
    fc.string(),
  );
  return fc.array(fc.tuple(fc.constantFrom(...door.names, '__proto__'), value), { maxLength: 8 }).map((pairs) => pairs.map(([key, text]) => `${key}=${text}`).join('&'));
}

/** The text of a good entry in which one member is something else, or stands there twice. */
function spoilt(door: Door): fc.Arbitrary<string> {
  const good = door.good(stranger);
  if (!good.startsWith('{')) return fc.tuple(fc.nat(good.length), fc.string({ unit: 'binary', maxLength: 20 })).map(([at, text]) => (good.slice(0, at) + text + good.slice(at + 1)).toWellFormed());
  const scalar = /"[^"]*":("(?:[^"\\]|\\.)*"|[\d.]+)/g;
  const places = [...good.matchAll(scalar)].map(({ index, 0: { length }, 1: value = '' }) => ({ from: index + length - value.length, to: index + length }));
  return fc.oneof(
    ...(places.length === 0 ? [] : [fc.tuple(fc.constantFrom(...places), nastyJson).map(([{ from, to }, value]) => good.slice(0, from) + value + good.slice(to))]),
    fc.tuple(fc.constantFrom(...door.names), nastyJson).map(([name, value]) => `{"${name}":${value},${good.slice(1)}`),
  );
}

/** Entries that are as their form has them, and nasty. */
function nastyEntry(door: Door): fc.Arbitrary<string> {
  if (isForm(door)) return nastyForm(door);
  const name = fc.constantFrom(...door.names, '__proto__', 'constructor', 'toString');
  return fc.oneof(
    { weight: 2, arbitrary: nastyJson }, { weight: 3, arbitrary: objectOf(name, nastyJson) }, { weight: 2, arbitrary: objectOf(name, fc.oneof(nastyJson, objectOf(name, nastyJson))) }, { weight: 3, arbitrary: spoilt(door) },
  );
}

const bytes = fc.uint8Array({ maxLength: 500 }).map((array) => Buffer.from(array));
/** What JSON does not have, where a value stands. */
const noJson = fc.constantFrom('NaN', '-Infinity', 'undefined', '01', '1.', '.5', '+1', '0x10', "'a'", '"\t"', '"\\x"', '/* */ 1', '[1,]', '\ufeff1', '1 2', '{"a"}', '"');
const wrongHeaders = fc.constantFrom<Record<string, string>>(
  { 'content-type': 'text/plain' }, { 'content-type': '' }, { 'content-type': 'x' }, { 'content-type': 'application/json; charset=utf-16' }, { 'content-type': 'application/x-www-form-urlencoded' }, { 'content-type': 'application/x-protobuf' },
  { 'content-type': 'application/cloudevents+json' }, { 'content-type': 'multipart/form-data; boundary=x' }, { 'content-encoding': 'br' }, { 'content-encoding': 'gzip' }, { 'content-encoding': 'gzip, gzip' }, { 'content-encoding': 'identity' },
  { 'idempotency-key': 'x'.repeat(300) }, { 'tollway-version': 'soon' }, { 'x-amz-firehose-request-id': '\u00ff'.repeat(100) }, { 'ce-id': '%', 'ce-type': 'a', 'ce-specversion': '1.0' }, { 'ce-specversion': '1.0', 'ce-id': '%00', 'ce-source': '%ff', 'ce-type': ' ', 'ce-time': 'noon' },
);

function part<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<[T, number]> {
  return fc.tuple(arbitrary, fc.double({ min: 0, max: 1, noNaN: true }));
}

/** Bodies of every nasty kind for a door. Good entries stand in two of five; where nothing is kept of them, in few. */
export function hostileBodies(door: Door): fc.Arbitrary<MakeBody> {
  if (door.type === 'application/x-protobuf') return protobufBodies(door);
  const isStateless = door.counted === null && door.batches.length === 0;
  const entry = nastyEntry(door);
  const batch = door.batches.length === 0 ? fc.constant((texts: readonly string[]) => texts.join('')) : fc.constantFrom(...door.batches);
  const alone: fc.Arbitrary<TextOf> = fc.tuple(entry, batch).map(([text, wrap]) => () => wrap([text]));
  const between: fc.Arbitrary<TextOf> = fc.tuple(fc.array(entry, { minLength: 1, maxLength: 3 }), batch).map(([nasty, wrap]) => (next) => wrap([door.good(next()), ...nasty, door.good(next())]));
  const good: fc.Arbitrary<TextOf> = fc.constant((next: () => GoodEntry) => door.good(next()));
  const make = (kind: string, text: fc.Arbitrary<TextOf>, { headers = fc.constant({}), neighbours = 0, change = (body: Buffer) => body }: {
    readonly headers?: fc.Arbitrary<Record<string, string>>; readonly neighbours?: number; readonly change?: (body: Buffer) => Buffer;
  } = {}): fc.Arbitrary<MakeBody> =>
    fc.tuple(text, headers).map(([textOf, more]) => (next) => ({ kind, bytes: change(Buffer.from(textOf(next))), headers: { 'content-type': door.type, ...more }, neighbours }));
  const whole: fc.Arbitrary<TextOf> = fc.oneof(alone, entry.map((text) => () => text));
  const cut = part(whole).map(([textOf, share]): TextOf => (next) => {
    const text = textOf(next);
    return text.slice(0, Math.floor(text.length * share));
  });
  const broken = fc.tuple(noJson, batch).map(([text, wrap]): TextOf => () => wrap([`{"${door.names[0]}":${text}}`]));
  const zipped = fc.tuple(fc.oneof(bytes, entry.map((text) => Buffer.from(text))), fc.nat(40), fc.nat(), fc.boolean()).map(([body, ends, at, isTwice]): MakeBody => () => {
    const stream = gzipSync(isTwice ? gzipSync(body) : body);
    if (at % 3 === 0) stream[at % stream.length] = at % 256;
    return { kind: 'a gzip', bytes: stream.subarray(0, Math.max(0, stream.length - (at % 2 === 0 ? ends : 0))), headers: { 'content-type': door.type, 'content-encoding': 'gzip' }, neighbours: 0 };
  });
  const withNeighbours = door.batches.length > 0 ? make('nasty entries between good ones', between, { neighbours: 2 }) : make('a good entry beside nasty requests', good, { neighbours: 1 });
  const zippedNeighbours = door.batches.length > 0
    ? make('the same, compressed', between, { neighbours: 2, headers: fc.constant({ 'content-encoding': 'gzip' }), change: (body) => gzipSync(body) })
    : withNeighbours;
  return fc.oneof(
    { weight: isStateless ? 1 : 34, arbitrary: withNeighbours },
    { weight: isStateless ? 1 : 6, arbitrary: zippedNeighbours },
    { weight: 18, arbitrary: make('nasty entries', whole) },
    { weight: 10, arbitrary: make('a cut body', cut) },
    { weight: 8, arbitrary: make('no JSON', broken) },
    { weight: 6, arbitrary: bytes.map((body): MakeBody => () => ({ kind: 'junk', bytes: body, headers: { 'content-type': door.type }, neighbours: 0 })) },
    { weight: 10, arbitrary: zipped },
    { weight: 8, arbitrary: make('other headers', whole, { headers: wrongHeaders }) },
  );
}
