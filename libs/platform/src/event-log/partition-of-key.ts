const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

/**
 * The partition of a key: FNV-1a (32 bit) over its UTF-8 bytes, modulo the number of partitions.
 * It must never change: copies of an event have to meet in one partition for as long as the log stands.
 */
export function partitionOfKey(key: string, partitions: number): number {
  return fnv1a(Buffer.from(key, 'utf8')) % partitions;
}

function fnv1a(bytes: Uint8Array): number {
  let hash = OFFSET_BASIS;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, PRIME);
  return hash >>> 0;
}
