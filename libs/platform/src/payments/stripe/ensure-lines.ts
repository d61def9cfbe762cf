import type Stripe from 'stripe';

import type { InvoiceDocument } from '../payment-document.js';

import { keyedCall } from './keyed-call.js';
import { listAll } from './list-all.js';
import { planLines, toStripeLines } from './plan-lines.js';
import type { LineChunk, StripeLine } from './plan-lines.js';
import type { Step, StripeCaller } from './stripe-caller.js';

/** Makes the draft hold exactly the document's lines. A draft that already does is not touched. */
export async function ensureLines(caller: StripeCaller, document: InvoiceDocument, invoiceId: string): Promise<Step<null>> {
  const wanted = toStripeLines(document);
  if (!wanted.ok) return wanted;
  const missing = await missingChunks(caller, wanted.value, invoiceId);
  if (!missing.ok) return missing;
  for (const chunk of missing.value) {
    const added = await keyedCall<unknown>(caller, {
      call: `add_lines.${chunk.digest}`,
      ourId: document.id,
      send: (stripe, options) => stripe.invoices.addLines(invoiceId, { lines: chunk.lines.map((line) => line.params) }, options),
      read: async () => {
        const left = await missingChunks(caller, wanted.value, invoiceId);
        if (!left.ok) return left;
        return { ok: true, value: holds(left.value, chunk) ? null : chunk };
      },
      canBeUndone: true,
    });
    if (!added.ok) return added;
  }
  return { ok: true, value: null };
}

async function missingChunks(caller: StripeCaller, wanted: readonly StripeLine[], invoiceId: string): Promise<Step<LineChunk[]>> {
  const present = await listLines(caller, invoiceId);
  return present.ok ? planLines(wanted, present.value) : present;
}

function holds(chunks: readonly LineChunk[], chunk: LineChunk): boolean {
  return chunks.some((other) => other.lines.some((line) => chunk.lines.some((own) => own.id === line.id)));
}

export function listLines(caller: StripeCaller, invoiceId: string): Promise<Step<Stripe.InvoiceLineItem[]>> {
  return listAll(caller, {
    call: 'list_lines',
    page: (stripe, paging) => stripe.invoices.listLineItems(invoiceId, paging),
    keep: () => true,
  });
}
