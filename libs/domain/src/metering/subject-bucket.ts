/** Buckets of subjects: an hour of one bucket is what a recompute reads. Changing it would orphan every stored row. */
export const subjectBuckets = 64;

const offsetBasis = 0x811c9dc5;
const prime = 0x01000193;
const encoder = new TextEncoder();

/** FNV-1a (32 bit) over the subject's UTF-8, folded to 64 buckets. */
export function subjectBucket(subject: string): number {
  let hash = offsetBasis;
  for (const byte of encoder.encode(subject)) hash = Math.imul(hash ^ byte, prime);
  return ((hash >>> 16) ^ hash) & (subjectBuckets - 1);
}
