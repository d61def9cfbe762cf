import type Stripe from 'stripe';

import type { DocumentRef } from '../payment-document.js';
import { refusal } from '../payment-outcome.js';

import { findCustomer } from './ensure-customer.js';
import { findInvoice, readInvoice } from './ensure-invoice.js';
import { keyedCall } from './keyed-call.js';
import type { Step, StripeCaller } from './stripe-caller.js';

/** The document's invoice, without creating anything on the way; null when Stripe has none. */
export async function lookUpInvoice(caller: StripeCaller, document: DocumentRef): Promise<Step<Stripe.Invoice | null>> {
  const party = await findCustomer(caller, document.party, document.party.firstPushAt);
  if (!party.ok) return party;
  if (party.value === null && document.providerId === null) return { ok: true, value: null };
  return findInvoice(caller, document, party.value ?? { primary: '', all: [] });
}

export async function voidInvoice(caller: StripeCaller, document: DocumentRef): Promise<Step<Stripe.Invoice | null>> {
  const found = await lookUpInvoice(caller, document);
  if (!found.ok || found.value === null || found.value.status === 'void') return found;
  if (found.value.status === 'draft') return deleteDraft(caller, found.value.id);
  if (found.value.status === 'paid') return { ok: false, failure: refusal('state_forbids', `${document.id} is paid at Stripe.`) };
  return reach(caller, { document, invoiceId: found.value.id, goal: 'void', send: (stripe, id, options) => stripe.invoices.voidInvoice(id, {}, options) });
}

export async function markUncollectible(caller: StripeCaller, document: DocumentRef): Promise<Step<Stripe.Invoice | null>> {
  const found = await lookUpInvoice(caller, document);
  if (!found.ok) return found;
  const invoice = found.value;
  if (invoice === null) return { ok: false, failure: refusal('not_found', `Stripe has no invoice for ${document.id}.`) };
  if (invoice.status === 'uncollectible') return found;
  if (invoice.status !== 'open') return { ok: false, failure: refusal('state_forbids', `${document.id} is ${invoice.status ?? 'new'} at Stripe.`) };
  return reach(caller, { document, invoiceId: invoice.id, goal: 'uncollectible', send: (stripe, id, options) => stripe.invoices.markUncollectible(id, {}, options) });
}

interface Goal {
  readonly document: DocumentRef;
  readonly invoiceId: string;
  readonly goal: 'void' | 'uncollectible';
  readonly send: (stripe: Stripe, id: string, options: { idempotencyKey: string }) => Promise<Stripe.Response<Stripe.Invoice>>;
}

function reach(caller: StripeCaller, wanted: Goal): Promise<Step<Stripe.Invoice>> {
  return keyedCall<Stripe.Invoice>(caller, {
    call: wanted.goal,
    ourId: wanted.document.id,
    send: (stripe, options) => wanted.send(stripe, wanted.invoiceId, options),
    read: async () => {
      const now = await readInvoice(caller, wanted.document, wanted.invoiceId);
      if (!now.ok) return now;
      return { ok: true, value: now.value.status === wanted.goal ? now.value : null };
    },
    canBeUndone: false,
  });
}

/** Stripe has no void for drafts. Deleting twice is harmless: what is gone is what was wanted. */
export async function deleteDraft(caller: StripeCaller, id: string): Promise<Step<null>> {
  const deleted = await caller.run('delete_draft', (stripe) => stripe.invoices.del(id));
  if (deleted.ok) return { ok: true, value: null };
  const gone = deleted.failure.kind === 'refused' && deleted.failure.code === 'not_found';
  return gone ? { ok: true, value: null } : deleted;
}
