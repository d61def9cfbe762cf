import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { push } from './payment-provider-contract.js';
import { sampleDocument, sampleLine, sampleParty } from './sample-documents.js';
import { openStripeFixture, preparedAtStripe, stripePaymentsOf } from './stripe-fixture.js';
import type { StripeFixture } from './stripe-fixture.js';

let fixture: StripeFixture;
beforeEach(async () => {
  fixture = await openStripeFixture({ cardOfNewCustomers: 'pm_card_visa' });
});
afterEach(async () => {
  expect(fixture.double.schemaFaults).toEqual([]);
  await fixture.double.close();
});

const onlyInvoice = (): string => [...fixture.double.state.invoices.keys()][0] ?? '';

/** A push that ends right after the call at that path, as if the process died there. */
async function pushUntil(match: string): Promise<void> {
  fixture.double.script({ match, outcome: 'cut_after' });
  expect(await fixture.newProvider().pushInvoice(sampleDocument())).toMatchObject({ kind: 'unknown' });
}

describe('nothing is charged', () => {
  it('when somebody added a line to our draft', async () => {
    await pushUntil('POST /v1/invoices/*/add_lines');
    const { state } = fixture.double;
    state.invoices.get(onlyInvoice())?.lines.push({ id: 'il_x', itemId: 'ii_x', amount: 100, description: 'by hand', metadata: {}, period: { start: 0, end: 0 }, discountable: true });
    expect(await fixture.newProvider().pushInvoice(sampleDocument())).toMatchObject({ kind: 'refused', code: 'lines_differ' });
    expect(state.payments).toEqual([]);
  });

  it('when somebody changed the amount of our line', async () => {
    await pushUntil('POST /v1/invoices/*/add_lines');
    const line = fixture.double.state.invoices.get(onlyInvoice())?.lines[0];
    if (line !== undefined) line.amount += 1;
    expect(await fixture.newProvider().pushInvoice(sampleDocument())).toMatchObject({ kind: 'refused', code: 'lines_differ' });
  });

  it('when a balance at Stripe would pay a part of it', async () => {
    const party = preparedAtStripe(fixture.double, sampleParty(), 'pays');
    const customer = fixture.double.state.customers.get(party.providerId ?? '');
    if (customer !== undefined) customer.balance = -500;
    const outcome = await fixture.newProvider().pushInvoice(sampleDocument({ party }));
    expect(outcome).toMatchObject({ kind: 'refused', code: 'amount_mismatch', detail: expect.stringContaining('a total of 6000 and 5500 due in usd') as unknown });
    expect(fixture.double.state.invoices.get(onlyInvoice())?.status).toBe('draft');
  });

  it('when two invoices carry our id', async () => {
    await pushUntil('POST /v1/invoices');
    const { state } = fixture.double;
    const first = state.invoices.get(onlyInvoice());
    if (first !== undefined) state.invoices.set('in_copy', { ...first, id: 'in_copy' });
    expect(await fixture.newProvider().pushInvoice(sampleDocument())).toMatchObject({ kind: 'refused', code: 'duplicate_documents' });
  });

  it('when the id that we stored is of another document', async () => {
    const done = await push(fixture.newProvider(), sampleDocument());
    const other = sampleDocument({ id: 'inv_02', providerId: done.invoice.providerId });
    expect(await fixture.newProvider().pushInvoice(other)).toMatchObject({ kind: 'refused', code: 'foreign_document' });
    expect(fixture.double.state.payments).toHaveLength(1);
  });

  it('with a key that Stripe does not know', async () => {
    const outcome = await fixture.newProvider({ apiKey: 'sk_test_old' }).pushInvoice(sampleDocument());
    expect(outcome).toMatchObject({ kind: 'refused', code: 'credentials_refused' });
    expect(JSON.stringify(outcome)).not.toContain('sk_test_old');
  });

  it('when Stripe can not be reached', async () => {
    const outcome = await fixture.newProvider({ apiBase: 'http://127.0.0.1:1' }).pushInvoice(sampleDocument());
    expect(outcome).toMatchObject({ kind: 'retry_later', call: 'list_customers', known: { providerId: null } });
  });
});

describe('the currency', () => {
  it.each([
    ['BHD', 3, 1234n, 'finer_than_step'],
    ['USD', 2, 49n, 'below_minimum'],
  ] as const)('%s with %i digits does not carry %s: %s', async (currency, minorDigits, amount, verdict) => {
    const outcome = await fixture.newProvider().pushInvoice(sampleDocument({ currency, minorDigits, lines: [sampleLine('il_1', amount)] }));
    expect(outcome).toMatchObject({ kind: 'refused', code: 'amount_not_payable', detail: expect.stringContaining(verdict) as unknown });
    expect(fixture.double.journal).toEqual([]);
  });

  it.each([
    ['BHD', 3, 1230n, 1230],
    ['ISK', 0, 1250n, 125_000],
    ['UGX', 0, 5000n, 500_000],
  ] as const)('%s with %i digits: %s are charged as %i', async (currency, minorDigits, amount, charged) => {
    const done = await push(fixture.newProvider(), sampleDocument({ currency, minorDigits, lines: [sampleLine('il_1', amount)] }));
    expect(done.invoice).toMatchObject({ status: 'paid', amountPaidMinor: amount });
    expect(stripePaymentsOf(fixture.double, 'inv_01')).toEqual([charged]);
  });

  it('whose minimum is not published may turn out too small: what Stripe put on the balance is not taken for paid', async () => {
    const outcome = await fixture.newProvider().pushInvoice(sampleDocument({ currency: 'CNY', lines: [sampleLine('il_1', 10n)] }));
    expect(outcome).toMatchObject({ kind: 'refused', code: 'amount_mismatch', detail: expect.stringContaining('paid invoice') as unknown });
    expect(fixture.double.state.payments).toEqual([]);
  });
});

describe('what was undone by hand', () => {
  it('is made again when it was our draft', async () => {
    await pushUntil('POST /v1/invoices/*/add_lines');
    fixture.double.state.invoices.clear();
    expect((await push(fixture.newProvider(), sampleDocument())).payment).toEqual({ status: 'taken' });
    expect(fixture.double.journal.filter((entry) => entry.path === '/v1/invoices' && entry.method === 'POST').map((entry) => entry.idempotencyKey)).toEqual([
      'inv_01:create_invoice:1',
      'inv_01:create_invoice:1',
      'inv_01:create_invoice:2',
    ]);
    expect(fixture.double.state.invoices.size).toBe(1);
  });

  it('is added again when it was our lines', async () => {
    await pushUntil('POST /v1/invoices/*/add_lines');
    const invoice = fixture.double.state.invoices.get(onlyInvoice());
    if (invoice !== undefined) invoice.lines = [];
    expect((await push(fixture.newProvider(), sampleDocument())).invoice.totalMinor).toBe(6000n);
    expect(invoice?.lines).toHaveLength(4);
  });
});

describe('the payment', () => {
  it('has failed when the party has no card, and the document is open', async () => {
    await fixture.double.close();
    fixture = await openStripeFixture();
    expect(await fixture.newProvider().pushInvoice(sampleDocument())).toMatchObject({ kind: 'done', invoice: { status: 'open' }, payment: { status: 'failed', code: 'payment_method_unusable' } });
  });

  it('is pending while the bank thinks, and is asked for once', async () => {
    await fixture.double.close();
    fixture = await openStripeFixture({ cardOfNewCustomers: 'pm_usBankAccount_processing' });
    const pending = { invoice: { status: 'open' }, payment: { status: 'pending' } };
    expect(await push(fixture.newProvider(), sampleDocument())).toMatchObject(pending);
    expect(await push(fixture.newProvider(), sampleDocument())).toMatchObject(pending);
    fixture.double.confirmProcessing(onlyInvoice());
    expect(await push(fixture.newProvider(), sampleDocument())).toMatchObject({ invoice: { status: 'paid' }, payment: { status: 'taken' } });
    expect(stripePaymentsOf(fixture.double, 'inv_01')).toEqual([6000]);
  });
});

describe('the calls', () => {
  it('carry our ids, our number, whole amounts and a key each', async () => {
    await push(fixture.newProvider(), sampleDocument({ collection: { kind: 'send_invoice', daysUntilDue: 14 } }));
    const posts = fixture.double.journal.filter((entry) => entry.method === 'POST');
    expect(posts.map((entry) => entry.idempotencyKey)).toEqual(['cus_01:create_customer:1', 'inv_01:create_invoice:1', expect.stringMatching(/^inv_01:add_lines\.[0-9a-f]{16}:1$/), 'inv_01:finalize:1']);
    expect(posts[1]?.params).toEqual({
      customer: expect.stringMatching(/^cus_/) as unknown,
      number: 'TW-0001',
      currency: 'usd',
      auto_advance: 'false',
      pending_invoice_items_behavior: 'exclude',
      discounts: '',
      automatic_tax: { enabled: 'false' },
      metadata: { subscription: 'sub_01', tollway_invoice: 'inv_01' },
      collection_method: 'send_invoice',
      days_until_due: '14',
    });
    // 2026-10-01T00:00Z is 1790812800, and October has 31 * 86400 = 2678400 seconds.
    expect((posts[2]?.params['lines'] as unknown[])[3]).toEqual({
      amount: '-134',
      description: 'Line il_4',
      discountable: 'false',
      metadata: { tollway_line: 'il_4' },
      period: { start: '1790812800', end: '1793491200' },
    });
    expect(posts[0]?.headers).toMatchObject({ authorization: 'Bearer sk_test_double', 'stripe-version': '2026-10-28.endive' });
  });

  it('do not take up items that wait at Stripe, nor finalize by themselves', async () => {
    const party = preparedAtStripe(fixture.double, sampleParty(), 'pays');
    const line = { id: 'il_w', itemId: 'ii_w', amount: 900, description: 'waiting', metadata: {}, period: { start: 0, end: 0 }, discountable: true };
    fixture.double.state.items.set('ii_w', { id: 'ii_w', created: 0, customer: party.providerId ?? '', invoice: null, currency: 'usd', line });
    expect((await push(fixture.newProvider(), sampleDocument({ party }))).invoice.totalMinor).toBe(6000n);
    expect(fixture.double.state.items.get('ii_w')?.invoice).toBeNull();
  });

  it('do not look through all new customers for each new one, but find one of yesterday whose mailbox changed', async () => {
    const party = sampleParty({ firstPushAt: fixture.clock.now() });
    fixture.double.script({ match: 'POST /v1/customers', outcome: 'cut_after' });
    await fixture.newProvider().pushInvoice(sampleDocument({ party }));
    expect(fixture.double.journal.map((entry) => Object.keys(entry.params))).toEqual([['email', 'limit'], ['name', 'email', 'metadata']]);
    fixture.clock.advance(25 * 3_600_000);
    await push(fixture.newProvider(), sampleDocument({ party: { ...party, email: 'new@acme.example' } }));
    expect(fixture.double.state.customers.size).toBe(1);
  });

  it('leave a number that is too long for Stripe to the memo', async () => {
    const number = 'ACME-INTERNATIONAL-2026-000001'; // 30 characters
    await push(fixture.newProvider(), sampleDocument({ number }));
    expect(fixture.double.state.invoices.get(onlyInvoice())?.description).toBe(number);
  });

  it('are never repeated by the SDK itself', async () => {
    for (const outcome of ['cut_before', 'error_before'] as const) {
      fixture.double.journal.length = 0;
      fixture.double.script({ match: '*', outcome });
      await fixture.newProvider().pushInvoice(sampleDocument());
      expect(fixture.double.journal).toHaveLength(1);
    }
  });

  it('stay within our rate, so that a limit of Stripe is never met', async () => {
    await fixture.double.close();
    fixture = await openStripeFixture({ cardOfNewCustomers: 'pm_card_visa', perSecondMax: 50 });
    const provider = fixture.newProvider({ requestsPerSecond: 25 });
    for (let index = 0; index < 20; index += 1) {
      const party = sampleParty({ id: `cus_${index}`, email: `${index}@acme.example` });
      await push(provider, sampleDocument({ id: `inv_${index}`, party }));
    }
    expect(fixture.double.journal.filter((entry) => entry.status === 429)).toEqual([]);
    expect(fixture.double.journal).toHaveLength(180); // nine calls each
  });

  it('fold what is more than Stripe holds into one last line, to the same total', async () => {
    // 300 lines of 1 cent: 249 stay, 51 are one line.
    const lines = Array.from({ length: 300 }, (_, index) => sampleLine(`il_${index}`, 1n));
    const done = await push(fixture.newProvider(), sampleDocument({ lines }));
    expect(done.invoice.totalMinor).toBe(300n);
    const there = fixture.double.state.invoices.get(onlyInvoice())?.lines ?? [];
    expect([there.length, there.at(-1)?.amount, there.at(-1)?.description]).toEqual([250, 51, '51 further lines']);
    expect(await push(fixture.newProvider(), sampleDocument({ lines }))).toEqual(done);
  });
});
