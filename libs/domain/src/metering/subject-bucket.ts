/** Buckets of subjects: an hour of one bucket is what a recompute reads. Changing it would orphan every stored row. */
export const subjectBuckets = 64;

const offsetBasis = 0x811c9dc5;
const prime = 0x01000193;
const encoder = new TextEncoder();

/** FNV-1a (32 bit) over the subject's UTF-8, folded to 64 buckets. */
export function subjectBucket(subject: string): number {
  const hash = asciiHash(subject) ?? utf8Hash(subject);
  return ((hash >>> 16) ^ hash) & (subjectBuckets - 1);
}

/** Null where a character takes more than one byte. Nearly no subject has any, and making bytes costs more than all the rest. */
function asciiHash(text: string): number | null {
  let hash = offsetBasis;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code > 127) return null;
    hash = Math.imul(hash ^ code, prime);
  }
  return hash;
}

function utf8Hash(text: string): number {
  let hash = offsetBasis;
  for (const byte of encoder.encode(text)) hash = Math.imul(hash ^ byte, prime);
  return hash;
}
