import type Stripe from 'stripe';

import type { Clock } from '../../clock/clock.js';
import { assertWhole } from '../check-document.js';
import type { DocumentRef, InvoiceDocument } from '../payment-document.js';
import type { CountedCurrency, PaymentLimits } from '../payment-limits.js';
import { refusal } from '../payment-outcome.js';
import type { CloseOutcome, FetchOutcome, KnownIds, PaymentFailure, PayOutcome, PushDone, PushOutcome } from '../payment-outcome.js';
import type { PaymentOrder, PaymentProvider } from '../payment-provider.js';
import { TokenBucket } from '../token-bucket.js';
import type { WebhookRequest, WebhookVerdict } from '../webhook.js';

import { lookUpInvoice, markUncollectible, voidInvoice } from './close-invoice.js';
import { ensureCustomer } from './ensure-customer.js';
import { ensureInvoice } from './ensure-invoice.js';
import { ensureLines, listLines } from './ensure-lines.js';
import { finalizeInvoice, sameAmount } from './finalize-invoice.js';
import { toProviderInvoice, toProviderLine } from './from-stripe.js';
import { settleOutside } from './settle-outside.js';
import { StripeCaller } from './stripe-caller.js';
import type { Step } from './stripe-caller.js';
import { openStripeClient } from './stripe-client.js';
import { stripeLimits } from './stripe-currency.js';
import { parseStripeWebhook } from './stripe-webhook.js';
import { takePayment } from './take-payment.js';
import type { Taken } from './take-payment.js';

export interface StripePaymentProviderOptions {
  readonly apiKey: string;
  /** More than one while a secret is being rotated; none refuses every webhook. */
  readonly webhookSecrets: readonly string[];
  readonly clock: Clock;
  /** An origin instead of Stripe's own, for a proxy or a double. */
  readonly apiBase?: string;
  /** Default 30 s. */
  readonly timeoutMs?: number;
  /** Of this process, for this connection; default 25, the bound that Stripe gives an endpoint. Divide it where several processes push. */
  readonly requestsPerSecond?: number;
}

const waitForPermitMaxMs = 60_000;

/** Payments through Stripe's invoices. The README beside the port tells the sequence and why a crash anywhere in it does no harm. */
export class StripePaymentProvider implements PaymentProvider {
  readonly name = 'stripe';
  private readonly caller: StripeCaller;
  private readonly options: StripePaymentProviderOptions;

  constructor(options: StripePaymentProviderOptions) {
    const ratePerSecond = options.requestsPerSecond ?? 25;
    const bucket = new TokenBucket({ ratePerSecond, burstMax: Math.max(1, Math.floor(ratePerSecond)), waitMaxMs: waitForPermitMaxMs, clock: options.clock });
    const { apiKey, apiBase = null, timeoutMs = 30_000 } = options;
    this.caller = new StripeCaller(openStripeClient({ apiKey, apiBase, timeoutMs }), bucket);
    this.options = options;
  }

  async pushInvoice(document: InvoiceDocument): Promise<PushOutcome> {
    assertWhole(document);
    let known: KnownIds = { partyProviderId: document.party.providerId, providerId: document.providerId };
    const end = (failure: PaymentFailure): PushOutcome => ({ ...failure, known });
    const verdict = stripeLimits(document).judge(document.amountDueMinor);
    if (verdict !== 'payable') return end(refusal('amount_not_payable', `${document.amountDueMinor} of ${document.currency} is ${verdict}.`));

    const party = await ensureCustomer(this.caller, document.party, this.options.clock);
    if (!party.ok) return end(party.failure);
    known = { ...known, partyProviderId: party.value.primary };
    const invoice = await ensureInvoice(this.caller, document, party.value);
    if (!invoice.ok) return end(invoice.failure);
    known = { ...known, providerId: invoice.value.id };
    if (invoice.value.status === 'draft') {
      const lines = await ensureLines(this.caller, document, invoice.value.id);
      if (!lines.ok) return end(lines.failure);
    }
    const finalized = invoice.value.status === 'draft' ? await finalizeInvoice(this.caller, document, invoice.value.id) : sameAmount(document, invoice.value);
    if (!finalized.ok) return end(finalized.failure);
    const collectNow = document.collection.kind === 'automatic' && finalized.value.status === 'open';
    const taken: Step<Taken> = collectNow
      ? await takePayment(this.caller, { document, paymentId: document.id, invoice: finalized.value })
      : { ok: true, value: { invoice: finalized.value, payment: { status: finalized.value.status === 'paid' ? 'taken' : 'not_asked' } } };
    return taken.ok ? toDone(taken.value, document) : end(taken.failure);
  }

  async pay(order: PaymentOrder): Promise<PayOutcome> {
    const found = await lookUpInvoice(this.caller, order.document);
    if (!found.ok) return found.failure;
    const invoice = found.value;
    if (invoice === null) return refusal('not_found', `Stripe has no invoice for ${order.document.id}.`);
    if (invoice.status === 'draft' || invoice.status === 'void') return refusal('state_forbids', `${order.document.id} is ${invoice.status} at Stripe.`);
    const taken = await takePayment(this.caller, { ...order, invoice });
    return taken.ok ? toDone(taken.value, order.document) : taken.failure;
  }

  async voidInvoice(document: DocumentRef): Promise<CloseOutcome> {
    return toClosed(await voidInvoice(this.caller, document), document);
  }

  async markUncollectible(document: DocumentRef): Promise<CloseOutcome> {
    return toClosed(await markUncollectible(this.caller, document), document);
  }

  async settleOutside(document: DocumentRef): Promise<CloseOutcome> {
    return toClosed(await settleOutside(this.caller, document), document);
  }

  async fetchInvoice(document: DocumentRef): Promise<FetchOutcome> {
    const found = await lookUpInvoice(this.caller, document);
    if (!found.ok) return found.failure;
    if (found.value === null) return { kind: 'absent' };
    const lines = await listLines(this.caller, found.value.id);
    if (!lines.ok) return lines.failure;
    const invoice = toProviderInvoice(found.value, document);
    return { kind: 'found', invoice, lines: lines.value.map((line) => toProviderLine(line, document)) };
  }

  parseWebhook(request: WebhookRequest): WebhookVerdict {
    return parseStripeWebhook(request, { secrets: this.options.webhookSecrets, clock: this.options.clock });
  }

  limits(currency: CountedCurrency): PaymentLimits {
    return stripeLimits(currency);
  }
}

function toDone(taken: Taken, document: DocumentRef): PushDone {
  return { kind: 'done', invoice: toProviderInvoice(taken.invoice, document), payment: taken.payment };
}

function toClosed(closed: Step<Stripe.Invoice | null>, document: DocumentRef): CloseOutcome {
  if (!closed.ok) return closed.failure;
  return { kind: 'done', invoice: closed.value === null ? null : toProviderInvoice(closed.value, document) };
}
