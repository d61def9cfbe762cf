import { assert } from '../assert.js';

const counterDigits = 6;

/** `ACME` and 42 are "ACME-000042". Beyond six digits the counter simply gets longer. */
export function invoiceNumber(options: { readonly prefix: string; readonly counter: bigint }): string {
  assert(options.counter > 0n, 'Invoices are counted from 1.');
  const separator = options.prefix === '' || /[-/]$/.test(options.prefix) ? '' : '-';
  return `${options.prefix}${separator}${options.counter.toString().padStart(counterDigits, '0')}`;
}
