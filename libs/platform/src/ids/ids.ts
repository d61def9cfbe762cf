import { randomFillSync } from 'node:crypto';

/** Prefixes of public ids; a key that a user chose must not start with one of them. */
export const idPrefixes = [
  'org', 'key', 'prod', 'cus', 'mtr', 'feat', 'plan', 'price', 'sub', 'inv', 'il', 'cn', 'cg', 'pay', 'wh', 'ptn', 'rsa', 'evt', 'dl', 'job', 'req', 'src', 'exp', 'adn', 'sao',
] as const;

export type IdPrefix = (typeof idPrefixes)[number];

/** Makes new ids: `cus_` and 26 characters that sort by the time of their making. */
export interface Ids {
  make(prefix: IdPrefix): string;
}

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

const timeBytes = 6;
const randomSize = 10;
const bitsPerDigit = 5;

/** 48 bits of milliseconds and 80 random bits in Crockford's base 32, so that rows of one moment lie together in an index. */
export function makeIds(options: { now: () => Temporal.Instant; random?: (size: number) => Uint8Array } = { now: () => Temporal.Now.instant() }): Ids {
  const random = options.random ?? pooledRandom();
  const bytes = Buffer.alloc(timeBytes + randomSize);
  return {
    make(prefix) {
      bytes.writeUIntBE(options.now().epochMilliseconds, 0, timeBytes);
      bytes.set(random(randomSize), timeBytes);
      return `${prefix}_${base32(bytes)}`;
    },
  };
}

/** 128 bits are 26 digits, of which the first has three bits only. */
function base32(bytes: Uint8Array): string {
  let text = '';
  let held = 0;
  let bits = 2;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= bitsPerDigit) {
      bits -= bitsPerDigit;
      text += alphabet.charAt((held >> bits) & 31);
    }
    held &= (1 << bits) - 1;
  }
  return text;
}

/** Random bytes are fetched many at a time: each fetch costs more than an id. */
function pooledRandom(): (size: number) => Uint8Array {
  const pool = Buffer.alloc(4_096);
  let at = pool.length;
  return (size) => {
    if (at + size > pool.length) {
      randomFillSync(pool);
      at = 0;
    }
    at += size;
    return pool.subarray(at - size, at);
  };
}
