import { hash } from 'node:crypto';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { IdentityIndex, PlacedHash } from '#persistence';
import { systemClock } from '#platform';
import { GrowingFilter } from './growing-filter.js';
import { KnownIdentities } from './known-identities.js';

const hashOf = (name: string): bigint => hash('sha256', name, 'buffer').readBigUInt64BE();

describe('GrowingFilter', () => {
  it.each([0, 100_000, 1_000_000])('never says no to what was added, and seldom yes to what was not, with room for %i', (expected) => {
    const filter = new GrowingFilter();
    if (expected > 0) filter.makeRoom(expected);
    const count = 300_000; // Three segments: 87 thousand, 175 thousand and the rest. With room for 100,000: one of 87 thousand, which stays empty, one of 175 thousand, and the rest.
    for (let index = 0; index < count; index += 1) filter.add(hashOf(`known ${index}`));
    let missed = 0;
    let falseAlarms = 0;
    for (let index = 0; index < count; index += 1) {
      if (!filter.mayHave(hashOf(`known ${index}`))) missed += 1;
      if (filter.mayHave(hashOf(`new ${index}`))) falseAlarms += 1;
    }
    expect(missed).toBe(0);
    expect(falseAlarms / count).toBeLessThan(0.01);
  });
});

// Goal: an identity that may have been counted is always looked up. Method: the index is a list that the test fills and holds back.
describe('KnownIdentities', () => {
  function start(stored: (partitions: readonly number[]) => AsyncGenerator<PlacedHash[]>, counts: () => Promise<ReadonlyMap<number, number>> = async () => new Map()): { known: KnownIdentities; builds: () => number[][] } {
    const builds: number[][] = [];
    const index = {
      counts,
      hashes: (partitions: readonly number[]) => {
        builds.push([...partitions]);
        return stored(partitions);
      },
    } as unknown as IdentityIndex; // Only these two questions are asked.
    return { known: new KnownIdentities({ index, clock: systemClock, logger: pino({ level: 'silent' }) }), builds: () => builds };
  }
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const placed = (partition: number, name: string): PlacedHash => ({ partition, low: Number(hashOf(name) & 0xffffffffn), high: Number(hashOf(name) >> 32n) });

  it('looks everything up until the filter is built, and what came meanwhile is in it', async () => {
    const held = Promise.withResolvers<void>();
    const { known } = start(async function* () {
      yield [placed(0, 'old')];
      await held.promise;
    });
    const first = known.open(0, 100n);
    expect(first.mayBeKnown(hashOf('new'))).toBe(true);
    first.add(hashOf('first'));
    first.handled(110n);
    held.resolve();
    await settled();
    const second = known.open(0, 110n);
    expect(['old', 'first', 'new'].map((name) => second.mayBeKnown(hashOf(name)))).toEqual([true, true, false]);
  });

  it('throws the filter away after a gap, where another process may have counted', async () => {
    const { known, builds } = start(async function* () {
      yield [];
    });
    known.open(0, 0n).handled(10n);
    await settled();
    expect(known.open(0, 10n).mayBeKnown(hashOf('x'))).toBe(false);
    expect(known.open(0, 5n).mayBeKnown(hashOf('x'))).toBe(false); // Delivered again: nothing lies between.
    expect(known.open(0, 11n).mayBeKnown(hashOf('x'))).toBe(true);
    await settled();
    expect(known.open(0, 11n).mayBeKnown(hashOf('x'))).toBe(false);
    expect(builds()).toEqual([[0], [0]]);
  });

  it('keeps partitions apart', async () => {
    const { known } = start(async function* () {
      yield [];
    });
    known.open(0, 0n).add(hashOf('x'));
    known.open(1, 0n);
    await settled();
    expect([known.open(0, 0n).mayBeKnown(hashOf('x')), known.open(1, 0n).mayBeKnown(hashOf('x'))]).toEqual([true, false]);
  });

  it('knows what is added while it asks how many there are', async () => {
    const held = Promise.withResolvers<ReadonlyMap<number, number>>();
    const { known } = start(async function* () {
      yield [];
    }, () => held.promise);
    known.open(0, 0n).add(hashOf('early'));
    await settled();
    held.resolve(new Map([[0, 200_000]]));
    await settled();
    expect(['early', 'new'].map((name) => known.open(0, 0n).mayBeKnown(hashOf(name)))).toEqual([true, false]);
  });

  it('reads once for all partitions that wait', async () => {
    const held = Promise.withResolvers<void>();
    const { known, builds } = start(async function* (partitions) {
      await held.promise;
      yield partitions.map((partition) => placed(partition, `old ${partition}`));
    });
    for (const partition of [0, 1, 2, 3]) known.open(partition, 0n).add(hashOf(`first ${partition}`));
    held.resolve();
    await settled();
    expect(builds()).toEqual([[0], [1, 2, 3]]);
    for (const partition of [0, 1, 2, 3]) {
      const names = [`old ${partition}`, `first ${partition}`, `old ${(partition + 1) % 4}`];
      expect(names.map((name) => known.open(partition, 0n).mayBeKnown(hashOf(name)))).toEqual([true, true, false]);
    }
  });

  it('goes on looking everything up where the filter can not be built', async () => {
    const { known } = start(async function* () {
      yield [];
      throw new Error('The store is away.');
    });
    known.open(0, 0n).handled(1n);
    await settled();
    expect(known.open(0, 1n).mayBeKnown(hashOf('x'))).toBe(true);
  });
});
