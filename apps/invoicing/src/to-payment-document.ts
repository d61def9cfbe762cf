import type { EntityManager } from 'typeorm';
import { currencyDigits, daysUntilDueDefault } from '#domain';
import { readCustomers, readInvoiceLines, readProviderCustomer, type InvoiceRecord } from '#persistence';
import { assert, type DocumentRef, type InvoiceDocument } from '#platform';

/** The field of a customer's metadata that names what to charge, as a token of the payment provider. */
const paymentMethodField = 'payment_method';

/** What a payment provider finds the invoice by. */
export async function toDocumentRef(manager: EntityManager, options: { invoice: InvoiceRecord; provider: string }): Promise<DocumentRef> {
  const { invoice, provider } = options;
  const [customer] = await readCustomers(manager, [invoice.customerId]);
  assert(customer !== undefined, 'An invoice belongs to a customer.');
  const known = await readProviderCustomer(manager, { organizationId: invoice.organizationId, provider, customerId: customer.id });
  return {
    id: invoice.id,
    party: {
      id: customer.id, name: customer.name, email: customer.email, providerId: known?.providerId ?? null,
      paymentMethod: customer.metadata[paymentMethodField] ?? null, firstPushAt: known?.firstPushAt ?? null,
    },
    currency: invoice.currency,
    minorDigits: currencyDigits(invoice.currency),
    providerId: invoice.provider === provider ? invoice.providerInvoiceId : null,
  };
}

/** An issued invoice as the payment provider is to show it: the same lines, each whole. */
export async function toInvoiceDocument(manager: EntityManager, options: { invoice: InvoiceRecord; provider: string }): Promise<InvoiceDocument> {
  const { invoice } = options;
  assert(invoice.number !== null && invoice.issuedAt !== null, 'Only an issued invoice is pushed.');
  const lines = (await readInvoiceLines(manager, { organizationId: invoice.organizationId, invoiceIds: [invoice.id] })).get(invoice.id) ?? [];
  return {
    ...(await toDocumentRef(manager, options)),
    number: invoice.number,
    collection: invoice.collection === 'automatic' ? { kind: 'automatic' } : { kind: 'send_invoice', daysUntilDue: invoice.daysUntilDue ?? daysUntilDueDefault },
    lines: lines.map(({ id, description, amountMinor, period }) => ({ id, description, amountMinor, period })),
    amountDueMinor: invoice.amountDueMinor,
    metadata: { tollway_subscription: invoice.subscriptionId, tollway_number: invoice.number },
  };
}
