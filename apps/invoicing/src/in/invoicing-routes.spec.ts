import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { ownerScopes } from '#contracts';
import { createHttpApp, makeIds, makeLogger, systemClock } from '#platform';
import { StripeDouble, usePostgres } from '#testing';
import { InvoicingModule, type InvoicingAdapters } from '../invoicing.module.js';
import { flat, InvoicingFixture, perUnit } from '../testing/invoicing-fixture.js';

usePostgres();
const logger = makeLogger({ name: 'test', level: 'silent' });
const webhookSecret = 'whsec_double';

let fixture: InvoicingFixture;
let app: NestFastifyApplication;
let double: StripeDouble | null = null;

afterEach(async () => {
  await app.close();
  await fixture.close();
  await double?.close();
  double = null;
});

async function open(options: { mode?: 'test' | 'live'; adapters?: Partial<InvoicingAdapters> } = {}): Promise<void> {
  fixture = await InvoicingFixture.open(options.mode === undefined ? {} : { mode: options.mode });
  const { database, log, jobs } = fixture;
  // Looks so seldom that each test says itself when something happens.
  const module = InvoicingModule.register({
    database, log, jobs, clock: systemClock, ids: makeIds(), logger, serverSecret: 'a secret of a test server', stripe: null, allowStripeBase: true, sweepEveryMs: 3_600_000,
    ...options.adapters,
  });
  const authenticator = {
    authenticate: (credential: string) => Promise.resolve(
      credential.startsWith('org_') ? { organizationId: credential, mode: 'test' as const, credentialId: 'key_1', scopes: new Set(ownerScopes) } : null),
  };
  app = await createHttpApp({ module, logger, authenticator, decimalFields: new Set() });
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
}

async function call(method: 'GET' | 'POST' | 'PUT', url: string, options: { body?: unknown; as?: string; headers?: Record<string, string> } = {}) {
  const payload = typeof options.body === 'string' ? options.body : options.body === undefined ? undefined : JSON.stringify(options.body);
  const response = await app.inject({
    method, url, headers: { authorization: `Bearer ${options.as ?? 'org_a'}`, ...(payload === undefined ? {} : { 'content-type': 'application/json' }), ...options.headers },
    ...(payload === undefined ? {} : { payload }),
  });
  return { status: response.statusCode, body: JSON.parse(response.body) };
}

/** One open or paid invoice of 49.00, as the payment method has it. */
async function oneInvoice(options: { paymentMethod?: string; collection?: 'automatic' | 'send_invoice' } = {}): Promise<string> {
  await fixture.plan([flat({ id: 'price_base', amount: '49.00' })]);
  await fixture.customer('cus_a', options.paymentMethod === undefined ? {} : { payment_method: options.paymentMethod });
  await fixture.setClock('2026-01-01T00:00:00Z');
  await fixture.subscribe({ id: 'sub_a', startAt: '2026-01-01T00:00:00Z', collection: options.collection ?? 'automatic' });
  const adapters = double === null ? {} : { stripe: { apiKey: double.apiKey, webhookSecret, apiBase: double.url } };
  await fixture.settle(fixture.use(adapters));
  const [first] = await fixture.invoices();
  if (first === undefined) throw new Error('The subscription has been billed.');
  return first.invoice.id;
}

describe('late usage', () => {
  it('is listed with what it comes to, what will become of it, and what has', async () => {
    await open();
    await fixture.plan([perUnit({ id: 'price_calls', amount: '0.01' })]);
    await fixture.customer();
    await fixture.setClock('2026-01-01T00:00:00Z');
    await fixture.subscribe({ id: 'sub_a', startAt: '2026-01-01T00:00:00Z' });
    fixture.rating().quantityOf = ({ periodIndex }) => (periodIndex === 1 ? '100' : '0');
    await fixture.advance('2026-02-02T00:00:00Z');
    expect((await call('GET', '/v1/late-usage')).body).toEqual({ data: [], has_more: false });
    fixture.rating().quantityOf = ({ periodIndex }) => (periodIndex === 1 ? '150' : '0');
    await fixture.rating().rateClosed('sub_a');
    const { status, body } = await call('GET', '/v1/late-usage?customer=cus_a-key&state=open');
    expect(status).toBe(200);
    expect(body.data).toEqual([{
      id: 'sub_a:1', object: 'late_usage', customer: 'cus_a', subscription: 'sub_a', plan: 'plan_a', plan_version: 1, currency: 'USD', state: 'open',
      period: { start: '2026-01-01T00:00:00Z', end: '2026-02-01T00:00:00Z' }, policy: { policy: 'next_invoice' },
      invoiced: '1.00', absorbed: '0.00', rated: '1.50', difference: '0.50', will_bill: '0.50', will_absorb: '0.00',
      lines: [{ price: 'price_calls', price_key: 'calls', group: {}, quantity: '150', invoiced: '1.00', absorbed: '0.00', rated: '1.50', difference: '0.50' }],
      settlements: [], complete_as_of: expect.any(String),
    }]);
    await fixture.advance('2026-03-02T00:00:00Z');
    expect((await call('GET', '/v1/late-usage?state=open')).body.data).toEqual([]);
    const [settled] = (await call('GET', '/v1/late-usage?subscription=sub_a')).body.data;
    expect(settled).toMatchObject({ state: 'settled', invoiced: '1.50', difference: '0.00', will_bill: '0.00' });
    const [invoice] = (await call('GET', '/v1/invoices?limit=1')).body.data;
    const line = invoice.lines.find(({ kind }: { kind: string }) => kind === 'adjustment');
    expect(line).toMatchObject({ amount: '0.50', quantity: '50', period: settled.period });
    expect(settled.settlements).toEqual([{
      price: 'price_calls', price_key: 'calls', group: {}, quantity: '50', amount: '0.50', absorbed: '0.00',
      invoice: invoice.id, invoice_number: 'ACME-000002', line: line.id, complete_as_of: body.data[0].complete_as_of, settled_at: '2026-03-01T01:00:00Z',
    }]);
    for (const query of ['starting_after=sub_a:1', 'ending_before=sub_a:1', 'starting_after=nothing', 'customer=cus_b', 'subscription=sub_b']) {
      expect((await call('GET', `/v1/late-usage?${query}`)).body, query).toEqual({ data: [], has_more: false });
    }
    expect((await call('GET', '/v1/late-usage', { as: 'org_b' })).body.data).toEqual([]);
    expect((await call('GET', '/v1/late-usage?state=late&customer=')).status).toBe(422);
  });
});

describe('reading invoices', () => {
  it('gives an issued invoice with its lines and totals', async () => {
    await open();
    const id = await oneInvoice();
    const { status, body } = await call('GET', `/v1/invoices/${id}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      id, object: 'invoice', number: 'ACME-000001', customer: 'cus_a', subscription: 'sub_a', status: 'paid', currency: 'USD',
      period: { start: '2026-01-01T00:00:00Z', end: '2026-02-01T00:00:00Z' },
      subtotal: '49.00', discount: '0.00', tax: '0.00', credits_applied: '0.00', total: '49.00', amount_due: '49.00', amount_paid: '49.00', amount_remaining: '0.00',
      issued_at: '2026-01-01T00:00:00Z', due_at: '2026-01-01T00:00:00Z', stripe: { invoice: null, status: null, pushed_at: null }, payment: { provider: 'sandbox', status: 'succeeded' },
    });
    expect(body.lines).toHaveLength(1);
    expect(body.lines[0]).toMatchObject({ kind: 'advance', price: 'price_base', price_key: 'base', quantity: '1', amount: '49.00' });
    expect(body.lines[0].id).toMatch(/^il_[0-9a-z]{26}$/);
  });

  it('lists by customer key, status and time, and shows another organization nothing', async () => {
    await open();
    const id = await oneInvoice();
    await fixture.advance('2026-03-15T00:00:00Z');
    const ids = async (query: string, as = 'org_a') => (await call('GET', `/v1/invoices?${query}`, { as })).body.data.map(({ number }: { number: string }) => number);
    expect(await ids('')).toEqual(['ACME-000003', 'ACME-000002', 'ACME-000001']);
    expect(await ids('customer=cus_a-key&limit=1')).toEqual(['ACME-000003']);
    expect(await ids(`starting_after=${(await call('GET', '/v1/invoices?limit=2')).body.data[1].id}`)).toEqual(['ACME-000001']);
    expect(await ids('customer=nobody')).toEqual([]);
    expect(await ids('status=open')).toEqual([]);
    expect(await ids('subscription=sub_a&from=2026-02-01T00:00:00Z&to=2026-03-01T00:00:00Z')).toEqual(['ACME-000002']);
    expect(await ids('', 'org_b')).toEqual([]);
    expect((await call('GET', `/v1/invoices/${id}`, { as: 'org_b' })).status).toBe(404);
    expect((await call('GET', '/v1/invoices?status=lost')).status).toBe(422);
    expect((await call('GET', '/v1/invoices', { as: 'nobody' })).status).toBe(401);
  });

  it('previews the next invoice with the usage that is rated', async () => {
    await open();
    await fixture.plan([flat({ id: 'price_base', amount: '49.00' }), perUnit({ id: 'price_calls', amount: '0.01' })]);
    await fixture.customer();
    await fixture.setClock('2026-01-01T00:00:00Z');
    await fixture.subscribe({ id: 'sub_a', startAt: '2026-01-01T00:00:00Z' });
    await fixture.advance('2026-01-20T00:00:00Z');
    const before = await call('GET', '/v1/customers/cus_a-key/upcoming-invoice');
    expect(before.body).toMatchObject({ object: 'upcoming_invoice', amount_due: '49.00', closes_at: '2026-02-01T00:00:00Z' });
    fixture.rating().quantityOf = () => '250';
    await fixture.rating().rate({ organizationId: 'org_a', periods: [{ subscriptionId: 'sub_a', periodIndex: 1, start: '2026-01-01T00:00:00Z', end: '2026-02-01T00:00:00Z' }] }, { isFinal: false });
    const { body } = await call('GET', '/v1/customers/cus_a/upcoming-invoice');
    expect(body.lines.map(({ kind, amount }: { kind: string; amount: string }) => [kind, amount])).toEqual([['usage', '2.50'], ['advance', '49.00']]);
    expect(body.total).toBe('51.50');
    expect((await call('GET', '/v1/customers/cus_x/upcoming-invoice')).status).toBe(404);
  });

  it('has rating catch up before it shows an upcoming invoice or a draft', async () => {
    await open();
    await fixture.plan([perUnit({ id: 'price_calls', amount: '0.01' })]);
    await fixture.customer();
    await fixture.setClock('2026-01-01T00:00:00Z');
    await fixture.subscribe({ id: 'sub_a', startAt: '2026-01-01T00:00:00Z' });
    await fixture.advance('2026-02-01T00:10:00Z');
    const [draft] = await fixture.invoices();
    for (const [url, periodIndex, total] of [['/v1/customers/cus_a/upcoming-invoice', 2, '0.70'], [`/v1/invoices/${draft?.invoice.id}`, 1, '0.90'], ['/v1/invoices?status=draft', 1, '1.10']] as const) {
      await fixture.markRatingBehind('sub_a');
      const asked = call('GET', url);
      await expect.poll(() => fixture.jobs.added.map(({ job }) => job.name)).toContain('rate-open');
      expect(fixture.jobs.take('rate-open')).toMatchObject([{ payload: { organizationId: 'org_a', subscriptionIds: ['sub_a'] } }]);
      const quantity = String(Number(total) * 100);
      fixture.rating().quantityOf = () => quantity;
      await fixture.rating().rate({ organizationId: 'org_a', periods: [{ subscriptionId: 'sub_a', periodIndex, start: '2026-01-01T00:00:00Z', end: '2026-02-01T00:00:00Z' }] }, { isFinal: false });
      await fixture.markRatingDone('sub_a');
      const { body } = await asked;
      expect((body.data?.[0] ?? body).total, url).toBe(total);
    }
    expect((await call('GET', '/v1/customers/cus_a/upcoming-invoice')).body.total).toBe('0.70'); // Nothing is behind, so nobody is asked.
    expect(fixture.jobs.added.filter(({ job }) => job.name === 'rate-open')).toEqual([]);
  });
});

describe('changing invoices', () => {
  it('says in which state an invoice is and what is allowed', async () => {
    await open();
    const id = await oneInvoice();
    for (const action of ['finalize', 'pay', 'void', 'mark-uncollectible']) {
      expect(await call('POST', `/v1/invoices/${id}/${action}`)).toMatchObject({ status: 409, body: { code: 'invalid_state', state: 'paid', allowed_actions: [] } });
      expect((await call('POST', `/v1/invoices/inv_x/${action}`)).status).toBe(404);
      expect((await call('POST', `/v1/invoices/${id}/${action}`, { as: 'org_b' })).status).toBe(404);
    }
  });

  it('keeps a declined invoice open, and takes the money when it is asked again', async () => {
    await open();
    const id = await oneInvoice({ paymentMethod: 'pm_fail' });
    expect((await call('GET', `/v1/invoices/${id}`)).body).toMatchObject({ status: 'open', amount_remaining: '49.00', payment: { status: 'failed' } });
    expect(await call('POST', `/v1/invoices/${id}/pay`)).toMatchObject({ status: 409, body: { code: 'payment_failed', state: 'open' } });
    await fixture.sql.query(`update customers set metadata = '{}'`);
    expect(await call('POST', `/v1/invoices/${id}/pay`)).toMatchObject({ status: 200, body: { status: 'paid', amount_paid: '49.00', payment: { status: 'succeeded', failure: null } } });
    const { rows } = await fixture.sql.query(`select status, count(*)::int as count from payments group by status order by status`);
    expect(rows).toEqual([{ status: 'failed', count: 2 }, { status: 'succeeded', count: 1 }]);
  });

  it('voids and gives up, and still takes the money of what was given up', async () => {
    await open();
    const id = await oneInvoice({ collection: 'send_invoice' });
    expect(await call('POST', `/v1/invoices/${id}/mark-uncollectible`)).toMatchObject({ status: 200, body: { status: 'uncollectible', number: 'ACME-000001' } });
    expect(await call('POST', `/v1/invoices/${id}/pay`)).toMatchObject({ status: 200, body: { status: 'paid' } });
    await fixture.advance('2026-02-01T00:00:00Z');
    const second = (await fixture.invoices())[1]?.invoice.id ?? '';
    expect(await call('POST', `/v1/invoices/${second}/void`)).toMatchObject({ status: 200, body: { status: 'void', number: 'ACME-000002', amount_remaining: '0.00' } });
    expect(await call('POST', `/v1/invoices/${second}/pay`)).toMatchObject({ status: 409, body: { state: 'void' } });
  });

  it('gives what a void invoice bore to the next one', async () => {
    await open();
    await oneInvoice({ collection: 'send_invoice' });
    await fixture.advance('2026-01-16T12:00:00Z');
    await fixture.cancel('sub_a', { at: '2026-01-16T12:00:00Z' }); // 15.5 of 31 days are unused: 24.50 of 49.00.
    await fixture.settle();
    await fixture.subscribe({ id: 'sub_b', startAt: '2026-01-16T12:00:00Z', collection: 'send_invoice' });
    await fixture.settle();
    const bearing = (await fixture.invoices())[2];
    expect(bearing?.totals.amountDueMinor).toBe(2_450n); // 49.00 - 24.50
    expect((await call('POST', `/v1/invoices/${bearing?.invoice.id}/void`)).status).toBe(200);
    await fixture.subscribe({ id: 'sub_c', startAt: '2026-01-16T12:00:00Z', collection: 'send_invoice' });
    await fixture.settle();
    expect((await fixture.invoices())[3]?.totals.amountDueMinor).toBe(2_450n);
  });

  it('issues a draft before its grace period is over', async () => {
    await open();
    await fixture.plan([perUnit({ id: 'price_calls', amount: '0.01' })]);
    await fixture.customer();
    await fixture.setClock('2026-01-01T00:00:00Z');
    await fixture.subscribe({ id: 'sub_a', startAt: '2026-01-01T00:00:00Z' });
    fixture.rating().quantityOf = () => '300';
    await fixture.advance('2026-02-01T00:10:00Z');
    const [draft] = await fixture.invoices();
    const finalized = call('POST', `/v1/invoices/${draft?.invoice.id}/finalize`);
    while ((await fixture.rating().runJobs()) === 0) await systemClock.sleep(10);
    expect(await finalized).toMatchObject({ status: 200, body: { number: 'ACME-000001', amount_due: '3.00', issued_at: '2026-02-01T00:10:00Z' } });
  });
});

describe('payments that came another way', () => {
  const record = (id: string, body: object = {}) => call('POST', `/v1/invoices/${id}/payments`, { body });

  it('settle an invoice in parts, and stand in its list with the tries of the provider', async () => {
    await open();
    const id = await oneInvoice({ paymentMethod: 'pm_fail' });
    const first = await record(id, { amount: '19.00', reference: 'RF18 5390', paid_at: '2026-01-01T00:00:00Z', metadata: { bank: 'a' } });
    expect(first).toMatchObject({ status: 201, body: {
      id: expect.stringMatching(/^pay_/), object: 'payment', invoice: id, provider: 'manual', status: 'succeeded', amount: '19.00', currency: 'USD', method: 'bank_transfer',
      reference: 'RF18 5390', paid_at: '2026-01-01T00:00:00Z', failure: null, metadata: { bank: 'a' },
    } });
    expect((await call('GET', `/v1/invoices/${id}`)).body).toMatchObject({ status: 'open', amount_paid: '19.00', amount_remaining: '30.00' });
    for (const action of ['pay', 'void']) {
      expect(await call('POST', `/v1/invoices/${id}/${action}`)).toMatchObject({ status: 409, body: { code: 'partly_paid', state: 'open' } });
    }
    expect(await record(id, { amount: '30.01' })).toMatchObject({ status: 422, body: { errors: [{ pointer: '/amount', code: 'above_remaining' }] } });
    expect((await record(id, { method: 'cash' })).body).toMatchObject({ amount: '30.00', method: 'cash', reference: null });
    expect((await call('GET', `/v1/invoices/${id}`)).body).toMatchObject({ status: 'paid', amount_paid: '49.00', amount_remaining: '0.00', paid_at: '2026-01-01T00:00:00Z', payment: { status: 'succeeded', failure: null } });
    expect(await record(id)).toMatchObject({ status: 409, body: { code: 'invalid_state', state: 'paid', allowed_actions: [] } });
    const { body } = await call('GET', `/v1/invoices/${id}/payments`);
    expect(body.data.map(({ provider, status, amount }: Record<string, string>) => [provider, status, amount])).toEqual([['manual', 'succeeded', '30.00'], ['manual', 'succeeded', '19.00'], ['sandbox', 'failed', '49.00']]);
    const page = await call('GET', `/v1/invoices/${id}/payments?limit=1&starting_after=${body.data[0].id}`);
    expect(page.body).toMatchObject({ data: [{ id: first.body.id }], has_more: true });
    expect((await call('GET', `/v1/invoices/${id}/payments?ending_before=${first.body.id}`)).body.data).toMatchObject([{ method: 'cash' }]);
  });

  it('name all faults at once, and belong to their organization', async () => {
    await open();
    const id = await oneInvoice({ collection: 'send_invoice' });
    expect(await record(id, { amount: '0.001', paid_at: '2025-12-31T00:00:00Z' })).toMatchObject({
      status: 422, body: { errors: [{ pointer: '/amount', code: 'number_out_of_range' }, { pointer: '/paid_at', code: 'invalid_time' }] },
    });
    expect((await record(id, { amount: '-1' })).body.errors).toMatchObject([{ pointer: '/amount', code: 'number_out_of_range' }]);
    expect((await record(id, { amount: '1,5' })).body.errors).toMatchObject([{ pointer: '/amount', code: 'invalid_decimal' }]);
    expect((await record(id, { paid_at: '2027-01-01T00:00:00Z' })).body.errors).toMatchObject([{ pointer: '/paid_at', code: 'invalid_time' }]);
    expect((await record(id, { method: 'gold', more: 1 })).status).toBe(422);
    for (const method of ['GET', 'POST'] as const) {
      expect((await call(method, `/v1/invoices/${id}/payments`, { as: 'org_b', ...(method === 'POST' ? { body: {} } : {}) })).status).toBe(404);
      expect((await call(method, '/v1/invoices/inv_x/payments', method === 'POST' ? { body: {} } : {})).status).toBe(404);
    }
    expect((await call('POST', `/v1/invoices/${id}/mark-uncollectible`)).status).toBe(200);
    expect((await record(id)).status).toBe(201);
    expect((await call('GET', `/v1/invoices/${id}`)).body.status).toBe('paid');
  });

  it('are taken once of many at the same moment', async () => {
    await open();
    const id = await oneInvoice({ collection: 'send_invoice' });
    const answers = await Promise.all(Array.from({ length: 6 }, () => record(id, { amount: '20' })));
    // 49.00 holds two of them.
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 422, 422, 422, 422]);
    expect((await call('GET', `/v1/invoices/${id}`)).body.amount_remaining).toBe('9.00');
  });

  it('are told to Stripe, which then asks nobody; a part is refused, since Stripe would ask for the whole', async () => {
    const started = await StripeDouble.start();
    double = started;
    await open({ adapters: { stripe: { apiKey: started.apiKey, webhookSecret, apiBase: started.url } } });
    const id = await oneInvoice({ collection: 'send_invoice' });
    expect(await record(id, { amount: '20' })).toMatchObject({ status: 409, body: { code: 'partial_payment_unsupported', state: 'open' } });
    started.script({ match: 'POST /v1/invoices/*/pay', outcome: 'cut_after' });
    // The answer is lost; asked again, Stripe says that it was we who said so.
    expect(await record(id)).toMatchObject({ status: 503, body: { code: 'provider_unavailable' } });
    expect(await record(id)).toMatchObject({ status: 201, body: { provider: 'manual', amount: '49.00' } });
    expect([...started.state.invoices.values()]).toMatchObject([{ status: 'paid' }]);
    expect(started.state.payments).toEqual([]);
    await fixture.advance('2026-02-01T00:00:00Z', fixture.use({ stripe: { apiKey: started.apiKey, webhookSecret, apiBase: started.url } }));
    const second = (await fixture.invoices())[1]?.invoice.id ?? '';
    const there = [...started.state.invoices.values()][1];
    await fetch(`${started.url}/v1/invoices/${there?.id}/pay`, {
      method: 'POST', headers: { authorization: `Bearer ${started.apiKey}`, 'content-type': 'application/x-www-form-urlencoded' }, body: 'paid_out_of_band=true',
    });
    // Somebody else said so there: that is learned, and nothing is recorded twice.
    expect(await record(second)).toMatchObject({ status: 409, body: { code: 'provider_refused' } });
    expect((await call('GET', `/v1/invoices/${second}/payments`)).body.data.filter(({ provider }: { provider: string }) => provider === 'manual')).toEqual([]);
  });
});

describe('a live organization without a payment provider', () => {
  it('issues invoices and refuses to take money', async () => {
    await open({ mode: 'live' });
    await fixture.plan([flat({ id: 'price_base', amount: '49.00' })]);
    await fixture.customer();
    await fixture.subscribe({ id: 'sub_a', startAt: Temporal.Now.instant().toString() });
    await fixture.settle();
    const [issued] = await fixture.invoices();
    expect(issued?.invoice).toMatchObject({ status: 'open', number: 'ACME-000001' });
    expect(await call('POST', `/v1/invoices/${issued?.invoice.id}/pay`)).toMatchObject({ status: 409, body: { code: 'payment_provider_missing', state: 'open' } });
    expect((await call('GET', '/v1/organization/payment-provider')).body).toMatchObject({ provider: 'none', source: 'default' });
    expect(await call('PUT', '/v1/organization/payment-provider', { body: { provider: 'sandbox' } })).toMatchObject({ status: 422, body: { code: 'sandbox_in_live_mode' } });
  });
});

describe('the connection to a payment provider', () => {
  it('takes secrets, keeps them sealed and never gives them back', async () => {
    double = await StripeDouble.start({ cardOfNewCustomers: 'pm_card_visa' });
    await open();
    const set = { provider: 'stripe', api_key: double.apiKey, webhook_secret: webhookSecret, api_base: double.url };
    const saved = await call('PUT', '/v1/organization/payment-provider', { body: set });
    expect(saved).toMatchObject({ status: 200, body: { provider: 'stripe', source: 'organization', api_key_set: true, webhook_secret_set: true, webhook_path: '/v1/webhooks/stripe/org_a' } });
    expect(await call('GET', '/v1/organization/payment-provider')).toEqual(saved);
    const { rows } = await fixture.sql.query('select * from payment_providers');
    expect(JSON.stringify([rows, saved.body])).not.toMatch(new RegExp(`${double.apiKey}|${webhookSecret}`));
    const id = await oneInvoice();
    expect((await call('GET', `/v1/invoices/${id}`)).body).toMatchObject({ status: 'paid', stripe: { status: 'paid', invoice: expect.stringMatching(/^in_/) } });
    expect(await call('PUT', '/v1/organization/payment-provider', { body: { provider: 'stripe', webhook_secret: '' } })).toMatchObject({ status: 422, body: { code: 'invalid_request' } });
  });

  it('goes to Stripe only, where the installation says so', async () => {
    await open({ adapters: { allowStripeBase: false } });
    const set = { provider: 'stripe', api_key: 'sk_test_1', webhook_secret: 'whsec_1', api_base: 'http://127.0.0.1:1' };
    expect(await call('PUT', '/v1/organization/payment-provider', { body: set })).toMatchObject({ status: 422, body: { code: 'api_base_not_allowed' } });
  });
});

describe('Stripe', () => {
  async function openWithStripe(cardOfNewCustomers?: string): Promise<StripeDouble> {
    const started = await StripeDouble.start(cardOfNewCustomers === undefined ? {} : { cardOfNewCustomers });
    double = started;
    await open({ adapters: { stripe: { apiKey: started.apiKey, webhookSecret, apiBase: started.url } } });
    return started;
  }

  const send = (signed: { body: string; signature: string }, url = '/v1/webhooks/stripe') => call('POST', url, { body: signed.body, headers: { 'stripe-signature': signed.signature } });

  it('tells what was paid there; events repeat and come in any order', async () => {
    const stripe = await openWithStripe();
    const id = await oneInvoice({ collection: 'send_invoice' });
    const atStripe = [...stripe.state.invoices.values()][0];
    expect(atStripe).toMatchObject({ status: 'open', amountDue: 4_900, number: 'ACME-000001' });
    const response = await fetch(`${stripe.url}/v1/invoices/${atStripe?.id}/pay`, {
      method: 'POST', headers: { authorization: `Bearer ${stripe.apiKey}`, 'content-type': 'application/x-www-form-urlencoded' }, body: 'paid_out_of_band=true',
    });
    expect(response.status).toBe(200);
    const events = [...stripe.state.events.values()].filter(({ type }) => type === 'invoice.finalized' || type === 'invoice.paid').reverse();
    expect(events.map(({ type }) => type)).toEqual(['invoice.paid', 'invoice.finalized']);
    for (const event of [...events, ...events]) expect((await send(stripe.signed(event, webhookSecret))).status).toBe(200);
    expect((await call('GET', `/v1/invoices/${id}`)).body).toMatchObject({ status: 'paid', amount_paid: '49.00', stripe: { status: 'paid' } });
    const { rows } = await fixture.sql.query('select (select count(*)::int from webhook_receipts) as receipts, (select count(*)::int from payments) as payments');
    expect(rows).toEqual([{ receipts: 2, payments: 1 }]);
  });

  it('is believed only with its signature', async () => {
    const stripe = await openWithStripe('pm_card_visa');
    await oneInvoice();
    const [event] = [...stripe.state.events.values()];
    if (event === undefined) throw new Error('The push has made events.');
    expect(await send(stripe.signed(event, 'whsec_of_another'))).toMatchObject({ status: 400, body: { code: 'signature_invalid' } });
    const signed = stripe.signed(event, webhookSecret);
    expect(await send({ ...signed, body: `${signed.body} ` })).toMatchObject({ status: 400 });
    expect((await send(signed, '/v1/webhooks/stripe/org_nobody')).status).toBe(404);
    expect((await send(signed, '/v1/webhooks/stripe/org_a')).status).toBe(200);
  });

  it('whose answer is lost is asked again, and charges once', async () => {
    const stripe = await openWithStripe('pm_card_visa');
    stripe.script({ match: 'POST /v1/invoices/*/pay', outcome: 'cut_after' });
    const id = await oneInvoice();
    expect(stripe.scriptsWaiting).toBe(0);
    expect((await call('GET', `/v1/invoices/${id}`)).body).toMatchObject({ status: 'paid', payment: { status: 'succeeded', failure: null } });
    expect(stripe.state.payments.map(({ amount }) => amount)).toEqual([4_900]);
    const { rows } = await fixture.sql.query('select state, attempts from payment_outbox');
    expect(rows).toEqual([{ state: 'done', attempts: expect.any(Number) }]);
  });

  it('is told when an invoice is voided', async () => {
    const stripe = await openWithStripe();
    const id = await oneInvoice({ collection: 'send_invoice' });
    expect((await call('POST', `/v1/invoices/${id}/void`)).body).toMatchObject({ status: 'void' });
    expect([...stripe.state.invoices.values()].map(({ status }) => status)).toEqual(['void']);
  });

  it('leaves what it can not take to the next invoice', async () => {
    const stripe = await openWithStripe('pm_card_visa');
    await fixture.plan([flat({ id: 'price_base', amount: '0.30' })]);
    await fixture.customer();
    await fixture.setClock('2026-01-01T00:00:00Z');
    await fixture.subscribe({ id: 'sub_a', startAt: '2026-01-01T00:00:00Z' });
    await fixture.advance('2026-02-01T00:00:00Z', fixture.use({ stripe: { apiKey: stripe.apiKey, webhookSecret, apiBase: stripe.url } }));
    const amounts = (await fixture.invoices()).map(({ totals, lines }) => [totals.amountDueMinor, ...lines.map(({ amountMinor }) => amountMinor)]);
    expect(amounts).toEqual([[0n, 30n, -30n], [60n, 30n, 30n]]); // 0.30 is below Stripe's least of 0.50.
    expect(stripe.state.payments.map(({ amount }) => amount)).toEqual([60]);
  });
});
