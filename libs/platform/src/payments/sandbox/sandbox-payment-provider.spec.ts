import { describe, expect, it } from 'vitest';

import type { InvoiceDocument } from '../payment-document.js';

import { sandboxMethods } from './sandbox-methods.js';
import { SandboxPaymentProvider } from './sandbox-payment-provider.js';
import { MemorySandboxStore } from './sandbox-store.js';

function documentPaidBy(paymentMethod: string | null): InvoiceDocument {
  return {
    id: 'inv_1',
    number: 'TW-1',
    party: { id: 'cus_1', name: 'Acme', email: null, providerId: null, paymentMethod, firstPushAt: null },
    currency: 'USD',
    minorDigits: 2,
    providerId: null,
    collection: { kind: 'automatic' },
    lines: [{ id: 'il_1', description: 'Requests', amountMinor: 1n, period: null }],
    amountDueMinor: 1n,
    metadata: {},
  };
}

describe('the sandbox, by payment method', () => {
  it('takes a payment without any method, down to one cent', async () => {
    const provider = new SandboxPaymentProvider(new MemorySandboxStore());
    expect(await provider.pushInvoice(documentPaidBy(null))).toMatchObject({ kind: 'done', payment: { status: 'taken' }, invoice: { amountPaidMinor: 1n } });
  });

  it('pm_fail_once declines the push and takes the next payment', async () => {
    const provider = new SandboxPaymentProvider(new MemorySandboxStore());
    const document = documentPaidBy(sandboxMethods.failOnce);
    expect(await provider.pushInvoice(document)).toMatchObject({ kind: 'done', payment: { status: 'failed' }, invoice: { status: 'open' } });
    expect(await provider.pay({ document, paymentId: 'inv_1' })).toMatchObject({ payment: { status: 'failed' } }); // the push's own payment, again
    expect(await provider.pay({ document, paymentId: 'pay_1' })).toMatchObject({ payment: { status: 'taken' }, invoice: { status: 'paid' } });
  });

  it('pm_lost_answer takes the payment, which only the next push tells', async () => {
    const provider = new SandboxPaymentProvider(new MemorySandboxStore());
    const document = documentPaidBy(sandboxMethods.lostAnswer);
    expect(await provider.pushInvoice(document)).toMatchObject({ kind: 'unknown' });
    expect(await provider.pushInvoice(document)).toMatchObject({ kind: 'done', payment: { status: 'taken' } });
  });

  it('refuses the same id with other lines', async () => {
    const provider = new SandboxPaymentProvider(new MemorySandboxStore());
    await provider.pushInvoice(documentPaidBy(null));
    const changed = { ...documentPaidBy(null), amountDueMinor: 2n, lines: [{ id: 'il_1', description: 'Requests', amountMinor: 2n, period: null }] };
    expect(await provider.pushInvoice(changed)).toMatchObject({ kind: 'refused', code: 'amount_mismatch' });
  });

  it('has no webhooks to verify', () => {
    expect(new SandboxPaymentProvider(new MemorySandboxStore()).parseWebhook()).toMatchObject({ kind: 'refused', code: 'not_supported' });
  });
});
