import type { EntityManager } from 'typeorm';
import { statusAfter } from '#domain';
import { changeInvoice, noteProviderCustomer, readPendingPaymentId, savePayment, type InvoiceChange, type InvoiceRecord } from '#persistence';
import type { PaymentState, ProviderInvoice } from '#platform';
import { paymentIdOf } from './derived-ids.js';

export interface ProviderNews {
  /** Held by the caller's transaction. */
  readonly invoice: InvoiceRecord;
  readonly provider: string;
  readonly found: ProviderInvoice;
  /** What the payment that was asked for came to; null where nobody asked. */
  readonly payment: PaymentState | null;
  /** Our id of that payment; null for the one that the first push takes. */
  readonly paymentId: string | null;
  /** Business time. */
  readonly at: Temporal.Instant;
  readonly systemNow: Temporal.Instant;
}

/**
 * Brings an issued invoice to what the provider says of it now. Whatever came before or comes again, the same state leads to
 * the same invoice: money that is there settles it once, and what is settled stays so.
 */
export async function applyProviderState(manager: EntityManager, news: ProviderNews): Promise<void> {
  const { invoice, provider, found } = news;
  await noteProviderCustomer(manager, { organizationId: invoice.organizationId, provider, customerId: invoice.customerId, providerId: found.partyProviderId });
  const place = { provider, providerInvoiceId: found.providerId, providerStatus: found.status };
  const pushed = invoice.pushedAt === null && found.status !== 'draft' ? { pushedAt: news.systemNow } : {};
  await changeInvoice(manager, { id: invoice.id, ...place, ...pushed, ...statusChange(news) });
  await noteTry(manager, news);
}

function statusChange(news: ProviderNews): Partial<InvoiceChange> {
  const { invoice, found, payment, at } = news;
  const isPaid = found.status === 'paid' || payment?.status === 'taken';
  if (isPaid && statusAfter(invoice.status, 'settle') !== null) {
    return { status: 'paid', amountPaidMinor: invoice.amountDueMinor, paidAt: at, paymentStatus: 'succeeded', paymentFailure: null };
  }
  if (invoice.status === 'paid') return {};
  if (found.status === 'void' && statusAfter(invoice.status, 'void') !== null) return { status: 'void', voidedAt: at };
  if (found.status === 'uncollectible' && statusAfter(invoice.status, 'mark_uncollectible') !== null) return { status: 'uncollectible', markedUncollectibleAt: at };
  if (payment?.status === 'failed') return { paymentStatus: 'failed', paymentFailure: { code: payment.code, detail: payment.detail } };
  return payment?.status === 'pending' ? { paymentStatus: 'pending' } : {};
}

async function noteTry(manager: EntityManager, news: ProviderNews): Promise<void> {
  const { invoice, provider, found, payment } = news;
  const settles = invoice.status !== 'paid' && (found.status === 'paid' || payment?.status === 'taken');
  const status = settles ? 'succeeded' : payment?.status === 'failed' ? 'failed' : payment?.status === 'pending' ? 'pending' : null;
  if (status === null || invoice.status === 'paid') return;
  await savePayment(manager, {
    id: news.paymentId ?? (await readPendingPaymentId(manager, invoice.id)) ?? paymentIdOf(invoice.id),
    organizationId: invoice.organizationId,
    invoiceId: invoice.id,
    provider,
    status,
    amountMinor: invoice.amountDueMinor,
    currency: invoice.currency,
    failureCode: payment?.status === 'failed' ? payment.code : null,
    failureDetail: payment?.status === 'failed' ? payment.detail : null,
    method: null,
    reference: null,
    metadata: {},
    at: news.at,
  });
}
