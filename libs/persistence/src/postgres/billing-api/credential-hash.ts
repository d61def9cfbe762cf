import { createHmac, hash, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';

const secretBytes = 24;
const hintEnds = { first: 12, last: 4 } as const;

/** What is kept of a credential: without the server's secret a copied table can't be tried out. */
export function credentialHash(from: { readonly serverSecret: string; readonly credential: string }): string {
  return createHmac('sha256', from.serverSecret).update('api-key\0').update(from.credential).digest('hex');
}

const rememberedMax = 10_000;

/** `credentialHash` for who meets the same credentials again and again. It remembers none of them: a plain hash with a salt of its own finds the other. */
export function rememberedCredentialHash(serverSecret: string): (credential: string) => string {
  const salt = randomBytes(secretBytes).toString('base64url');
  const remembered = new LRUCache<string, string>({ max: rememberedMax });
  return (credential) => {
    const mark = hash('sha256', salt + credential, 'base64');
    const known = remembered.get(mark);
    if (known !== undefined) return known;
    const secretHash = credentialHash({ serverSecret, credential });
    remembered.set(mark, secretHash);
    return secretHash;
  };
}

/** A new key of an organization's mode, 192 random bits. */
export function makeApiKeySecret(mode: 'test' | 'live'): string {
  return `tw_${mode}_${randomBytes(secretBytes).toString('base64url')}`;
}

/** Enough of a key to recognise it by, and too little to use it. */
export function hintOf(credential: string): string {
  return `${credential.slice(0, hintEnds.first)}…${credential.slice(-hintEnds.last)}`;
}
