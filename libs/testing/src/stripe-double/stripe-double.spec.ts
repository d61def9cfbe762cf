import Stripe from 'stripe';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { ManualClock } from './manual-clock.js';
import { StripeDouble } from './stripe-double.js';
import type { StripeDoubleOptions } from './stripe-double.js';
import { stripeMockUrl } from './stripe-fixture.js';

// The double by the official SDK alone, as a program that is not ours would use it.

let double: StripeDouble;
let stripe: Stripe;
let clock: ManualClock;

async function open(options: StripeDoubleOptions = {}): Promise<void> {
  clock = new ManualClock(Temporal.Instant.from('2026-11-01T00:00:00Z'));
  const schemaMirrorUrl = stripeMockUrl();
  double = await StripeDouble.start({ clock, ...(schemaMirrorUrl === null ? {} : { schemaMirrorUrl }), ...options });
  const { hostname, port } = new URL(double.url);
  stripe = new Stripe(double.apiKey, { host: hostname, port, protocol: 'http', maxNetworkRetries: 0, telemetry: false });
}

beforeEach(() => open());
afterEach(() => double.close());

const problem = (fields: object): object => expect.objectContaining(fields) as object;
const newDraft = async (): Promise<Stripe.Invoice> => stripe.invoices.create({ customer: (await stripe.customers.create({ payment_method: 'pm_card_visa' })).id });
const withLine = async (amount: number): Promise<Stripe.Invoice> => {
  const draft = await newDraft();
  return stripe.invoices.addLines(draft.id, { lines: [{ amount, description: 'Requests' }] });
};

describe('idempotency keys', () => {
  const idempotencyKey = 'k1';

  it('give the first answer again for 24 hours, then run anew', async () => {
    const first = await stripe.customers.create({ name: 'A' }, { idempotencyKey });
    clock.advance(24 * 3_600_000 - 1);
    const again = await stripe.customers.create({ name: 'A' }, { idempotencyKey });
    expect([again.id, again.lastResponse.headers['idempotent-replayed']]).toEqual([first.id, 'true']);
    clock.advance(1);
    expect((await stripe.customers.create({ name: 'A' }, { idempotencyKey })).id).not.toBe(first.id);
    expect(double.state.customers.size).toBe(2);
  });

  it('refuse other parameters', async () => {
    await stripe.customers.create({ name: 'A' }, { idempotencyKey });
    await expect(stripe.customers.create({ name: 'B' }, { idempotencyKey })).rejects.toEqual(problem({ statusCode: 400, rawType: 'idempotency_error' }));
  });

  it('keep a failure that ran, and repeat it', async () => {
    double.script({ match: 'POST /v1/customers', outcome: 'error_after' });
    for (let tries = 0; tries < 2; tries += 1) {
      await expect(stripe.customers.create({ name: 'A' }, { idempotencyKey })).rejects.toEqual(problem({ statusCode: 500 }));
    }
    expect([double.state.customers.size, double.journal.map((entry) => entry.replayed)]).toEqual([1, [false, true]]);
  });

  it('are free again after a failure that did not run', async () => {
    double.script({ match: 'POST /v1/customers', outcome: 'status', status: 429 });
    await expect(stripe.customers.create({ name: 'A' }, { idempotencyKey })).rejects.toEqual(problem({ statusCode: 429 }));
    await expect(stripe.customers.create({ name: 'A', nonsense: '1' } as Stripe.CustomerCreateParams, { idempotencyKey })).rejects.toEqual(problem({ code: 'parameter_unknown' }));
    await stripe.customers.create({ name: 'A' }, { idempotencyKey });
    expect(double.state.customers.size).toBe(1);
  });

  it('keep a declined payment', async () => {
    const customer = await stripe.customers.create({ payment_method: 'pm_card_chargeDeclined' });
    const draft = await stripe.invoices.create({ customer: customer.id });
    await stripe.invoices.addLines(draft.id, { lines: [{ amount: 100 }] });
    await stripe.invoices.finalizeInvoice(draft.id);
    for (let tries = 0; tries < 2; tries += 1) {
      await expect(stripe.invoices.pay(draft.id, {}, { idempotencyKey })).rejects.toEqual(problem({ statusCode: 402, code: 'card_declined', decline_code: 'generic_decline' }));
    }
    expect(double.state.invoices.get(draft.id)?.attemptCount).toBe(1);
  });

  it('are in use while their call runs', async () => {
    double.script({ match: 'POST /v1/customers', outcome: 'held' });
    // The SDK repeats a cut call once by itself, and meets its own key.
    await expect(stripe.customers.create({ name: 'A' }, { idempotencyKey })).rejects.toEqual(problem({ statusCode: 409, code: 'idempotency_key_in_use' }));
    double.releaseHeld();
    expect((await stripe.customers.create({ name: 'A' }, { idempotencyKey })).id).toBe([...double.state.customers.keys()][0]);
  });
});

describe('invoices', () => {
  it('go from draft to paid, with money that moved once', async () => {
    const invoice = await withLine(1250);
    expect(invoice).toMatchObject({ status: 'draft', total: 1250, amount_due: 1250, auto_advance: false });
    expect(await stripe.invoices.finalizeInvoice(invoice.id)).toMatchObject({ status: 'open', number: expect.any(String) as unknown });
    expect(await stripe.invoices.pay(invoice.id)).toMatchObject({ status: 'paid', amount_paid: 1250, amount_remaining: 0 });
    await expect(stripe.invoices.pay(invoice.id)).rejects.toEqual(problem({ statusCode: 400, message: 'Invoice is already paid' }));
    expect(double.state.payments).toEqual([{ id: expect.any(String) as unknown, invoice: invoice.id, amount: 1250, currency: 'usd' }]);
  });

  it('are frozen once finalized', async () => {
    const invoice = await withLine(1250);
    await stripe.invoices.finalizeInvoice(invoice.id);
    const frozen = problem({ statusCode: 400, code: 'invoice_not_editable' });
    await expect(stripe.invoices.addLines(invoice.id, { lines: [{ amount: 1 }] })).rejects.toEqual(frozen);
    await expect(stripe.invoices.finalizeInvoice(invoice.id)).rejects.toEqual(frozen);
    await expect(stripe.invoices.update(invoice.id, { number: 'X' })).rejects.toEqual(frozen);
    await expect(stripe.invoices.del(invoice.id)).rejects.toEqual(frozen);
    expect((await stripe.invoices.update(invoice.id, { metadata: { note: 'ok' } })).metadata).toEqual({ note: 'ok' });
  });

  it('of nothing, of less than nothing and of less than the minimum are paid when finalized, and the balance takes the rest', async () => {
    // 30 cents are below the dollar's 50.
    for (const [amount, balance] of [[0, 0], [-200, -200], [30, 30]] as const) {
      const invoice = await withLine(amount);
      expect(await stripe.invoices.finalizeInvoice(invoice.id)).toMatchObject({ status: 'paid', amount_due: 0, ending_balance: balance });
      expect(double.state.customers.get(String(invoice.customer))?.balance).toBe(balance);
    }
    expect(double.state.payments).toEqual([]);
  });

  it('take up the balance', async () => {
    const invoice = await withLine(1000);
    const customer = double.state.customers.get(String(invoice.customer));
    if (customer !== undefined) customer.balance = -300;
    expect(await stripe.invoices.finalizeInvoice(invoice.id)).toMatchObject({ total: 1000, starting_balance: -300, amount_due: 700, ending_balance: 0 });
  });

  it('are closed only from where they may be', async () => {
    const invoice = await withLine(1000);
    await expect(stripe.invoices.voidInvoice(invoice.id)).rejects.toEqual(problem({ statusCode: 400 }));
    await stripe.invoices.finalizeInvoice(invoice.id);
    expect((await stripe.invoices.markUncollectible(invoice.id)).status).toBe('uncollectible');
    expect((await stripe.invoices.voidInvoice(invoice.id)).status).toBe('void');
    await expect(stripe.invoices.pay(invoice.id)).rejects.toEqual(problem({ message: 'Voided invoices can not be paid' }));
  });

  it('add all lines of a call or none', async () => {
    const draft = await newDraft();
    const lines = [{ amount: 5 }, { amount: 7, period: { start: 20, end: 10 } }];
    await expect(stripe.invoices.addLines(draft.id, { lines })).rejects.toEqual(problem({ statusCode: 400, param: 'period' }));
    expect((await stripe.invoices.retrieve(draft.id)).lines.data).toEqual([]);
  });

  it('change and lose lines while they are drafts', async () => {
    const draft = await newDraft();
    const { lines } = await stripe.invoices.addLines(draft.id, { lines: [{ amount: 5, metadata: { a: '1' } }, { amount: 7 }] });
    const [first, second] = lines.data.map((line) => line.id);
    expect((await stripe.invoices.updateLines(draft.id, { lines: [{ id: first ?? '', amount: 6, metadata: { b: '2' } }] })).total).toBe(13);
    expect((await stripe.invoices.removeLines(draft.id, { lines: [{ id: second ?? '', behavior: 'delete' }] })).lines.data).toMatchObject([{ amount: 6, metadata: { a: '1', b: '2' } }]);
    expect(await stripe.invoices.del(draft.id)).toMatchObject({ deleted: true });
    await expect(stripe.invoices.retrieve(draft.id)).rejects.toEqual(problem({ statusCode: 404, code: 'resource_missing' }));
  });

  it('take waiting items only when asked', async () => {
    const customer = await stripe.customers.create({});
    const item = await stripe.invoiceItems.create({ customer: customer.id, amount: 900, currency: 'usd' });
    expect((await stripe.invoices.create({ customer: customer.id, pending_invoice_items_behavior: 'exclude' })).total).toBe(0);
    expect((await stripe.invoiceItems.list({ customer: customer.id, pending: true })).data.map(({ id }) => id)).toEqual([item.id]);
    expect((await stripe.invoices.create({ customer: customer.id, pending_invoice_items_behavior: 'include' })).total).toBe(900);
    await stripe.invoiceItems.del(item.id);
    expect((await stripe.invoiceItems.list({ customer: customer.id })).data).toEqual([]);
  });
});

describe('lists', () => {
  it('are newest first, in pages, forwards and backwards', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) ids.unshift((await stripe.customers.create({ name: `${index}` })).id);
    const all: string[] = [];
    for await (const customer of stripe.customers.list({ limit: 2 })) all.push(customer.id);
    expect(all).toEqual(ids);
    const before = await stripe.customers.list({ limit: 2, ending_before: ids[3] ?? '' });
    expect([before.data.map(({ id }) => id), before.has_more]).toEqual([[ids[1], ids[2]], true]);
  });

  it('filter by mailbox, by customer, by status and by time', async () => {
    const early = await stripe.customers.create({ email: 'A@acme.example' });
    const draft = await stripe.invoices.create({ customer: early.id });
    clock.advance(10_000);
    const late = await stripe.customers.create({ email: 'a@acme.example' });
    await stripe.invoices.create({ customer: late.id });
    const ids = (list: Stripe.ApiList<{ id: string }>): string[] => list.data.map(({ id }) => id);
    expect(ids(await stripe.customers.list({ email: 'a@acme.example' }))).toEqual([late.id]);
    expect(ids(await stripe.customers.list({ created: { gte: late.created } }))).toEqual([late.id]);
    expect(ids(await stripe.customers.list({ created: { lt: late.created } }))).toEqual([early.id]);
    expect(ids(await stripe.invoices.list({ customer: early.id, status: 'draft' }))).toEqual([draft.id]);
    expect(ids(await stripe.invoices.list({ status: 'open' }))).toEqual([]);
  });

  it('show events as they were', async () => {
    const invoice = await withLine(1000);
    await stripe.invoices.finalizeInvoice(invoice.id);
    await stripe.invoices.voidInvoice(invoice.id);
    const events = await stripe.events.list({ types: ['invoice.finalized', 'invoice.voided'] });
    expect(events.data.map((event) => [event.type, 'status' in event.data.object && event.data.object.status])).toEqual([['invoice.voided', 'void'], ['invoice.finalized', 'open']]);
  });
});

describe('limits', () => {
  it('turn away whoever calls too fast, for the rest of the second', async () => {
    await double.close();
    await open({ perSecondMax: 2 });
    await stripe.customers.list();
    await stripe.customers.list();
    await expect(stripe.customers.list()).rejects.toEqual(problem({ statusCode: 429, code: 'rate_limit' }));
    clock.advance(1000);
    await stripe.customers.list();
  });

  it('ask for the API key', async () => {
    const { hostname, port } = new URL(double.url);
    const stranger = new Stripe('sk_test_other', { host: hostname, port, protocol: 'http' });
    await expect(stranger.customers.list()).rejects.toEqual(problem({ statusCode: 401 }));
  });

  it('know no other paths', async () => {
    await expect(stripe.charges.list()).rejects.toEqual(problem({ statusCode: 404 }));
  });
});
