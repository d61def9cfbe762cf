const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;
const ASCII_MAX = 0x7f;

/**
 * The partition of a key: FNV-1a (32 bit) over its UTF-8 bytes, modulo the number of partitions.
 * It must never change: copies of an event have to meet in one partition for as long as the log stands.
 */
export function partitionOfKey(key: string, partitions: number): number {
  return fnv1a(key) % partitions;
}

/** ASCII is its own UTF-8, and nearly all keys are of it: they need no bytes made of them. */
function fnv1a(text: string): number {
  let hash = OFFSET_BASIS;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code > ASCII_MAX) return fnv1aOfBytes(Buffer.from(text, 'utf8'));
    hash = Math.imul(hash ^ code, PRIME);
  }
  return hash >>> 0;
}

function fnv1aOfBytes(bytes: Uint8Array): number {
  let hash = OFFSET_BASIS;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, PRIME);
  return hash >>> 0;
}
