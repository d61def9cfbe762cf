import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '#testing';
import { Product, testKey } from './product.js';

// Goal: every price model and what stands around it, from events to rated days and invoice lines. Method: one running product, one
// customer, eight payments in January; each amount by hand from the list below.
//
//   id  time          region  status  value   cost
//   1   05 00:10      eu      200      40      1
//   2   05 00:50      eu      200     100      2.5
//   3   05 01:00      us      503      60      –
//   4   10 00:00      us      200      10      –
//   5   11 00:00      eu      200      −5      –
// The meters: value sums 205, count is 5.

describeWith('clickhouse', 'prices of every kind', () => {
  let product: Product;
  beforeAll(async () => {
    product = await Product.start();
  }, 120_000);
  afterAll(async () => product?.dispose(), 90_000);

  const ok = <Body = Record<string, unknown>>(route: string, body?: unknown, status = 201) => product.expect<Body>(status, route, { key: testKey, ...(body === undefined ? {} : { body }) });
  const usage = (key: string, meter: string, model: object, more: object = {}) => ({ key, name: key, type: 'usage', meter, model, ...more });
  const perUnit = (unitAmount: string) => ({ type: 'per_unit', unit_amount: unitAmount });
  const volume = { type: 'volume', tiers: [{ up_to: '100', unit_amount: '0.02' }, { up_to: null, unit_amount: '0.01' }] };

  const prices = [
    // 40 is free (1 event, within 50); of the others 100, 60 and 10 are charged: 170 × 2.9% + 3 × 0.30 = 5.83
    { price: usage('percentage', 'value', { type: 'percentage', rate: 2.9, fixed_amount: '0.30', free_events: 1, free_amount: '50' }), amount: '5.83', quantity: '205' },
    // eu 40 + 100 − 5 = 135 × 0.02 = 2.70; us has no cell.
    { price: usage('matrix', 'value', { type: 'matrix', dimensions: ['region'], cells: [{ when: { region: 'eu' }, model: perUnit('0.02') }], default: null }), amount: '2.70', quantity: '205' },
    // (1 + 2.5) × 1.2
    { price: usage('dynamic', 'count', { type: 'dynamic', amount: '$.cost', multiplier: '1.2' }), amount: '4.20', quantity: '5' },
    // 5 is above 3: 50, less 10% and 5
    { price: usage('stairstep', 'count', { type: 'stairstep', tiers: [{ up_to: '3', amount: '10' }, { up_to: null, amount: '50' }] }, { discount: { percent: '10', amount: '5' } }), amount: '40.00', quantity: '5' },
    // 1 + 2% of 100, at most 2.50, + 1% of 105
    { price: usage('graduated_percentage', 'value', { type: 'graduated_percentage', tiers: [{ up_to: '100', rate: '2', flat_amount: '1', maximum_amount: '2.5' }, { up_to: null, rate: '1' }] }), amount: '3.55', quantity: '205' },
    // Without the failed call: 145 × 0.1
    { price: usage('exempt', 'value', perUnit('0.1'), { exempt: 'data.status >= 500' }), amount: '14.50', quantity: '145' },
    // Hours: 140 − 20 included = 120 at 0.01 → 1.20; 60 and 10 at 0.02 → 1.20 and 0.20; −5 is 0.
    { price: usage('hourly', 'value', volume, { bucket: 'hour', included_units: '20' }), amount: '2.60', quantity: '205' },
  ];

  it('are rated by day and invoiced', async () => {
    await ok('POST /v1/test-clock', { now: '2027-01-01T00:00:00Z' }, 200);
    await ok('POST /v1/meters', { key: 'value', name: 'Value', event_type: 'payment', aggregation: 'sum', value: '$.value', group_by: { region: '$.region' } });
    await ok('POST /v1/meters', { key: 'count', name: 'Count', event_type: 'payment', aggregation: 'count' });
    const inEuro = (price: object) => ({ ...price, currencies: { EUR: perUnit('0.005') } });
    await ok('POST /v1/plans', { key: 'all', name: 'All', currency: 'USD', billing_period: 'P1M', prices: prices.map(({ price }) => price) });
    await ok('POST /v1/plans', { key: 'euro', name: 'Euro', currency: 'USD', billing_period: 'P1M', prices: [inEuro(usage('calls', 'value', perUnit('9')))] });
    for (const [key, currency, plan] of [['acme', 'USD', 'all'], ['euro', 'EUR', 'euro']]) {
      await ok('POST /v1/customers', { key, name: key, email: `${key}@example.com`, currency, subjects: [`${key}-1`, `${key}-2`] });
      await ok('POST /v1/subscriptions', { customer: key, plan });
    }
    await ok('POST /v1/test-clock/advance', { to: '2027-01-20T00:00:00Z' }, 200);
    const event = (id: string, subject: string, time: string, data: object) => ({ id, source: 'till', type: 'payment', subject, time: `2027-01-${time}Z`, data });
    await ok('POST /v1/events', [
      event('5', 'acme-1', '11T00:00:00', { value: -5, region: 'eu', status: 200 }),
      event('2', 'acme-2', '05T00:50:00', { value: '100', region: 'eu', status: 200, cost: 2.5 }),
      event('1', 'acme-1', '05T00:10:00', { value: 40, region: 'eu', status: 200, cost: '1' }),
      event('3', 'acme-1', '05T01:00:00', { value: 60, region: 'us', status: 503 }),
      event('4', 'acme-1', '10T00:00:00', { value: 10, region: 'us', status: 200, cost: null }),
      event('6', 'euro-1', '05T00:00:00', { value: 1, region: 'us', status: 200 }),
    ], 202);
    await ok('POST /v1/test-clock/advance', { to: '2027-02-02T00:00:00Z' }, 200);

    interface Invoice { total: string; currency: string; lines: { price_key: string; quantity: string; amount: string; unrounded_amount: string; trace: { step: string; amount: string }[] }[] }
    const [invoice] = (await ok<{ data: Invoice[] }>('GET /v1/invoices?customer=acme', undefined, 200)).data;
    expect(invoice?.lines.map(({ price_key, quantity, amount }) => [price_key, quantity, amount])).toEqual(prices.map(({ price, quantity, amount }) => [price.key, quantity, amount]));
    expect(invoice?.total).toBe('73.38'); // 5.83 + 2.70 + 4.20 + 40.00 + 3.55 + 14.50 + 2.60
    for (const line of invoice?.lines ?? []) expect(line.trace.at(-1)?.amount).toBe(line.unrounded_amount);
    const unpriced = (key: string) => invoice?.lines.find(({ price_key }) => price_key === key)?.trace.filter(({ step }) => step === 'unpriced').length;
    expect([unpriced('matrix'), unpriced('dynamic'), unpriced('percentage')]).toEqual([1, 1, 0]);
    const [euro] = (await ok<{ data: Invoice[] }>('GET /v1/invoices?customer=euro', undefined, 200)).data;
    expect([euro?.currency, euro?.total]).toEqual(['EUR', '0.01']); // 1 × 0.005

    interface Rated { data: { price_key: string; day: string; amount: string }[] }
    const { data } = await ok<Rated>('GET /v1/rated-usage?from=2027-01-01T00:00:00Z&to=2027-02-01T00:00:00Z&customer=acme&group_by=price,day', undefined, 200);
    const days = (key: string) => data.filter((row) => row.price_key === key && row.amount !== '0.00').map(({ day, amount }) => [day, amount]);
    expect(days('percentage')).toEqual([['2027-01-05', '5.24'], ['2027-01-10', '0.59']]); // 160 × 2.9% + 0.60; 0.29 + 0.30
    expect(days('dynamic')).toEqual([['2027-01-05', '4.20']]);
    expect(days('hourly')).toEqual([['2027-01-05', '2.40'], ['2027-01-10', '0.20']]);
    expect(days('exempt')).toEqual([['2027-01-05', '14.00'], ['2027-01-10', '1.00'], ['2027-01-11', '-0.50']]);
    expect(await product.verifyInvoices({ key: testKey })).toEqual([2]);
  });

  it('are refused with a pointer and the way to mend them', async () => {
    const faulty = [
      usage('tiers', 'value', { type: 'graduated', tiers: [{ up_to: '20', unit_amount: '1' }, { up_to: '10', unit_amount: '1' }] }),
      usage('meter', 'none', perUnit('1')), usage('cells', 'value', { type: 'matrix', dimensions: ['zone'], cells: [] }), usage('share', 'count', { type: 'percentage', rate: '1' }),
    ];
    interface Refused { errors: { pointer: string; code: string; detail: string }[] }
    // Faults of shape and numbers come first; then those that need the stored meters.
    const first = await ok<Refused>('POST /v1/plans', { key: 'bad', name: 'Bad', currency: 'USD', billing_period: 'P1M', prices: faulty }, 422);
    expect(first.errors.map(({ pointer, code }) => `${pointer} ${code}`).toSorted()).toEqual(['/prices/0/model/tiers/1/up_to tier_not_open', '/prices/0/model/tiers/1/up_to tiers_unsorted']);
    const second = await ok<Refused>('POST /v1/plans', { key: 'bad', name: 'Bad', currency: 'USD', billing_period: 'P1M', prices: faulty.slice(1) }, 422);
    expect(second.errors.map(({ pointer, code }) => `${pointer} ${code}`).toSorted()).toEqual(['/prices/0/meter unknown_meter', '/prices/1/model/dimensions/0 unknown_dimension', '/prices/2/model/type meter_not_sum']);
    expect(second.errors.every(({ detail }) => detail.length > 20)).toBe(true);
  });
});
