import { MemorySandboxStore, SandboxPaymentProvider } from '#platform';
import { expect } from 'vitest';

import { paymentProviderContract } from './payment-provider-contract.js';
import { openStripeFixture, preparedAtStripe, stripePaymentsOf } from './stripe-fixture.js';

paymentProviderContract('stripe on the double', async () => {
  const { double, newProvider } = await openStripeFixture();
  return {
    provider: newProvider(),
    reopen: () => newProvider(),
    prepareParty: (party, method) => Promise.resolve(preparedAtStripe(double, party, method)),
    paymentsOf: (documentId) => Promise.resolve(stripePaymentsOf(double, documentId).map(BigInt)),
    close: async () => {
      expect(double.schemaFaults).toEqual([]);
      await double.close();
    },
  };
});

paymentProviderContract('sandbox', () => {
  const store = new MemorySandboxStore();
  return Promise.resolve({
    provider: new SandboxPaymentProvider(store),
    reopen: () => new SandboxPaymentProvider(store),
    prepareParty: (party, method) => Promise.resolve({ ...party, paymentMethod: method === 'pays' ? 'pm_card_visa' : 'pm_fail' }),
    paymentsOf: async (documentId) => {
      const invoice = await store.find(documentId);
      return (invoice?.payments ?? []).filter((payment) => payment.status === 'taken').map(() => BigInt(invoice?.amountDueMinor ?? 0));
    },
    close: () => Promise.resolve(),
  });
});
