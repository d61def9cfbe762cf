import { formatMinor, toPlain, type InvoiceLine } from '#domain';
import type { LineItemBody } from './invoice.js';

/** A line as it is answered, of an invoice and of a receipt. The proof of its events is told once it is issued. */
export function toLineItemBody(line: InvoiceLine, options: { readonly id: string; readonly currency: string; readonly isIssued: boolean }): LineItemBody {
  const { id, currency, isIssued } = options;
  return {
    id,
    price: line.priceId,
    price_key: line.priceKey,
    kind: line.kind,
    description: line.description,
    quantity: line.quantity === null ? null : toPlain(line.quantity),
    amount: formatMinor(line.amountMinor, currency),
    unrounded_amount: line.unroundedAmount === null ? null : toPlain(line.unroundedAmount),
    group: { ...line.groupValues },
    period: { start: line.period.start.toString(), end: line.period.end.toString() },
    trace: line.trace.map((step) => ({ ...step })),
    usage: isIssued && line.usage !== undefined ? { events: line.usage.events.toString(), digest: line.usage.digest } : null,
  };
}
