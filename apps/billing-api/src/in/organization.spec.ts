import { describe, expect, it } from 'vitest';
import { usePostgres } from '#testing';
import { bootstrapOrganization } from '../bootstrap-organization.js';
import { startBillingApi } from '../fixtures/billing-api-app.js';

usePostgres();
const { owner, as, adapters, anotherOrganization } = await startBillingApi();

describe('the first organization', () => {
  it('is made once, and its key is shown once', async () => {
    const again = await bootstrapOrganization({ ...adapters });
    expect(again).toMatchObject({ generatedApiKey: null, isNew: false });
    const { status, body } = await owner('GET', '/v1/organization');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      object: 'organization', mode: 'test', time_zone: 'UTC', grace_period: 'PT1H', rounding: 'half_away_from_zero', dedupe_window: 'P35D',
      raw_retention: null, invoice_prefix: 'INV', legal_entity: null, invoice_footer: null, metadata: {},
    });
  });

  it('takes another key that is given at a later start', async () => {
    const apiKey = 'tw_test_given_at_a_later_start';
    expect(await bootstrapOrganization({ ...adapters, apiKey })).toMatchObject({ generatedApiKey: null, isNew: false });
    expect((await as(apiKey)('GET', '/v1/organizations')).status).toBe(200);
  });
});

describe('organizations', () => {
  it('are created with a key of their mode that can not create others', async () => {
    const { status, body } = await owner('POST', '/v1/organizations', { name: 'Live', mode: 'live' });
    expect(status).toBe(201);
    expect(body.organization).toMatchObject({ object: 'organization', name: 'Live', mode: 'live' });
    expect(body.api_key).toEqual({ id: expect.stringMatching(/^key_/), secret: expect.stringMatching(/^tw_live_[\w-]{32}$/) });
    const refused = await as(body.api_key.secret)('POST', '/v1/organizations', { name: 'x', mode: 'test' });
    expect([refused.status, refused.body.code]).toEqual([403, 'scope_missing']);
    const list = await owner('GET', '/v1/organizations?limit=1');
    expect(list.body).toMatchObject({ data: [{ id: body.organization.id }], has_more: true });
    expect((await owner('GET', `/v1/organizations/${body.organization.id}`)).body.name).toBe('Live');
    expect((await owner('GET', '/v1/organizations/org_none')).status).toBe(404);
  });

  it('change their settings and keep the others', async () => {
    const { call } = await anotherOrganization();
    const changed = await call('PATCH', '/v1/organization', {
      time_zone: 'Europe/Berlin', grace_period: 'PT90M', rounding: 'half_even', dedupe_window: 'P10D', raw_retention: 'P400D', invoice_prefix: 'ACME',
      legal_entity: { name: 'Acme GmbH', address: { city: 'Berlin', country: 'DE' }, tax_id: 'DE123' }, invoice_footer: 'Thank you.', name: 'Acme',
    });
    expect(changed.status).toBe(200);
    const { body } = await call('GET', '/v1/organization');
    expect(body).toEqual(changed.body);
    expect(body).toMatchObject({
      time_zone: 'Europe/Berlin', grace_period: 'PT1H30M', rounding: 'half_even', dedupe_window: 'P10D', raw_retention: 'P400D', invoice_prefix: 'ACME', name: 'Acme', mode: 'test',
    });
    expect((await call('PATCH', '/v1/organization', { raw_retention: null })).body).toMatchObject({ raw_retention: null, time_zone: 'Europe/Berlin' });
  });

  it.each([
    [{ time_zone: 'Mars/Olympus' }, ['/time_zone']],
    [{ time_zone: '+02:00', grace_period: 'P1M' }, ['/time_zone', '/grace_period']],
    [{ grace_period: '1h', rounding: 'up', invoice_prefix: 'a b', mode: 'live' }, ['/grace_period', '/rounding', '/invoice_prefix', '/mode']],
    [{ legal_entity: { address: { country: 'Germany', planet: 'Mars' } } }, ['/legal_entity/name', '/legal_entity/address/country', '/legal_entity/address/planet']],
    [{ raw_retention: 'P2D' }, ['/raw_retention']], // Shorter than the dedupe window of 35 days.
    [{ dedupe_window: 'PT59M' }, ['/dedupe_window']],
    [[], ['']],
  ])('refuses %j naming every fault', async (change, pointers) => {
    const { status, body } = await owner('PATCH', '/v1/organization', change);
    expect([status, body.code]).toEqual([422, 'invalid_request']);
    expect(body.errors.map((error: { pointer: string }) => error.pointer)).toEqual(pointers);
  });
});

describe('API keys', () => {
  it('show their secret once and authenticate by it, in either header', async () => {
    const { status, body } = await owner('POST', '/v1/api-keys', { name: 'Reader', scopes: ['catalog:read'], metadata: { team: 'x' } });
    expect(status).toBe(201);
    expect(body).toMatchObject({ object: 'api_key', name: 'Reader', scopes: ['catalog:read'], last_used_at: null, revoked_at: null, metadata: { team: 'x' } });
    expect((await as(body.secret)('GET', '/v1/products')).status).toBe(200);
    expect((await as(null)('GET', '/v1/products', undefined, { 'x-api-key': body.secret })).status).toBe(200);
    expect((await as(body.secret)('POST', '/v1/products', { key: 'x', name: 'x' })).body.code).toBe('scope_missing');
    const read = await owner('GET', `/v1/api-keys/${body.id}`);
    expect(read.body.secret).toBeUndefined();
    expect(Temporal.Instant.from(read.body.last_used_at).epochMilliseconds).toBeGreaterThan(Temporal.Instant.from(read.body.created_at).epochMilliseconds);
    expect((await owner('PATCH', `/v1/api-keys/${body.id}`, { name: 'Renamed' })).body).toMatchObject({ name: 'Renamed', metadata: { team: 'x' } });
    expect((await owner('GET', '/v1/api-keys')).body.data[0].id).toBe(body.id);
  });

  it('end when they are revoked', async () => {
    const { body } = await owner('POST', '/v1/api-keys', { name: 'Short' });
    expect((await as(body.secret)('GET', '/v1/organization')).status).toBe(200);
    const revoked = await owner('POST', `/v1/api-keys/${body.id}/revoke`);
    expect(revoked.status).toBe(200);
    expect(revoked.body.revoked_at).not.toBeNull();
    expect((await owner('POST', `/v1/api-keys/${body.id}/revoke`)).body.revoked_at).toBe(revoked.body.revoked_at);
    const refused = await as(body.secret)('GET', '/v1/organization');
    expect([refused.status, refused.body.code, refused.headers.get('content-type')]).toEqual([401, 'unauthorized', 'application/problem+json; charset=utf-8']);
  });

  it('are refused where they may not be made', async () => {
    const { call } = await anotherOrganization();
    expect((await call('POST', '/v1/api-keys', { name: 'x', scopes: ['platform'] })).body.code).toBe('scope_exceeded');
    expect((await call('POST', '/v1/api-keys', { name: 'x', expires_at: '2020-01-01T00:00:00Z' })).body.errors[0].pointer).toBe('/expires_at');
    const own = (await call('GET', '/v1/api-keys')).body.data[0].id;
    expect((await call('POST', `/v1/api-keys/${own}/revoke`)).body.code).toBe('key_in_use');
    expect((await as('tw_test_unknown_unknown_unknown')('GET', '/v1/organization')).status).toBe(401);
    expect((await as(null)('GET', '/v1/organization')).status).toBe(401);
  });
});
