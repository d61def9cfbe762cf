import { createHash } from 'node:crypto';

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const digits = 26;

/** An id that follows from what it names, in the form of all ids: made again after a crash, it is the same. */
function derivedId(prefix: 'il' | 'pay', of: readonly string[]): string {
  let bits = BigInt(`0x${createHash('sha256').update(JSON.stringify(of)).digest('hex')}`);
  let text = '';
  for (let digit = 0; digit < digits; digit += 1) {
    text += alphabet.charAt(Number(bits & 31n));
    bits >>= 5n;
  }
  return `${prefix}_${text}`;
}

/** A line keeps its id from the draft's first day on. */
export function lineId(line: { readonly invoiceId: string; readonly ref: string }): string {
  return derivedId('il', [line.invoiceId, line.ref]);
}

/** The payment that the first push of an invoice takes, or that the provider took by itself. */
export function paymentIdOf(invoiceId: string): string {
  return derivedId('pay', [invoiceId]);
}
