import type { EntityManager } from 'typeorm';
import { currencyDigits, daysUntilDueDefault } from '#domain';
import { readCustomers, readInvoiceLines, readProviderCustomers, type InvoiceRecord } from '#persistence';
import { assert, type DocumentRef, type InvoiceDocument } from '#platform';

/** The field of a customer's metadata that names what to charge, as a token of the payment provider. */
const paymentMethodField = 'payment_method';

/** What a payment provider finds the invoice by. */
export async function toDocumentRef(manager: EntityManager, options: { invoice: InvoiceRecord; provider: string }): Promise<DocumentRef> {
  const [ref] = await toDocumentRefs(manager, { invoices: [options.invoice], provider: options.provider });
  assert(ref !== undefined, 'Each invoice has its document.');
  return ref;
}

/** Of invoices of one organization, in their order. */
async function toDocumentRefs(manager: EntityManager, options: { invoices: readonly InvoiceRecord[]; provider: string }): Promise<DocumentRef[]> {
  const { invoices, provider } = options;
  const [first] = invoices;
  if (first === undefined) return [];
  const customerIds = [...new Set(invoices.map(({ customerId }) => customerId))];
  const customers = new Map((await readCustomers(manager, customerIds)).map((customer) => [customer.id, customer]));
  const known = await readProviderCustomers(manager, { organizationId: first.organizationId, provider, customerIds });
  return invoices.map((invoice) => {
    const customer = customers.get(invoice.customerId);
    assert(customer !== undefined, 'An invoice belongs to a customer.');
    const atProvider = known.get(customer.id);
    return {
      id: invoice.id,
      party: {
        id: customer.id, name: customer.name, email: customer.email, providerId: atProvider?.providerId ?? null,
        paymentMethod: customer.metadata[paymentMethodField] ?? null, firstPushAt: atProvider?.firstPushAt ?? null,
      },
      currency: invoice.currency,
      minorDigits: currencyDigits(invoice.currency),
      providerId: invoice.provider === provider ? invoice.providerInvoiceId : null,
    };
  });
}

/** Issued invoices of one organization as the payment provider is to show them, in their order: the same lines, each whole. */
export async function toInvoiceDocuments(manager: EntityManager, options: { invoices: readonly InvoiceRecord[]; provider: string }): Promise<InvoiceDocument[]> {
  const { invoices } = options;
  const [first] = invoices;
  if (first === undefined) return [];
  const refs = await toDocumentRefs(manager, options);
  const lines = await readInvoiceLines(manager, { organizationId: first.organizationId, invoiceIds: invoices.map(({ id }) => id) });
  return invoices.map((invoice, place) => {
    const ref = refs[place];
    assert(ref !== undefined && invoice.number !== null && invoice.issuedAt !== null, 'Only an issued invoice is pushed.');
    return {
      ...ref,
      number: invoice.number,
      collection: invoice.collection === 'automatic' ? { kind: 'automatic' } : { kind: 'send_invoice', daysUntilDue: invoice.daysUntilDue ?? daysUntilDueDefault },
      lines: (lines.get(invoice.id) ?? []).map(({ id, description, amountMinor, period }) => ({ id, description, amountMinor, period })),
      amountDueMinor: invoice.amountDueMinor,
      metadata: { tollway_subscription: invoice.subscriptionId, tollway_number: invoice.number },
    };
  });
}
