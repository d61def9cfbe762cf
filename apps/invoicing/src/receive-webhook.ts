import { later } from '#domain';
import { findInvoiceOfProvider, noteWebhookReceipt, readBootstrapOrganizationId, readInvoices, readTestClock, type InvoiceRecord } from '#persistence';
import { accepted, refused, type Outcome, type PaymentProvider, type PaymentState, type ProviderInvoice, type WebhookEvent, type WebhookRequest } from '#platform';
import { applyProviderState } from './apply-provider-state.js';
import type { InvoicingContext } from './invoicing-context.js';
import type { PaymentProviders } from './payment-providers.js';
import { toDocumentRef } from './to-payment-document.js';

export type WebhookCode = 'not_found' | 'signature_invalid' | 'body_unreadable' | 'provider_unavailable';

export interface WebhookResult {
  readonly received: true;
  readonly handled: 'applied' | 'repeated' | 'ignored';
}

/**
 * Takes what the payment provider tells. An event says that something happened once, in no order: what counts is what the
 * provider says when it is asked, so the order of events does not matter and a repeated one changes nothing.
 */
export class ReceiveWebhook {
  constructor(
    private readonly context: InvoicingContext,
    private readonly providers: PaymentProviders,
  ) {}

  /** Without an organization it is for the bootstrap organization. */
  async execute(request: WebhookRequest, organization: string | null): Promise<Outcome<WebhookResult, WebhookCode>> {
    const { database } = this.context;
    const organizationId = organization ?? (await database.acrossOrganizations(readBootstrapOrganizationId));
    const provider = organizationId === null ? null : await this.providerOf(organizationId);
    if (organizationId === null || provider === null) return refused('not_found', 'There is no such webhook.');
    const verdict = provider.parseWebhook(request);
    if (verdict.kind === 'refused') {
      return verdict.code === 'not_supported' ? refused('not_found', 'There is no such webhook.') : refused(verdict.code, verdict.detail);
    }
    if (verdict.kind === 'ignored') return accepted({ received: true, handled: 'ignored' });
    return this.apply(verdict.event, { organizationId, provider });
  }

  private providerOf(organizationId: string): Promise<PaymentProvider | null> {
    return this.context.database.inOrganization(organizationId, (manager) => this.providers.within(manager, organizationId));
  }

  private async apply(event: WebhookEvent, of: { organizationId: string; provider: PaymentProvider }): Promise<Outcome<WebhookResult, WebhookCode>> {
    const { organizationId, provider } = of;
    const found = await this.context.database.inOrganization(organizationId, async (manager) => {
      const [byOurs] = event.documentId === null ? [] : await readInvoices(manager, { ids: [event.documentId] });
      const invoice = byOurs ?? (await findInvoiceOfProvider(manager, event.providerId));
      return invoice === null ? null : { invoice, document: await toDocumentRef(manager, { invoice, provider: provider.name }) };
    });
    if (found === null) return accepted({ received: true, handled: 'ignored' });
    const document = { ...found.document, providerId: found.document.providerId ?? event.providerId };
    const fetched = await provider.fetchInvoice(document);
    if (fetched.kind === 'absent') return accepted({ received: true, handled: 'ignored' });
    if (fetched.kind !== 'found') return refused('provider_unavailable', `The payment provider did not answer: ${fetched.detail}`);
    return this.write(event, { ...of, invoice: found.invoice, now: fetched.invoice });
  }

  private async write(
    event: WebhookEvent,
    news: { organizationId: string; provider: PaymentProvider; invoice: InvoiceRecord; now: ProviderInvoice },
  ): Promise<Outcome<WebhookResult, WebhookCode>> {
    const { organizationId, provider } = news;
    return this.context.database.inOrganization(organizationId, async (manager) => {
      const isNew = await noteWebhookReceipt(manager, { organizationId, provider: provider.name, eventId: event.id, type: event.type });
      if (!isNew) return accepted({ received: true, handled: 'repeated' });
      const [invoice] = await readInvoices(manager, { ids: [news.invoice.id], forUpdate: true });
      if (invoice === undefined || invoice.issuedAt === null) return accepted({ received: true, handled: 'ignored' });
      const systemNow = this.context.clock.now();
      const clock = await readTestClock(manager, organizationId);
      const at = later(clock.now ?? systemNow, invoice.issuedAt);
      const payment: PaymentState | null = event.type === 'payment_failed' && news.now.status === 'open'
        ? { status: 'failed', code: 'payment_declined', detail: 'The payment provider could not take the payment.' }
        : null;
      await applyProviderState(manager, { invoice, provider: provider.name, found: news.now, payment, paymentId: null, at, systemNow });
      return accepted({ received: true, handled: 'applied' });
    });
  }
}
