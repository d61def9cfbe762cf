const OFFSET_BASIS = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;

/** A 64-bit key for an advisory lock, by FNV-1a over the parts. A collision makes two holders wait for each other, nothing worse. */
export function advisoryKey(...parts: readonly (string | number)[]): bigint {
  let hash = OFFSET_BASIS;
  for (const byte of Buffer.from(JSON.stringify(['event_log', ...parts]), 'utf8')) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * PRIME);
  }
  return BigInt.asIntN(64, hash);
}

/**
 * The first of the two 32-bit keys by which appends in flight mark a topic, and lock its partitions. Two-part keys never
 * meet the 64-bit ones.
 */
export function appendClasses(topic: string): { readonly mark: number; readonly lock: number } {
  const classOf = (use: string): number => Number(BigInt.asIntN(32, advisoryKey(use, topic)));
  return { mark: classOf('append'), lock: classOf('partition') };
}
