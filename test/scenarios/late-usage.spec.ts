import { afterAll, expect, it } from 'vitest';
import { onEachTopology, type Product } from './product.js';

// Goal: usage that is counted after its invoice was issued reaches exactly one later document, however it came to be late. Method: two
// customers over four months of a test clock: events of a closed month, a subject that is attached after it, voids, and an ended subscription;
// the product is killed between what is late and what bears it.
//
// Calls cost 0.10 each above 10 free ones. Acme has a base fee of 5.00 and goes on; Brook's subscription ends with January; Cedar's plan absorbs what is late.
// Each event names the documents that bear it.

interface Line {
  readonly id: string;
  readonly kind: string;
  readonly price_key: string;
  readonly amount: string;
  readonly quantity: string;
  readonly period: { readonly start: string; readonly end: string };
}

interface Invoice {
  readonly id: string;
  readonly number: string | null;
  readonly total: string;
  readonly status: string;
  readonly lines: readonly Line[];
}

interface RatedRow {
  readonly day: string;
  readonly amount: string;
  readonly quantity: string;
  readonly state: string;
  readonly adjusts?: { readonly start: string; readonly end: string };
}

interface EventBilling {
  readonly data: readonly {
    readonly price_key: string;
    readonly state: string;
    readonly value: string | null;
    readonly documents: readonly { readonly change: string; readonly invoice: string | null; readonly line: string | null; readonly amount: string; readonly absorbed: string }[];
    readonly pending: { readonly change: string; readonly invoice: string | null } | null;
  }[];
}

interface LateUsage {
  readonly period: { readonly start: string };
  readonly invoiced: string;
  readonly absorbed: string;
  readonly rated: string;
  readonly difference: string;
  readonly will_bill: string;
}

onEachTopology('usage that comes late', (start, topology) => {
  let product: Product;
  let events = 0;
  afterAll(() => product?.dispose(), 90_000);

  async function calls(subject: string, at: string, count: number): Promise<void> {
    const batch = Array.from({ length: count }, () => ({ id: `call_${(events += 1)}`, type: 'call', subject, time: at }));
    await product.expect(202, 'POST /v1/events', { body: batch });
  }
  const advance = (to: string) => product.expect(200, 'POST /v1/test-clock/advance', { body: { to } });
  const invoicesOf = async (customer: string): Promise<string[]> =>
    (await product.expect<{ data: Invoice[] }>(200, `GET /v1/invoices?customer=${customer}&limit=100`)).data.toReversed()
      .map(({ status, total, lines }) => `${status} ${total}: ${lines.map(({ kind, amount }) => `${kind} ${amount}`).join(', ')}`);
  const lateOf = async (customer: string): Promise<LateUsage[]> => (await product.expect<{ data: LateUsage[] }>(200, `GET /v1/late-usage?customer=${customer}`)).data;
  const ratedOf = async (month: string): Promise<RatedRow[]> =>
    (await product.expect<{ data: RatedRow[] }>(200, `GET /v1/rated-usage?${month}&customer=acme&price=calls&group_by=day`)).data.filter(({ quantity }) => quantity !== '0');
  /** What became of an event, with invoices and lines by their place among all of the customer's: `counted 1/usage 2.00`. */
  async function billingOf(id: string, customer: string): Promise<string[]> {
    const invoices = (await product.expect<{ data: Invoice[] }>(200, `GET /v1/invoices?customer=${customer}&limit=100`)).data.toReversed();
    const { data } = await product.expect<EventBilling>(200, `GET /v1/events/${id}/billing`);
    const nameOf = (invoice: string | null, line: string | null): string => {
      const place = invoices.findIndex((one) => one.id === invoice);
      return invoice === null ? 'no document' : `${place}/${invoices[place]?.lines.find((one) => one.id === line)?.kind}`;
    };
    return data.flatMap(({ state, value, documents, pending }) => [
      ...documents.map(({ change, invoice, line, amount, absorbed }) => `${change} ${nameOf(invoice, line)} ${amount}${absorbed === '0.00' ? '' : `, absorbed ${absorbed}`}`),
      ...(pending === null ? [] : [`pending ${pending.change} ${pending.invoice === null ? '' : `on ${invoices.findIndex((one) => one.id === pending.invoice)}`}`.trim()]),
      `${state} ${value}`,
    ]);
  }
  const january = 'from=2027-01-01T00:00:00Z&to=2027-02-01T00:00:00Z';
  const february = 'from=2027-02-01T00:00:00Z&to=2027-03-01T00:00:00Z';

  it('is billed once, on the next document', async () => {
    product = await start();
    await product.expect(200, 'POST /v1/test-clock', { body: { now: '2027-01-01T00:00:00Z' } });
    await product.expect(201, 'POST /v1/meters', { body: { key: 'calls', name: 'Calls', event_type: 'call', aggregation: 'count' } });
    const callPrice = { key: 'calls', name: 'Calls', type: 'usage', meter: 'calls', included_units: '10', model: { type: 'per_unit', unit_amount: '0.1' } };
    const base = { key: 'base', name: 'Base', type: 'recurring', model: { type: 'flat', amount: '5' } };
    await product.expect(201, 'POST /v1/plans', { body: { key: 'growth', name: 'Growth', currency: 'USD', billing_period: 'P1M', prices: [base, callPrice] } });
    await product.expect(201, 'POST /v1/plans', { body: { key: 'usage', name: 'Usage', currency: 'USD', billing_period: 'P1M', prices: [callPrice] } });
    await product.expect(201, 'POST /v1/customers', { body: { key: 'acme', name: 'Acme', currency: 'USD', subjects: ['acme-1'] } });
    await product.expect(201, 'POST /v1/customers', { body: { key: 'brook', name: 'Brook', currency: 'USD', subjects: ['brook-1'] } });
    await product.expect(201, 'POST /v1/subscriptions', { body: { customer: 'acme', plan: 'growth' } });
    const { id: ended } = await product.expect<{ id: string }>(201, 'POST /v1/subscriptions', { body: { customer: 'brook', plan: 'usage' } });
    await product.expect(200, `POST /v1/subscriptions/${ended}/cancel`, { body: { when: 'period_end' } });
    await calls('acme-1', '2027-01-01T00:00:00Z', 30);
    await calls('brook-1', '2027-01-01T00:00:00Z', 20);
    await calls('acme-2', '2027-01-01T00:00:00Z', 5); // Nobody's yet.
    await product.expect(201, 'POST /v1/plans', { body: { key: 'lenient', name: 'Lenient', currency: 'USD', billing_period: 'P1M', late_usage: { policy: 'absorb' }, prices: [callPrice] } });
    await product.expect(201, 'POST /v1/customers', { body: { key: 'cedar', name: 'Cedar', currency: 'USD', subjects: ['cedar-1'] } });
    await product.expect(201, 'POST /v1/subscriptions', { body: { customer: 'cedar', plan: 'lenient' } });
    const cedar = (from: number, to: number) => product.expect(202, 'POST /v1/events', { body: Array.from({ length: to - from }, (_, nth) => ({ id: `cedar/${from + nth}`, type: 'call', subject: 'cedar-1', time: '2027-01-01T00:30:00Z' })) });
    await cedar(0, 12);
    await advance('2027-02-01T00:30:00Z');
    // The draft that waits for its usage.
    expect(await billingOf('call_1', 'acme')).toEqual(['pending counted on 1', 'open 1']);
    expect(await billingOf('call_51', 'acme')).toEqual([]);
    await advance('2027-02-10T00:00:00Z');
    expect(await billingOf('call_1', 'acme')).toEqual(['counted 1/usage 2.00', 'billed 1']);
    expect(await billingOf('cedar%2F0', 'cedar')).toEqual(['counted 0/usage 0.20', 'billed 1']);
    await cedar(12, 17);
    expect(await invoicesOf('acme')).toEqual(['paid 5.00: advance 5.00', 'paid 7.00: usage 2.00, advance 5.00']); // (30 − 10) × 0.10
    expect(await invoicesOf('brook')).toEqual(['paid 1.00: usage 1.00']); // (20 − 10) × 0.10

    await calls('acme-1', '2027-01-20T00:00:00Z', 7);
    await calls('brook-1', '2027-01-20T00:00:00Z', 6);
    await calls('acme-1', '2027-02-05T00:00:00Z', 12);
    await product.expect(201, 'POST /v1/customers/acme/subjects', { body: { subject: 'acme-2' } });
    await advance('2027-02-11T00:00:00Z');
    // 42 calls of January: 3.20.
    expect(await lateOf('acme')).toMatchObject([{ period: { start: '2027-01-01T00:00:00Z' }, invoiced: '2.00', rated: '3.20', difference: '1.20', will_bill: '1.20' }]);
    const upcoming = await product.expect<Invoice>(200, 'GET /v1/customers/acme/upcoming-invoice');
    expect(upcoming.lines.map(({ kind, amount }) => [kind, amount])).toEqual([['usage', '0.20'], ['adjustment', '1.20'], ['advance', '5.00']]);
    expect(await billingOf('call_56', 'acme')).toEqual(['pending added', 'open 1']);
    expect(await billingOf('call_51', 'acme')).toEqual(['pending added', 'open 1']); // Attached after January was closed.
    expect(await billingOf('call_69', 'acme')).toEqual(['pending counted', 'open 1']); // Of February, which has no draft yet.
    expect(await billingOf('call_63', 'brook')).toEqual(['added 1/adjustment 0.60', 'billed 1']);
    // The one-off was collected for an hour.
    expect(await invoicesOf('brook')).toEqual(['paid 1.00: usage 1.00', 'paid 0.60: adjustment 0.60']);

    if (topology === 'standalone') {
      await product.kill('process');
      product = await start({ dataDir: product.dataDir });
    }
    await advance('2027-03-01T02:00:00Z');
    expect(await invoicesOf('acme')).toEqual(['paid 5.00: advance 5.00', 'paid 7.00: usage 2.00, advance 5.00', 'paid 6.40: usage 0.20, adjustment 1.20, advance 5.00']);
    expect(await lateOf('acme')).toMatchObject([{ invoiced: '3.20', rated: '3.20', difference: '0.00' }]);
    for (const id of ['call_56', 'call_51']) expect(await billingOf(id, 'acme')).toEqual(['added 2/adjustment 1.20', 'billed 1']);
    expect(await billingOf('call_69', 'acme')).toEqual(['counted 2/usage 0.20', 'billed 1']);
    expect(await billingOf('cedar%2F16', 'cedar')).toEqual(['added no document 0.00, absorbed 0.50', 'billed 1']); // (17 − 10) × 0.10 is 0.50 more.

    // January is as it was closed; what was late stands on February's last day.
    expect(await ratedOf(january)).toMatchObject([{ day: '2027-01-01', amount: '2.00', quantity: '30', state: 'closed' }]);
    expect(await ratedOf(february)).toMatchObject([
      { day: '2027-02-05', amount: '0.20', quantity: '12', state: 'closed' },
      { day: '2027-02-28', amount: '1.20', quantity: '12', state: 'adjustment', adjusts: { start: '2027-01-01T00:00:00Z', end: '2027-02-01T00:00:00Z' } },
    ]);

    // An adjustment may be late again, and later months are late by themselves: 42 + 1 − 3 calls of January, 12 + 2 of February.
    await calls('acme-1', '2027-01-25T00:00:00Z', 1);
    await calls('acme-1', '2027-02-25T00:00:00Z', 2);
    for (const id of ['call_1', 'call_2', 'call_3']) await product.expect(202, 'POST /v1/events/void', { body: { id, source: 'default' } });
    await advance('2027-04-01T02:00:00Z');
    expect((await invoicesOf('acme')).at(-1)).toBe('paid 5.00: usage 0.00, adjustment -0.20, adjustment 0.20, advance 5.00');
    expect(await billingOf('call_1', 'acme')).toEqual(['counted 1/usage 2.00', 'removed 3/adjustment -0.20', 'billed null']);
    for (const [route, status, code] of [
      ['GET /v1/events/call_0/billing', 404, 'not_found'], ['GET /v1/events/call_1/billing?source=other', 404, 'not_found'], ['GET /v1/events/call_1/billing?source=', 422, 'invalid_request'], ['GET /v1/events/call_1/billing?id=2', 422, 'invalid_request'],
    ] as const) {
      const answer = await product.call(route);
      expect([route, answer.status, answer.body['code']]).toEqual([route, status, code]);
    }
    const { api_key: other } = await product.expect<{ api_key: { secret: string } }>(201, 'POST /v1/organizations', { body: { name: 'Other', mode: 'test' } });
    expect((await product.call('GET /v1/events/call_1/billing', { key: other.secret })).status).toBe(404);
    expect(await invoicesOf('brook')).toHaveLength(2);
    expect(await product.verifyInvoices()).toEqual([9]);
    expect((await lateOf('acme')).map(({ invoiced, absorbed, rated }) => [invoiced, absorbed, rated])).toEqual([['3.00', '0.00', '3.00'], ['0.40', '0.00', '0.40']]);
  }, 200_000);
});
