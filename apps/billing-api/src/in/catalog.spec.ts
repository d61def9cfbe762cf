import { describe, expect, it } from 'vitest';
import { usePostgres } from '#testing';
import { startBillingApi } from '../fixtures/billing-api-app.js';

usePostgres();
const { owner } = await startBillingApi();
const pointersOf = (body: { errors: { pointer: string; code: string }[] }) => body.errors.map(({ pointer, code }) => `${pointer} ${code}`).toSorted();

const requests = { key: 'requests', name: 'Requests', event_type: 'http.request', aggregation: 'count', group_by: { route: '$.route' } };
const bytes = { key: 'bytes', name: 'Bytes', event_type: 'http.request', aggregation: 'sum', value: '$.bytes', filter: 'data.status < 500', unit: 'byte' };
await owner('POST', '/v1/meters', requests);
await owner('POST', '/v1/meters', bytes);

const fee = { key: 'base', name: 'Base fee', type: 'recurring', model: { type: 'flat', amount: '49.00' } };
const calls = {
  key: 'calls', name: 'Calls', type: 'usage', meter: 'requests', included_units: 100,
  model: { type: 'graduated', tiers: [{ up_to: 1000, unit_amount: 0.01 }, { up_to: null, unit_amount: '0.0050' }] },
};

describe('products and features', () => {
  it('are created, replaced, changed and archived, by id or key', async () => {
    const product = await owner('POST', '/v1/products', { key: 'maps', name: 'Maps API', docs_url: 'https://maps.example/docs', version: 'v2' });
    expect(product).toMatchObject({ status: 201, body: { object: 'product', key: 'maps', version: 'v2', archived_at: null } });
    expect((await owner('PATCH', '/v1/products/maps', { version: null })).body).toEqual({ ...product.body, version: null });
    expect(await owner('PUT', '/v1/products/maps', { name: 'Maps' })).toMatchObject({ status: 200, body: { name: 'Maps', docs_url: null } });
    expect(await owner('PUT', '/v1/products/routes', { name: 'Routes' })).toMatchObject({ status: 201, body: { key: 'routes' } });
    expect((await owner('POST', `/v1/products/${product.body.id}/archive`)).body.archived_at).not.toBeNull();
    expect((await owner('GET', '/v1/products')).body.data.map(({ key }: { key: string }) => key)).toEqual(['routes']);
    expect(await owner('POST', '/v1/products', { key: 'maps', name: 'x' })).toMatchObject({ status: 409, body: { code: 'key_taken' } });
    const feature = await owner('POST', '/v1/features', { key: 'geocoding', name: 'Geocoding', meter: 'requests' });
    expect(feature).toMatchObject({ status: 201, body: { object: 'feature', meter_key: 'requests', meter: expect.stringMatching(/^mtr_/) } });
    expect((await owner('PATCH', '/v1/features/geocoding', { meter: null })).body).toMatchObject({ meter: null, meter_key: null, name: 'Geocoding' });
    expect(pointersOf((await owner('POST', '/v1/features', { key: 'y', name: 'y', meter: 'none' })).body)).toEqual(['/meter unknown_meter']);
  });

  it.each(['-x', 'a b', '', 'prod_1', 'x'.repeat(101), 'ü'])('refuse the key %j', async (key) => {
    expect(pointersOf((await owner('POST', '/v1/products', { key, name: 'x' })).body)).toEqual(['/key invalid_format']);
  });
});

describe('meters', () => {
  it('say how they count', async () => {
    expect((await owner('GET', '/v1/meters/bytes')).body).toMatchObject({ object: 'meter', ...bytes, group_by: {}, archived_at: null });
    expect((await owner('PATCH', '/v1/meters/bytes', { name: 'Traffic' })).body).toMatchObject({ ...bytes, name: 'Traffic' });
  });

  it('have dimensions of any name', async () => {
    const groupBy = { 'it\'s "so"': '$.a', 'größe.x': '$.b', constructor: '$.c', "a b/c[0';--": '$["odd \\"name\\""]', '😀': '$.d' };
    expect(await owner('POST', '/v1/meters', { key: 'odd', name: 'Odd', event_type: 'http.request', aggregation: 'count', group_by: groupBy })).toMatchObject({ status: 201, body: { group_by: groupBy } });
    expect((await owner('GET', '/v1/meters/odd')).body.group_by).toEqual(groupBy);
    const price = { key: 'odd', name: 'Odd', type: 'usage', meter: 'odd', group_by: Object.keys(groupBy), model: { type: 'per_unit', unit_amount: '1' } };
    const plan = await owner('POST', '/v1/plans', { key: 'odd', name: 'Odd', currency: 'USD', billing_period: 'P1M', prices: [price] });
    expect([plan.status, plan.body.prices?.[0].group_by]).toEqual([201, Object.keys(groupBy)]);
    await owner('POST', '/v1/plans/odd/archive');
  });

  it('keep a percentile in its one form, also as a number of any digits', async () => {
    const slow = { key: 'slow', name: 'Slow', event_type: 'http.request', aggregation: 'percentile', value: '$.latency_ms' };
    expect(await owner('POST', '/v1/meters', { ...slow, percentile: 99.9 })).toMatchObject({ status: 201, body: { aggregation: 'percentile', percentile: '99.9' } });
    expect(await owner('PUT', '/v1/meters/slow', { ...slow, percentile: '99.90' })).toMatchObject({ status: 200, body: { percentile: '99.9' } });
    expect(await owner('PUT', '/v1/meters/slow', { ...slow, percentile: '99' })).toMatchObject({ status: 409, body: { code: 'definition_fixed' } });
  });

  it.each([
    [{ aggregation: 'count', value: '$.x' }, ['/value not_allowed']],
    [{ aggregation: 'sum' }, ['/value missing_field']],
    [{ aggregation: 'sum', value: 'bytes', filter: 'data.status <', group_by: { r: 'x', customer: '$.c' } }, ['/filter invalid_filter', '/group_by/customer invalid_dimension', '/group_by/r invalid_path', '/value invalid_expression']],
    [{ aggregation: 'sum', value: 'data.bytes / ' }, ['/value invalid_expression']],
    [{ aggregation: 'sum', value: 'data.name.lowerAscii()' }, ['/value invalid_expression']],
    [{ aggregation: 'median', value: '$.x', quantile: '95' }, ['/aggregation invalid_value', '/quantile unknown_field']],
    [{ aggregation: 'percentile', value: '$.x' }, ['/percentile missing_field']],
    [{ aggregation: 'percentile', value: '$.x', percentile: 101 }, ['/percentile invalid_percentile']],
    [{ aggregation: 'sum', value: '$.x', percentile: '95' }, ['/percentile not_allowed']],
  ])('refuse %j', async (counting, pointers) => {
    const { status, body } = await owner('POST', '/v1/meters', { key: 'bad', name: 'Bad', event_type: 'e', ...counting });
    expect([status, pointersOf(body)]).toEqual([422, pointers]);
  });

  it('change names without a new version, and never what their quantity is', async () => {
    expect(await owner('PUT', '/v1/meters/bytes', { ...bytes, name: 'Bytes' })).toMatchObject({ status: 200, body: { name: 'Bytes', version: 1, effective_at: null } });
    expect(await owner('PATCH', '/v1/meters/bytes', { aggregation: 'max' })).toMatchObject({ status: 409, body: { code: 'definition_fixed' } });
    expect(pointersOf((await owner('PATCH', '/v1/meters/bytes', { filter: 'data.', value: null, effective_at: 'soon', aggregates: 1 })).body)).toEqual(['/aggregates unknown_field', '/effective_at invalid']);
    expect(pointersOf((await owner('PATCH', '/v1/meters/bytes', { filter: 'data.', value: null })).body)).toEqual(['/filter invalid_filter', '/value missing_field']);
  });
});

describe('plans', () => {
  it('keep every version, and the ids of prices that did not change', async () => {
    const created = await owner('POST', '/v1/plans', { key: 'pro', name: 'Pro', currency: 'USD', billing_period: 'P1M', trial_days: 14, prices: [fee, calls] });
    expect(created).toMatchObject({
      status: 201,
      body: {
        object: 'plan', key: 'pro', version: 1, latest_version: 1, currency: 'USD', billing_period: 'P1M', trial_days: 14, product: null,
        prices: [
          { id: expect.stringMatching(/^price_/), key: 'base', model: { type: 'flat', amount: '49' } },
          { key: 'calls', meter: 'requests', included_units: '100', model: { tiers: [{ up_to: '1000', unit_amount: '0.01' }, { up_to: null, unit_amount: '0.005' }] } },
        ],
      },
    });
    const renamed = await owner('PATCH', '/v1/plans/pro', { name: 'Professional', metadata: { a: 'b' } });
    expect(renamed.body).toEqual({ ...created.body, name: 'Professional', metadata: { a: 'b' } });
    const same = await owner('PATCH', '/v1/plans/pro', { prices: [{ ...fee, model: { amount: 49, type: 'flat' } }, calls] });
    expect(same.body.version).toBe(1);
    const dearer = await owner('PATCH', '/v1/plans/pro', { prices: [{ ...fee, model: { type: 'flat', amount: '59' } }, calls] });
    expect(dearer.body).toMatchObject({ version: 2, latest_version: 2, trial_days: 14 });
    expect(dearer.body.prices[1].id).toBe(created.body.prices[1].id);
    expect(dearer.body.prices[0].id).not.toBe(created.body.prices[0].id);
    expect((await owner('GET', '/v1/plans/pro?version=1')).body).toMatchObject({ version: 1, latest_version: 2, prices: created.body.prices });
    expect((await owner('GET', '/v1/plans/pro?version=3')).status).toBe(404);
    const versions = await owner('GET', '/v1/plans/pro/versions?limit=1');
    expect(versions.body).toMatchObject({ data: [{ object: 'plan_version', version: 2 }], has_more: true });
    expect((await owner('GET', '/v1/plans/pro/versions?starting_after=2')).body).toMatchObject({ data: [{ version: 1 }], has_more: false });
  });

  it('say in sentences what a version changed', async () => {
    const create = await owner('POST', '/v1/plans', { key: 'told', name: 'Told', currency: 'USD', billing_period: 'P1M', prices: [fee, calls] });
    expect((await owner('GET', '/v1/plans/told/diff')).body).toEqual({ object: 'plan_diff', plan: create.body.id, from: 1, to: 1, differences: [] });
    await owner('PATCH', '/v1/plans/told', { trial_days: 7, prices: [{ ...fee, model: { type: 'flat', amount: '53.90' } }, calls] });
    const { body } = await owner('GET', '/v1/plans/told/diff');
    expect(body).toMatchObject({ from: 1, to: 2 });
    expect(body.differences.map(({ pointer, text }: Record<string, string>) => [pointer, text])).toEqual([
      ['/trial_days', 'The plan: trial days from 0 to 7.'], ['/prices/base/model/amount', `"${fee.name}" (base): amount from 49 to 53.9 (+10 %).`],
    ]);
    const back = await owner('GET', '/v1/plans/told/diff?from=2&to=1');
    expect(back.body.differences[1]).toMatchObject({ price_key: 'base', kind: 'changed', from: '53.9', to: '49' });
    expect((await owner('GET', '/v1/plans/told/diff?to=3')).status).toBe(404);
    expect(pointersOf((await owner('GET', '/v1/plans/told/diff?from=0')).body)).toEqual(['/from invalid_format']);
    await owner('POST', '/v1/plans/told/archive');
  });

  it('rise by a percentage, as a new version', async () => {
    await owner('POST', '/v1/plans', { key: 'rising', name: 'Rising', currency: 'USD', billing_period: 'P1M', prices: [fee, calls] });
    const raised = await owner('POST', '/v1/plans/rising/raise', { percent: '10' });
    // 49 × 1.1 = 53.9; 0.01 and 0.005 become 0.011 and 0.0055; what is included stays.
    expect(raised).toMatchObject({ status: 200, body: { version: 2, prices: [{ model: { amount: '53.9' } }, { included_units: '100', model: { tiers: [{ up_to: '1000', unit_amount: '0.011' }, { unit_amount: '0.0055' }] } }] } });
    const rounded = await owner('POST', '/v1/plans/rising/raise', { percent: 3.5, prices: ['base'], digits: 0 });
    expect(rounded.body).toMatchObject({ version: 3, prices: [{ model: { amount: '56' } }, { model: { tiers: [{ unit_amount: '0.011' }, {}] } }] }); // 53.9 × 1.035 = 55.7865
    expect(pointersOf((await owner('POST', '/v1/plans/rising/raise', { percent: '-100', prices: ['base', 'none'] })).body)).toEqual(['/percent number_out_of_range', '/prices/1 unknown_price']);
    expect(pointersOf((await owner('POST', '/v1/plans/rising/raise', { percent: '0.0000000000000000001' })).body)).toEqual(['/digits number_out_of_range']);
    expect((await owner('POST', '/v1/plans/none/raise', { percent: '1' })).status).toBe(404);
    await owner('POST', '/v1/plans/rising/archive');
  });

  it('say what happens to late usage, as a term of the version', async () => {
    const plan = (lateUsage?: object) => ({ name: 'Late', currency: 'USD', billing_period: 'P1M', prices: [fee], ...(lateUsage === undefined ? {} : { late_usage: lateUsage }) });
    expect((await owner('PUT', '/v1/plans/late', plan())).body).toMatchObject({ version: 1, late_usage: { policy: 'next_invoice' } });
    expect((await owner('PUT', '/v1/plans/late', plan({ policy: 'next_invoice' }))).body.version).toBe(1);
    expect((await owner('PUT', '/v1/plans/late', plan({ absorb_below: 0.50 }))).body).toMatchObject({ version: 2, late_usage: { policy: 'next_invoice', absorb_below: '0.5' } });
    expect((await owner('PATCH', '/v1/plans/late', { late_usage: { policy: 'absorb' } })).body).toMatchObject({ version: 3, late_usage: { policy: 'absorb' } });
    expect((await owner('PATCH', '/v1/plans/late', { name: 'Later' })).body).toMatchObject({ version: 3, late_usage: { policy: 'absorb' } });
    expect((await owner('GET', '/v1/plans/late?version=1')).body.late_usage).toEqual({ policy: 'next_invoice' });
    const wrong = await owner('PUT', '/v1/plans/late', plan({ policy: 'credit_or_debit_note', absorb_below: '0' }));
    expect([wrong.status, pointersOf(wrong.body)]).toEqual([422, ['/late_usage/absorb_below number_out_of_range', '/late_usage/policy not_supported']]);
    expect((await owner('PUT', '/v1/plans/late', plan({ policy: 'never', until: 1 }))).status).toBe(422);
    await owner('POST', '/v1/plans/late/archive');
  });

  it('are created and replaced by key, numbering versions one by one', async () => {
    const put = (amount: string) => owner('PUT', '/v1/plans/by-key', { name: 'By key', currency: 'JPY', billing_period: 'P1M', prices: [{ ...fee, model: { type: 'flat', amount } }] });
    expect(await put('100')).toMatchObject({ status: 201, body: { version: 1 } });
    expect(await put('100.0')).toMatchObject({ status: 200, body: { version: 1 } });
    const answers = await Promise.all(['1', '2', '3', '4'].map(put));
    expect(answers.map(({ body }) => body.version).toSorted()).toEqual([2, 3, 4, 5]);
  });

  it('name every fault of every price at once', async () => {
    const { status, body } = await owner('POST', '/v1/plans', {
      key: 'bad', currency: 'EURO', billing_period: 'monthly', extra: 1,
      prices: [
        { ...fee, model: { type: 'flat', amount: '-1' }, minimum_amount: '5', maximum_amount: '4' },
        { ...calls, key: 'base', model: { type: 'graduated', tiers: [{ up_to: '10', unit_amount: '1' }, { up_to: '5', unit_amount: 'x' }] } },
        { ...fee, key: 'third', model: { type: 'cubic' } },
      ],
    });
    expect(status).toBe(422);
    expect(pointersOf(body)).toEqual([
      '/billing_period invalid_interval', '/currency unknown_currency', '/extra unknown_field', '/name missing_field', '/prices/0/minimum_amount minimum_above_maximum',
      '/prices/0/model/amount negative_amount', '/prices/1/model/tiers/1/unit_amount invalid_decimal', '/prices/1/model/tiers/1/up_to tier_not_open',
      '/prices/1/model/tiers/1/up_to tiers_unsorted', '/prices/2/model/type invalid_union',
    ]);
  });

  it('refer to what is there', async () => {
    const { body } = await owner('POST', '/v1/plans', { key: 'x', name: 'x', currency: 'USD', billing_period: 'P1M', prices: [{ ...calls, meter: 'none' }, { ...calls, key: 'c2', group_by: ['route', 'color'] }, { ...calls, key: 'c2' }] });
    expect(pointersOf(body)).toEqual(['/prices/2/key duplicate_key']);
    const next = await owner('POST', '/v1/plans', { key: 'x', name: 'x', currency: 'USD', billing_period: 'P1M', prices: [{ ...calls, meter: 'none' }, { ...calls, key: 'c2', group_by: ['route', 'color', 'constructor'] }] });
    expect(pointersOf(next.body)).toEqual(['/prices/0/meter unknown_meter', '/prices/1/group_by/1 unknown_group', '/prices/1/group_by/2 unknown_group']);
    expect(pointersOf((await owner('POST', '/v1/plans', { key: 'x', name: 'x', currency: 'USD', billing_period: 'P1M', product: 'maps', prices: [] })).body)).toEqual(['/product archived_product']);
    const both = { name: 'x', currency: 'USD', billing_period: 'P1M', product: 'none', prices: [{ ...calls, meter: 'none' }] };
    for (const route of ['POST /v1/plans', 'PUT /v1/plans/new', 'PUT /v1/plans/pro', 'PATCH /v1/plans/pro']) {
      const [method = '', path = ''] = route.split(' ');
      const answer = await owner(method as 'POST', path, { ...both, ...(method === 'POST' ? { key: 'new' } : {}) });
      expect([answer.status, pointersOf(answer.body)], route).toEqual([422, ['/prices/0/meter unknown_meter', '/product unknown_product']]);
    }
  });

  it('keep their meters from being archived', async () => {
    await owner('POST', '/v1/plans', { key: 'on-bytes', name: 'x', currency: 'USD', billing_period: 'P1M', prices: [{ ...calls, meter: 'bytes' }] });
    expect(await owner('POST', '/v1/meters/bytes/archive')).toMatchObject({ status: 409, body: { code: 'in_use' } });
    await owner('POST', '/v1/plans/on-bytes/archive');
    expect((await owner('POST', '/v1/meters/bytes/archive')).body.archived_at).not.toBeNull();
    expect((await owner('GET', '/v1/plans?limit=100')).body.data.map(({ key }: { key: string }) => key)).toEqual(['by-key', 'pro']);
  });
});
