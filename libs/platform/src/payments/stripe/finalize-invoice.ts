import type Stripe from 'stripe';

import type { InvoiceDocument } from '../payment-document.js';
import { refusal } from '../payment-outcome.js';

import { readInvoice } from './ensure-invoice.js';
import { keyedCall } from './keyed-call.js';
import type { Step, StripeCaller } from './stripe-caller.js';
import { toStripeAmount } from './stripe-currency.js';

/** Finalizes the draft if, and only if, it owes exactly what the document owes. */
export async function finalizeInvoice(caller: StripeCaller, document: InvoiceDocument, invoiceId: string): Promise<Step<Stripe.Invoice>> {
  const draft = await readInvoice(caller, document, invoiceId);
  if (!draft.ok) return draft;
  const equal = sameAmount(document, draft.value);
  if (!equal.ok || draft.value.status !== 'draft') return equal;
  const finalized = await keyedCall<Stripe.Invoice>(caller, {
    call: 'finalize',
    ourId: document.id,
    send: (stripe, options) => stripe.invoices.finalizeInvoice(invoiceId, { auto_advance: false }, options),
    read: async () => {
      const now = await readInvoice(caller, document, invoiceId);
      if (!now.ok) return now;
      return { ok: true, value: now.value.status === 'draft' ? null : now.value };
    },
    canBeUndone: false,
  });
  // Finalizing is when Stripe moves what it finds too small, or what a balance covers, to the customer's balance.
  return finalized.ok ? sameAmount(document, finalized.value) : finalized;
}

/**
 * `total` is what the lines add up to, `amount_due` what is left to pay after a balance that somebody may have given the customer at Stripe.
 * Both must be ours, to the last unit: otherwise the customer pays something else than the document says.
 */
export function sameAmount(document: InvoiceDocument, invoice: Stripe.Invoice): Step<Stripe.Invoice> {
  const expected = toStripeAmount(document.amountDueMinor, document);
  const givenUp = invoice.status === 'void' || invoice.status === 'uncollectible';
  const dueIsOurs = givenUp || invoice.amount_due === expected;
  if (invoice.currency === document.currency.toLowerCase() && invoice.total === expected && dueIsOurs) return { ok: true, value: invoice };
  const there = `a total of ${invoice.total} and ${invoice.amount_due} due in ${invoice.currency}`;
  return { ok: false, failure: refusal('amount_mismatch', `Stripe's ${invoice.status ?? 'new'} invoice ${invoice.id} has ${there}, ours ${String(expected)} in ${document.currency}.`) };
}
