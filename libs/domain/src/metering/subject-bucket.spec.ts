import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { subjectBucket } from './subject-bucket.js';

// Goal: a subject's bucket never changes, since stored rows have it. Method: FNV-1a in whole numbers, over the bytes of any text.

describe('subjectBucket', () => {
  // The hashes of FNV's own definition: offset basis 0x811c9dc5, prime 0x01000193; computed by another program.
  it.each([
    ['', 25],
    ['s1', 24],
    ['acme', 18],
    ['key_live_42', 56],
    ['grün', 47],
    ['🛣', 28],
  ])('of %j is %i', (subject, bucket) => {
    expect(subjectBucket(subject)).toBe(bucket);
  });

  it('is FNV-1a over the UTF-8 of any text, folded', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (subject) => {
      expect(subjectBucket(subject)).toBe(bucketByHand(subject));
    }));
  });
});

function bucketByHand(subject: string): number {
  let hash = 0x811c9dc5n;
  for (const byte of Buffer.from(subject)) hash = ((hash ^ BigInt(byte)) * 0x01000193n) & 0xffffffffn;
  return Number(((hash >> 16n) ^ hash) & 63n);
}
