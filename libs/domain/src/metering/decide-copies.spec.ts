import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideCopies, type Copy, type CountedCopy, type Verdict } from './decide-copies.js';

const hour = 3_600;

function copy(position: number, change: Partial<Copy> = {}): Copy {
  const receivedAt = `2026-11-01T${String(Math.floor(position / 60)).padStart(2, '0')}:${String(position % 60).padStart(2, '0')}:00.000000Z`; // One a minute.
  return { identity: 'a', organizationId: 'org', position: BigInt(position), receivedAt, timeGiven: true, payloadHash: 'x', ...change };
}

function verdicts(copies: readonly Copy[], known: readonly Copy[] = []): Verdict[] {
  const knownCopies = new Map<string, CountedCopy[]>(Map.groupBy(known, ({ identity }) => identity));
  return decideCopies(copies, { known: knownCopies, dedupeWindowSeconds: () => hour }).map(({ verdict }) => verdict);
}

describe('decideCopies', () => {
  it.each<[string, Copy[], Copy[], Verdict[]]>([
    ['a first copy', [copy(0)], [], ['counted']],
    ['equal copies in a batch', [copy(0), copy(1)], [], ['counted', 'duplicate']],
    ['another identity', [copy(0), copy(1, { identity: 'b' })], [], ['counted', 'counted']],
    ['another payload', [copy(0), copy(1, { payloadHash: 'y' }), copy(2)], [], ['counted', 'conflict', 'duplicate']],
    ['a copy known from before', [copy(5)], [copy(1)], ['duplicate']],
    ['a conflict with one known from before', [copy(5, { payloadHash: 'y' })], [copy(1)], ['conflict']],
    ['its own position, delivered again', [copy(1)], [copy(1)], ['counted']],
    ['its own position, and a later one', [copy(1), copy(2)], [copy(1)], ['counted', 'duplicate']],
    ['only later ones known', [copy(1)], [copy(2)], ['counted']],
    ['at the window’s end', [copy(60, { timeGiven: false })], [copy(0, { timeGiven: false })], ['duplicate']],
    ['beyond it, without a time', [copy(61, { timeGiven: false })], [copy(0, { timeGiven: false })], ['counted']],
    ['beyond it, with another payload', [copy(61, { payloadHash: 'y' })], [copy(0)], ['counted']],
    ['beyond it, equal with a time', [copy(61)], [copy(0)], ['duplicate']],
    ['the latest of two counted ones counts', [copy(130, { timeGiven: false, payloadHash: 'y' })], [copy(0, { timeGiven: false }), copy(100, { timeGiven: false, payloadHash: 'y' })], ['duplicate']],
    ['a window that began in the batch', [copy(61, { timeGiven: false }), copy(100, { timeGiven: false })], [copy(0, { timeGiven: false })], ['counted', 'duplicate']],
  ])('%s', (_, copies, known, expected) => {
    expect(verdicts(copies, known)).toEqual(expected);
  });

  it('names the copy that counts instead', () => {
    const [first, second] = [copy(0), copy(1, { payloadHash: 'y' })];
    expect(decideCopies([first, second], { known: new Map(), dedupeWindowSeconds: () => hour })[1]?.counted).toBe(first);
  });

  // Goal: a position's verdict never depends on how the log was cut or how often it came. Method: decide it all at once, then in
  // cuts with what was counted so far, each cut perhaps twice.
  it('is the same for every cut and repetition', () => {
    const logs = fc.array(fc.record({ identity: fc.constantFrom('a', 'b'), payloadHash: fc.constantFrom('x', 'y'), timeGiven: fc.boolean(), gap: fc.nat(2) }), { maxLength: 30 });
    fc.assert(
      fc.property(logs, fc.array(fc.record({ length: fc.integer({ min: 1, max: 6 }), back: fc.nat(4) }), { maxLength: 40 }), (items, cuts) => {
        let position = 0;
        const log = items.map(({ gap, ...item }) => copy((position += 1 + gap * 15), item));
        const whole = verdicts(log);
        const counted = new Map<string, CountedCopy[]>();
        for (let at = 0, cut = 0; at < log.length; cut += 1) {
          const { length, back } = cuts[cut] ?? { length: 5, back: 0 };
          const from = Math.max(0, at - back);
          const decided = decideCopies(log.slice(from, at + length), { known: counted, dedupeWindowSeconds: () => hour });
          expect(decided.map(({ verdict }) => verdict)).toEqual(whole.slice(from, at + length));
          for (const { copy: item, verdict } of decided) if (verdict === 'counted') counted.set(item.identity, [...(counted.get(item.identity) ?? []), item]);
          at += length;
        }
      }),
    );
  });
});
