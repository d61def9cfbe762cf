import { describe, expect, it } from 'vitest';
import { usePostgres } from '#testing';
import { startBillingApi } from '../fixtures/billing-api-app.js';

// Goal: a draft is edited until it is published, and nobody is on it before. Method: a real Postgres, over HTTP.

usePostgres();
const { owner } = await startBillingApi();
const pointersOf = (body: { errors: { pointer: string; code: string }[] }) => body.errors.map(({ pointer, code }) => `${pointer} ${code}`);
await owner('POST', '/v1/meters', { key: 'calls', name: 'Calls', event_type: 'call', aggregation: 'count' });
await owner('POST', '/v1/customers', { key: 'acme', name: 'Acme' });

const fee = (amount: string) => ({ key: 'base', name: 'Base', type: 'recurring', model: { type: 'flat', amount } });
const calls = { key: 'calls', name: 'Calls', type: 'usage', meter: 'calls', model: { type: 'per_unit', unit_amount: '0.01' } };
const terms = (amount: string, more: object = {}) => ({ currency: 'USD', billing_period: 'P1M', prices: [fee(amount), calls], ...more });

describe('a draft of a plan', () => {
  it('is the next version of a published plan, and keeps the ids of prices that do not change', async () => {
    const { body: plan } = await owner('POST', '/v1/plans', { key: 'pro', name: 'Pro', ...terms('49') });
    expect(plan).toMatchObject({ status: 'published', version: 1 });
    expect((await owner('GET', '/v1/plans/pro/draft')).status).toBe(404);
    const put = await owner('PUT', '/v1/plans/pro/draft', terms('59.00'));
    expect(put).toMatchObject({ status: 201, body: { object: 'plan_draft', plan: plan.id, key: 'pro', name: 'Pro', latest_version: 1, prices: [{ model: { amount: '59' } }, { id: plan.prices[1].id }] } });
    expect((await owner('PUT', `/v1/plans/${plan.id}/draft`, terms('61'))).status).toBe(200);
    expect((await owner('GET', '/v1/plans/pro')).body).toEqual(plan);
    const diff = await owner('GET', '/v1/plans/pro/diff?to=draft');
    expect(diff.body).toMatchObject({ from: 1, to: 'draft', differences: [{ text: '"Base" (base): amount from 49 to 61 (+24.49 %).' }] });
    const { body: subscription } = await owner('POST', '/v1/subscriptions', { customer: 'acme', plan: 'pro' });
    expect(subscription.version).toBe(1);
    expect(pointersOf((await owner('POST', '/v1/subscriptions', { customer: 'acme', plan: 'pro', version: 2 })).body)).toEqual(['/version unknown_version']);
    const draft = (await owner('GET', '/v1/plans/pro/draft')).body;
    const published = await owner('POST', '/v1/plans/pro/publish');
    expect(published).toMatchObject({ status: 200, body: { object: 'plan', version: 2, latest_version: 2, status: 'published', prices: draft.prices } });
    expect((await owner('GET', '/v1/plans/pro/draft')).status).toBe(404);
    expect((await owner('GET', `/v1/subscriptions/${subscription.id}`)).body.version).toBe(1);
    expect((await owner('POST', '/v1/plans/pro/publish'))).toMatchObject({ status: 409, body: { code: 'no_draft' } });
  });

  it('begins a plan, which nobody can be on before it is published', async () => {
    expect(pointersOf((await owner('PUT', '/v1/plans/new/draft', { ...terms('-1'), prices: [fee('-1')] })).body)).toEqual(['/prices/0/model/amount negative_amount']);
    expect(pointersOf((await owner('PUT', '/v1/plans/new/draft', { ...terms('1'), currency: 'USD', product: 'none' })).body)).toEqual(['/name missing_field', '/product unknown_product']);
    expect((await owner('PUT', '/v1/plans/new/draft', { name: 'New', metadata: { a: 'b' }, ...terms('10') }))).toMatchObject({ status: 201, body: { name: 'New', latest_version: 0, metadata: { a: 'b' } } });
    const plan = (await owner('GET', '/v1/plans/new')).body;
    expect(plan).toMatchObject({ object: 'plan', status: 'draft', version: 0, latest_version: 0, prices: [{ model: { amount: '10' } }, {}] });
    expect((await owner('GET', '/v1/plans')).body.data[0]).toEqual(plan);
    expect((await owner('GET', '/v1/plans/new/versions')).body.data).toEqual([]);
    const refused = await owner('POST', '/v1/subscriptions', { customer: 'acme', plan: 'new' });
    expect(refused.body.errors).toMatchObject([{ pointer: '/plan', code: 'not_published', detail: 'The plan is a draft: publish it first (POST /v1/plans/new/publish), or choose another.' }]);
    const { id } = (await owner('POST', '/v1/subscriptions', { customer: 'acme', plan: 'pro' })).body;
    expect(pointersOf((await owner('POST', `/v1/subscriptions/${id}/change`, { plan: 'new', when: 'now' })).body)).toEqual(['/plan not_published']);
    expect(await owner('PATCH', '/v1/plans/new', { trial_days: 3 })).toMatchObject({ status: 409, body: { code: 'not_published' } });
    expect(await owner('POST', '/v1/plans/new/raise', { percent: '3' })).toMatchObject({ status: 409, body: { code: 'not_published' } });
    expect((await owner('PATCH', '/v1/plans/new', { name: 'Newer' })).body).toEqual({ ...plan, name: 'Newer' });
    expect(await owner('DELETE', '/v1/plans/new/draft')).toMatchObject({ status: 409, body: { code: 'not_published' } });
    expect((await owner('POST', '/v1/plans/new/publish')).body).toMatchObject({ status: 'published', name: 'Newer', version: 1, prices: plan.prices });
    expect((await owner('POST', '/v1/subscriptions', { customer: 'acme', plan: 'new' })).status).toBe(201);
  });

  it('is checked again when it is published', async () => {
    await owner('POST', '/v1/meters', { key: 'gone', name: 'Gone', event_type: 'call', aggregation: 'count' });
    await owner('PUT', '/v1/plans/stale/draft', { name: 'Stale', ...terms('1', { prices: [{ ...calls, meter: 'gone' }] }) });
    expect((await owner('POST', '/v1/meters/gone/archive')).status).toBe(200);
    const refused = await owner('POST', '/v1/plans/stale/publish');
    expect([refused.status, pointersOf(refused.body)]).toEqual([422, ['/prices/0/meter archived_meter']]);
    expect((await owner('GET', '/v1/plans/stale')).body.status).toBe('draft');
  });

  it('that says what is published makes no version, and can be discarded', async () => {
    await owner('POST', '/v1/plans', { key: 'same', name: 'Same', ...terms('5') });
    await owner('PUT', '/v1/plans/same/draft', terms('5.00'));
    expect((await owner('POST', '/v1/plans/same/publish')).body.version).toBe(1);
    await owner('PUT', '/v1/plans/same/draft', terms('6'));
    // A change of the plan makes a version as ever, and leaves the draft.
    expect((await owner('PATCH', '/v1/plans/same', { trial_days: 7 })).body.version).toBe(2);
    expect((await owner('GET', '/v1/plans/same/draft')).body).toMatchObject({ trial_days: 0, latest_version: 2 });
    expect(await owner('DELETE', '/v1/plans/same/draft')).toMatchObject({ status: 200, body: { version: 2, trial_days: 7 } });
    expect((await owner('DELETE', '/v1/plans/same/draft')).status).toBe(404);
    expect((await owner('GET', '/v1/plans/same/diff?to=draft')).status).toBe(404);
    expect((await owner('GET', '/v1/plans/same/diff?to=next')).status).toBe(422);
  });

  it('may be replaced by publishing the whole plan', async () => {
    await owner('PUT', '/v1/plans/direct/draft', { name: 'Direct', ...terms('1') });
    expect(await owner('PUT', '/v1/plans/direct', { name: 'Direct', ...terms('1') })).toMatchObject({ status: 200, body: { status: 'published', version: 1 } });
    expect(await owner('PUT', '/v1/plans/direct/draft', { key: 'other', ...terms('1') })).toMatchObject({ status: 422 });
    expect((await owner('PUT', '/v1/plans/plan_none/draft', { name: 'x', ...terms('1') })).status).toBe(404);
  });
});
