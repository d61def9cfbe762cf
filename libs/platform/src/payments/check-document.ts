import { assert } from '../errors/assert.js';

import type { InvoiceDocument } from './payment-document.js';

/** States what every adapter relies on. Both ends of the hop count: the sum is asserted here and compared again with what the provider adds up. */
export function assertWhole(document: InvoiceDocument): void {
  const sum = document.lines.reduce((total, line) => total + line.amountMinor, 0n);
  assert(sum === document.amountDueMinor, `The lines of ${document.id} must add up to its amount due.`);
  const ids = new Set(document.lines.map((line) => line.id));
  assert(ids.size === document.lines.length, `The line ids of ${document.id} must differ.`);
  assert(/^[A-Z]{3}$/.test(document.currency), 'A currency is three capitals.');
  assert(Number.isInteger(document.minorDigits) && document.minorDigits >= 0 && document.minorDigits <= 4, 'A currency has 0 to 4 minor digits.');
}
