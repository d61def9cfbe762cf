import type Stripe from 'stripe';

import type { DocumentRef, InvoiceDocument } from '../payment-document.js';
import { refusal } from '../payment-outcome.js';

import type { StripeParty } from './ensure-customer.js';
import { keyedCall } from './keyed-call.js';
import { listAll } from './list-all.js';
import { metadataKeys } from './metadata-keys.js';
import type { Step, StripeCaller } from './stripe-caller.js';

/** The document's invoice, or null when the party's customers have none that carries our id. */
export async function findInvoice(caller: StripeCaller, document: DocumentRef, party: StripeParty): Promise<Step<Stripe.Invoice | null>> {
  if (document.providerId !== null) return readInvoice(caller, document, document.providerId);
  const found: Stripe.Invoice[] = [];
  for (const customer of party.all) {
    const invoices = await listAll(caller, {
      call: 'list_invoices',
      page: (stripe, paging) => stripe.invoices.list({ customer, ...paging }),
      keep: (invoice) => invoice.metadata?.[metadataKeys.document] === document.id,
    });
    if (!invoices.ok) return invoices;
    found.push(...invoices.value);
  }
  if (found.length > 1) {
    const ids = found.map((invoice) => invoice.id).join(', ');
    return { ok: false, failure: refusal('duplicate_documents', `Stripe has ${found.length} invoices for ${document.id}: ${ids}.`) };
  }
  return { ok: true, value: found[0] ?? null };
}

/** The invoice as it is now. */
export async function readInvoice(caller: StripeCaller, document: DocumentRef, id: string): Promise<Step<Stripe.Invoice>> {
  const read = await caller.read('retrieve_invoice', (stripe) => stripe.invoices.retrieve(id));
  if (!read.ok) return read;
  const owner = read.value.metadata?.[metadataKeys.document];
  if (owner === document.id) return read;
  return { ok: false, failure: refusal('foreign_document', `${id} at Stripe is of ${owner ?? 'nobody here'}, not of ${document.id}.`) };
}

export async function ensureInvoice(caller: StripeCaller, document: InvoiceDocument, party: StripeParty): Promise<Step<Stripe.Invoice>> {
  const found = await findInvoice(caller, document, party);
  if (!found.ok) return found;
  if (found.value !== null) return { ok: true, value: found.value };
  return keyedCall<Stripe.Invoice>(caller, {
    call: 'create_invoice',
    ourId: document.id,
    send: (stripe, options) => stripe.invoices.create(createParams(document, party.primary), options),
    read: () => findInvoice(caller, document, party),
    canBeUndone: true,
  });
}

/** The longest number that Stripe takes; a longer one stands in the memo, and Stripe gives one of its own. */
const numberLengthMax = 26;

/** An invoice that does nothing by itself: Stripe neither finalizes it, nor adds waiting items, an old coupon or taxes of its own. */
function createParams(document: InvoiceDocument, customer: string): Stripe.InvoiceCreateParams {
  return {
    customer,
    ...(document.number.length <= numberLengthMax ? { number: document.number } : { description: document.number }),
    currency: document.currency.toLowerCase(),
    auto_advance: false,
    pending_invoice_items_behavior: 'exclude',
    discounts: '',
    automatic_tax: { enabled: false },
    metadata: { ...document.metadata, [metadataKeys.document]: document.id },
    ...(document.collection.kind === 'automatic'
      ? { collection_method: 'charge_automatically' }
      : { collection_method: 'send_invoice', days_until_due: document.collection.daysUntilDue }),
  };
}
