import { describe, expect, it } from 'vitest';

import { Fault } from '../errors/fault.js';
import { GroupCommit } from './group-commit.js';
import type { Call, GroupCommitBounds } from './group-commit.js';

interface Named extends Call {
  readonly name: string;
}

const wide: GroupCommitBounds = { flushRecordsMax: 100, flushBytesMax: 1_000, pendingRecordsMax: 100, pendingBytesMax: 1_000 };

function call(name: string, size: { readonly records?: number; readonly bytes?: number } = {}): Named {
  return { name, records: size.records ?? 1, bytes: size.bytes ?? 1 };
}

/** A store whose flushes are ended by hand. */
function start(bounds: GroupCommitBounds = wide) {
  const flushes: { readonly names: string; end(error?: unknown): void }[] = [];
  const group = new GroupCommit<Named, string>((calls) => {
    const { promise, resolve, reject } = Promise.withResolvers<string[]>();
    const end = (error?: unknown): void => (error === undefined ? resolve(calls.map(({ name }) => `${name} done`)) : reject(error as Error));
    flushes.push({ names: calls.map(({ name }) => name).join(' '), end });
    return promise;
  }, bounds);
  const nthFlush = async (nth: number): Promise<(typeof flushes)[number]> => {
    await expect.poll(() => flushes.length, { interval: 1 }).toBe(nth + 1);
    return flushes[nth] as (typeof flushes)[number];
  };
  return { group, flushes, nthFlush };
}

describe('GroupCommit', () => {
  it('flushes at once when idle and collects while a flush is in flight', async () => {
    const { group, flushes, nthFlush } = start();
    const first = group.write(call('a'));
    await nthFlush(0);
    const later = [group.write(call('b')), group.write(call('c'))];
    await new Promise((resolve) => setImmediate(resolve));
    expect(flushes.map(({ names }) => names)).toEqual(['a']);
    flushes[0]?.end();
    expect(await first).toBe('a done');
    (await nthFlush(1)).end();
    expect(await Promise.all(later)).toEqual(['b done', 'c done']);
    expect(flushes.map(({ names }) => names)).toEqual(['a', 'b c']);
  });

  it.each([
    ['records', { flushRecordsMax: 5 }, ['a', 'b c', 'd'], { records: 2 }], // 2 + 2 fit into 5, a third 2 does not.
    ['bytes', { flushBytesMax: 10 }, ['a', 'b', 'c', 'd'], { bytes: 11 }], // Each is above the bound, so it goes alone.
  ])('cuts groups by %s', async (_, bounds, expected, size) => {
    const { group, flushes, nthFlush } = start({ ...wide, ...bounds });
    const writes = [group.write(call('a', size))];
    await nthFlush(0);
    for (const name of ['b', 'c', 'd']) writes.push(group.write(call(name, size)));
    for (const nth of expected.keys()) (await nthFlush(nth)).end();
    await Promise.all(writes);
    expect(flushes.map(({ names }) => names)).toEqual(expected);
  });

  it('refuses what does not fit behind what waits, and takes any size when nothing waits', async () => {
    const { group, nthFlush } = start({ ...wide, pendingRecordsMax: 3 });
    const writes = [group.write(call('huge', { records: 500 }))];
    await nthFlush(0);
    writes.push(group.write(call('b', { records: 2 })));
    await expect(group.write(call('c', { records: 2 }))).rejects.toMatchObject({ code: 'log_overloaded', retryable: true });
    writes.push(group.write(call('d')));
    (await nthFlush(0)).end();
    (await nthFlush(1)).end();
    expect(await Promise.all(writes)).toEqual(['huge done', 'b done', 'd done']);
  });

  it('tries each call alone when the store refuses a group, so that one cannot hurt its neighbours', async () => {
    const { group, nthFlush } = start();
    const writes = ['good', 'poison', 'fine'].map((name) => group.write(call(name)));
    const settled = Promise.allSettled(writes);
    const refusal = new Fault({ code: 'log_refused', detail: 'No.', retryable: false });
    (await nthFlush(0)).end(refusal);
    (await nthFlush(1)).end();
    (await nthFlush(2)).end(refusal);
    (await nthFlush(3)).end();
    expect((await settled).map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason))).toEqual(['good done', refusal, 'fine done']);
  });

  it('fails each call of a group when the store is away', async () => {
    const { group, flushes, nthFlush } = start();
    const writes = ['a', 'b'].map((name) => group.write(call(name)));
    const settled = Promise.allSettled(writes);
    (await nthFlush(0)).end(new Fault({ code: 'log_unavailable', detail: 'Away.', retryable: true }));
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(flushes).toHaveLength(1);
    await group.drain();
  });

  it('drains what waits', async () => {
    const { group, nthFlush } = start();
    const first = group.write(call('a'));
    (await nthFlush(0)).end();
    const second = group.write(call('b'));
    const drained = group.drain().then(() => 'drained');
    (await nthFlush(1)).end();
    expect(await Promise.all([first, second, drained])).toEqual(['a done', 'b done', 'drained']);
  });
});
