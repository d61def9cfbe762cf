import { StripePaymentProvider } from '#platform';
import type { Party, StripePaymentProviderOptions } from '#platform';

import { attachCard } from './payment-methods.js';
import type { TestMethod } from './payment-provider-contract.js';
import { ManualClock } from './manual-clock.js';
import { StripeDouble } from './stripe-double.js';
import type { StripeDoubleOptions } from './stripe-double.js';

export const webhookSecret = 'whsec_double';

/** A double and the means to speak to it. Where TOLLWAY_STRIPE_MOCK is set, every request is held against Stripe's OpenAPI too. */
export interface StripeFixture {
  readonly double: StripeDouble;
  readonly clock: ManualClock;
  newProvider(options?: Partial<StripePaymentProviderOptions>): StripePaymentProvider;
}

export async function openStripeFixture(options: StripeDoubleOptions = {}): Promise<StripeFixture> {
  const clock = new ManualClock(Temporal.Instant.from('2026-11-01T00:00:00Z'));
  const schemaMirrorUrl = stripeMockUrl();
  const double = await StripeDouble.start({ clock, ...(schemaMirrorUrl === null ? {} : { schemaMirrorUrl }), ...options });
  const newProvider = (changes: Partial<StripePaymentProviderOptions> = {}): StripePaymentProvider => {
    return new StripePaymentProvider({ apiKey: double.apiKey, apiBase: double.url, webhookSecrets: [webhookSecret], clock, requestsPerSecond: 1000, timeoutMs: 5_000, ...changes });
  };
  return { double, clock, newProvider };
}

export function stripeMockUrl(): string | null {
  return process.env['TOLLWAY_STRIPE_MOCK'] ?? process.env['STRIPE_MOCK_URL'] ?? null;
}

/** Gives the party a customer at Stripe, as a portal would have made it, with a card that pays or is declined. */
export function preparedAtStripe(double: StripeDouble, party: Party, method: TestMethod): Party {
  const { state } = double;
  const id = party.providerId ?? state.newId('cus');
  const row = state.customers.get(id) ?? { id, created: state.nowSeconds(), name: party.name, email: party.email, metadata: { tollway_customer: party.id }, balance: 0, defaultPaymentMethod: null, deleted: false };
  state.customers.set(id, row);
  const card = attachCard(state, { token: method === 'pays' ? 'pm_card_visa' : 'pm_card_chargeDeclined', customer: id });
  row.defaultPaymentMethod = card.id;
  return { ...party, providerId: id, paymentMethod: card.id };
}

/** Payments that were taken for the documents with this id, in Stripe's units. */
export function stripePaymentsOf(double: StripeDouble, documentId: string): readonly number[] {
  const invoices = [...double.state.invoices.values()].filter((invoice) => invoice.metadata['tollway_invoice'] === documentId);
  return double.state.payments.filter((payment) => invoices.some((invoice) => invoice.id === payment.invoice)).map((payment) => payment.amount);
}
