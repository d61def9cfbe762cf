import { describe, expect, it } from 'vitest';
import { usePostgres } from '#testing';
import { startBillingApi } from '../fixtures/billing-api-app.js';

// Goal: what a plan grants is a part of its versions, and every fault of it is named. Method: a real Postgres, over HTTP.

usePostgres();
const { owner, anotherOrganization } = await startBillingApi();
const pointersOf = (body: { errors: { pointer: string; code: string }[] }) => body.errors.map(({ pointer, code }) => `${pointer} ${code}`).toSorted();
await owner('POST', '/v1/meters', { key: 'requests', name: 'Requests', event_type: 'http.request', aggregation: 'count' });
await owner('POST', '/v1/meters', { key: 'slow', name: 'Slow', event_type: 'http.request', aggregation: 'max', value: '$.ms' });
for (const feature of [{ key: 'calls', meter: 'requests' }, { key: 'sso' }, { key: 'region' }, { key: 'latency', meter: 'slow' }, { key: 'old' }]) await owner('POST', '/v1/features', { name: feature.key, ...feature });
await owner('POST', '/v1/features/old/archive');
await owner('POST', '/v1/customers', { key: 'acme', name: 'Acme' });

const calls = { feature: 'calls', type: 'metered', limit: 1000.50 };
const granted = [
  { feature: 'calls', type: 'metered', limit: '1000.5', reset: 'billing_period', enforcement: 'hard' },
  { feature: 'sso', type: 'boolean', rate_limit: { limit: 10, per_seconds: 1 } },
  { feature: 'region', type: 'static', value: '12345678901234567890' },
];
const terms = (...entitlements: unknown[]) => ({ name: 'Plan', currency: 'USD', billing_period: 'P1M', prices: [], entitlements });

describe('entitlements of a plan', () => {
  it('are a part of its versions', async () => {
    const { body: region } = await owner('GET', '/v1/features/region');
    const made = await owner('POST', '/v1/plans', `{"key": "free", "name": "Plan", "currency": "USD", "billing_period": "P1M", "prices": [], "entitlements": [
      {"feature": "calls", "type": "metered", "limit": 1000.50}, {"feature": "sso", "type": "boolean", "rate_limit": {"limit": 10, "per_seconds": 1}}, {"feature": "${region.id}", "type": "static", "value": 12345678901234567890}]}`);
    expect(made).toMatchObject({ status: 201, body: { version: 1, entitlements: granted } });
    expect(await owner('PUT', '/v1/plans/free', terms(...granted))).toMatchObject({ status: 200, body: { version: 1 } });
    expect(await owner('PATCH', '/v1/plans/free', { name: 'Free' })).toMatchObject({ status: 200, body: { name: 'Free', version: 1, entitlements: granted } });
    expect(await owner('PATCH', '/v1/plans/free', { entitlements: [{ ...calls, limit: '2001' }, granted[1]] })).toMatchObject({ body: { version: 2 } });
    expect((await owner('GET', '/v1/plans/free/versions')).body.data.map(({ entitlements }: { entitlements: unknown[] }) => entitlements.length)).toEqual([2, 3]);
    expect((await owner('GET', '/v1/plans/free?version=1')).body.entitlements).toEqual(granted);
    expect((await owner('GET', '/v1/plans/free/diff')).body.differences.map(({ pointer, text }: { pointer: string; text: string }) => `${pointer} ${text}`)).toEqual([
      '/entitlements/calls/limit The entitlement to calls: limit from 1000.5 to 2001 (+100 %).', '/entitlements/region The entitlement to region is gone.',
    ]);
  });

  it('are a part of drafts, and checked again when those are published', async () => {
    await owner('POST', '/v1/features', { key: 'exports', name: 'Exports', meter: 'requests' });
    expect(await owner('PUT', '/v1/plans/next/draft', terms({ feature: 'exports', type: 'metered', limit: '5', reset: 'never', enforcement: 'soft' }))).toMatchObject({ status: 201, body: { entitlements: [{ limit: '5', reset: 'never', enforcement: 'soft' }] } });
    await owner('PATCH', '/v1/features/exports', { meter: null });
    expect(pointersOf((await owner('POST', '/v1/plans/next/publish')).body)).toEqual(['/entitlements/0/feature feature_without_meter']);
    await owner('PATCH', '/v1/features/exports', { meter: 'requests' });
    expect(await owner('POST', '/v1/plans/next/publish')).toMatchObject({ status: 200, body: { version: 1, entitlements: [{ feature: 'exports' }] } });
  });

  it.each<[string, unknown[], string[]]>([
    ['an unknown feature', [{ feature: 'none', type: 'boolean' }], ['/entitlements/0/feature unknown_feature']],
    ['an archived one', [{ feature: 'old', type: 'boolean' }], ['/entitlements/0/feature archived_feature']],
    ['no feature', [{ type: 'boolean' }], ['/entitlements/0/feature missing_field']],
    ['the same twice', [calls, { feature: 'calls', type: 'boolean' }], ['/entitlements/1/feature duplicate_feature']],
    ['a limit without a meter', [{ ...calls, feature: 'sso' }], ['/entitlements/0/feature feature_without_meter']],
    ['a limit of what does not add up', [{ ...calls, feature: 'latency' }], ['/entitlements/0/feature meter_not_limitable']],
    ['everything at once', [{ feature: 'sso', type: 'static', limit: 1 }, { ...calls, limit: -1 }], ['/entitlements/0/limit not_allowed', '/entitlements/0/value missing_field', '/entitlements/1/limit negative_amount']],
    ['an unknown field', [{ ...calls, quota: 5 }], ['/entitlements/0/quota unknown_field']],
    ['another type', [{ ...calls, type: 'toggle' }], ['/entitlements/0/type invalid_value']],
  ])('are refused with %s', async (_name, entitlements, pointers) => {
    const refused = await owner('POST', '/v1/plans', { key: 'no', ...terms(...entitlements) });
    expect([refused.status, pointersOf(refused.body)]).toEqual([422, pointers]);
  });

  it('are refused where one feature has two names', async () => {
    const { body: feature } = await owner('GET', '/v1/features/calls');
    expect(pointersOf((await owner('POST', '/v1/plans', { key: 'no', ...terms(calls, { ...calls, feature: feature.id }) })).body)).toEqual(['/entitlements/1/feature duplicate_feature']);
  });

  it('are refused of another organization’s features', async () => {
    const { call } = await anotherOrganization();
    expect(pointersOf((await call('POST', '/v1/plans', { key: 'x', ...terms(calls) })).body)).toEqual(['/entitlements/0/feature unknown_feature']);
  });

  it('keep their features and meters in use', async () => {
    await owner('POST', '/v1/meters', { key: 'tiles', name: 'Tiles', event_type: 'tile', aggregation: 'count' });
    await owner('POST', '/v1/features', { key: 'maps', name: 'Maps', meter: 'tiles' });
    const plan = { key: 'maps', ...terms({ ...calls, feature: 'maps' }) };
    expect((await owner('POST', '/v1/plans', plan)).status).toBe(201);
    expect(await owner('PATCH', '/v1/features/maps', { meter: 'requests' })).toMatchObject({ status: 409, body: { code: 'in_use' } });
    expect(await owner('PUT', '/v1/features/maps', { name: 'Maps' })).toMatchObject({ status: 409, body: { code: 'in_use' } });
    expect((await owner('PATCH', '/v1/features/maps', { name: 'Map tiles', meter: 'tiles' })).status).toBe(200);
    expect(await owner('POST', '/v1/features/maps/archive')).toMatchObject({ status: 409, body: { code: 'in_use' } });
    expect(await owner('POST', '/v1/meters/tiles/archive')).toMatchObject({ status: 409, body: { code: 'in_use' } });
    await owner('POST', '/v1/subscriptions', { customer: 'acme', plan: 'maps' });
    await owner('PUT', '/v1/plans/maps', terms());
    expect((await owner('POST', '/v1/features/maps/archive')).status).toBe(409); // A subscription is on the version that grants it.
    await owner('POST', '/v1/plans', { key: 'sso', ...terms({ feature: 'sso', type: 'boolean' }) });
    expect((await owner('PATCH', '/v1/features/sso', { meter: 'tiles' })).status).toBe(200); // Nothing measures what is only on.
    await owner('POST', '/v1/plans/sso/archive');
    expect((await owner('POST', '/v1/features/latency/archive')).status).toBe(200);
  });
});
