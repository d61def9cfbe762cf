import { describe, expect, it } from 'vitest';
import type { Attachment } from '#persistence';
import { decideAttachment } from './decide-attachment.js';

const at = (day: number) => Temporal.Instant.from(`2026-01-${String(day).padStart(2, '0')}T00:00:00Z`);
const held = (customerId: string, from: number | null, to: number | null): Attachment => ({
  customerId, subject: 's', fromAt: from === null ? null : at(from), toAt: to === null ? null : at(to),
});

// Goal: from when the subject is b's. Method: one row per history and instant; now is the 20th.
describe('decideAttachment', () => {
  it.each<[string, Attachment[], number | null, { ends: number | null; begins: number | null } | 'keeps' | 'subject_taken' | 'effective_at_too_early']>([
    ['a first one reaches back to ever', [], null, { ends: null, begins: null }],
    ['a first one from an instant begins there', [], 5, { ends: null, begins: 5 }],
    ['a taken one needs an instant', [held('a', null, null)], null, 'subject_taken'],
    ['a taken one moves at the instant', [held('a', null, null)], 10, { ends: 10, begins: 10 }],
    ['a taken one may move later', [held('a', null, null)], 25, { ends: 25, begins: 25 }],
    ['a move can not take all of an attachment', [held('c', null, 5), held('a', 5, null)], 5, 'effective_at_too_early'],
    ['a move can not reach before the present attachment', [held('c', null, 5), held('a', 5, null)], 4, 'effective_at_too_early'],
    ['an own one stays', [held('b', null, null)], null, 'keeps'],
    ['an own one stays from an instant within it', [held('a', null, 5), held('b', 5, null)], 7, 'keeps'],
    ['an own one does not grow into the past', [held('a', null, 5), held('b', 5, null)], 4, 'effective_at_too_early'],
    ['a free one begins now', [held('a', null, 5)], null, { ends: null, begins: 20 }],
    ['a free one begins at the instant', [held('a', null, 5)], 5, { ends: null, begins: 5 }],
    ['a free one can not begin before it was free', [held('a', null, 5)], 4, 'effective_at_too_early'],
    ['an own one that ended begins again now', [held('b', null, 5)], null, { ends: null, begins: 20 }],
  ])('%s', (_name, history, effective, expected) => {
    const outcome = decideAttachment({ customerId: 'b', history, effectiveAt: effective === null ? null : at(effective), now: at(20) });
    const seen = !outcome.ok
      ? outcome.code
      : outcome.value.keeps !== null ? 'keeps' : { ends: outcome.value.ends?.toString() ?? null, begins: outcome.value.begins?.toString() ?? null };
    const text = (day: number | null) => (day === null ? null : at(day).toString());
    expect(seen).toEqual(typeof expected === 'string' ? expected : { ends: text(expected.ends), begins: text(expected.begins) });
  });
});
