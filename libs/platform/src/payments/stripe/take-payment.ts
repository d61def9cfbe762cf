import type Stripe from 'stripe';

import type { DocumentRef } from '../payment-document.js';
import type { PaymentFailure, PaymentState } from '../payment-outcome.js';

import { readInvoice } from './ensure-invoice.js';
import { keyedCall } from './keyed-call.js';
import type { Step, StripeCaller } from './stripe-caller.js';

export interface Taken {
  readonly invoice: Stripe.Invoice;
  readonly payment: PaymentState;
}

/**
 * Asks for the payment of an open invoice. A second charge is barred twice: the key gives the same payment id one answer, and Stripe lets an
 * invoice be paid once, whatever the key. A no from the bank is an answer, not a failure of the push.
 */
export async function takePayment(caller: StripeCaller, order: { document: DocumentRef; paymentId: string; invoice: Stripe.Invoice }): Promise<Step<Taken>> {
  const { document, invoice } = order;
  if (invoice.status === 'paid') return { ok: true, value: { invoice, payment: { status: 'taken' } } };
  const method = document.party.paymentMethod;
  const readPaid = async (): Promise<Step<Stripe.Invoice | null>> => {
    const now = await readInvoice(caller, document, invoice.id);
    if (!now.ok) return now;
    return { ok: true, value: now.value.status === 'paid' ? now.value : null };
  };
  const paid = await keyedCall<Stripe.Invoice>(caller, {
    call: 'pay',
    ourId: order.paymentId,
    send: (stripe, options) => stripe.invoices.pay(invoice.id, method === null ? {} : { payment_method: method }, options),
    read: readPaid,
    canBeUndone: false,
  });
  if (paid.ok) return { ok: true, value: { invoice: paid.value, payment: { status: paid.value.status === 'paid' ? 'taken' : 'pending' } } };
  const payment = asAnswer(paid.failure);
  if (payment === null) return paid;
  const now = await readInvoice(caller, document, invoice.id);
  return now.ok ? { ok: true, value: { invoice: now.value, payment } } : now;
}

/** Declined, or nothing there to charge: the document stays open and owed. */
function asAnswer(failure: PaymentFailure): PaymentState | null {
  if (failure.kind !== 'refused') return null;
  if (failure.code === 'payment_declined') return { status: 'failed', code: 'payment_declined', detail: failure.detail };
  // The invoice was read a moment ago, so what is missing or unfit is the payment method.
  const methodIsUnfit = failure.code === 'request_refused' || failure.code === 'not_found';
  return methodIsUnfit ? { status: 'failed', code: 'payment_method_unusable', detail: failure.detail } : null;
}
