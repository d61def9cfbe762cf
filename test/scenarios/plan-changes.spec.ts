import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith, usePostgres } from '#testing';
import { eventually, Product } from './product.js';

// Goal: a subscription whose plan, seats and prices change is billed by each for its time. Method: one running product, an
// organization and a month for each story; every amount worked out by hand.

interface Invoice {
  readonly id: string;
  readonly total: string;
  readonly issued_at: string;
  readonly lines: readonly { readonly id: string; readonly kind: string; readonly price_key: string; readonly add_on: { readonly key: string; readonly version: number } | null; readonly quantity: string; readonly amount: string; readonly period: { readonly start: string; readonly end: string } }[];
}

interface Change {
  readonly plan_key: string;
  readonly version: number;
  readonly quantities: Readonly<Record<string, string>>;
  readonly changes: readonly { readonly at: string; readonly plan_key: string; readonly prorate: boolean }[];
  readonly current_period: { readonly start: string; readonly end: string };
}

describeWith('clickhouse', 'changes of a subscription', () => {
  const { freshDatabase } = usePostgres();
  let databaseUrl: string;
  let product: Product;
  beforeAll(async () => {
    databaseUrl = (await freshDatabase()).url;
    product = await Product.start({ environment: { DATABASE_URL: databaseUrl } });
  }, 120_000);
  afterAll(async () => {
    await product?.dispose();
  }, 90_000);

  /** An organization on 1 March with two plans: 31.00 and 10 cents a request, 62.00 and 5 cents a request. */
  async function march() {
    const { api_key: { secret: key } } = await product.expect<{ api_key: { secret: string } }>(201, 'POST /v1/organizations', { body: { name: 'Changing', mode: 'test' } });
    const ok = <Body = Record<string, unknown>>(route: string, body?: unknown, status = route.startsWith('GET') ? 200 : 201) => product.expect<Body>(status, route, { key, ...(body === undefined ? {} : { body }) });
    const advance = (to: string) => ok('POST /v1/test-clock/advance', { to }, 200);
    await ok('POST /v1/test-clock', { now: '2026-03-01T00:00:00Z' }, 200);
    await ok('POST /v1/meters', { key: 'requests', name: 'Requests', event_type: 'call', aggregation: 'count' });
    const fee = (amount: string) => ({ key: 'base', name: 'Base', type: 'recurring', model: { type: 'flat', amount } });
    const usage = (unit_amount: string) => ({ key: 'requests', name: 'Requests', type: 'usage', meter: 'requests', model: { type: 'per_unit', unit_amount } });
    const plan = (planKey: string, prices: object[], billing_period = 'P1M') => ok('POST /v1/plans', { key: planKey, name: planKey, currency: 'USD', billing_period, prices });
    await plan('small', [fee('31'), usage('0.10')]);
    await plan('large', [fee('62'), usage('0.05')]);
    await plan('yearly', [fee('365')], 'P1Y');
    await plan('team', [{ key: 'seats', name: 'Seats', type: 'recurring', model: { type: 'per_unit', unit_amount: '3.10' } }]);
    await ok('POST /v1/customers', { key: 'acme', name: 'Acme', currency: 'USD', subjects: ['acme'] });
    return {
      ok, advance,
      verified: () => product.verifyInvoices({ key }),
      call: (route: string, body: unknown) => product.call<{ code: string; errors?: { pointer: string; code: string }[] }>(route, { key, body }),
      subscribe: async (body: object) => (await ok<{ id: string }>('POST /v1/subscriptions', { customer: 'acme', ...body })).id,
      change: (id: string, body: object) => ok<Change>(`POST /v1/subscriptions/${id}/change`, body, 200),
      send: (count: number, time: string) => ok('POST /v1/events', Array.from({ length: count }, (_, index) => ({ id: `${time}/${index}`, type: 'call', subject: 'acme', time })), 202),
      /** The first one first; of one subscription, since what is due at once for several is issued in any order. */
      invoices: async (subscription?: string) =>
        (await ok<{ data: Invoice[] }>(`GET /v1/invoices?customer=acme&limit=100${subscription === undefined ? '' : `&subscription=${subscription}`}`)).data.toReversed(),
    };
  }
  const linesOf = (invoice: Invoice | undefined) => invoice?.lines.map(({ kind, price_key, quantity, amount }) => `${kind} ${price_key} ${quantity} ${amount}`);

  it('splits usage and fees at the instant, and each plan rates its part', async () => {
    const { advance, send, change, subscribe, invoices, ok, verified } = await march();
    const id = await subscribe({ plan: 'small' });
    await advance('2026-03-16T12:00:00Z');
    await send(10, '2026-03-05T00:00:00Z');
    const preview = await ok<{ invoice: { lines: { kind: string; amount: string }[]; total: string } }>(`POST /v1/subscriptions/${id}/change?preview=true`, { plan: 'large', when: 'now' }, 200);
    // 15.5 of 31 days of 31.00 are unused, and asked for anew at 62.00.
    expect(preview.invoice.lines.map(({ kind, amount }) => [kind, amount])).toEqual([['proration', '-15.50'], ['advance', '31.00']]);
    expect(await ok<Change>(`GET /v1/subscriptions/${id}`)).toMatchObject({ plan_key: 'small', changes: [] });
    expect(await change(id, { plan: 'large', when: 'now' })).toMatchObject({
      plan_key: 'large', current_period: { start: '2026-03-16T12:00:00Z', end: '2026-04-01T00:00:00Z' }, changes: [{ at: '2026-03-16T12:00:00Z', plan_key: 'large', prorate: true }],
    });
    await send(20, '2026-03-16T12:00:00Z');
    await advance('2026-04-01T02:00:00Z');
    const [first, second, third, ...others] = await invoices();
    expect(others).toEqual([]);
    expect(linesOf(first)).toEqual(['advance base 1 31.00']);
    expect(linesOf(second)).toEqual(['usage requests 10 1.00', 'proration base 1 -15.50', 'advance base 1 31.00']);
    expect([second?.total, second?.issued_at]).toEqual(['16.50', '2026-03-16T13:00:00Z']);
    expect(second?.lines.map(({ period }) => [period.start, period.end])).toEqual([
      ['2026-03-01T00:00:00Z', '2026-03-16T12:00:00Z'], ['2026-03-16T12:00:00Z', '2026-04-01T00:00:00Z'], ['2026-03-16T12:00:00Z', '2026-04-01T00:00:00Z'],
    ]);
    expect(linesOf(third)).toEqual(['usage requests 20 1.00', 'advance base 1 62.00']);
    // 31.00 - 15.50 + 31.00 of fees, 1.00 and 1.00 of usage.
    const rated = await ok<{ total: Record<string, string> }>('GET /v1/rated-usage?from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z');
    expect(rated.total).toEqual({ USD: '48.50' });
    expect(await verified()).toEqual([3]);
  });

  it('bills an add-on for its own time, whatever becomes of the plan, which goes on as if it were not there', async () => {
    const { ok, advance, call, change, invoices, subscribe, verified } = await march();
    const send = (type: string, count: number, time: string) => ok('POST /v1/events', Array.from({ length: count }, (_, index) => ({ id: `${type}/${time}/${index}`, type, subject: 'acme', time })), 202);
    await ok('POST /v1/meters', { key: 'exports', name: 'Exports', event_type: 'export', aggregation: 'count' });
    const base = { key: 'base', name: 'Base', type: 'recurring', model: { type: 'flat', amount: '31' } };
    await ok('POST /v1/plans', { key: 'start', name: 'Start', currency: 'USD', billing_period: 'P1M', prices: [base, { key: 'requests', name: 'Requests', type: 'usage', meter: 'requests', included_units: '10', model: { type: 'per_unit', unit_amount: '0.10' } }] });
    const prices = [
      { key: 'region', name: 'Region', type: 'recurring', model: { type: 'per_unit', unit_amount: '6.20' } },
      { key: 'exports', name: 'Exports', type: 'usage', meter: 'exports', included_units: '2', model: { type: 'per_unit', unit_amount: '0.50' } },
      { key: 'setup', name: 'Setup', type: 'one_time', model: { type: 'flat', amount: '9' } },
    ];
    await ok('POST /v1/add-ons', { key: 'regions', name: 'Regions', currency: 'USD', prices });
    const id = await subscribe({ plan: 'start' });
    await advance('2026-03-16T12:00:00Z');
    await send('call', 6, '2026-03-05T00:00:00Z');
    await send('export', 3, '2026-03-10T00:00:00Z'); // Before the add-on: nobody sold them.
    const preview = await ok<{ invoice: { lines: { kind: string; amount: string }[] } }>(`POST /v1/subscriptions/${id}/add-ons?preview=true`, { add_on: 'regions' }, 200);
    // 15.5 of 31 days of 6.20, and what it owes from April on.
    expect(preview.invoice.lines.map(({ kind, amount }) => `${kind} ${amount}`)).toEqual(['one_time 9.00', 'proration 3.10', 'advance 6.20']);
    expect(await ok(`GET /v1/subscriptions/${id}`)).toMatchObject({ add_ons: [] });
    expect(await ok(`POST /v1/subscriptions/${id}/add-ons`, { add_on: 'regions' })).toMatchObject({
      add_ons: [{ add_on_key: 'regions', quantity: '1', status: 'active', start_at: '2026-03-16T12:00:00Z', end_at: null }], current_period: { start: '2026-03-01T00:00:00Z', end: '2026-04-01T00:00:00Z' },
    });
    expect(await call(`POST /v1/subscriptions/${id}/add-ons`, { add_on: 'regions' })).toMatchObject({ status: 409, body: { code: 'already_added' } });
    await advance('2026-03-25T00:00:00Z');
    await send('call', 6, '2026-03-20T00:00:00Z');
    await send('export', 5, '2026-03-20T00:00:00Z');
    const firstOf = ['usage requests 12 0.20', 'usage exports 5 1.50', 'one_time setup 1 9.00', 'proration region 1 3.10', 'advance base 1 31.00', 'advance region 1 6.20'];
    await eventually('the upcoming invoice has the add-on', async () => linesOf(await ok<Invoice>('GET /v1/customers/acme/upcoming-invoice'))?.toSorted().join() === firstOf.toSorted().join());
    await advance('2026-04-11T00:00:00Z');
    await ok(`POST /v1/subscriptions/${id}/add-ons/regions`, { quantity: '3', when: 'now' }, 200);
    await send('export', 2, '2026-03-25T00:00:00Z'); // Late: 7 - 2 are 2.50, of which 1.50 was billed.
    await send('export', 1, '2026-03-12T00:00:00Z'); // Late, and before the add-on.
    await advance('2026-04-21T00:00:00Z');
    await send('export', 4, '2026-04-15T00:00:00Z');
    await change(id, { plan: 'large', when: 'now' });
    await advance('2026-04-26T00:00:00Z');
    await send('export', 3, '2026-04-25T00:00:00Z');
    await advance('2026-05-11T00:00:00Z');
    await send('export', 4, '2026-05-05T00:00:00Z');
    await ok(`POST /v1/subscriptions/${id}/add-ons/regions/remove`, { when: 'now' }, 200);
    await advance('2026-05-21T00:00:00Z');
    await send('export', 4, '2026-05-20T00:00:00Z'); // After it.
    await advance('2026-06-01T02:00:00Z');
    expect(await ok(`GET /v1/subscriptions/${id}/add-ons?include_ended=true`)).toMatchObject({ data: [{ status: 'ended', end_at: '2026-05-11T00:00:00Z', ended_by: 'removal' }] });
    const [first, march1, cut, may, june, ...others] = (await invoices()).map((invoice) => linesOf(invoice)?.toSorted());
    expect(others).toEqual([]);
    expect(first).toEqual(['advance base 1 31.00']);
    expect(march1).toEqual(firstOf.toSorted()); // 12 - 10 requests: the plan's included units were not split.
    expect(cut).toEqual([
      'usage requests 0 0.00', 'usage exports 4 1.00', 'adjustment exports 2 1.00', 'proration base 1 -10.33', 'advance base 1 20.67', // 10 of 30 days.
      'proration region 1 -4.13', 'proration region 3 12.40', // 20 of 30 days of 6.20 and of 18.60: the change of the plan settles nothing of it.
    ].toSorted());
    expect(may).toEqual(['usage requests 0 0.00', 'usage exports 3 0.50', 'advance base 1 62.00', 'advance region 3 18.60'].toSorted());
    expect(june).toEqual(['usage requests 0 0.00', 'usage exports 4 1.00', 'proration region 3 -12.60', 'advance base 1 62.00'].toSorted()); // 21 of 31 days.
    const line = (await invoices())[1]?.lines.find(({ price_key }) => price_key === 'exports');
    expect(line?.period).toEqual({ start: '2026-03-16T12:00:00Z', end: '2026-04-01T00:00:00Z' });
    const total = async (from: string, to: string) => (await ok<{ total: Record<string, string> }>(`GET /v1/rated-usage?from=${from}T00:00:00Z&to=${to}T00:00:00Z`)).total['USD'];
    // 31.00 + 0.20 + 1.50 + 3.10; what is owed once belongs to no period.
    expect(await total('2026-03-01', '2026-04-01')).toBe('35.80');
    // 31.00 - 10.33 + 20.67, 1.00 and the late 1.00 and 0.50, 6.20 - 4.13 + 12.40.
    expect(await total('2026-04-01', '2026-05-01')).toBe('58.31');
    expect(await total('2026-05-01', '2026-06-01')).toBe('69.00'); // 62.00 + 1.00 + 18.60 - 12.60
    expect(await verified()).toEqual([5]);
  });

  it('says of each line which add-on it comes from, through a trial, another version, another plan and the end', async () => {
    const { ok, advance, call, change, invoices, subscribe, send, verified } = await march();
    const addOnPrices = (seat: string, call: string, setup: string) => [
      { key: 'seat', name: 'Seat', type: 'recurring', model: { type: 'per_unit', unit_amount: seat } },
      { key: 'fast', name: 'Fast lane', type: 'usage', meter: 'requests', model: { type: 'per_unit', unit_amount: call } },
      { key: 'setup', name: 'Setup', type: 'one_time', model: { type: 'flat', amount: setup } },
    ];
    await ok('POST /v1/features', { key: 'calls', name: 'Calls', meter: 'requests' });
    const prices = [{ key: 'base', name: 'Base', type: 'recurring', model: { type: 'flat', amount: '31' } }, { key: 'requests', name: 'Requests', type: 'usage', meter: 'requests', model: { type: 'per_unit', unit_amount: '0.10' } }];
    await ok('POST /v1/plans', { key: 'gated', name: 'Gated', currency: 'USD', billing_period: 'P1M', prices, entitlements: [{ feature: 'calls', type: 'metered', limit: '1000' }] });
    await ok('POST /v1/add-ons', { key: 'fast-lane', name: 'Fast lane', currency: 'USD', prices: addOnPrices('6.20', '0.02', '9') });
    const id = await subscribe({ plan: 'gated', trial_days: 10 });
    await ok(`POST /v1/subscriptions/${id}/add-ons`, { add_on: 'fast-lane', quantity: '2' });
    await advance('2026-03-05T00:00:00Z');
    await send(5, '2026-03-05T00:00:00Z'); // In the trial: never billed.
    await advance('2026-03-21T00:00:00Z');
    await send(10, '2026-03-20T00:00:00Z');
    await advance('2026-03-21T00:00:01Z'); // All of them are counted.
    // Of one more request: 0.10 of the plan and 0.02 of the add-on.
    expect(await ok('GET /v1/customers/acme/access/calls')).toMatchObject({ allowed: true, used: '10', marginal_amount: '0.12' });
    await ok('PUT /v1/add-ons/fast-lane', { name: 'Fast lane', currency: 'USD', prices: addOnPrices('9.30', '0.03', '12') }, 200);
    expect(await call(`POST /v1/subscriptions/${id}/add-ons/fast-lane`, { version: 2, when: 'now' })).toMatchObject({ status: 422, body: { errors: [{ pointer: '/when', code: 'not_allowed' }] } });
    await ok(`POST /v1/subscriptions/${id}/add-ons/fast-lane`, { version: 2, when: 'period_end' }, 200);
    const told = (invoice: Pick<Invoice, 'lines'> | undefined) => invoice?.lines.map(({ kind, price_key, amount, add_on: of }) => `${kind} ${price_key} ${amount} ${of === null ? '-' : `${of.key} ${of.version}`}`).toSorted();
    const first = ['usage requests 1.00 -', 'usage fast 0.20 fast-lane 1', 'advance base 31.00 -', 'advance seat 18.60 fast-lane 2']; // 10 * 0.10; 10 * 0.02; 2 * 9.30, and no second setup.
    await eventually('the upcoming invoice has both versions', async () => told(await ok<Invoice>(`GET /v1/customers/acme/upcoming-invoice?subscription=${id}`))?.join() === first.toSorted().join());
    await advance('2026-04-15T12:00:00Z');
    await send(4, '2026-04-15T00:00:00Z');
    await advance('2026-04-26T00:00:00Z');
    await change(id, { plan: 'large', when: 'now' });
    await advance('2026-04-29T00:00:00Z');
    await send(2, '2026-04-28T00:00:00Z');
    await advance('2026-05-01T00:00:00Z');
    await ok(`POST /v1/subscriptions/${id}/cancel`, { when: 'now', prorate: true }, 200);
    await advance('2026-05-01T02:00:00Z');
    const [begun, april, cut, ended, ...others] = await invoices(id);
    expect(others).toEqual([]);
    expect(told(begun)).toEqual(['advance base 31.00 -', 'advance seat 12.40 fast-lane 1', 'one_time setup 9.00 fast-lane 1'].toSorted()); // From 11 March on.
    expect(told(april)).toEqual(first.toSorted());
    expect(told(cut)).toEqual(['usage requests 0.40 -', 'usage fast 0.12 fast-lane 2', 'proration base -15.50 -', 'advance base 31.00 -'].toSorted()); // 15 of 30 days of 31 and of 62.
    // 10 of 30 days of 62 and of 18.60 come back; 2 requests are 0.10 and 0.06. What is below zero goes to the next invoice.
    expect(told(ended)).toEqual(['usage requests 0.10 -', 'usage fast 0.06 fast-lane 2', 'proration base -20.67 -', 'proration seat -6.20 fast-lane 2', 'carried_over null 26.71 -'].toSorted());
    const line = april?.lines.find(({ price_key }) => price_key === 'fast');
    const at = `GET /v1/invoices/${april?.id}/lines/${line?.id}`;
    expect(await ok(`${at}/receipt`)).toMatchObject({ intact: true, line: { add_on: { key: 'fast-lane', version: 1 }, usage: { events: '10' } }, usage: { events: '10', meter: { key: 'requests' } } });
    expect((await ok<{ data: unknown[] }>(`${at}/events`)).data).toHaveLength(10);
    const billing = await ok<{ data: { price_key: string; add_on: { version: number } | null; documents: { line: string }[] }[] }>(`GET /v1/events/${encodeURIComponent('2026-03-20T00:00:00Z/0')}/billing`);
    expect(billing.data.map(({ price_key, add_on: of, documents }) => [price_key, of?.version ?? null, documents[0]?.line === line?.id]).toSorted()).toEqual([['fast', 1, true], ['requests', null, false]]);
    expect(await verified()).toEqual([4]);
  });

  it('waits for the period\'s end where it is asked to, and may be taken back until then', async () => {
    const { advance, send, change, subscribe, invoices, ok, verified } = await march();
    const id = await subscribe({ plan: 'large' });
    await advance('2026-03-10T00:00:00Z');
    expect(await change(id, { plan: 'yearly', when: 'period_end' })).toMatchObject({ plan_key: 'large', changes: [{ at: '2026-04-01T00:00:00Z', plan_key: 'yearly' }] });
    expect(await change(id, { plan: 'large', when: 'period_end' })).toMatchObject({ plan_key: 'large', changes: [] });
    expect(await change(id, { plan: 'small', when: 'period_end' })).toMatchObject({ changes: [{ plan_key: 'small' }] });
    await send(4, '2026-03-10T00:00:00Z');
    await advance('2026-04-10T00:00:00Z');
    await send(3, '2026-04-10T00:00:00Z');
    expect(await ok(`GET /v1/subscriptions/${id}`)).toMatchObject({ plan_key: 'small' });
    expect(((await ok<{ data: unknown[] }>('GET /v1/subscriptions?plan=small')).data.length)).toBe(1);
    expect(((await ok<{ data: unknown[] }>('GET /v1/subscriptions?plan=large')).data.length)).toBe(0);
    await advance('2026-05-01T02:00:00Z');
    expect((await invoices()).map(linesOf)).toEqual([
      ['advance base 1 62.00'],
      ['usage requests 4 0.20', 'advance base 1 31.00'],
      ['usage requests 3 0.30', 'advance base 1 31.00'],
    ]);
    expect(await verified()).toEqual([3]);
  });

  it('begins periods of another length at the change', async () => {
    const { advance, change, subscribe, invoices, verified } = await march();
    const id = await subscribe({ plan: 'small' });
    await advance('2026-03-16T12:00:00Z');
    expect(await change(id, { plan: 'yearly', when: 'now' })).toMatchObject({ current_period: { start: '2026-03-16T12:00:00Z', end: '2027-03-16T12:00:00Z' } });
    await advance('2027-03-16T12:00:00Z');
    expect((await invoices()).map(linesOf)).toEqual([
      ['advance base 1 31.00'],
      ['usage requests 0 0.00', 'proration base 1 -15.50', 'advance base 1 365.00'],
      ['advance base 1 365.00'],
    ]);
    expect(await verified()).toEqual([3]);
  });

  it('changes at the very instant of a boundary, whose fees were billed by then', async () => {
    const { advance, change, subscribe, invoices, verified } = await march();
    const id = await subscribe({ plan: 'small' });
    await advance('2026-04-01T00:00:00Z');
    expect(await change(id, { plan: 'large', when: 'now' })).toMatchObject({ plan_key: 'large', current_period: { start: '2026-04-01T00:00:00Z', end: '2026-05-01T00:00:00Z' } });
    await advance('2026-05-01T02:00:00Z');
    expect((await invoices()).map(linesOf)).toEqual([
      ['advance base 1 31.00'],
      ['usage requests 0 0.00', 'advance base 1 31.00'],
      ['proration base 1 -31.00', 'advance base 1 62.00'], // At once: it closes no usage, and is issued before the one above.
      ['usage requests 0 0.00', 'advance base 1 62.00'],
    ]);
    expect(await verified()).toEqual([4]);
  });

  it('asks for what lacks to a commitment, and counts late usage against it', async () => {
    const { advance, subscribe, invoices, send, ok, verified } = await march();
    await subscribe({ plan: 'small', minimum_commitment: { amount: '50' } });
    await advance('2026-03-16T00:00:00Z');
    await send(10, '2026-03-05T00:00:00Z');
    const comesUp = (lines: string[]) => eventually(`the upcoming invoice has the lines ${lines.join(', ')}`, async () => linesOf(await ok<Invoice>('GET /v1/customers/acme/upcoming-invoice'))?.join() === lines.join());
    await comesUp(['usage requests 10 1.00', 'minimum null null 18.00', 'advance base 1 31.00']); // 50.00 - 31.00 - 1.00
    await advance('2026-04-01T02:00:00Z');
    const report = (query: string) => ok<{ data: { price_key: string | null; day: string; amount: string; state: string }[]; total: Record<string, string> }>(`GET /v1/rated-usage?${query}`);
    const rated = await report('from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z&group_by=price,day');
    expect(rated.total).toEqual({ USD: '50.00' });
    expect(rated.data.filter(({ price_key }) => price_key === null)).toEqual([{ price: null, price_key: null, day: '2026-03-31', quantity: '0', amount: '18.00', currency: 'USD', state: 'closed' }]);
    await send(30, '2026-03-20T00:00:00Z');
    await comesUp(['usage requests 0 0.00', 'adjustment requests 30 3.00', 'adjustment null null -3.00', 'minimum null null 19.00', 'advance base 1 31.00']);
    await advance('2026-05-01T02:00:00Z');
    const all = await invoices();
    expect(all.map(linesOf)).toEqual([
      ['advance base 1 31.00'],
      ['usage requests 10 1.00', 'minimum null null 18.00', 'advance base 1 31.00'],
      ['usage requests 0 0.00', 'adjustment requests 30 3.00', 'adjustment null null -3.00', 'minimum null null 19.00', 'advance base 1 31.00'],
    ]);
    expect(all.map(({ total }) => total)).toEqual(['31.00', '50.00', '50.00']);
    // March and April: 50.00 each; May's fee.
    expect((await report('from=2026-03-01T00:00:00Z&to=2026-06-01T00:00:00Z')).total).toEqual({ USD: '131.00' });
    expect(await verified()).toEqual([3]);

    // Whoever changes what was asked for by hand is found out; of a line that is taken away, what it would be is told.
    const [ofMarch, ofApril] = [all[1], all[2]] as [Invoice, Invoice];
    const verify = async ({ id }: Invoice) => (await ok<{ differences: { line: string | null; field: string; stored: string | null; computed: string | null; detail: string }[] }>(`GET /v1/invoices/${id}/verify`)).differences;
    await changeRows(`update invoice_lines set amount_minor = 1700, unrounded_amount = 17 where id = $1`, [ofMarch.lines[1]?.id]);
    expect((await verify(ofMarch)).slice(0, 2).map(({ line, field, stored, computed }) => [line, field, stored, computed])).toEqual([
      [ofMarch.lines[1]?.id, 'unrounded_amount', '17', '18'], [ofMarch.lines[1]?.id, 'amount', '17.00', '18.00'],
    ]);
    await changeRows(`update invoice_lines set amount_minor = 1800, unrounded_amount = 18 where id = $1`, [ofMarch.lines[1]?.id]);
    await changeRows(`delete from invoice_lines where id = $1`, [ofApril.lines[2]?.id]);
    expect((await verify(ofApril))[0]).toEqual({ line: null, field: 'line', stored: null, computed: '-3.00', detail: 'The invoice lacks the line "Minimum commitment after late charges".' });
  });

  async function changeRows(statement: string, values: unknown[]): Promise<void> {
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    await client.query(statement, values);
    await client.end();
  }

  it('previews what lacks to a commitment where an act closes it', async () => {
    const { advance, subscribe, invoices, send, ok, verified } = await march();
    const id = await subscribe({ plan: 'small', minimum_commitment: { amount: '50' } });
    await advance('2026-03-16T12:00:00Z');
    await send(10, '2026-03-05T00:00:00Z');
    type Previewed = { lines: { kind: string; amount: string }[]; total: string; not_included: { code: string; detail: string }[] };
    const preview = async (act: string, body: object) => {
      const { invoice } = await ok<{ invoice: Previewed | null }>(`POST /v1/subscriptions/${id}/${act}?preview=true`, body, 200);
      return invoice === null ? null : [...invoice.lines.map(({ kind, amount }) => `${kind} ${amount}`), invoice.total];
    };
    // Half of March is left: half of the commitment holds, and half of the fee is given back. 25.00 - 15.50
    expect(await preview('cancel', { when: 'now', prorate: true })).toEqual(['minimum 9.50', 'proration -15.50', '-6.00']);
    expect(await preview('cancel', { when: 'now' })).toBeNull(); // 31.00 stays, which is enough.
    expect(await preview('cancel', { when: 'period_end' })).toEqual(['minimum 19.00', '19.00']); // 50.00 - 31.00
    // Another commitment ends the one before; the same one goes on to the end of March.
    expect(await preview('change', { plan: 'large', minimum_commitment: { amount: '100' }, when: 'now' })).toEqual(['minimum 9.50', 'proration -15.50', 'advance 31.00', '25.00']);
    expect(await preview('change', { plan: 'large', when: 'now' })).toEqual(['proration -15.50', 'advance 31.00', '15.50']);
    const { invoice } = await ok<{ invoice: Previewed }>(`POST /v1/subscriptions/${id}/cancel?preview=true`, { when: 'now', prorate: true }, 200);
    expect(invoice.not_included).toEqual([
      { code: 'usage', detail: 'Usage of the period that ends is invoiced with it. It lessens what lacks to a minimum commitment.' },
      { code: 'late_usage', detail: expect.any(String) }, { code: 'carried_over', detail: expect.any(String) },
    ]);
    await ok(`POST /v1/subscriptions/${id}/cancel`, { when: 'now', prorate: true }, 200);
    await advance('2026-03-17T00:00:00Z');
    // With the ten calls: 25.00 - 15.50 - 1.00
    expect((await invoices()).map(linesOf)).toEqual([['advance base 1 31.00'], ['usage requests 10 1.00', 'minimum null null 8.50', 'proration base 1 -15.50', 'carried_over null null 6.00']]);
    expect(await verified()).toEqual([2]);
  });

  it('makes true-ups again in whatever order documents were issued, and after the end', async () => {
    const { advance, subscribe, invoices, send, ok, verified } = await march();
    await ok('PATCH /v1/organization', { grace_period: 'P40D' }, 200);
    const id = await subscribe({ plan: 'small', minimum_commitment: { amount: '50' } });
    await advance('2026-05-05T00:00:00Z');
    const [, ofMarch, ofApril] = await invoices() as [Invoice, Invoice, Invoice];
    await ok(`POST /v1/invoices/${ofApril.id}/finalize`, undefined, 200);
    await ok(`POST /v1/subscriptions/${id}/cancel`, { when: 'period_end' }, 200);
    await ok('PATCH /v1/organization', { grace_period: 'PT1H' }, 200);
    await advance('2026-06-02T00:00:00Z');
    await send(300, '2026-04-20T00:00:00Z');
    await advance('2026-06-10T00:00:00Z');
    const all = new Map((await invoices()).map((invoice) => [invoice.id, linesOf(invoice)]));
    // April's fee stands on March's document, which comes after April's: it takes from what April asked for.
    expect([all.get(ofApril.id), all.get(ofMarch.id)]).toEqual([
      ['usage requests 0 0.00', 'minimum null null 50.00', 'advance base 1 31.00'],
      ['usage requests 0 0.00', 'minimum null null 19.00', 'adjustment null null -31.00', 'advance base 1 31.00'], // 50.00 - 31.00
    ]);
    // May: 50.00 - 31.00; then April's 30.00, of which 19.00 had been asked for.
    expect([...all.values()].slice(3)).toEqual([['usage requests 0 0.00', 'minimum null null 19.00'], ['adjustment requests 300 30.00', 'adjustment null null -19.00']]);
    expect(await verified()).toEqual([5]);
  });

  it('goes through phases: half the fee for two months, and a commitment that rises', async () => {
    const { advance, subscribe, invoices, send, ok, verified } = await march();
    await subscribe({
      plan: 'small', minimum_commitment: { amount: '100' },
      phases: [{ periods: 2, overrides: [{ price: 'base', discount: { percent: '50' } }], minimum_commitment: null }, { periods: 1, minimum_commitment: { amount: '40' } }],
    });
    await advance('2026-05-20T00:00:00Z');
    await send(5, '2026-05-10T00:00:00Z');
    await advance('2026-07-01T02:00:00Z');
    expect((await invoices()).map(linesOf)).toEqual([
      ['advance base 1 15.50'],
      ['usage requests 0 0.00', 'advance base 1 15.50'],
      ['usage requests 0 0.00', 'advance base 1 31.00'],
      ['usage requests 5 0.50', 'minimum null null 8.50', 'advance base 1 31.00'], // 40.00 - 31.00 - 0.50
      ['usage requests 0 0.00', 'minimum null null 69.00', 'advance base 1 31.00'], // 100.00 - 31.00
    ]);
    // 15.50 + 15.50 + 40.00 + 100.00
    const rated = await ok<{ total: Record<string, string> }>('GET /v1/rated-usage?from=2026-03-01T00:00:00Z&to=2026-07-01T00:00:00Z');
    expect(rated.total).toEqual({ USD: '171.00' });
    expect(await verified()).toEqual([5]);
  });

  it('takes seats and prices of its own, and changes them at the very instant of the start', async () => {
    const { advance, call, change, subscribe, invoices, send, verified } = await march();
    const team = await subscribe({ plan: 'team', quantities: { seats: 5 } });
    // On a clock that stands, 1 March is billed for 5 seats before they become 8: 5 × 3.10 back, 8 × 3.10.
    expect(await change(team, { quantities: { seats: '8' }, when: 'now' })).toMatchObject({ plan_key: 'team', quantities: { seats: '8' } });
    const special = await subscribe({ plan: 'small', overrides: [{ price: 'requests', model: { type: 'per_unit', unit_amount: '0.01' } }, { price: 'base', model: { type: 'flat', amount: '10' } }] });
    await send(50, '2026-03-01T00:00:00Z');
    await advance('2026-04-01T02:00:00Z');
    expect((await invoices(team)).map(linesOf)).toEqual([['advance seats 5 15.50'], ['proration seats 5 -15.50', 'advance seats 8 24.80'], ['advance seats 8 24.80']]);
    expect((await invoices(special)).map(linesOf)).toEqual([['advance base 1 10.00'], ['usage requests 50 0.50', 'advance base 1 10.00']]);
    expect(await verified()).toEqual([5]);
    const refused = await call(`POST /v1/subscriptions/${special}/change`, {
      plan: 'team', quantities: { seats: '-1', chairs: '2' }, overrides: [{ price: 'seats', model: { type: 'per_unit', unit_amount: 'x' } }, { price: 'none' }], when: 'now',
    });
    expect([refused.status, refused.body.errors?.map(({ pointer, code }) => `${pointer} ${code}`)]).toEqual([422, [
      '/quantities/seats negative_amount', '/quantities/chairs unknown_price', '/overrides/0/model/unit_amount invalid_decimal', '/overrides/1/price unknown_price',
    ]]);
  });
});
