import type Stripe from 'stripe';

import type { DocumentRef } from '../payment-document.js';
import { refusal } from '../payment-outcome.js';

import { deleteDraft, lookUpInvoice } from './close-invoice.js';
import { readInvoice } from './ensure-invoice.js';
import { keyedCall } from './keyed-call.js';
import type { Step, StripeCaller } from './stripe-caller.js';

const call = 'settle_outside';

/** Tells Stripe that the money came another way, so that it asks nobody for it any more. */
export async function settleOutside(caller: StripeCaller, document: DocumentRef): Promise<Step<Stripe.Invoice | null>> {
  const found = await lookUpInvoice(caller, document);
  if (!found.ok || found.value === null) return found;
  const { id, status } = found.value;
  if (status === 'draft') return deleteDraft(caller, id);
  if (status === 'void') return { ok: false, failure: refusal('state_forbids', `${document.id} is void at Stripe.`) };
  const send = (stripe: Stripe, options: { idempotencyKey: string }) => stripe.invoices.pay(id, { paid_out_of_band: true }, options);
  if (status === 'paid') return isOurs(caller, { document, invoice: found.value, send });
  return keyedCall<Stripe.Invoice>(caller, {
    call,
    ourId: document.id,
    send,
    read: async () => {
      const now = await readInvoice(caller, document, id);
      if (!now.ok) return now;
      return { ok: true, value: now.value.status === 'paid' ? now.value : null };
    },
    canBeUndone: false,
  });
}

/** It is paid already. Stripe answers a key that it has seen with its first answer: where that is a yes, it was we who said so, and the answer was lost. */
async function isOurs(
  caller: StripeCaller,
  of: { document: DocumentRef; invoice: Stripe.Invoice; send: (stripe: Stripe, options: { idempotencyKey: string }) => Promise<Stripe.Response<Stripe.Invoice>> },
): Promise<Step<Stripe.Invoice>> {
  const { document, invoice, send } = of;
  const result = await caller.run(call, (stripe) => send(stripe, { idempotencyKey: `${document.id}:${call}:1` }));
  if (result.ok) return { ok: true, value: invoice };
  return result.failure.kind === 'refused' ? { ok: false, failure: refusal('state_forbids', `${document.id} is paid at Stripe.`) } : result;
}
