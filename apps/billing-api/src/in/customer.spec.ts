import { describe, expect, it } from 'vitest';
import { usePostgres } from '#testing';
import { startBillingApi } from '../fixtures/billing-api-app.js';

usePostgres();
const { owner } = await startBillingApi();

let made = 0;
async function customer(subjects: readonly string[] = [], key?: string): Promise<{ id: string; subjects: string[] }> {
  made += 1;
  const { status, body } = await owner('POST', '/v1/customers', { ...(key === undefined ? {} : { key }), name: `Customer ${made}`, subjects });
  expect(status).toBe(201);
  return body;
}

describe('customers', () => {
  it('are created, read by id and key, changed and listed', async () => {
    const input = {
      key: 'acme', name: 'Acme', email: 'a@acme.example', currency: 'EUR', time_zone: 'Europe/Berlin', subjects: ['acme-prod', 'acme-prod', 'ä b/c'],
      address: { line1: 'Street 1', city: 'Berlin', country: 'DE' }, tax_id: 'DE1', purchase_order: 'PO-1', metadata: { tier: 'gold' },
    };
    const created = await owner('POST', '/v1/customers', input);
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({ ...input, object: 'customer', subjects: ['acme-prod', 'ä b/c'], archived_at: null });
    expect((await owner('GET', '/v1/customers/acme')).body).toEqual(created.body);
    expect((await owner('GET', `/v1/customers/${created.body.id}`)).body).toEqual(created.body);
    const changed = await owner('PATCH', '/v1/customers/acme', { name: 'Acme 2', email: null });
    expect(changed.body).toEqual({ ...created.body, name: 'Acme 2', email: null });
    expect((await owner('GET', '/v1/customers?subject=acme-prod')).body).toMatchObject({ data: [{ id: created.body.id }], has_more: false });
    expect((await owner('POST', '/v1/customers', { key: 'acme', name: 'x' })).body.code).toBe('key_taken');
  });

  it('take the zone of their organization unless they say otherwise', async () => {
    await owner('PATCH', '/v1/organization', { time_zone: 'Asia/Tokyo' });
    expect((await owner('POST', '/v1/customers', { name: 'x' })).body).toMatchObject({ time_zone: 'Asia/Tokyo', key: null, currency: null });
    await owner('PATCH', '/v1/organization', { time_zone: 'UTC' });
  });

  it('are created or replaced by key', async () => {
    const put = (body: object) => owner('PUT', '/v1/customers/by-key', body);
    expect(await put({ name: 'One', subjects: ['k1', 'k2'], email: 'x@y.example' })).toMatchObject({ status: 201, body: { key: 'by-key', subjects: ['k1', 'k2'] } });
    expect(await put({ name: 'Two' })).toMatchObject({ status: 200, body: { name: 'Two', email: null, subjects: ['k1', 'k2'] } });
    expect(await put({ name: 'Two', subjects: ['k2', 'k3'] })).toMatchObject({ status: 200, body: { subjects: ['k2', 'k3'] } });
    expect(await put({ name: 'Two', key: 'other' })).toMatchObject({ status: 422, body: { code: 'key_mismatch', errors: [{ pointer: '/key' }] } });
    expect((await owner('PUT', '/v1/customers/cus_unknown', { name: 'x' })).status).toBe(404);
    const both = await Promise.all([owner('PUT', '/v1/customers/raced', { name: 'a' }), owner('PUT', '/v1/customers/raced', { name: 'b' })]);
    expect(both.map(({ status }) => status).toSorted()).toEqual([200, 201]);
  });

  it('name every fault at once', async () => {
    const { status, body } = await owner('POST', '/v1/customers', {
      key: 'cus_x', email: 'none', currency: 'usd', time_zone: 'x', address: { country: 'Germany' }, subjects: ['', 'a'.repeat(257)], parent: 'y',
    });
    expect(status).toBe(422);
    expect(body.errors.map((error: { pointer: string; code: string }) => error.pointer).toSorted()).toEqual(
      ['/address/country', '/currency', '/email', '/key', '/name', '/parent', '/subjects/0', '/subjects/1', '/time_zone']);
    expect((await owner('POST', '/v1/customers', '{"name": ')).body).toMatchObject({ status: 400, code: 'invalid_json' });
    expect((await owner('POST', '/v1/customers', 'x', { 'content-type': 'text/plain' })).status).toBe(415);
  });

  it('are listed page by page', async () => {
    const ids = [(await customer([], 'paged')).id, (await customer()).id, (await customer()).id].toReversed();
    const first = await owner('GET', '/v1/customers?limit=2');
    expect([first.body.data.map(({ id }: { id: string }) => id), first.body.has_more]).toEqual([ids.slice(0, 2), true]);
    const second = await owner('GET', `/v1/customers?limit=1&starting_after=${ids[1]}`);
    expect(second.body.data[0].id).toBe(ids[2]);
    const byKey = await owner('GET', `/v1/customers?limit=1&starting_after=paged`);
    expect(byKey.body).toEqual((await owner('GET', `/v1/customers?limit=1&starting_after=${ids[2]}`)).body);
    for (const page of ['starting_after=zzz', 'ending_before=aaa', 'starting_after=cus_zzz']) {
      expect((await owner('GET', `/v1/customers?${page}`)).body, page).toEqual({ data: [], has_more: false }); // Behind what is not there is nothing.
    }
    const back = await owner('GET', `/v1/customers?limit=2&ending_before=${ids[2]}`);
    expect(back.body.data.map(({ id }: { id: string }) => id)).toEqual(ids.slice(0, 2));
    expect((await owner('GET', '/v1/customers?limit=0')).body.errors[0].pointer).toBe('/limit');
    expect((await owner('GET', '/v1/customers?limt=5')).body.errors[0]).toMatchObject({ pointer: '/limt', code: 'unknown_field' });
  });
});

describe('subjects', () => {
  it('reach back to ever at first, and move at an instant', async () => {
    const [a, b] = [await customer(['s1']), await customer()];
    expect((await owner('GET', `/v1/customers/${a.id}/subjects`)).body.data).toEqual([{ object: 'customer_subject', customer: a.id, subject: 's1', from: null, to: null }]);
    const taken = await owner('POST', `/v1/customers/${b.id}/subjects`, { subject: 's1' });
    expect([taken.status, taken.body.code, taken.body.holder]).toEqual([409, 'subject_taken', { customer: a.id }]);
    const moved = await owner('POST', `/v1/customers/${b.id}/subjects`, { subject: 's1', effective_at: '2026-01-10T00:00:00.123456Z' });
    expect(moved).toMatchObject({ status: 201, body: { customer: b.id, from: '2026-01-10T00:00:00.123456Z', to: null } });
    expect((await owner('GET', `/v1/customers/${a.id}/subjects`)).body.data).toMatchObject([{ from: null, to: '2026-01-10T00:00:00.123456Z' }]);
    expect((await owner('GET', `/v1/customers/${a.id}`)).body.subjects).toEqual([]);
    expect((await owner('GET', `/v1/customers/${b.id}`)).body.subjects).toEqual(['s1']);
    const back = await owner('POST', `/v1/customers/${a.id}/subjects`, { subject: 's1', effective_at: '2026-01-05T00:00:00Z' });
    expect([back.status, back.body.errors[0].pointer]).toEqual([422, '/effective_at']);
  });

  it('that are taken keep a customer from being made, each named with its holder', async () => {
    const holder = await customer(['t1', 't2']);
    const refused = await owner('POST', '/v1/customers', { key: 'not-made', name: 'x', subjects: ['t1', 'free', 't2'] });
    expect(refused).toMatchObject({ status: 409, body: { code: 'subject_taken', errors: [{ pointer: '/subjects/0' }, { pointer: '/subjects/2' }], holders: [{ subject: 't1', customer: holder.id }, { subject: 't2', customer: holder.id }] } });
    expect((await owner('GET', '/v1/customers/not-made')).status).toBe(404);
    expect((await customer(['free'])).subjects).toEqual(['free']); // The refused request kept nothing of it.
  });

  it('go to exactly one of many who ask at the same moment', async () => {
    const customers = await Promise.all(Array.from({ length: 8 }, () => customer()));
    const answers = await Promise.all(customers.map(({ id }) => owner('POST', `/v1/customers/${id}/subjects`, { subject: 'raced' })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409, 409, 409, 409, 409]);
  });

  it('are free again when their customer is archived', async () => {
    const [a, b] = [await customer(['freed']), await customer()];
    expect((await owner('POST', `/v1/customers/${a.id}/archive`)).body.archived_at).not.toBeNull();
    expect((await owner('POST', `/v1/customers/${b.id}/subjects`, { subject: 'freed' })).status).toBe(201);
    const [past] = (await owner('GET', `/v1/customers/${a.id}/subjects`)).body.data;
    const [present] = (await owner('GET', `/v1/customers/${b.id}/subjects`)).body.data;
    expect(past.from).toBeNull();
    expect(Temporal.Instant.compare(past.to, present.from)).toBeLessThanOrEqual(0);
    expect((await owner('POST', `/v1/customers/${a.id}/subjects`, { subject: 'z' })).body.code).toBe('customer_archived');
    const listed = (await owner('GET', '/v1/customers?limit=100')).body.data.map(({ id }: { id: string }) => id);
    expect(listed).not.toContain(a.id);
    expect((await owner('GET', '/v1/customers?limit=100&include_archived=true')).body.data.map(({ id }: { id: string }) => id)).toContain(a.id);
  });
});
