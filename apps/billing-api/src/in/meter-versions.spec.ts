import { describe, expect, it } from 'vitest';
import { usePostgres } from '#testing';
import { startBillingApi } from '../fixtures/billing-api-app.js';

// Goal: a change of how a meter counts is a version with an instant, and what can't be changed is refused by name. Method: HTTP on a
// test clock that stands still, and each version as it is shown afterwards.

usePostgres();
const { owner, adapters } = await startBillingApi();
const now = '2026-11-10T12:34:56.123456Z';
await owner('POST', '/v1/test-clock', { now });
const pointersOf = (body: { errors: { pointer: string; code: string }[] }) => body.errors.map(({ pointer, code }) => `${pointer} ${code}`).toSorted();

interface Version {
  readonly version: number;
  readonly effective_at: string | null;
  readonly effective_until: string | null;
  readonly filter: string | null;
}

let made = 0;
async function meter(more: Record<string, unknown> = {}) {
  made += 1;
  const body = { key: `m${made}`, name: 'Calls', event_type: 'call', aggregation: 'sum', value: '$.n', group_by: { route: '$.route' }, ...more };
  const path = `/v1/meters/${body.key}`;
  expect(await owner('POST', '/v1/meters', body)).toMatchObject({ status: 201, body: { version: 1, effective_at: null } });
  const versions = async () => ((await owner('GET', `${path}/versions`)).body.data as Version[]).map(({ version, effective_at, effective_until, filter }) => [version, effective_at, effective_until, filter]);
  return { body, path, versions };
}

describe('a change of how a meter counts', () => {
  it('is a new version from now on, by PUT or PATCH, and none where it changes nothing', async () => {
    const { body, path, versions } = await meter();
    expect(await versions()).toEqual([[1, null, null, null]]);
    const second = await owner('PUT', path, { ...body, filter: 'data.status < 500' });
    expect(second).toMatchObject({ status: 200, body: { version: 2, effective_at: now, filter: 'data.status < 500', value: '$.n' } });
    expect((await owner('PUT', path, { ...body, filter: 'data.status < 500' })).body).toEqual(second.body);
    expect((await owner('PATCH', path, { name: 'All calls', group_by: { route: '$.route' } })).body).toMatchObject({ name: 'All calls', version: 2 });
    expect((await owner('PATCH', path, { value: '$.m', event_type: 'http.request' })).body).toMatchObject({ version: 3, event_type: 'http.request', value: '$.m', filter: 'data.status < 500' });
    // Version 3 took all of version 2's time.
    expect(await versions()).toEqual([[3, now, null, 'data.status < 500'], [2, now, now, 'data.status < 500'], [1, null, now, null]]);
    expect((await owner('GET', path)).body).toMatchObject({ version: 3, value: '$.m' });
  });

  it('counts from the instant that is given, to the microsecond, over whatever was said about later ones', async () => {
    const { path, versions } = await meter();
    await owner('PATCH', path, { filter: 'data.a == 1', effective_at: '2026-12-01T00:00:00+01:00' });
    await owner('PATCH', path, { filter: 'data.a == 2', effective_at: '2026-11-20T00:00:00.1234567Z' });
    await owner('PATCH', path, { filter: 'data.a == 3', effective_at: '2026-11-25T00:00:00Z' });
    expect(await versions()).toEqual([
      [4, '2026-11-25T00:00:00Z', null, 'data.a == 3'],
      [3, '2026-11-20T00:00:00.123456Z', '2026-11-25T00:00:00Z', 'data.a == 2'],
      [2, '2026-11-30T23:00:00Z', '2026-11-30T23:00:00Z', 'data.a == 1'],
      [1, null, '2026-11-20T00:00:00.123456Z', null],
    ]);
    // It counts so already from then on.
    expect((await owner('PATCH', path, { effective_at: '2026-11-26T00:00:00Z' })).body).toMatchObject({ version: 4 });
    expect((await owner('PATCH', path, { effective_at: '2026-11-24T00:00:00Z' })).body).toMatchObject({ version: 5, filter: 'data.a == 3' });
  });

  it('is shown page by page, one by one and in sentences', async () => {
    const { path } = await meter({ key: 'shown' });
    await owner('PATCH', path, { filter: 'data.status < 500', group_by: { region: '$.region' } });
    await owner('PATCH', path, { filter: null, value: 'data.n / 1000.0' });
    const page = (await owner('GET', `${path}/versions?limit=2`)).body;
    expect([page.has_more, page.data.map(({ version }: Version) => version)]).toEqual([true, [3, 2]]);
    expect((await owner('GET', `${path}/versions?limit=2&starting_after=2`)).body).toMatchObject({ has_more: false, data: [{ version: 1 }] });
    const one = (await owner('GET', `${path}/versions/2`)).body;
    expect(one).toMatchObject({
      object: 'meter_version', meter: expect.stringMatching(/^mtr_/), version: 2, event_type: 'call', aggregation: 'sum', value: '$.n', percentile: null,
      group_by: { region: '$.region' }, filter: 'data.status < 500', effective_at: now, effective_until: now, created_at: expect.any(String),
    });
    expect((await owner('GET', `${path}/diff?from=1&to=2`)).body).toMatchObject({
      object: 'meter_diff', meter: one.meter, from: 1, to: 2,
      differences: [
        { pointer: '/group_by/region', kind: 'added', from: null, to: '$.region', text: 'The meter: region of grouping "$.region", new.' },
        { pointer: '/filter', kind: 'added', to: 'data.status < 500', text: 'The meter: filter "data.status < 500", new.' },
        { pointer: '/group_by/route', kind: 'removed', text: 'The meter: route of grouping "$.route", gone.' },
      ],
    });
    expect((await owner('GET', `${path}/diff`)).body.differences.map(({ text }: { text: string }) => text)).toEqual([
      'The meter: value from "$.n" to "data.n / 1000.0".', 'The meter: filter "data.status < 500", gone.',
    ]);
    for (const unknown of ['versions/4', 'versions/x', 'versions/0', 'diff?from=4', 'diff?to=9']) expect([unknown, (await owner('GET', `${path}/${unknown}`)).status]).toEqual([unknown, 404]);
    for (const wrong of ['diff?from=x', 'versions?limit=0', 'versions?ending_before=1']) expect([wrong, (await owner('GET', `${path}/${wrong}`)).status]).toEqual([wrong, 422]);
    expect((await owner('GET', '/v1/meters/none/versions')).status).toBe(404);
  });

  it('makes one version each where two come at once', async () => {
    const { path, versions } = await meter();
    const answers = await Promise.all(['1', '2', '3', '4'].map((n) => owner('PATCH', path, { filter: `data.a == ${n}` })));
    expect(answers.map(({ status, body }) => [status, body.version]).toSorted()).toEqual([[200, 2], [200, 3], [200, 4], [200, 5]]);
    expect((await versions()).length).toBe(5);
  });

  it('is refused where it would make another quantity of it, or takes what can not count', async () => {
    const { body, path, versions } = await meter();
    for (const change of [{ aggregation: 'max' }, { aggregation: 'count', value: null }, { aggregation: 'percentile', percentile: '95' }]) {
      expect(await owner('PATCH', path, change)).toMatchObject({ status: 409, body: { code: 'definition_fixed' } });
      expect(await owner('PUT', path, { ...body, ...change })).toMatchObject({ status: 409, body: { code: 'definition_fixed' } });
    }
    expect(pointersOf((await owner('PATCH', path, { aggregation: 'count', filter: 'data.' })).body)).toEqual(['/filter invalid_filter', '/value not_allowed']);
    expect(pointersOf((await owner('PATCH', path, { percentile: '101', effective_at: '1999-01-01T00:00:00Z' })).body)).toEqual(['/effective_at invalid']);
    expect(pointersOf((await owner('PATCH', path, { percentile: '101' })).body)).toEqual(['/percentile not_allowed']);
    expect(pointersOf((await owner('PUT', '/v1/meters/brand-new', { ...body, key: 'brand-new', effective_at: now })).body)).toEqual(['/effective_at not_allowed']);
    expect(pointersOf((await owner('POST', '/v1/meters', { ...body, key: 'brand-new', effective_at: now })).body)).toEqual(['/effective_at unknown_field']);
    expect(await versions()).toEqual([[1, null, null, null]]);
  });

  it('keeps the dimensions that a price in use looks at', async () => {
    const { path, body } = await meter({ group_by: { route: '$.route', region: '$.region', zone: '$.zone' } });
    const price = (more: object) => ({ key: 'calls', name: 'Calls', type: 'usage', meter: body.key, model: { type: 'per_unit', unit_amount: '1' }, ...more });
    const matrix = { type: 'matrix', dimensions: ['zone'], cells: [], default: { type: 'per_unit', unit_amount: '1' } };
    const plan = (key: string, more: object) => owner('PUT', `/v1/plans/${key}`, { name: 'P', currency: 'USD', billing_period: 'P1M', prices: [price(more)] });
    expect((await plan('grouped', { group_by: ['region'] })).status).toBe(201);
    expect((await plan('own', {})).status).toBe(201);
    await owner('POST', '/v1/customers', { key: 'acme', name: 'Acme', currency: 'USD' });
    const subscribed = await owner('POST', '/v1/subscriptions', { customer: 'acme', plan: 'own', overrides: [{ price: 'calls', model: matrix }] });
    expect(subscribed.status).toBe(201);
    expect(await owner('PATCH', path, { group_by: { region: '$.region', zone: '$.zone' } })).toMatchObject({ status: 200, body: { version: 2 } });
    expect(await owner('PATCH', path, { group_by: { zone: '$.zone' } })).toMatchObject({ status: 409, body: { code: 'dimension_in_use', detail: expect.stringContaining('"region"') } });
    expect(await owner('PATCH', path, { group_by: { region: '$.r' } })).toMatchObject({ status: 409, body: { code: 'dimension_in_use', detail: expect.stringContaining('"zone"') } });
    expect(await owner('PATCH', path, { group_by: { region: '$.r', zone: '$.z' } })).toMatchObject({ status: 200, body: { version: 3 } });
    await owner('POST', '/v1/plans/grouped/archive');
    expect(await owner('PATCH', path, { group_by: { zone: '$.zone' } })).toMatchObject({ status: 200, body: { version: 4 } });
  });

  it('does not reach behind what may be counted again', async () => {
    const { path } = await meter();
    await owner('PATCH', '/v1/organization', { raw_retention: 'P60D' });
    expect(pointersOf((await owner('PATCH', path, { filter: 'data.a == 1', effective_at: '2026-09-01T00:00:00Z' })).body)).toEqual(['/effective_at too_old']);
    expect((await owner('PATCH', path, { filter: 'data.a == 1', effective_at: '2026-10-01T00:00:00Z' })).body).toMatchObject({ version: 2 });
    await owner('PATCH', '/v1/organization', { raw_retention: null });
  });

  it('comes to an end after a hundred', async () => {
    const { path, body } = await meter();
    const organization = (await owner('GET', '/v1/organization')).body.id as string;
    await adapters.database.inOrganization(organization, (manager) => manager.query('update meters set latest_version = 99 where key = $1', [body.key]));
    expect((await owner('PATCH', path, { filter: 'data.a == 1' })).body).toMatchObject({ version: 100 });
    expect(await owner('PATCH', path, { filter: 'data.a == 2' })).toMatchObject({ status: 409, body: { code: 'too_many_versions' } });
  });
});
