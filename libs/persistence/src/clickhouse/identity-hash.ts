import { hash } from 'node:crypto';
import { usageEventKey } from '#contracts';

/** The first 64 bits of the SHA-256 of an identity's key, by which tables and filters know it. */
export function identityHashOf(identity: { readonly organization: string; readonly source: string; readonly id: string }): bigint {
  return identityHashOfKey(usageEventKey(identity));
}

/** The same of a key that is there already. */
export function identityHashOfKey(key: string): bigint {
  return BigInt(`0x${hash('sha256', key, 'hex').slice(0, hexDigits)}`); // A Buffer for each would cost as much again.
}

const hexDigits = 16;
