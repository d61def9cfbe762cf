import { describe, expect, it } from 'vitest';
import { carryOver, type PayableAmounts } from './carry-over.js';
import { composeInvoice, isWorthMaking } from './compose-invoice.js';
import type { InvoiceLine, LineKind } from './invoice-line.js';
import { invoiceNumber } from './invoice-number.js';
import { dueDate } from './due-date.js';

const at = (text: string) => Temporal.Instant.from(text);
const january = { start: at('2026-01-01T00:00:00Z'), end: at('2026-02-01T00:00:00Z') };
const dollars: PayableAmounts = { minimumMinor: 50n, stepMinor: 1n };
const dinars: PayableAmounts = { minimumMinor: 10n, stepMinor: 10n };

function line(kind: LineKind, amountMinor: bigint, ref = `${kind}:price_1`): InvoiceLine {
  return { ref, kind, priceId: 'price_1', priceKey: 'p', description: 'P', quantity: null, unroundedAmount: null, amountMinor, period: january, groupValues: {}, trace: [] };
}

// Goal: what is asked for, and what waits. Method: one row per side of each bound.
describe('carryOver', () => {
  it.each([
    // owed, takes, asked for, carried
    [0n, dollars, 0n, 0n],
    [49n, dollars, 0n, 49n], // Below the least of 0.50.
    [50n, dollars, 50n, 0n],
    [-1n, dollars, 0n, -1n],
    [12_340n, dinars, 12_340n, 0n],
    [12_345n, dinars, 12_340n, 5n], // The third digit must be 0.
    [9n, dinars, 0n, 9n],
    [15n, { minimumMinor: 20n, stepMinor: 10n }, 0n, 15n], // 10 is left, which is below the least.
    [1n, null, 1n, 0n], // Nobody is connected: anything can be asked for.
    [-700n, null, 0n, -700n],
  ])('splits %s', (owed, takes, payable, carried) => {
    expect(carryOver(owed, takes)).toEqual({ payableMinor: payable, carriedMinor: carried });
  });
});

describe('composeInvoice', () => {
  it('adds its lines up and shows those of zero', () => {
    // 49.00 + 0.00 + 12.35 = 61.35
    const composed = composeInvoice({ period: january, lines: [line('usage', 0n), line('usage', 1_235n, 'usage:price_2'), line('advance', 4_900n)], carriedIn: [], payable: dollars });
    expect(composed.lines.map(({ kind, amountMinor }) => [kind, amountMinor])).toEqual([['usage', 0n], ['usage', 1_235n], ['advance', 4_900n]]);
    expect(composed.totals).toEqual({ subtotalMinor: 6_135n, discountMinor: 0n, taxMinor: 0n, creditsAppliedMinor: 0n, totalMinor: 6_135n, amountDueMinor: 6_135n });
    expect(composed.carriedOutMinor).toBe(0n);
  });

  it('moves a negative sum on, and the next invoice bears it first', () => {
    const first = composeInvoice({ period: january, lines: [line('proration', -2_500n), line('usage', 400n)], carriedIn: [], payable: dollars });
    expect(first.lines.at(-1)).toMatchObject({ kind: 'carried_over', amountMinor: 2_100n, ref: 'carried_over:next' }); // -25.00 + 4.00 = -21.00
    expect(first.totals.amountDueMinor).toBe(0n);
    expect(first.carriedOutMinor).toBe(-2_100n);

    const next = composeInvoice({
      period: january, lines: [line('advance', 4_900n)], payable: dollars,
      carriedIn: [{ invoiceId: 'inv_1', invoiceNumber: 'ACME-000001', amountMinor: first.carriedOutMinor }],
    });
    expect(next.lines[0]).toMatchObject({ kind: 'carried_over', amountMinor: -2_100n, description: 'Credit carried over from ACME-000001' });
    expect(next.totals.amountDueMinor).toBe(2_800n); // 49.00 - 21.00
  });

  it('carries an amount again where it is still too small', () => {
    // 0.30 + 0.10 = 0.40, below 0.50
    const composed = composeInvoice({ period: january, lines: [line('usage', 10n)], payable: dollars, carriedIn: [{ invoiceId: 'inv_1', invoiceNumber: 'N', amountMinor: 30n }] });
    expect(composed.lines.map(({ amountMinor }) => amountMinor)).toEqual([30n, 10n, -40n]);
    expect(composed.totals.amountDueMinor).toBe(0n);
    expect(composed.carriedOutMinor).toBe(40n);
  });

  it('leaves only the digit that can not be taken', () => {
    const composed = composeInvoice({ period: january, lines: [line('usage', 12_345n)], carriedIn: [], payable: dinars });
    expect(composed.totals.amountDueMinor).toBe(12_340n);
    expect(composed.lines.at(-1)?.amountMinor).toBe(-5n);
  });

  it('refuses two lines that are made from the same', () => {
    expect(() => composeInvoice({ period: january, lines: [line('usage', 1n), line('usage', 1n)], carriedIn: [], payable: null })).toThrow('made from something else');
  });
});

describe('isWorthMaking', () => {
  it.each([
    ['usage of zero', { lines: [], closesUsage: true }, true],
    ['nothing at all', { lines: [], closesUsage: false }, false],
    ['a free plan', { lines: [line('advance', 0n)], closesUsage: false }, false],
    ['a fee', { lines: [line('advance', 1n)], closesUsage: false }, true],
    ['money to give back', { lines: [line('proration', -1n)], closesUsage: false }, true],
  ])('%s', (_name, options, expected) => {
    expect(isWorthMaking(options)).toBe(expected);
  });
});

describe('invoiceNumber', () => {
  it.each([
    ['ACME', 42n, 'ACME-000042'],
    ['2026/', 1n, '2026/000001'],
    ['', 7n, '000007'],
    ['A-', 1_234_567n, 'A-1234567'],
  ])('%s and %s', (prefix, counter, expected) => {
    expect(invoiceNumber({ prefix, counter })).toBe(expected);
  });
});

describe('dueDate', () => {
  const issuedAt = at('2026-03-20T10:00:00Z');
  it.each([
    [{ collection: 'automatic' as const, daysUntilDue: null }, '2026-03-20T10:00:00Z'],
    [{ collection: 'send_invoice' as const, daysUntilDue: 14 }, '2026-04-03T09:00:00Z'], // 11:00 in Berlin stays 11:00 over the change of March 29.
    [{ collection: 'send_invoice' as const, daysUntilDue: null }, '2026-04-19T09:00:00Z'], // 30 days.
  ])('%j', (terms, expected) => {
    expect(dueDate({ issuedAt, timeZone: 'Europe/Berlin', ...terms }).toString()).toBe(expected);
  });
});
