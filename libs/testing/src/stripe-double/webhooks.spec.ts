import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { WebhookRequest, WebhookVerdict } from '#platform';
import { describe, expect, it } from 'vitest';

import { ManualClock } from './manual-clock.js';
import { push } from './payment-provider-contract.js';
import { sampleDocument } from './sample-documents.js';
import { openStripeFixture, webhookSecret } from './stripe-fixture.js';
import type { StripeFixture } from './stripe-fixture.js';

function requestOf(signed: { body: string; signature: string }): WebhookRequest {
  return { rawBody: signed.body, headers: { 'stripe-signature': signed.signature } };
}

async function withPaidInvoice(check: (fixture: StripeFixture) => void | Promise<void>): Promise<void> {
  const fixture = await openStripeFixture({ cardOfNewCustomers: 'pm_card_visa' });
  await push(fixture.newProvider(), sampleDocument());
  await check(fixture);
  await fixture.double.close();
}

describe('webhooks of Stripe', () => {
  it('say what happened to which document, and leave out what says nothing to us', () =>
    withPaidInvoice(({ double, newProvider }) => {
      const verdicts = [...double.state.events.values()].map((event) => newProvider().parseWebhook(requestOf(double.signed(event, webhookSecret))));
      const said = verdicts.map((verdict) => (verdict.kind === 'event' ? verdict.event.type : verdict.kind === 'ignored' ? `ignored ${verdict.type}` : verdict.code));
      expect(said).toEqual(['ignored customer.created', 'ignored invoice.created', 'ignored invoice.updated', 'finalized', 'paid', 'paid']);
      const paid = verdicts.at(-1) as Extract<WebhookVerdict, { kind: 'event' }>;
      expect(paid.event).toMatchObject({ documentId: 'inv_01', providerId: [...double.state.invoices.keys()][0] });
      expect(paid.event.createdAt.toString()).toBe('2026-11-01T00:00:00Z');
    }));

  it('map the closing and the failing of invoices', async () => {
    const { double, newProvider } = await openStripeFixture({ cardOfNewCustomers: 'pm_card_chargeDeclined' });
    const document = sampleDocument();
    await push(newProvider(), document);
    await newProvider().markUncollectible(document);
    await newProvider().voidInvoice(document);
    const types = [...double.state.events.values()].map((event) => newProvider().parseWebhook(requestOf(double.signed(event, webhookSecret)))).flatMap((verdict) => (verdict.kind === 'event' ? [verdict.event.type] : []));
    expect(types).toEqual(['finalized', 'payment_failed', 'marked_uncollectible', 'voided']);
    await double.close();
  });

  it('are refused when forged, altered, old, unsigned or signed with a secret that was withdrawn', () =>
    withPaidInvoice(({ double, clock, newProvider }) => {
      const event = [...double.state.events.values()].at(-1);
      if (event === undefined) throw new Error('There is an event.');
      const provider = newProvider({ webhookSecrets: ['whsec_new', webhookSecret] });
      const signed = double.signed(event, webhookSecret);
      const invalid = { kind: 'refused', code: 'signature_invalid' };
      expect(provider.parseWebhook(requestOf(signed))).toMatchObject({ kind: 'event' });
      expect(provider.parseWebhook(requestOf(double.signed(event, 'whsec_new')))).toMatchObject({ kind: 'event' });
      expect(provider.parseWebhook(requestOf(double.signed(event, 'whsec_wrong')))).toMatchObject(invalid);
      expect(provider.parseWebhook(requestOf({ ...signed, body: signed.body.replace('6000', '6001') }))).toMatchObject(invalid);
      expect(provider.parseWebhook({ rawBody: signed.body, headers: {} })).toMatchObject(invalid);
      expect(newProvider({ webhookSecrets: [] }).parseWebhook(requestOf(signed))).toMatchObject(invalid);
      clock.advance(300_000);
      expect(provider.parseWebhook(requestOf(signed))).toMatchObject({ kind: 'event' }); // five minutes, inclusive
      clock.advance(1_000);
      expect(provider.parseWebhook(requestOf(signed))).toMatchObject(invalid);
    }));

  it('are verified over the bytes that came', () =>
    withPaidInvoice(({ double, newProvider }) => {
      const event = [...double.state.events.values()].at(-1);
      if (event === undefined) throw new Error('There is an event.');
      const signed = double.signed(event, webhookSecret);
      expect(newProvider().parseWebhook({ ...requestOf(signed), rawBody: new TextEncoder().encode(signed.body) })).toMatchObject({ kind: 'event' });
    }));

  it('are sent to the endpoint as they happen, and again when it fails', async () => {
    const received: WebhookVerdict[] = [];
    let failures = 1;
    const { clock, endpoint, close } = await listenForWebhooks((request) => {
      received.push(fixture.newProvider().parseWebhook(request));
      failures -= 1;
      return failures >= 0 ? 500 : 200;
    });
    const fixture = await openStripeFixture({ clock, cardOfNewCustomers: 'pm_card_visa', webhook: { url: endpoint, secret: webhookSecret } });
    await push(fixture.newProvider({ clock }), sampleDocument());
    await fixture.double.webhooksIdle();
    expect(received.map((verdict) => (verdict.kind === 'event' ? verdict.event.type : verdict.kind))).toEqual(['ignored', 'ignored', 'ignored', 'ignored', 'finalized', 'paid', 'paid']);
    await fixture.double.close();
    await close();
  });
});

async function listenForWebhooks(answer: (request: WebhookRequest) => number): Promise<{ clock: ManualClock; endpoint: string; close: () => Promise<void> }> {
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => outgoing.writeHead(answer({ rawBody: Buffer.concat(chunks), headers: incoming.headers })).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { clock: new ManualClock(Temporal.Instant.from('2026-11-01T00:00:00Z')), endpoint: `http://127.0.0.1:${port}/v1/webhooks/stripe`, close };
}
