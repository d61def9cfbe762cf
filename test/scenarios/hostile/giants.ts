import { gzipSync } from 'node:zlib';
import type { HostileBody, MakeBody } from './bodies.js';
import type { Door } from './doors.js';

const mebibyte = 1_024 * 1_024;
const bodySizeMax = 10 * mebibyte;

const bomb = gzipSync(Buffer.alloc(100 * mebibyte, ' '));
/** Its trailer promises a hundred bytes. */
const lyingBomb = Buffer.concat([bomb.subarray(0, -4), Buffer.from([100, 0, 0, 0])]);
const member = gzipSync(Buffer.alloc(mebibyte, ' '));
const manyMembers = Buffer.concat(Array.from({ length: 100 }, () => member));

/** JSON values of a request. */
const valuesMax = 1_000_000;

/** The texts of values that are the worst of their kind, by their characters where those are the bound. */
const giantValues: readonly ((size: number) => string)[] = [
  () => '['.repeat(valuesMax * 0.9) + ']'.repeat(valuesMax * 0.9),
  () => `[${'1e40,'.repeat(valuesMax * 0.9)}1]`,
  (size) => '9'.repeat(size),
  (size) => `1e${'9'.repeat(size)}`,
  (size) => `"${'\\"'.repeat(size / 2)}"`,
  () => `{${Array.from({ length: valuesMax / 2 }, (_, at) => `"k${at}":${at}`).join(',')}}`,
  () => `[${'{},'.repeat(valuesMax * 0.4)}{}]`,
];

/** Bombs and bodies at the bounds, some each turn: those that inflate or are too large are refused, those that hold one giant value cost no neighbour. */
export function giantBodies(door: Door, { size, turn }: { readonly size: number; readonly turn: number }): readonly MakeBody[] {
  const plain = { 'content-type': door.type };
  const fixed = (kind: string, bytes: Buffer, headers: Record<string, string> = plain): MakeBody => () => ({ kind, bytes, headers, neighbours: 0 });
  const zip = { ...plain, 'content-encoding': 'gzip' };
  const wrap = door.batches.at(turn % Math.max(1, door.batches.length));
  const withValue = (at: number): MakeBody => (next): HostileBody => {
    const nasty = `{"${door.names[turn % door.names.length]}":${giantValues[at % giantValues.length]?.(size)}}`;
    if (wrap === undefined) return { kind: 'a giant value', bytes: Buffer.from(nasty), headers: plain, neighbours: 0 };
    return { kind: 'a giant value between good entries', bytes: Buffer.from(wrap([door.good(next()), nasty, door.good(next())])), headers: plain, neighbours: 2 };
  };
  const many = (wrap ?? ((texts: readonly string[]) => `[${texts.join(',')}]`))(Array.from({ length: 10_001 }, () => '{}'));
  const refused = [
    fixed('a bomb', bomb, zip), fixed('a bomb that lies', lyingBomb, zip), fixed('a bomb of many members', manyMembers, zip), fixed('a body above the bound', Buffer.alloc(bodySizeMax + 1, '[')),
    fixed('10,001 entries', Buffer.from(many)), fixed('more values than a request may have', Buffer.from(`[${'[],'.repeat(3_000_000)}[]]`)),
  ];
  return [refused[turn % 6], refused[(turn + 3) % 6], withValue(turn)].filter((make) => make !== undefined);
}
