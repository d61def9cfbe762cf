import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

import { describe, expect, it, onTestFinished } from 'vitest';

import { describeWith } from '../services/describe-with.js';

import { push } from './payment-provider-contract.js';
import { sampleDocument, sampleLine, sampleParty } from './sample-documents.js';
import { openStripeFixture, preparedAtStripe, stripeMockUrl } from './stripe-fixture.js';

// Goal: every kind of request that the Stripe adapter makes passes Stripe's own OpenAPI, as stripe-mock holds it.

const body = (): void => {
  it('accepts every request of a push, a payment, a voiding and a giving up', async () => {
    const mock = await openStripeMock();
    onTestFinished(mock.close);
    const { double, newProvider } = await openStripeFixture({ schemaMirrorUrl: mock.url, cardOfNewCustomers: 'pm_card_visa' });
    const provider = newProvider();
    const lines = Array.from({ length: 120 }, (_, index) => sampleLine(`il_${index}`, BigInt(index - 10)));
    const automatic = sampleDocument({ lines });
    await push(provider, automatic);
    await provider.fetchInvoice({ ...automatic, party: { ...automatic.party, email: null, firstPushAt: Temporal.Instant.from('2026-11-01T00:00:00Z') } });

    const party = preparedAtStripe(double, sampleParty({ id: 'cus_02', email: 'two@acme.example' }), 'declines');
    const byMail = sampleDocument({ id: 'inv_02', party, collection: { kind: 'send_invoice', daysUntilDue: 30 } });
    await push(provider, byMail);
    await provider.pay({ document: byMail, paymentId: 'pay_1' });
    await provider.markUncollectible(byMail);
    await provider.voidInvoice(byMail);

    double.script({ match: 'POST /v1/invoices', outcome: 'cut_after' });
    const draft = sampleDocument({ id: 'inv_03', party });
    await provider.pushInvoice(draft);
    expect(await provider.voidInvoice(draft)).toEqual({ kind: 'done', invoice: null });

    expect(double.schemaFaults).toEqual([]);
    const kinds = new Set(double.journal.map((entry) => `${entry.method} ${entry.path.replace(/(in|cus|pm)_\w+/, '*')}`));
    expect([...kinds].sort()).toEqual([
      'DELETE /v1/invoices/*',
      'GET /v1/customers',
      'GET /v1/invoices',
      'GET /v1/invoices/*',
      'GET /v1/invoices/*/lines',
      'POST /v1/customers',
      'POST /v1/invoices',
      'POST /v1/invoices/*/add_lines',
      'POST /v1/invoices/*/finalize',
      'POST /v1/invoices/*/mark_uncollectible',
      'POST /v1/invoices/*/pay',
      'POST /v1/invoices/*/void',
    ]);
    expect(double.schemaChecked).toBe(double.journal.length);
    await double.close();
  });

  it('notices a request that Stripe does not know', async () => {
    const mock = await openStripeMock();
    onTestFinished(mock.close);
    const { double } = await openStripeFixture({ schemaMirrorUrl: mock.url });
    await fetch(`${double.url}/v1/invoices`, { method: 'POST', headers: { authorization: `Bearer ${double.apiKey}` }, body: 'customer=cus_1&nonsense=1' });
    expect(double.schemaFaults).toMatchObject([{ method: 'POST', path: '/v1/invoices', status: 400 }]);
    await double.close();
  });
};

const name = "the adapter's requests, by Stripe's OpenAPI";
if (stripeMockUrl() === null) describeWith('stripe-mock', name, body);
else describe(name, body);

/** The stripe-mock that the environment names, or else one of our own from PATH. */
async function openStripeMock(): Promise<{ url: string; close: () => Promise<void> }> {
  const given = stripeMockUrl();
  if (given !== null) return { url: given, close: () => Promise.resolve() };
  const [port, securePort] = [await freePort(), await freePort()];
  const child = spawn('stripe-mock', ['-http-port', `${port}`, '-https-port', `${securePort}`], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  await answers(url);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const close = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  return { url, close };
}

async function answers(url: string): Promise<void> {
  const triesMax = 100;
  for (let tries = 0; tries < triesMax; tries += 1) {
    const up = await fetch(url).then(() => true, () => false);
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('stripe-mock did not answer within 10 s.');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
