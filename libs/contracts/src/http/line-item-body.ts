import { addOnOfLine, formatMinor, toPlain, type AttachedAddOn, type InvoiceLine } from '#domain';
import type { LineItemBody } from './invoice.js';

/** An add-on of the subscription, with what it is called by. */
export interface NamedAddOn extends Pick<AttachedAddOn, 'id' | 'prices'> {
  readonly of: { readonly addOnId: string; readonly addOnKey: string; readonly version: number };
}

export function toAddOnOfLine(line: Pick<InvoiceLine, 'ref' | 'priceId'>, addOns: readonly NamedAddOn[]): LineItemBody['add_on'] {
  return toLineAddOn(addOnOfLine(line, addOns));
}

export function toLineAddOn(addOn: NamedAddOn | null): LineItemBody['add_on'] {
  return addOn === null ? null : { id: addOn.of.addOnId, key: addOn.of.addOnKey, version: addOn.of.version };
}

/** A line as it is answered, of an invoice and of a receipt. The proof of its events is told once it is issued. */
export function toLineItemBody(line: InvoiceLine, options: { readonly id: string; readonly currency: string; readonly isIssued: boolean; readonly addOns: readonly NamedAddOn[] }): LineItemBody {
  const { id, currency, isIssued, addOns } = options;
  return {
    id,
    price: line.priceId,
    price_key: line.priceKey,
    add_on: toAddOnOfLine(line, addOns),
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
