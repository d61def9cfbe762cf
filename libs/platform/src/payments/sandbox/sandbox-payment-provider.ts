import { assert } from '../../errors/assert.js';
import { assertWhole } from '../check-document.js';
import type { DocumentRef, InvoiceDocument } from '../payment-document.js';
import { paymentLimits } from '../payment-limits.js';
import type { PaymentLimits } from '../payment-limits.js';
import { refusal } from '../payment-outcome.js';
import type { CloseOutcome, FetchOutcome, PaymentRefusal, PaymentState, PayOutcome, ProviderInvoice, PushDone, PushOutcome } from '../payment-outcome.js';
import type { PaymentOrder, PaymentProvider } from '../payment-provider.js';
import type { WebhookVerdict } from '../webhook.js';

import { decidePayment, sandboxMethods } from './sandbox-methods.js';
import type { SandboxInvoice, SandboxStore } from './sandbox-store.js';

/** A document that moves on as often as this while it is looked at has a bug behind it. */
const replaceTriesMax = 10;
const retryAfterMs = 1_000;

/** The built-in provider: takes every payment at once, moves no money, and declines on request (see sandboxMethods). Needs no account anywhere. */
export class SandboxPaymentProvider implements PaymentProvider {
  readonly name = 'sandbox';

  constructor(private readonly store: SandboxStore) {}

  async pushInvoice(document: InvoiceDocument): Promise<PushOutcome> {
    const [outcome] = await this.pushInvoices([document]);
    assert(outcome !== undefined, 'Each document has its outcome.');
    return outcome;
  }

  async pushInvoices(documents: readonly InvoiceDocument[]): Promise<PushOutcome[]> {
    for (const document of documents) assertWhole(document);
    const payable = documents.filter(({ amountDueMinor }) => this.limits().judge(amountDueMinor) === 'payable').map(toSandbox);
    const made = await this.store.insert(payable);
    const invoices = new Map(payable.map((invoice) => [invoice.id, invoice]));
    const outcomes: PushOutcome[] = [];
    for (const document of documents) outcomes.push(await this.pushed(document, { invoice: invoices.get(document.id) ?? null, isNew: made.has(document.id) }));
    return outcomes;
  }

  private async pushed(document: InvoiceDocument, { invoice, isNew }: { invoice: SandboxInvoice | null; isNew: boolean }): Promise<PushOutcome> {
    const known = { partyProviderId: `sandbox_${document.party.id}`, providerId: `sandbox_${document.id}` };
    if (invoice === null) return { ...refusal('amount_not_payable', `${document.amountDueMinor} of ${document.currency} is ${this.limits().judge(document.amountDueMinor)}.`), known };
    if (isNew) {
      if (document.party.paymentMethod === sandboxMethods.lostAnswer) return { kind: 'unknown', call: 'push', detail: 'The answer is lost, as asked.', retryAfterMs, known };
      return toDone(invoice, document.id);
    }
    const there = await this.store.find(document.id);
    if (there === null) return { kind: 'retry_later', call: 'push', detail: 'The document is being changed.', retryAfterMs, known };
    if (!sameContent(there, invoice)) return { ...refusal('amount_mismatch', `The sandbox has ${document.id} with other lines.`), known };
    return toDone(there, document.id);
  }

  async pay(order: PaymentOrder): Promise<PayOutcome> {
    const changed = await this.change(order.document, (invoice) => {
      if (invoice.status === 'paid' || invoice.payments.some((payment) => payment.paymentId === order.paymentId)) return invoice;
      if (invoice.status === 'void') return refusal('state_forbids', `${invoice.id} is void.`);
      const payment = decidePayment(order.paymentId, order.document.party.paymentMethod, invoice.payments);
      return { ...invoice, status: payment.status === 'taken' ? 'paid' : invoice.status, payments: [...invoice.payments, payment] };
    });
    return 'kind' in changed ? changed : toDone(changed, order.paymentId);
  }

  async voidInvoice(document: DocumentRef): Promise<CloseOutcome> {
    if ((await this.store.find(document.id)) === null) return { kind: 'done', invoice: null };
    const changed = await this.change(document, (invoice) => {
      return invoice.status === 'paid' ? refusal('state_forbids', `${invoice.id} is paid.`) : { ...invoice, status: 'void' };
    });
    return 'kind' in changed ? changed : { kind: 'done', invoice: toProviderInvoice(changed) };
  }

  async markUncollectible(document: DocumentRef): Promise<CloseOutcome> {
    const changed = await this.change(document, (invoice) => {
      const allowed = invoice.status === 'open' || invoice.status === 'uncollectible';
      return allowed ? { ...invoice, status: 'uncollectible' } : refusal('state_forbids', `${invoice.id} is ${invoice.status}.`);
    });
    return 'kind' in changed ? changed : { kind: 'done', invoice: toProviderInvoice(changed) };
  }

  async settleOutside(document: DocumentRef): Promise<CloseOutcome> {
    if ((await this.store.find(document.id)) === null) return { kind: 'done', invoice: null };
    const changed = await this.change(document, (invoice) => {
      const isTaken = invoice.payments.some(({ status }) => status === 'taken');
      return isTaken || invoice.status === 'void' ? refusal('state_forbids', `${invoice.id} is ${invoice.status}.`) : { ...invoice, status: 'paid' };
    });
    return 'kind' in changed ? changed : { kind: 'done', invoice: toProviderInvoice(changed) };
  }

  async fetchInvoice(document: DocumentRef): Promise<FetchOutcome> {
    const invoice = await this.store.find(document.id);
    if (invoice === null) return { kind: 'absent' };
    const lines = invoice.lines.map((line) => ({ lineId: line.id, description: line.description, amountMinor: BigInt(line.amountMinor) }));
    return { kind: 'found', invoice: toProviderInvoice(invoice), lines };
  }

  parseWebhook(): WebhookVerdict {
    return { kind: 'refused', code: 'not_supported', detail: 'The sandbox answers at once and sends no webhooks.' };
  }

  /** Anything above nothing, in any currency. */
  limits(): PaymentLimits {
    return paymentLimits({ minimumMinor: 1n, maximumMinor: 10n ** 30n, stepMinor: 1n });
  }

  private async change(document: DocumentRef, next: (invoice: SandboxInvoice) => SandboxInvoice | PaymentRefusal): Promise<SandboxInvoice | Exclude<PayOutcome, PushDone>> {
    for (let tries = 0; tries < replaceTriesMax; tries += 1) {
      const before = await this.store.find(document.id);
      if (before === null) return refusal('not_found', `The sandbox has no ${document.id}.`);
      const after = next(before);
      if ('kind' in after || after === before || (await this.store.replace(before, after))) return after;
    }
    return { kind: 'retry_later', call: 'change', detail: `${document.id} is being changed by others.`, retryAfterMs };
  }
}

function toSandbox(document: InvoiceDocument): SandboxInvoice {
  const collectNow = document.collection.kind === 'automatic';
  const payments = collectNow ? [decidePayment(document.id, document.party.paymentMethod, [])] : [];
  return {
    id: document.id,
    partyId: document.party.id,
    number: document.number,
    currency: document.currency,
    minorDigits: document.minorDigits,
    status: payments.some((payment) => payment.status === 'taken') ? 'paid' : 'open',
    amountDueMinor: document.amountDueMinor.toString(),
    lines: document.lines.map((line) => ({ id: line.id, description: line.description, amountMinor: line.amountMinor.toString() })),
    payments,
  };
}

function sameContent(one: SandboxInvoice, other: SandboxInvoice): boolean {
  const content = (invoice: SandboxInvoice): string => JSON.stringify([invoice.currency, invoice.minorDigits, invoice.amountDueMinor, invoice.lines.map((line) => [line.id, line.amountMinor])]);
  return content(one) === content(other);
}

function toDone(invoice: SandboxInvoice, paymentId: string): PushDone {
  const own = invoice.payments.find((payment) => payment.paymentId === paymentId);
  return { kind: 'done', invoice: toProviderInvoice(invoice), payment: toPayment(invoice, own?.status ?? null) };
}

function toPayment(invoice: SandboxInvoice, own: 'taken' | 'failed' | null): PaymentState {
  if (invoice.status === 'paid') return { status: 'taken' };
  if (own === 'failed' && invoice.status !== 'void') return { status: 'failed', code: 'payment_declined', detail: 'The sandbox declines this payment method.' };
  return { status: 'not_asked' };
}

function toProviderInvoice(invoice: SandboxInvoice): ProviderInvoice {
  const amountDueMinor = BigInt(invoice.amountDueMinor);
  return {
    providerId: `sandbox_${invoice.id}`,
    partyProviderId: `sandbox_${invoice.partyId}`,
    documentId: invoice.id,
    number: invoice.number,
    status: invoice.status,
    totalMinor: amountDueMinor,
    amountDueMinor,
    amountPaidMinor: invoice.status === 'paid' ? amountDueMinor : 0n,
  };
}
