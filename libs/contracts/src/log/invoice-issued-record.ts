/**
 * What stands in `tollway.invoice-issued`: an invoice as it was issued, keyed by organization, in the order of the numbers. Nothing in
 * it changes later; what becomes of it (paid, void) is told by webhooks of the payment provider and `GET /v1/invoices`. It may come twice.
 */
export interface InvoiceIssuedRecord {
  readonly v: 1;
  readonly organization: string;
  readonly invoice: string;
  readonly number: string;
  /** As the API says it: `period`, or `one_off`. */
  readonly kind: string;
  readonly customer: string;
  readonly subscription: string;
  readonly plan: string;
  readonly plan_version: number;
  /** RFC 3339, as all instants here; from inclusive, to exclusive. */
  readonly period: { readonly from: string; readonly to: string };
  readonly currency: string;
  readonly subtotal: string;
  readonly discount: string;
  readonly tax: string;
  readonly total: string;
  readonly credits_applied: string;
  readonly amount_due: string;
  /** Every event acknowledged before is in it; null where it closes no usage. */
  readonly usage_complete_as_of: string | null;
  /** Business time. */
  readonly issued_at: string;
  readonly due_at: string;
  /** Null where there are more than `factLinesMax`: `GET /v1/invoices/{id}` has them. */
  readonly lines: readonly InvoiceLineFact[] | null;
}

export interface InvoiceLineFact {
  readonly id: string;
  readonly kind: string;
  readonly price: string | null;
  readonly price_key: string | null;
  readonly description: string;
  readonly group: Readonly<Record<string, string>>;
  readonly quantity: string | null;
  readonly amount: string;
  readonly period: { readonly from: string; readonly to: string };
}

export function decodeInvoiceIssuedRecord(text: string): InvoiceIssuedRecord {
  const value = JSON.parse(text) as Partial<InvoiceIssuedRecord> | null;
  if (value === null || typeof value !== 'object' || value.v !== 1 || typeof value.organization !== 'string' || typeof value.invoice !== 'string') {
    throw new TypeError('The record is no issued invoice of version 1.');
  }
  return value as InvoiceIssuedRecord;
}
