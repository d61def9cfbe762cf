import type { DocumentRef, InvoiceDocument } from './payment-document.js';
import type { CountedCurrency, PaymentLimits } from './payment-limits.js';
import type { CloseOutcome, FetchOutcome, PayOutcome, PushOutcome } from './payment-outcome.js';
import type { WebhookRequest, WebhookVerdict } from './webhook.js';

/** One wish to take the payment of an open document. */
export interface PaymentOrder {
  readonly document: DocumentRef;
  /** Our id of this wish: the same id never charges twice, another id tries again. */
  readonly paymentId: string;
}

/**
 * Shows issued documents to whoever takes the money. Every adapter keeps exactly this:
 *
 * - every method may be run again at any time, after any outcome, after a crash, or twice at once: one document leads to one document at the
 *   provider, with exactly its lines, and to one payment;
 * - nothing is charged unless the provider's total equals our amount due;
 * - an outcome is `done`, `refused` (permanent), `retry_later` (no effect yet) or `unknown` (perhaps an effect): the last two mean run it again;
 * - a method throws only for a bug of ours, or a Fault when the provider's answer can't be read.
 */
export interface PaymentProvider {
  readonly name: 'stripe' | 'sandbox';
  /** Brings the document to the provider, finalizes it and, for automatic collection, takes the payment. A declined payment is `done` with an open document. */
  pushInvoice(document: InvoiceDocument): Promise<PushOutcome>;
  /** The same for many documents, with one outcome for each in their order. Left out where the provider takes them one at a time. */
  pushInvoices?(documents: readonly InvoiceDocument[]): Promise<readonly PushOutcome[]>;
  /** Takes the payment of an open document, for a later try. A paid document answers `done` and `taken`. */
  pay(order: PaymentOrder): Promise<PayOutcome>;
  /** Makes the document worthless; `done` when it is void or was never there, `state_forbids` when it is paid. */
  voidInvoice(document: DocumentRef): Promise<CloseOutcome>;
  /** Gives up on an open document; `done` when it is uncollectible, `state_forbids` when it is paid, void or not finalized. */
  markUncollectible(document: DocumentRef): Promise<CloseOutcome>;
  /** Notes that the money came another way, and moves none; `done` when it is noted or was never there, `state_forbids` when money was taken for it, or it is void. */
  settleOutside(document: DocumentRef): Promise<CloseOutcome>;
  fetchInvoice(document: DocumentRef): Promise<FetchOutcome>;
  parseWebhook(request: WebhookRequest): WebhookVerdict;
  limits(currency: CountedCurrency): PaymentLimits;
}
