import type { EntityManager } from 'typeorm';
import { statusAfter } from '#domain';
import { changeInvoices, noteProviderCustomers, readPendingPaymentIds, savePayments, type InvoiceChange, type InvoiceRecord } from '#persistence';
import { assert, type PaymentState, type ProviderInvoice } from '#platform';
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
  await applyProviderStates(manager, [news]);
}

/** The same for many invoices of one organization and provider, each named once. */
export async function applyProviderStates(manager: EntityManager, news: readonly ProviderNews[]): Promise<void> {
  const [first] = news;
  if (first === undefined) return;
  const { provider, invoice: { organizationId } } = first;
  assert(news.every((one) => one.provider === provider && one.invoice.organizationId === organizationId), 'News that are applied together come from one provider.');
  await noteProviderCustomers(manager, { organizationId, provider, providerIds: new Map(news.map(({ invoice, found }) => [invoice.customerId, found.partyProviderId])) });
  await changeInvoices(manager, news.map(toChange));
  await noteTries(manager, news);
}

function toChange(news: ProviderNews): InvoiceChange {
  const { invoice, provider, found } = news;
  const pushed = invoice.pushedAt === null && found.status !== 'draft' ? { pushedAt: news.systemNow } : {};
  return { id: invoice.id, provider, providerInvoiceId: found.providerId, providerStatus: found.status, ...pushed, ...statusChange(news) };
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

async function noteTries(manager: EntityManager, news: readonly ProviderNews[]): Promise<void> {
  const tries = news.flatMap((one) => {
    const status = tryStatus(one);
    return status === null ? [] : [{ one, status }];
  });
  const unnamed = tries.filter(({ one }) => one.paymentId === null).map(({ one }) => one.invoice.id);
  const pending = unnamed.length === 0 ? new Map<string, string>() : await readPendingPaymentIds(manager, unnamed);
  await savePayments(manager, tries.map(({ one: { invoice, provider, payment, paymentId, at }, status }) => ({
    id: paymentId ?? pending.get(invoice.id) ?? paymentIdOf(invoice.id),
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
    at,
  })));
}

/** Null where there is nothing to write down. */
function tryStatus({ invoice, found, payment }: ProviderNews): 'succeeded' | 'failed' | 'pending' | null {
  if (invoice.status === 'paid') return null;
  if (found.status === 'paid' || payment?.status === 'taken') return 'succeeded';
  return payment?.status === 'failed' || payment?.status === 'pending' ? payment.status : null;
}
