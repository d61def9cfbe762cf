import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { assert } from '#platform';

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;
const secretLengthMin = 16;

/**
 * Seals secrets with AES-256-GCM under a key made of the server's secret for one purpose. What a text was sealed for is
 * bound to it, so a sealed text that is copied to another organization or column does not open.
 */
export class SecretBox {
  private readonly key: Buffer;

  constructor(serverSecret: string, purpose = 'tollway payment credentials') {
    assert(serverSecret.length >= secretLengthMin, 'A server secret has at least 16 characters.');
    this.key = Buffer.from(hkdfSync('sha256', serverSecret, '', purpose, 32));
  }

  seal(text: string, boundTo: readonly string[]): string {
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv(algorithm, this.key, nonce);
    cipher.setAAD(Buffer.from(JSON.stringify(boundTo)));
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
  }

  /** Throws where the text was changed, sealed for something else, or under another server secret. */
  open(sealed: string, boundTo: readonly string[]): string {
    const bytes = Buffer.from(sealed, 'base64url');
    const decipher = createDecipheriv(algorithm, this.key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
    decipher.setAAD(Buffer.from(JSON.stringify(boundTo)));
    decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
    return Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]).toString('utf8');
  }
}
