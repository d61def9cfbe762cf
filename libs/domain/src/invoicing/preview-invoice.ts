import { payTime } from '../catalog/price.js';
import type { Period } from '../period/period.js';
import type { Boundary } from './boundary.js';
import { closingPrices, type FeeTerms } from './boundary-fees.js';
import type { PayableAmounts } from './carry-over.js';
import { composeInvoice, type CarriedAmount, type ComposedInvoice } from './compose-invoice.js';
import type { InvoiceLine } from './invoice-line.js';

/** An invoice as a boundary would make it. */
export interface PreviewedInvoice extends ComposedInvoice {
  readonly period: Period;
}

/** What the boundary's invoice would be, were it issued with these lines. Null where the boundary bills no period at all. */
export function previewInvoice(options: {
  readonly boundary: Boundary;
  readonly terms: Pick<FeeTerms, 'stages' | 'addOns'>;
  /** In the order in which they are shown, the boundary's fees among them. */
  readonly lines: readonly InvoiceLine[];
  readonly carriedIn?: readonly CarriedAmount[];
  readonly payable?: PayableAmounts | null;
}): PreviewedInvoice | null {
  const { boundary, terms, lines, carriedIn = [], payable = null } = options;
  // A boundary that bills no period by itself may still close one that a commitment is held against, or in which an add-on came or went.
  const period = invoicePeriod(boundary, terms) ?? (lines.length === 0 ? null : (boundary.closes?.period ?? null));
  if (period === null) return null;
  return { period, ...composeInvoice({ period, lines, carriedIn, payable }) };
}

/** The arrears' period; of the advance, or of what is given back, where nothing is billed in arrears. Null where a boundary bills no period. */
export function invoicePeriod(boundary: Boundary, terms: Pick<FeeTerms, 'stages' | 'addOns'>): Period | null {
  const arrears = closingPrices(boundary, terms).some((price) => price.type !== 'one_time' && payTime(price) === 'in_arrears') ? boundary.closes?.period : undefined;
  return arrears ?? boundary.opens?.period ?? boundary.unused?.period ?? boundary.trial;
}
