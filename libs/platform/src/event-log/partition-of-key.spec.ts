import { expect, it } from 'vitest';

import { partitionOfKey } from './partition-of-key.js';

// The published test vectors of FNV-1a, 32 bit, modulo 2^16 and 10; the log stands only as long as these do.
it.each([
  ['', 65_536, 0x9dc5], // 0x811c9dc5
  ['a', 65_536, 0x292c], // 0xe40c292c
  ['foobar', 65_536, 0xf968], // 0xbf9cf968
  ['foobar', 10, 0], // 3214735720
  ['a', 10, 0], // 3826002220
  ['', 10, 1], // 2166136261
])("puts '%s' of %i partitions into %i", (key, partitions, expected) => {
  expect(partitionOfKey(key, partitions)).toBe(expected);
});

it('hashes bytes of UTF-8, not characters', () => {
  // "é" is c3 a9: ((0x811c9dc5 ^ 0xc3) * 0x01000193 ^ 0xa9) * 0x01000193 modulo 2^32, counted with bigints.
  const prime = 0x01000193n;
  const first = ((0x811c9dc5n ^ 0xc3n) * prime) % 2n ** 32n;
  const second = ((first ^ 0xa9n) * prime) % 2n ** 32n;
  expect(partitionOfKey('é', 65_536)).toBe(Number(second % 65_536n));
});

it('hashes a key that is ASCII at first only by its bytes too', () => {
  // "aé" is 61 c3 a9.
  const hash = [0x61n, 0xc3n, 0xa9n].reduce((sum, byte) => ((sum ^ byte) * 0x01000193n) % 2n ** 32n, 0x811c9dc5n);
  expect(partitionOfKey('aé', 65_536)).toBe(Number(hash % 65_536n));
});

it('spreads keys over the partitions', () => {
  const counts = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let nth = 0; nth < 8_000; nth += 1) {
    const partition = partitionOfKey(`organization-7/gateway/${nth}`, 8);
    counts[partition] = (counts[partition] ?? 0) + 1;
  }
  for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(200);
});
