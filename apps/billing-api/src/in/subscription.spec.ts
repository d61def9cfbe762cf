import { describe, expect, it } from 'vitest';
import { usePostgres } from '#testing';
import { startBillingApi } from '../fixtures/billing-api-app.js';

usePostgres();
const { owner, jobs } = await startBillingApi();
const now = '2026-03-15T12:00:00Z';
await owner('POST', '/v1/test-clock', { now });
const pointersOf = (body: { errors: { pointer: string; code: string }[] }) => body.errors.map(({ pointer, code }) => `${pointer} ${code}`);

const flat = (key: string, amount: string, more: object = {}) => ({ key, name: key, type: 'recurring', model: { type: 'flat', amount }, ...more });
await owner('POST', '/v1/plans', {
  key: 'pro', name: 'Pro', currency: 'EUR', billing_period: 'P1M',
  prices: [flat('base', '31'), flat('support', '62', { pay: 'in_arrears' }), { key: 'setup', name: 'Setup', type: 'one_time', model: { type: 'flat', amount: '10' } }],
});
await owner('POST', '/v1/plans', { key: 'trial', name: 'Trial', currency: 'EUR', billing_period: 'P1M', trial_days: 10, prices: [flat('base', '31')] });
await owner('POST', '/v1/plans', { key: 'seats', name: 'Seats', currency: 'EUR', billing_period: 'P1M', prices: [flat('base', '31'), { ...flat('seats', '0'), model: { type: 'per_unit', unit_amount: '31' } }] });
await owner('POST', '/v1/plans', { key: 'dollars', name: 'Dollars', currency: 'USD', billing_period: 'P1M', prices: [flat('base', '31')] });
await owner('POST', '/v1/customers', { key: 'acme', name: 'Acme', currency: 'EUR', time_zone: 'Europe/Berlin' });
const subscribe = (input: object = {}) => owner('POST', '/v1/subscriptions', { customer: 'acme', plan: 'pro', ...input });

describe('subscriptions', () => {
  it('start at business time, in the zone of their customer', async () => {
    jobs.added.length = 0;
    const { status, body } = await subscribe({ metadata: { a: 'b' } });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      object: 'subscription', customer: expect.stringMatching(/^cus_/), customer_key: 'acme', plan: expect.stringMatching(/^plan_/), plan_key: 'pro', version: 1, status: 'active',
      start_at: now, billing_anchor: now, trial_days: 0, trial_end_at: null, currency: 'EUR', time_zone: 'Europe/Berlin', collection: 'automatic', days_until_due: null,
      // Noon UTC is 13:00 in Berlin in winter; on 15 April 13:00 there is 11:00 UTC.
      current_period: { start: now, end: '2026-04-15T11:00:00Z' }, cancel_at: null, canceled_at: null, metadata: { a: 'b' },
    });
    expect(jobs.added).toEqual(['invoicing/sweep']);
    expect((await owner('GET', `/v1/subscriptions/${body.id}`)).body).toEqual(body);
    expect((await owner('PATCH', `/v1/subscriptions/${body.id}`, { metadata: {} })).body).toEqual({ ...body, metadata: {} });
  });

  it('have trials, anchors and starts of their own', async () => {
    expect((await subscribe({ plan: 'trial' })).body).toMatchObject({
      status: 'trialing', trial_days: 10, trial_end_at: '2026-03-25T12:00:00Z', billing_anchor: '2026-03-25T12:00:00Z', current_period: null,
    });
    expect((await subscribe({ plan: 'trial', trial_days: 0 })).body).toMatchObject({ status: 'active', trial_end_at: null });
    expect((await subscribe({ billing_anchor: '2026-01-31T00:00:00+01:00' })).body).toMatchObject({
      billing_anchor: '2026-01-30T23:00:00Z', current_period: { start: now, end: '2026-03-30T22:00:00Z' }, // 31 March 00:00 in Berlin, in summer time.
    });
    expect((await subscribe({ start_at: '2026-05-01T00:00:00Z', collection: 'send_invoice' })).body).toMatchObject({ status: 'scheduled', current_period: null, days_until_due: 30 });
    expect((await subscribe({ start_at: '2026-01-10T00:00:00Z', collection: 'send_invoice', days_until_due: 0 })).body).toMatchObject({
      status: 'active', current_period: { start: '2026-03-10T00:00:00Z', end: '2026-04-09T23:00:00Z' }, days_until_due: 0,
    });
  });

  it('stay on their version', async () => {
    await owner('POST', '/v1/plans', { key: 'versions', name: 'V', currency: 'EUR', billing_period: 'P1M', prices: [flat('base', '1')] });
    await owner('PATCH', '/v1/plans/versions', { prices: [flat('base', '2')] });
    expect((await subscribe({ plan: 'versions' })).body.version).toBe(2);
    expect((await subscribe({ plan: 'versions', version: 1 })).body.version).toBe(1);
    expect(pointersOf((await subscribe({ plan: 'versions', version: 3 })).body)).toEqual(['/version unknown_version']);
  });

  it.each<[object, string[]]>([
    [{ customer: 'none', plan: 'none' }, ['/customer unknown_customer', '/plan unknown_plan']],
    [{ plan: 'dollars' }, ['/plan currency_mismatch']],
    [{ plan: 'seats', quantities: { chairs: '5', seats: 'many', base: '2' }, overrides: [{ price: 'base', name: 'x' }, { price: 'base' }] }, ['/quantities/chairs unknown_price', '/quantities/seats invalid_decimal', '/quantities/base not_allowed', '/overrides/1/price duplicate_key']],
    [{ quantities: { base: 1.5 }, overrides: [{ price: 'base', meter: 'x' }], discounts: [] }, ['/quantities/base invalid_union', '/overrides/0/meter unknown_field', '/discounts unknown_field']],
    [{ start_at: 'tomorrow', trial_days: -1, collection: 'cash' }, ['/start_at invalid', '/trial_days too_small', '/collection invalid_value']],
    [{ days_until_due: 5 }, ['/days_until_due not_allowed']],
    [{ minimum_commitment: { amount: '0', per: 'billing_period' } }, ['/minimum_commitment/amount number_out_of_range']],
    [{ minimum_commitment: { amount: '-5' }, quantities: { none: '1' } }, ['/quantities/none unknown_price', '/minimum_commitment/amount negative_amount']],
    [{ minimum_commitment: { amount: 'much', per: 'billing_period' } }, ['/minimum_commitment/amount invalid_decimal']],
    [{ minimum_commitment: { amount: '1234567890123' } }, ['/minimum_commitment/amount number_out_of_range']],
    [{ minimum_commitment: { per: 'week', currency: 'EUR' } }, ['/minimum_commitment/amount missing_field', '/minimum_commitment/per invalid_value', '/minimum_commitment/currency unknown_field']],
    [{ minimum_commitment: 'much' }, ['/minimum_commitment invalid_type']],
  ])('refuse %j', async (input, pointers) => {
    const { status, body } = await subscribe(input);
    expect([status, pointersOf(body)]).toEqual([422, pointers]);
  });

  it('are in the currency of their customer where every price has a model in it', async () => {
    const euro = (key: string, amount: string) => ({ ...flat(key, '99'), currencies: { EUR: { type: 'flat', amount } } });
    await owner('POST', '/v1/plans', { key: 'both', name: 'Both', currency: 'USD', billing_period: 'P1M', prices: [euro('base', '31'), euro('support', '62.005')] });
    await owner('POST', '/v1/plans', { key: 'half', name: 'Half', currency: 'USD', billing_period: 'P1M', prices: [euro('base', '31'), flat('support', '62')] });
    const { status, body } = await owner('POST', '/v1/subscriptions?preview=true', { customer: 'acme', plan: 'both' });
    expect([status, body.subscription.currency, body.invoice.currency]).toEqual([200, 'EUR', 'EUR']);
    expect(body.invoice.lines.map(({ price_key, amount }: { price_key: string; amount: string }) => [price_key, amount])).toEqual([['base', '31.00'], ['support', '62.01']]);
    const refused = (await subscribe({ plan: 'half' })).body;
    expect(refused.errors).toMatchObject([{ pointer: '/plan', code: 'currency_mismatch', detail: expect.stringContaining('The prices support have no model in EUR: add it to their currencies') }]);
    await owner('POST', '/v1/customers', { key: 'anywhere', name: 'Anywhere' });
    // A model of the subscription's own is in its own currency.
    const own = await owner('POST', '/v1/subscriptions?preview=true', { customer: 'acme', plan: 'half', overrides: [{ price: 'support', model: { type: 'flat', amount: '5' } }, { price: 'base', model: { type: 'flat', amount: '6' } }] });
    expect(own.body.invoice.lines.map(({ amount }: { amount: string }) => amount)).toEqual(['6.00', '5.00']);
    expect((await subscribe({ customer: 'anywhere', plan: 'half' })).body.currency).toBe('USD');
  });

  it('refuse models of their own that look at what the meter does not have', async () => {
    await owner('POST', '/v1/meters', { key: 'calls', name: 'Calls', event_type: 'call', aggregation: 'count' });
    await owner('POST', '/v1/plans', { key: 'metered', name: 'M', currency: 'EUR', billing_period: 'P1M', prices: [{ key: 'calls', name: 'Calls', type: 'usage', meter: 'calls', model: { type: 'per_unit', unit_amount: '1' } }] });
    const refused = await subscribe({ plan: 'metered', overrides: [{ price: 'calls', model: { type: 'percentage', rate: '2' } }] });
    expect([refused.status, pointersOf(refused.body)]).toEqual([422, ['/overrides/0/model/type meter_not_sum']]);
  });

  it('bill at most 400 elapsed periods', async () => {
    await owner('POST', '/v1/plans', { key: 'daily', name: 'Daily', currency: 'EUR', billing_period: 'P1D', prices: [] });
    // 400 local days before now, summer time in between: 8 February 2025, 13:00 in Berlin.
    expect((await subscribe({ plan: 'daily', start_at: '2025-02-08T12:00:00Z' })).status).toBe(201);
    const { status, body } = await subscribe({ plan: 'daily', start_at: '2025-02-07T12:00:00Z' });
    expect([status, pointersOf(body)]).toEqual([422, ['/start_at too_many_periods']]);
  });

  it('can not be made of what is archived', async () => {
    await owner('POST', '/v1/customers', { key: 'gone', name: 'Gone' });
    await owner('POST', '/v1/customers/gone/archive');
    await owner('POST', '/v1/plans', { key: 'gone', name: 'Gone', currency: 'EUR', billing_period: 'P1M', prices: [] });
    await owner('POST', '/v1/plans/gone/archive');
    expect(pointersOf((await subscribe({ customer: 'gone', plan: 'gone' })).body)).toEqual(['/customer archived_customer', '/plan archived_plan']);
  });

  it('are listed by customer, plan and status', async () => {
    await owner('POST', '/v1/customers', { key: 'listed', name: 'Listed' });
    const ids: string[] = [];
    for (const more of [{}, { start_at: '2026-05-01T00:00:00Z' }, { plan: 'trial' }]) ids.push((await subscribe({ customer: 'listed', ...more })).body.id);
    await owner('POST', `/v1/subscriptions/${ids[0]}/cancel`, { when: 'now' });
    const listed = async (query: string) => (await owner('GET', `/v1/subscriptions?customer=listed&${query}`)).body.data.map(({ id }: { id: string }) => ids.indexOf(id));
    expect(await listed('')).toEqual([2, 1, 0]);
    expect(await listed('plan=pro')).toEqual([1, 0]);
    expect(await listed('status=canceled')).toEqual([0]);
    expect(await listed('status=scheduled')).toEqual([1]);
    expect(await listed('status=trialing')).toEqual([2]);
    expect(await listed('status=active')).toEqual([]);
    expect((await owner('GET', '/v1/subscriptions?customer=none')).body.data).toEqual([]);
  });
});

describe('a preview', () => {
  it('shows the periods and the first fees, and keeps nothing', async () => {
    jobs.added.length = 0;
    const before = (await owner('GET', '/v1/subscriptions?limit=100')).body.data.length;
    const { status, body } = await owner('POST', '/v1/subscriptions?preview=true', { customer: 'acme', plan: 'pro', start_at: '2026-01-31T00:00:00Z', billing_anchor: '2026-02-01T00:00:00Z' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ object: 'subscription_preview', subscription: { id: null, object: 'subscription', status: 'active', plan_key: 'pro' } });
    expect(body.periods).toEqual([
      { start: '2026-01-31T00:00:00Z', end: '2026-02-01T00:00:00Z' }, // A stub of one day.
      { start: '2026-02-01T00:00:00Z', end: '2026-03-01T00:00:00Z' },
      { start: '2026-03-01T00:00:00Z', end: '2026-03-31T23:00:00Z' },
    ]);
    // One day of January's 31: 31 / 31 = 1.00 in advance, and the setup once.
    expect(body.invoice.lines.map(({ price_key, kind, amount }: Record<string, string>) => [price_key, kind, amount])).toEqual([['setup', 'one_time', '10.00'], ['base', 'advance', '1.00']]);
    expect(body.invoice).toMatchObject({ currency: 'EUR', subtotal: '11.00', total: '11.00', period: { start: '2026-01-31T00:00:00Z', end: '2026-02-01T00:00:00Z' } });
    expect((await owner('GET', '/v1/subscriptions?limit=100')).body.data.length).toBe(before);
    expect(jobs.added).toEqual([]);
    expect((await owner('POST', '/v1/subscriptions?preview=maybe', { customer: 'acme', plan: 'pro' })).status).toBe(422);
  });

  it('of a trial owes nothing before the trial\'s end', async () => {
    const { body } = await owner('POST', '/v1/subscriptions?preview=true', { customer: 'acme', plan: 'trial' });
    expect(body).toMatchObject({ subscription: { status: 'trialing' }, invoice: null, periods: [{ start: '2026-03-25T12:00:00Z', end: '2026-04-25T11:00:00Z' }] });
  });
});

describe('a change', () => {
  const change = (id: string, body: object) => owner('POST', `/v1/subscriptions/${id}/change`, body);

  it('names all that is wrong with it', async () => {
    const { id } = (await subscribe()).body;
    const faults = async (body: object) => pointersOf((await change(id, body)).body);
    expect(await faults({ plan: 'none', when: 'now' })).toEqual(['/plan unknown_plan']);
    expect(await faults({ plan: 'dollars', when: 'now' })).toEqual(['/plan currency_mismatch']);
    expect(await faults({ plan: 'pro', version: 9, when: 'now' })).toEqual(['/version unknown_version']);
    expect(await faults({ quantities: { none: '1' }, overrides: [{ price: 'none' }], when: 'period_end' })).toEqual(['/quantities/none unknown_price', '/overrides/0/price unknown_price']);
    expect(await faults({ when: 'later', prorate: 'yes' })).toEqual(['/when invalid_value', '/prorate invalid_type']);
    expect((await change('sub_none', { plan: 'pro', when: 'now' })).status).toBe(404);
  });

  it('comes no more once the subscription has ended', async () => {
    const { id } = (await subscribe()).body;
    await owner('POST', `/v1/subscriptions/${id}/cancel`, { when: 'now' });
    const late = await change(id, { plan: 'trial', when: 'now' });
    expect([late.status, late.body.code, late.body.subscription]).toEqual([409, 'already_canceled', { status: 'canceled' }]);
  });

  it('holds from the trial on, and keeps what the next plan has a fee for', async () => {
    const { id } = (await subscribe({ plan: 'trial', overrides: [{ price: 'base', name: 'Own' }] })).body;
    jobs.added.length = 0;
    const { body } = await change(id, { plan: 'seats', quantities: { seats: '3' }, when: 'now' });
    expect(body).toMatchObject({ status: 'trialing', plan_key: 'seats', quantities: { seats: '3' }, overrides: [], current_period: null });
    expect(jobs.added).toEqual(['invoicing/sweep']);
    expect((await change(id, { when: 'now' })).body.changes).toHaveLength(1); // Nothing else than it is.
    expect((await change(id, { overrides: [{ price: 'base', model: { type: 'flat', amount: '1' } }], when: 'now' })).body.changes).toMatchObject([{ quantities: { seats: '3' } }, { quantities: { seats: '3' } }]);
    const preview = await owner('POST', `/v1/subscriptions/${id}/change?preview=true`, { plan: 'pro', when: 'period_end' });
    expect(preview.body.subscription.changes.at(-1)).toMatchObject({ at: '2026-03-25T12:00:00Z', plan_key: 'pro', quantities: {}, overrides: [] });
    // The first period begins at the trial's end, by the next plan.
    expect(preview.body.invoice.lines.map(({ kind, amount }: Record<string, string>) => [kind, amount])).toEqual([['advance', '31.00']]);
  });
});

describe('a minimum commitment', () => {
  it('is kept with the subscription, changed, kept by other changes and taken away', async () => {
    const { body } = await subscribe({ minimum_commitment: { amount: '500.00' } });
    expect(body.minimum_commitment).toEqual({ amount: '500', per: 'billing_period' });
    const change = (input: object) => owner('POST', `/v1/subscriptions/${body.id}/change`, { when: 'now', ...input });
    expect((await change({ plan: 'seats' })).body).toMatchObject({ minimum_commitment: { amount: '500' }, changes: [{ minimum_commitment: { amount: '500', per: 'billing_period' } }] });
    expect((await change({ minimum_commitment: { amount: 6000, per: 'year' } })).body.minimum_commitment).toEqual({ amount: '6000', per: 'year' });
    expect((await change({ minimum_commitment: { amount: '6e3', per: 'year' } })).body.changes).toHaveLength(2); // The same as before.
    const refused = await change({ minimum_commitment: { amount: '0' }, plan: 'none' });
    expect(pointersOf(refused.body)).toEqual(['/plan unknown_plan']);
    expect((await change({ minimum_commitment: null, when: 'period_end' })).body).toMatchObject({ minimum_commitment: { amount: '6000' }, changes: [{}, {}, { minimum_commitment: null }] });
    expect((await owner('GET', `/v1/subscriptions/${body.id}`)).body.changes.at(-1).minimum_commitment).toBeNull();
  });

  it('per year needs a plan that is billed at least once a year', async () => {
    await owner('POST', '/v1/plans', { key: 'slow', name: 'Slow', currency: 'EUR', billing_period: 'P13M', prices: [] });
    const { body } = await subscribe({ plan: 'slow', minimum_commitment: { amount: '1', per: 'year' } });
    expect(body.errors).toMatchObject([{ pointer: '/minimum_commitment/per', code: 'not_allowed', detail: 'The plan is billed every P13M, which is longer than a year; commit to an amount per "billing_period".' }]);
    const { id } = (await subscribe({ minimum_commitment: { amount: '1', per: 'year' } })).body;
    expect(pointersOf((await owner('POST', `/v1/subscriptions/${id}/change`, { plan: 'slow', when: 'now' })).body)).toEqual(['/minimum_commitment/per not_allowed']);
    expect((await owner('POST', `/v1/subscriptions/${id}/change`, { plan: 'slow', minimum_commitment: null, when: 'now' })).status).toBe(200);
  });
});

describe('phases', () => {
  const half = { price: 'base', discount: { percent: '50' } };
  const utc = async (input: object) => {
    await owner('PUT', '/v1/customers/utc', { name: 'UTC', time_zone: 'UTC' });
    return subscribe({ customer: 'utc', plan: 'seats', start_at: '2026-03-01T00:00:00Z', ...input });
  };
  const changesOf = (body: { changes: { at: string; plan_key: string; overrides: object[]; phase: boolean; minimum_commitment: { amount: string } | null }[] }) =>
    body.changes.map(({ at, plan_key, overrides, phase, minimum_commitment: commitment }) => [at.slice(0, 10), plan_key, overrides.length, commitment?.amount ?? null, phase]);

  it('are terms for some periods each, and then the subscription\'s own', async () => {
    const { status, body } = await utc({ quantities: { seats: '2' }, minimum_commitment: { amount: '500' }, phases: [
      { periods: 3, overrides: [half], minimum_commitment: null }, { periods: 2, minimum_commitment: { amount: '100' } }, { periods: 1, plan: 'pro' }, { periods: 1, plan: 'seats', quantities: { seats: '5' } },
    ] });
    expect([status, body.plan_key, body.overrides, body.quantities, body.minimum_commitment]).toEqual([201, 'seats', [half], { seats: '2' }, null]);
    expect(changesOf(body)).toEqual([
      ['2026-06-01', 'seats', 0, '100', true], ['2026-08-01', 'pro', 0, '500', true], ['2026-09-01', 'seats', 0, '500', true], ['2026-10-01', 'seats', 0, '500', true],
    ]);
    expect(body.changes.map(({ quantities }: { quantities: object }) => quantities)).toEqual([{ seats: '2' }, {}, { seats: '5' }, { seats: '2' }]);
    expect((await owner('GET', `/v1/subscriptions/${body.id}`)).body).toEqual(body);
  });

  it('begin with the first period, and show the first fees', async () => {
    const { body } = await owner('POST', '/v1/subscriptions?preview=true', { customer: 'utc', plan: 'trial', start_at: '2026-03-01T00:00:00Z', phases: [{ periods: 2, overrides: [half] }] });
    expect(changesOf(body.subscription)).toEqual([['2026-05-11', 'trial', 0, null, true]]); // The trial ends on 11 March.
    const first = await owner('POST', '/v1/subscriptions?preview=true', { customer: 'utc', plan: 'seats', phases: [{ periods: 2, overrides: [half] }] });
    expect(first.body.invoice.lines.map(({ amount }: { amount: string }) => amount)).toEqual(['15.50', '31.00']);
  });

  it('that say nothing of their own are none', async () => {
    expect((await utc({ phases: [{ periods: 2 }, { periods: 3 }] })).body.changes).toEqual([]);
  });

  it.each<[object[], string[]]>([
    [[{ periods: 0 }, { periods: 1.5 }, {}], ['/phases/0/periods too_small', '/phases/1/periods invalid_type', '/phases/2/periods missing_field']],
    [[{ periods: 1, percent: '50' }], ['/phases/0/percent unknown_field']],
    [[{ periods: 1, overrides: [{ price: 'none' }] }, { periods: 1, quantities: { base: '2' }, minimum_commitment: { amount: '0' } }], ['/phases/0/overrides/0/price unknown_price', '/phases/1/quantities/base not_allowed', '/phases/1/minimum_commitment/amount number_out_of_range']],
    [[{ periods: 1, plan: 'none' }, { periods: 1, plan: 'dollars' }, { periods: 1, version: 9 }], ['/phases/0/plan unknown_plan', '/phases/1/plan currency_mismatch', '/phases/2/version unknown_version']],
  ])('refuse %j', async (phases, pointers) => {
    const { status, body } = await utc({ phases });
    expect([status, pointersOf(body)]).toEqual([422, pointers]);
  });

  it('that lie ahead are not lost by a change that does not name them', async () => {
    const { id } = (await utc({ phases: [{ periods: 3, overrides: [half] }] })).body;
    const change = (input: object) => owner('POST', `/v1/subscriptions/${id}/change`, { when: 'now', ...input });
    expect(await change({ quantities: { seats: '3' } })).toMatchObject({ status: 409, body: { code: 'has_phases' } });
    expect((await owner('POST', '/v1/plans/seats/migrate?preview=true', { to_version: 1, when: 'now' })).body.skipped).toContainEqual({ subscription: id, detail: 'It has phases ahead, which a migration would end; change it by itself.' });
    // The rest of March is the first of two periods.
    const changed = await change({ quantities: { seats: '3' }, overrides: [], phases: [{ periods: 2, overrides: [half] }] });
    expect(changesOf(changed.body)).toEqual([['2026-03-15', 'seats', 1, null, false], ['2026-05-01', 'seats', 0, null, true]]);
    expect(changed.body.changes.map(({ quantities }: { quantities: object }) => quantities)).toEqual([{ seats: '3' }, { seats: '3' }]);
    const later = await change({ when: 'period_end', overrides: [], phases: [{ periods: 1, overrides: [{ price: 'base', discount: { percent: '10' } }] }] });
    expect(changesOf(later.body).slice(1)).toEqual([['2026-04-01', 'seats', 1, null, false], ['2026-05-01', 'seats', 0, null, true]]);
    const ended = await change({ overrides: [], phases: [] });
    expect(changesOf(ended.body).at(-1)).toEqual(['2026-03-15', 'seats', 0, null, false]);
    expect((await change({ quantities: { seats: '4' } })).status).toBe(200);
  });
});

describe('a migration of a plan', () => {
  const version = (amount: string) => ({ prices: [flat('base', amount), { ...flat('seats', '0'), model: { type: 'per_unit', unit_amount: amount } }] });

  it('puts each subscription on the version, where its period ends', async () => {
    await owner('POST', '/v1/plans', { key: 'moving', name: 'Moving', currency: 'EUR', billing_period: 'P1M', ...version('1') });
    await owner('PATCH', '/v1/plans/moving', version('2'));
    await owner('PUT', '/v1/customers/utc', { name: 'UTC', time_zone: 'UTC' });
    const make = async (more: object = {}) => (await subscribe({ customer: 'utc', plan: 'moving', version: 1, start_at: '2026-03-01T00:00:00Z', ...more })).body.id as string;
    const [plain, seats, there, ended, gone] = [
      await make(), await make({ quantities: { seats: '4' }, start_at: '2026-03-10T00:00:00Z' }), await make({ version: 2 }), await make(), await make(),
    ];
    await owner('POST', `/v1/subscriptions/${ended}/cancel`, { when: 'now' });
    await owner('POST', `/v1/subscriptions/${gone}/change`, { plan: 'pro', when: 'now' });
    const migrate = (body: object, query = '') => owner('POST', `/v1/plans/moving/migrate${query}`, body);
    const counts = { object: 'plan_migration', to_version: 2, migrated: 2, unchanged: 1, skipped_count: 0, skipped: [] };
    expect((await migrate({ to_version: 2, when: 'period_end' }, '?preview=true')).body).toMatchObject(counts);
    expect((await owner('GET', `/v1/subscriptions/${plain}`)).body.changes).toEqual([]);
    jobs.added.length = 0;
    expect((await migrate({ to_version: 2, when: 'period_end' })).body).toMatchObject({ ...counts, when: 'period_end' });
    expect(jobs.added).toEqual(['invoicing/sweep']);
    const changesOf = async (id: string) => (await owner('GET', `/v1/subscriptions/${id}`)).body.changes.map(({ at, version: number, quantities }: Record<string, unknown>) => [at, number, quantities]);
    expect(await changesOf(plain)).toEqual([['2026-04-01T00:00:00Z', 2, {}]]);
    expect(await changesOf(seats)).toEqual([['2026-04-10T00:00:00Z', 2, { seats: '4' }]]);
    expect([await changesOf(there), await changesOf(ended)]).toEqual([[], []]);
    // With notice: the first period that ends at or after the instant. It replaces what was set before.
    expect((await migrate({ to_version: 2, when: '2026-06-05T00:00:00Z' })).body.migrated).toBe(2);
    expect([await changesOf(plain), await changesOf(seats)]).toEqual([[['2026-07-01T00:00:00Z', 2, {}]], [['2026-06-10T00:00:00Z', 2, { seats: '4' }]]]);
    expect((await migrate({ to_version: 2, when: 'now', prorate: false })).body.migrated).toBe(2);
    expect((await owner('GET', `/v1/subscriptions/${plain}`)).body).toMatchObject({ version: 2, changes: [{ at: now, prorate: false }] });
    expect((await migrate({ to_version: 2, when: 'now' })).body).toMatchObject({ migrated: 0, unchanged: 3 });
  });

  it('leaves out whom the version has no price for, and says why', async () => {
    await owner('POST', '/v1/plans', { key: 'losing', name: 'Losing', currency: 'EUR', billing_period: 'P1M', ...version('1') });
    await owner('PATCH', '/v1/plans/losing', { prices: [flat('base', '1')] });
    const { id } = (await subscribe({ plan: 'losing', version: 1, quantities: { seats: '4' } })).body;
    const { body } = await owner('POST', '/v1/plans/losing/migrate', { to_version: 2, when: 'now' });
    expect(body).toMatchObject({ migrated: 0, skipped_count: 1, skipped: [{ subscription: id, detail: '/quantities/seats: The plan has no price with this key.' }] });
    expect(pointersOf((await owner('POST', '/v1/plans/losing/migrate', { to_version: 9, when: 'now' })).body)).toEqual(['/to_version unknown_version']);
    expect(pointersOf((await owner('POST', '/v1/plans/losing/migrate', { when: 'tomorrow' })).body)).toEqual(['/to_version missing_field', '/when invalid']);
    expect((await owner('POST', '/v1/plans/none/migrate', { to_version: 1, when: 'now' })).status).toBe(404);
  });
});

describe('a cancellation', () => {
  // March has 31 days: 1 to 16 March 12:00 UTC would be half; zone UTC keeps the sums simple.
  const fresh = async (input: object = {}) => {
    await owner('PUT', '/v1/customers/utc', { name: 'UTC', time_zone: 'UTC' });
    return (await subscribe({ customer: 'utc', start_at: '2026-02-28T00:00:00Z', billing_anchor: '2026-03-01T00:00:00Z', ...input })).body.id as string;
  };

  it('now ends at this instant, with the fees of what ended and back what was not used', async () => {
    const id = await fresh();
    const preview = await owner('POST', `/v1/subscriptions/${id}/cancel?preview=true`, { when: 'now', prorate: true });
    expect(preview).toMatchObject({ status: 200, body: { subscription: { id, status: 'canceled', cancel_at: now }, periods: [{ start: '2026-03-01T00:00:00Z', end: '2026-04-01T00:00:00Z' }] } });
    // 14.5 of 31 days: 62 × 14.5 / 31 = 29.00 in arrears; unused 16.5 days of 31.00: 16.50 back.
    expect(preview.body.invoice.lines.map(({ kind, amount }: Record<string, string>) => [kind, amount])).toEqual([['arrears', '29.00'], ['proration', '-16.50']]);
    expect(preview.body.invoice.total).toBe('12.50');
    expect((await owner('GET', `/v1/subscriptions/${id}`)).body.status).toBe('active');
    jobs.added.length = 0;
    const canceled = await owner('POST', `/v1/subscriptions/${id}/cancel`, { when: 'now', prorate: true });
    expect(canceled).toMatchObject({ status: 200, body: { status: 'canceled', cancel_at: now, canceled_at: now, cancel_prorate: true, current_period: null } });
    expect(jobs.added).toEqual(['invoicing/sweep']);
    const again = await owner('POST', `/v1/subscriptions/${id}/cancel`, { when: 'now' });
    expect([again.status, again.body.code, again.body.subscription]).toEqual([409, 'already_canceled', { status: 'canceled' }]);
  });

  it('at the period\'s end goes on until then, and may still end at once', async () => {
    const id = await fresh();
    const canceled = await owner('POST', `/v1/subscriptions/${id}/cancel`, { when: 'period_end' });
    expect(canceled.body).toMatchObject({ status: 'active', cancel_at: '2026-04-01T00:00:00Z', canceled_at: now, cancel_prorate: false, current_period: { end: '2026-04-01T00:00:00Z' } });
    expect((await owner('POST', `/v1/subscriptions/${id}/cancel`, { when: 'now' })).body).toMatchObject({ status: 'canceled', cancel_at: now });
  });

  it('of a trial ends with it, and of what has not begun never lets it begin', async () => {
    const trial = (await subscribe({ plan: 'trial' })).body.id;
    expect((await owner('POST', `/v1/subscriptions/${trial}/cancel`, { when: 'period_end' })).body).toMatchObject({ status: 'trialing', cancel_at: '2026-03-25T12:00:00Z' });
    const scheduled = (await subscribe({ start_at: '2026-05-01T00:00:00Z' })).body.id;
    expect((await owner('POST', `/v1/subscriptions/${scheduled}/cancel`, { when: 'now' })).body).toMatchObject({ status: 'canceled' });
    expect((await owner('POST', '/v1/subscriptions/sub_none/cancel', { when: 'now' })).status).toBe(404);
    expect(pointersOf((await owner('POST', `/v1/subscriptions/${trial}/cancel`, { when: 'later' })).body)).toEqual(['/when invalid_value']);
  });

  it('frees its customer to be archived, when it has come', async () => {
    await owner('POST', '/v1/customers', { key: 'leaving', name: 'Leaving' });
    const { id } = (await subscribe({ customer: 'leaving' })).body;
    const refused = await owner('POST', '/v1/customers/leaving/archive');
    expect([refused.status, refused.body.code, refused.body.subscriptions]).toEqual([409, 'has_subscriptions', [id]]);
    await owner('POST', `/v1/subscriptions/${id}/cancel`, { when: 'now' });
    expect((await owner('POST', '/v1/customers/leaving/archive')).status).toBe(200);
  });

  it('keeps the customer in the currency of his subscriptions', async () => {
    await owner('POST', '/v1/customers', { key: 'no-currency', name: 'x' });
    expect((await subscribe({ customer: 'no-currency', plan: 'dollars' })).status).toBe(201);
    expect((await owner('PATCH', '/v1/customers/no-currency', { currency: 'EUR' })).body.code).toBe('currency_fixed');
    expect((await owner('PATCH', '/v1/customers/no-currency', { currency: 'USD' })).body.currency).toBe('USD');
  });
});

it('sends no job for what was refused', async () => {
  jobs.added.length = 0;
  await subscribe({ plan: 'none' });
  expect(jobs.added).toEqual([]);
});
