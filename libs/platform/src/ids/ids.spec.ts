import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeIds } from './ids.js';

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const idOf = (milliseconds: number, random: Uint8Array): string => makeIds({ now: () => Temporal.Instant.fromEpochMilliseconds(milliseconds), random: () => random }).make('evt');

describe('ids', () => {
  it.each([
    [0, new Uint8Array(10), `evt_${'0'.repeat(26)}`],
    [2 ** 48 - 1, new Uint8Array(10).fill(255), `evt_7${'z'.repeat(25)}`], // Three bits, then 25 times five.
    [0, new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 33]), `evt_${'0'.repeat(24)}11`], // 33 = 1 × 32 + 1
    [32, new Uint8Array(10), `evt_${'0'.repeat(8)}10${'0'.repeat(16)}`], // 32 × 2^80 = 2^85, the 18th digit from the right (17 × 5 = 85).
  ])('write the time, then what is random (%#)', (milliseconds, random, id) => {
    expect(idOf(milliseconds, random)).toBe(id);
  });

  it('are the number of all bits in base 32', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), fc.uint8Array({ minLength: 10, maxLength: 10 }), (milliseconds, random) => {
      const number = [...idOf(milliseconds, random).slice(4)].reduce((sum, digit) => sum * 32n + BigInt(alphabet.indexOf(digit)), 0n);
      expect(number).toBe(random.reduce((sum, byte) => sum * 256n + BigInt(byte), BigInt(milliseconds)));
    }));
  });

  it('never repeat, and sort by the millisecond of their making', () => {
    const ids = makeIds();
    const made = Array.from({ length: 10_000 }, () => ids.make('req'));
    expect(new Set(made).size).toBe(made.length);
    expect(made.map((id) => id.slice(0, 14))).toEqual(made.map((id) => id.slice(0, 14)).sort());
  });
});
