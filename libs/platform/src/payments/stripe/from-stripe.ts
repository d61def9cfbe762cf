import type Stripe from 'stripe';

import { Fault } from '../../errors/fault.js';
import type { CountedCurrency } from '../payment-limits.js';
import type { ProviderInvoice, ProviderLine, ProviderStatus } from '../payment-outcome.js';

import { metadataKeys } from './metadata-keys.js';
import { fromStripeAmount } from './stripe-currency.js';

export function toProviderInvoice(invoice: Stripe.Invoice, counted: CountedCurrency): ProviderInvoice {
  return {
    providerId: invoice.id,
    partyProviderId: idOf(invoice.customer),
    documentId: invoice.metadata?.[metadataKeys.document] ?? null,
    number: invoice.number,
    status: toStatus(invoice.status),
    totalMinor: toMinor(invoice.total, counted),
    amountDueMinor: toMinor(invoice.amount_due, counted),
    amountPaidMinor: toMinor(invoice.amount_paid, counted),
  };
}

export function toProviderLine(line: Stripe.InvoiceLineItem, counted: CountedCurrency): ProviderLine {
  return { lineId: line.metadata[metadataKeys.line] ?? null, description: line.description, amountMinor: toMinor(line.amount, counted) };
}

function toMinor(amount: number, counted: CountedCurrency): bigint {
  const minor = fromStripeAmount(amount, counted);
  if (minor !== null) return minor;
  throw unreadable(`Stripe's amount ${amount} is finer than our ${counted.currency}.`);
}

const statuses: readonly ProviderStatus[] = ['draft', 'open', 'paid', 'void', 'uncollectible'];

function toStatus(status: string | null): ProviderStatus {
  const known = statuses.find((candidate) => candidate === status);
  if (known === undefined) throw unreadable(`Stripe's invoice status ${String(status)} is unknown here.`);
  return known;
}

function idOf(customer: Stripe.Invoice['customer']): string {
  if (customer === null) throw unreadable('Stripe names no customer for an invoice.');
  return typeof customer === 'string' ? customer : customer.id;
}

function unreadable(detail: string): Fault {
  return new Fault({ code: 'payment_provider_unreadable', detail, retryable: false });
}
