import { hash } from 'node:crypto';
import { usageEventKey } from '#contracts';

/** The first 64 bits of the SHA-256 of an identity's key, by which tables and filters know it. */
export function identityHashOf(identity: { readonly organization: string; readonly source: string; readonly id: string }): bigint {
  return identityHashOfKey(usageEventKey(identity));
}

/** The same of a key that is there already. */
export function identityHashOfKey(key: string): bigint {
  return hash('sha256', key, 'buffer').readBigUInt64BE();
}
