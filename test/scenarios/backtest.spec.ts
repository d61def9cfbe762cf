import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWith } from '#testing';
import { Product } from './product.js';

// Goal: what a plan would have earned on real usage. Method: three customers with known traffic over a month and a half; the
// amounts under either plan worked out by hand.

interface Backtest {
  readonly currency: string;
  readonly periods: number;
  readonly total: { readonly plan: string; readonly compared: Record<string, string> };
  readonly pay_less: number;
  readonly pay_more: number;
  readonly pay_the_same: number;
  readonly distribution: Record<string, string>;
  readonly customers: readonly { readonly customer_key: string; readonly plan: string; readonly current: string | null; readonly difference: string | null; readonly prices: readonly object[] }[];
  readonly break_even: readonly { readonly ranges: readonly object[]; readonly points: readonly object[] }[];
  readonly break_even_left_out: number;
  readonly skipped: readonly { readonly detail: string }[];
}

describeWith('clickhouse', 'a backtest', () => {
  let product: Product;
  let key: string;
  beforeAll(async () => {
    product = await Product.start();
    ({ api_key: { secret: key } } = await product.expect<{ api_key: { secret: string } }>(201, 'POST /v1/organizations', { body: { name: 'Backtesting', mode: 'test' } }));
    await ok('POST /v1/test-clock', { now: '2026-03-01T00:00:00Z' }, 200);
    await ok('POST /v1/meters', { key: 'requests', name: 'Requests', event_type: 'call', aggregation: 'count' });
    await ok('POST /v1/plans', { key: 'present', name: 'Present', currency: 'USD', billing_period: 'P1M', prices: [usage('0.10')] });
    for (const [customer, currency] of [['small', 'USD'], ['large', 'USD'], ['foreign', 'EUR'], ['new', 'USD']]) {
      await ok('POST /v1/customers', { key: customer, name: customer, currency, subjects: [customer] });
    }
    for (const customer of ['small', 'large']) await ok('POST /v1/subscriptions', { customer, plan: 'present' });
    await ok('POST /v1/test-clock/advance', { to: '2026-04-16T00:00:00Z' }, 200);
    const events = [['small', '2026-03-05', 100], ['small', '2026-04-05', 20], ['large', '2026-03-31', 1_000], ['large', '2026-04-01', 500], ['new', '2026-03-01', 10], ['large', '2026-02-28', 7]] as const;
    for (const [subject, day, count] of events) {
      await ok('POST /v1/events', Array.from({ length: count }, (_, index) => ({ id: `${subject}/${day}/${index}`, type: 'call', subject, time: `${day}T12:00:00Z` })), 202);
    }
    await ok('POST /v1/test-clock/advance', { to: '2026-04-16T00:00:01Z' }, 200); // Every event is counted.
  }, 180_000);
  afterAll(async () => {
    await product?.dispose();
  }, 90_000);

  const ok = <Body = Record<string, unknown>>(route: string, body: unknown, status = 201) => product.expect<Body>(status, route, { key, body });
  const usage = (unit_amount: string) => ({ key: 'requests', name: 'Requests', type: 'usage', meter: 'requests', model: { type: 'per_unit', unit_amount } });
  const range = { from: '2026-03-01T00:00:00Z', to: '2026-04-16T00:00:00Z' };
  const tried = { currency: 'USD', billing_period: 'P1M', prices: [{ key: 'base', name: 'Base', type: 'recurring', model: { type: 'flat', amount: '30' } }, { ...usage('0.05'), included_units: '100' }] };

  it('replays a draft over a month and a half, against the present plan', async () => {
    const body = await ok<Backtest>('POST /v1/pricing/backtest', { plan: tried, ...range }, 200);
    // small: 30.00 + half of 30.00 (15 of 30 days of April) + nothing beyond 100 requests a month; now 120 × 0.10.
    // large: 45.00 + (1000 - 100) × 0.05 + (500 - 100) × 0.05 = 45.00 + 45.00 + 20.00; now 1500 × 0.10.
    expect(body.customers.map(({ customer_key, plan, current, difference }) => [customer_key, plan, current, difference])).toEqual([
      ['large', '110.00', '150.00', '-40.00'], ['small', '45.00', '12.00', '33.00'],
    ]);
    expect(body.customers[0]?.prices).toEqual([{ price_key: 'base', quantity: '2', amount: '45.00' }, { price_key: 'requests', quantity: '1500', amount: '65.00' }]);
    expect(body).toMatchObject({
      object: 'backtest', currency: 'USD', periods: 4, total: { plan: '155.00', compared: { plan: '155.00', current: '162.00', difference: '-7.00' } }, pay_less: 1, pay_more: 1, pay_the_same: 0,
      distribution: { minimum: '45.00', p25: '45.00', median: '45.00', p75: '110.00', p95: '110.00', maximum: '110.00' }, skipped: [],
    });
  });

  it('says where the plan and the one that customers are on cost the same, as the break-even route does', async () => {
    const body = await ok<Backtest>('POST /v1/pricing/backtest', { plan: tried, ...range }, 200);
    // 30 + (q − 100) × 0.05 = q × 0.10 at 500. In March, the one whole period, small used 100 and large 1000: 550 on average.
    expect(body.break_even).toMatchObject([{
      current_plan: 'present', current_version: 1, customers: 2, meter: 'requests', mean_quantity: '550', usage: {}, quantities: {}, step: '1', to_quantity: null,
      ranges: [{ from: '0', to: '499', cheaper: 'b' }, { from: '500', to: '500', cheaper: 'same' }, { from: '501', to: null, cheaper: 'a' }], not_compared: [],
    }]);
    const asked = await ok<{ points: object[] }>('POST /v1/pricing/break-even', { a: { plan: tried }, b: { plan: 'present' }, currency: 'USD' }, 200);
    expect([body.break_even[0]?.points, body.break_even_left_out]).toEqual([asked.points, 0]);
    const hourly = await ok<Backtest>('POST /v1/pricing/backtest', { plan: { ...tried, prices: [{ ...usage('0.05'), bucket: 'hour' }] }, ...range }, 200);
    expect(hourly.break_even).toMatchObject([{ step: null, ranges: [], points: [], not_compared: ['The price "requests" rates each hour by itself, so what it asks depends on when, and not on one quantity. Compare it by a backtest.'] }]);
  });

  it('replays a stored draft, which nobody is on', async () => {
    await ok('PUT /v1/plans/tried/draft', { name: 'Tried', ...tried });
    const body = await ok<Backtest>('POST /v1/pricing/backtest', { plan: 'tried', version: 'draft', ...range }, 200);
    expect(body.total.compared).toEqual({ plan: '155.00', current: '162.00', difference: '-7.00' });
    const refused = async (request: object) => (await product.call<{ errors: { pointer: string; detail: string }[] }>('POST /v1/pricing/backtest', { key, body: { ...range, ...request } })).body.errors.map(({ pointer, detail }) => `${pointer} ${detail}`);
    expect(await refused({ plan: 'tried' })).toEqual(['/version Nothing of the plan is published; give "draft".']);
    expect(await refused({ plan: 'present', version: 'draft' })).toEqual(['/version The plan has no draft.']);
  });

  it('earns what the present plan does, where it is tried itself', async () => {
    const body = await ok<Backtest>('POST /v1/pricing/backtest', { plan: 'present', ...range }, 200);
    expect(body).toMatchObject({ total: { plan: '162.00', compared: { difference: '0.00' } }, pay_the_same: 2 });
  });

  it('takes customers without a subscription, and leaves out other currencies', async () => {
    const body = await ok<Backtest>('POST /v1/pricing/backtest', { plan: tried, ...range, customers: ['new', 'foreign', 'small'] }, 200);
    expect(body.customers.map(({ customer_key, plan, current }) => [customer_key, plan, current])).toEqual([['small', '45.00', '12.00'], ['new', '45.00', null]]);
    expect(body.skipped).toMatchObject([{ detail: 'The customer pays in EUR and the plan is priced in USD.' }]);
    expect(body.total).toEqual({ plan: '90.00', compared: { plan: '45.00', current: '12.00', difference: '33.00' } });
  });

  it('goes with the point where draft and present plan cost the same', async () => {
    const body = await ok<{ meter: string; step: string; ranges: object[]; points: object[] }>('POST /v1/pricing/break-even', { a: { plan: 'tried', version: 'draft' }, b: { plan: 'present' }, currency: 'USD' }, 200);
    // 30 + (q − 100) × 0.05 = q × 0.10 at 500.
    expect(body).toEqual({
      object: 'break_even', currency: 'USD', meter: 'requests', step: '1', from_quantity: '0', to_quantity: null,
      ranges: [{ from: '0', to: '499', cheaper: 'b' }, { from: '500', to: '500', cheaper: 'same' }, { from: '501', to: null, cheaper: 'a' }],
      points: [
        { by: 'crossing', before: { cheaper: 'b', quantity: '499', a: { amount: '49.95', unrounded_amount: '49.95' }, b: { amount: '49.90', unrounded_amount: '49.9' } },
          after: { cheaper: 'same', quantity: '500', a: { amount: '50.00', unrounded_amount: '50' }, b: { amount: '50.00', unrounded_amount: '50' } } },
        { by: 'crossing', before: { cheaper: 'same', quantity: '500', a: { amount: '50.00', unrounded_amount: '50' }, b: { amount: '50.00', unrounded_amount: '50' } },
          after: { cheaper: 'a', quantity: '501', a: { amount: '50.05', unrounded_amount: '50.05' }, b: { amount: '50.10', unrounded_amount: '50.1' } } },
      ],
    });
    const price = { type: 'usage', model: { type: 'percentage', rate: 2.9, fixed_amount: 0.3 } };
    const payments = await ok<{ ranges: object[] }>('POST /v1/pricing/break-even', { a: { price }, b: { price: { type: 'usage', model: { type: 'per_unit', unit_amount: '0.0295' }, included_units: '20' } }, currency: 'USD', event_value: 10 }, 200);
    // 0.59 each against 0.295 for each after two.
    expect(payments.ranges).toEqual([{ from: '0', to: '0', cheaper: 'same' }, { from: '10', to: null, cheaper: 'b' }]);
  });

  it.each<[string, object, string[]]>([
    ['two sides that are none', { a: {}, b: { plan: 'present', price: {} }, currency: 'USD' }, ['/a invalid', '/b/price/model missing_field', '/b/price/type missing_field']],
    ['a plan, a price, a meter and a version that there are not', { a: { plan: 'none' }, b: { price: { type: 'usage', meter: 'none', model: { type: 'per_unit', unit_amount: '-1' } }, version: 1 }, currency: 'USD', meter: 'nothing' },
      ['/a/plan unknown_plan', '/b/price/meter unknown_meter', '/b/price/model/unit_amount negative_amount', '/b/version not_allowed', '/meter unknown_meter']],
    ['another currency and a draft that is not there', { a: { plan: 'present' }, b: { plan: 'present', version: 'draft' }, currency: 'EUR' }, ['/b/version unknown_version']],
    ['a plan without models in the currency', { a: { plan: 'present' }, b: { plan: 'present' }, currency: 'EUR', step: '-1' }, ['/a/plan currency_mismatch', '/b/plan currency_mismatch', '/step negative_amount']],
    ['hours', { a: { plan: 'present' }, b: { plan: { currency: 'USD', billing_period: 'P1M', prices: [{ ...usage('1'), bucket: 'hour' }] } }, currency: 'USD' }, ['/b/plan/prices/0 not_allowed']],
  ])('names what a break-even question lacks: %s', async (_name, body, faults) => {
    const answer = await product.call<{ errors: { pointer: string; code: string }[] }>('POST /v1/pricing/break-even', { key, body });
    expect([answer.status, answer.body.errors.map(({ pointer, code }) => `${pointer} ${code}`).toSorted()]).toEqual([422, faults]);
  });

  describe('that can not be', () => {
    it.each<[string, object, string[]]>([
      ['an unknown plan and customer', { plan: 'none', customers: ['small', 'nobody'], ...range }, ['/customers/1 unknown_customer', '/plan unknown_plan']],
      ['a range that is none', { plan: 'present', from: range.to, to: range.from }, ['/to invalid_range']],
      ['a future', { plan: 'present', from: range.from, to: '2027-01-01T00:00:00Z' }, ['/to in_future']],
      ['faults of a draft', { plan: { currency: 'USD', billing_period: 'P1M', extra: 1, prices: [{ ...usage('x'), meter: 'none' }] }, ...range }, ['/plan/extra unknown_field', '/plan/prices/0/model/unit_amount invalid_decimal']],
      ['a meter that is not there', { plan: { currency: 'USD', billing_period: 'P1M', prices: [{ ...usage('1'), meter: 'none' }] }, ...range, version: 1 }, ['/plan/prices/0/meter unknown_meter', '/version not_allowed']],
    ])('names %s', async (_name, body, faults) => {
      const answer = await product.call<{ errors: { pointer: string; code: string }[] }>('POST /v1/pricing/backtest', { key, body });
      expect([answer.status, answer.body.errors.map(({ pointer, code }) => `${pointer} ${code}`).toSorted()]).toEqual([422, faults]);
    });
  });
});
