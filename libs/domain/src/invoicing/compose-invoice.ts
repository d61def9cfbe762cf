import { assert } from '../assert.js';
import type { Period } from '../period/period.js';
import { carryOver, type PayableAmounts } from './carry-over.js';
import type { InvoiceLine } from './invoice-line.js';

/** What an earlier invoice left to this one. */
export interface CarriedAmount {
  readonly invoiceId: string;
  readonly invoiceNumber: string;
  readonly amountMinor: bigint;
}

export interface InvoiceParts {
  /** The arrears' period, or the advance's where there are no arrears. */
  readonly period: Period;
  /** In the order in which they are to be shown. */
  readonly lines: readonly InvoiceLine[];
  readonly carriedIn: readonly CarriedAmount[];
  /** Null where no payment provider is connected. */
  readonly payable: PayableAmounts | null;
}

/** All amounts in minor units of the invoice's currency. */
export interface InvoiceTotals {
  readonly subtotalMinor: bigint;
  readonly discountMinor: bigint;
  readonly taxMinor: bigint;
  readonly creditsAppliedMinor: bigint;
  readonly totalMinor: bigint;
  readonly amountDueMinor: bigint;
}

export interface ComposedInvoice {
  readonly lines: readonly InvoiceLine[];
  readonly totals: InvoiceTotals;
  /** What its last line moved on; 0 where it has no such line. */
  readonly carriedOutMinor: bigint;
}

/**
 * Puts an invoice together: what earlier invoices left comes first, then its own lines, and last, where the sum can't be asked for, the line
 * that moves it on. Amounts are rounded already; nothing is rounded here.
 */
export function composeInvoice(parts: InvoiceParts): ComposedInvoice {
  const borne = parts.carriedIn.map((carried) => bearingLine(carried, parts.period));
  const owed = [...borne, ...parts.lines];
  const { payableMinor, carriedMinor } = carryOver(sumMinor(owed), parts.payable);
  const lines = carriedMinor === 0n ? owed : [...owed, movingLine(carriedMinor, parts.period)];
  assert(new Set(lines.map((line) => line.ref)).size === lines.length, 'Each line of an invoice is made from something else.');
  const totals = invoiceTotals(sumMinor(lines));
  assert(totals.amountDueMinor === payableMinor, 'What an invoice asks for is zero or an amount that can be paid.');
  return { lines, totals, carriedOutMinor: carriedMinor };
}

/** total = subtotal - discount + tax; amount due = total - credits applied. */
export function invoiceTotals(subtotalMinor: bigint): InvoiceTotals {
  const discountMinor = 0n;
  const taxMinor = 0n;
  const creditsAppliedMinor = 0n;
  const totalMinor = subtotalMinor - discountMinor + taxMinor;
  return { subtotalMinor, discountMinor, taxMinor, creditsAppliedMinor, totalMinor, amountDueMinor: totalMinor - creditsAppliedMinor };
}

/** An invoice is made when it owes something or has lines of usage, be they zero. */
export function isWorthMaking(options: { lines: readonly InvoiceLine[]; closesUsage: boolean }): boolean {
  return options.closesUsage || options.lines.some((line) => line.amountMinor !== 0n);
}

export function sumMinor(lines: readonly { readonly amountMinor: bigint }[]): bigint {
  return lines.reduce((sum, line) => sum + line.amountMinor, 0n);
}

function bearingLine(carried: CarriedAmount, period: Period): InvoiceLine {
  const description = carried.amountMinor < 0n ? `Credit carried over from ${carried.invoiceNumber}` : `Carried over from ${carried.invoiceNumber}`;
  return carriedLine({ ref: `carried_over:${carried.invoiceId}`, description, amountMinor: carried.amountMinor, period });
}

function movingLine(carriedMinor: bigint, period: Period): InvoiceLine {
  return carriedLine({ ref: 'carried_over:next', description: 'Carried over to the next invoice', amountMinor: -carriedMinor, period });
}

function carriedLine(line: Pick<InvoiceLine, 'ref' | 'description' | 'amountMinor' | 'period'>): InvoiceLine {
  return { ...line, kind: 'carried_over', priceId: null, priceKey: null, quantity: null, unroundedAmount: null, groupValues: {}, trace: [] };
}
