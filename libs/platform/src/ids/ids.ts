import { randomBytes } from 'node:crypto';

/** Prefixes of public ids; a key that a user chose must not start with one of them. */
export const idPrefixes = [
  'org', 'key', 'prod', 'cus', 'mtr', 'feat', 'plan', 'price', 'sub', 'inv', 'il', 'cn', 'cg', 'pay', 'wh', 'ptn', 'rsa', 'evt', 'dl', 'job', 'req', 'src',
] as const;

export type IdPrefix = (typeof idPrefixes)[number];

/** Makes new ids: `cus_` and 26 characters that sort by the time of their making. */
export interface Ids {
  make(prefix: IdPrefix): string;
}

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/** 48 bits of milliseconds and 80 random bits in Crockford's base 32, so that rows of one moment lie together in an index. */
export function makeIds(options: { now: () => Temporal.Instant; random?: (size: number) => Uint8Array } = { now: () => Temporal.Now.instant() }): Ids {
  const random = options.random ?? ((size) => randomBytes(size));
  return {
    make(prefix) {
      let bits = BigInt(options.now().epochMilliseconds);
      for (const byte of random(10)) bits = (bits << 8n) | BigInt(byte);
      let text = '';
      for (let digit = 0; digit < 26; digit += 1) {
        text = alphabet.charAt(Number(bits & 31n)) + text;
        bits >>= 5n;
      }
      return `${prefix}_${text}`;
    },
  };
}
