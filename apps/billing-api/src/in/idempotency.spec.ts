import { describe, expect, it } from 'vitest';
import pg from 'pg';
import { makeLogger, type Clock } from '#platform';
import { usePostgres } from '#testing';
import { startBillingApi } from '../fixtures/billing-api-app.js';
import { RemoveExpiredAnswers } from '../remove-expired-answers.js';

/** System time that a test moves. */
class MovedClock implements Clock {
  private ahead = Temporal.Duration.from('PT0S');
  now(): Temporal.Instant {
    return Temporal.Now.instant().add(this.ahead);
  }
  move(by: string): void {
    this.ahead = this.ahead.add(by);
  }
  async sleep(): Promise<void> {}
}

usePostgres();
const clock = new MovedClock();
const { url, owner, as, idempotency, anotherOrganization, adapters } = await startBillingApi({ clock });
let made = 0;
const nextKey = () => `key-${(made += 1)}`;
const create = (call: typeof owner, key: string, body: unknown) => call('POST', '/v1/customers', body, { 'idempotency-key': key });
const scopeOf = async (key: string) => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query('select * from idempotency_keys where key = $1', [key]);
  await client.end();
  return rows;
};

describe('an Idempotency-Key', () => {
  it('gives the first answer again, byte for byte, quoted or bare', async () => {
    const key = nextKey();
    const first = await create(owner, key, { name: 'Once' });
    expect([first.status, first.headers.get('idempotency-replayed')]).toEqual([201, null]);
    for (const form of [key, `"${key}"`, ` ${key} `]) {
      const again = await create(owner, form, { name: 'Once' });
      expect([again.status, again.headers.get('idempotency-replayed'), again.headers.get('content-type')]).toEqual([201, 'true', 'application/json; charset=utf-8']);
      expect(again.body).toEqual(first.body);
    }
    expect((await owner('GET', '/v1/customers')).body.data.filter(({ name }: { name: string }) => name === 'Once')).toHaveLength(1);
  });

  it('refuses another body, also after a refusal, which is kept too', async () => {
    const key = nextKey();
    const first = await create(owner, key, { name: '' });
    expect(first.status).toBe(422);
    const again = await create(owner, key, { name: '' });
    expect([again.status, again.headers.get('content-type'), again.headers.get('idempotency-replayed')]).toEqual([422, 'application/problem+json; charset=utf-8', 'true']);
    expect(again.body).toEqual(first.body);
    const other = await create(owner, key, { name: 'x' });
    expect([other.status, other.body.code]).toEqual([409, 'idempotency_conflict']);
  });

  it('is another one on another path, with another query, credential or organization', async () => {
    const key = nextKey();
    const first = await create(owner, key, { name: 'Scope' });
    expect((await owner('POST', '/v1/products', { key: 'p', name: 'P' }, { 'idempotency-key': key })).status).toBe(201);
    const { body } = await owner('POST', '/v1/api-keys', { name: 'second' });
    expect((await create(as(body.secret), key, { name: 'Scope' })).body.id).not.toBe(first.body.id);
    const { call } = await anotherOrganization();
    expect(await create(call, key, { name: 'Scope' })).toMatchObject({ status: 201 });
    const preview = await owner('POST', '/v1/customers?preview=true', { name: 'Scope' }, { 'idempotency-key': key });
    expect([preview.status, preview.body.code]).toEqual([409, 'idempotency_conflict']);
  });

  it('runs once of many at the same moment; the others are told to wait or get the answer', async () => {
    const key = nextKey();
    const answers = await Promise.all(Array.from({ length: 10 }, () => create(owner, key, { key: 'at-once', name: 'At once' })));
    const outcomes = answers.map(({ status, body, headers }) => `${status} ${body.code ?? ''} ${headers.get('idempotency-replayed') ?? ''}`.trim());
    expect(outcomes.filter((outcome) => outcome === '201')).toHaveLength(1);
    expect(outcomes.every((outcome) => ['201', '409 idempotency_in_progress', '201  true'].includes(outcome))).toBe(true);
    const later = await create(owner, key, { key: 'at-once', name: 'At once' });
    expect([later.status, later.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
  });

  it('of a holder that died is taken over after its time, by the same request only', async () => {
    const key = nextKey();
    await create(owner, key, { name: 'Died' });
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query('update idempotency_keys set status = null, answer = null where key = $1', [key]); // As a crash leaves it.
    await client.end();
    const early = await create(owner, key, { name: 'Died' });
    expect([early.status, early.body.code, early.headers.get('retry-after')]).toEqual([409, 'idempotency_in_progress', '1']);
    clock.move('PT31S');
    expect((await create(owner, key, { name: 'Other' })).body.code).toBe('idempotency_conflict');
    expect(await create(owner, key, { name: 'Died' })).toMatchObject({ status: 201 });
  });

  it('is free after a day, and the day\'s answers are removed', async () => {
    const key = nextKey();
    const first = await create(owner, key, { name: 'Day' });
    clock.move('PT23H59M');
    expect((await create(owner, key, { name: 'Day' })).body.id).toBe(first.body.id);
    clock.move('PT2M');
    expect((await create(owner, key, { name: 'Another day' })).body.id).not.toBe(first.body.id);
    clock.move('PT25H');
    const remove = new RemoveExpiredAnswers(idempotency, makeLogger({ name: 'test', level: 'silent' }));
    expect(await remove.execute()).toBeGreaterThan(5);
    expect(await scopeOf(key)).toEqual([]);
  });

  it('keeps no answer of 401, 403 and faults', async () => {
    const { body } = await owner('POST', '/v1/api-keys', { name: 'reader', scopes: ['keys:write'] });
    const key = nextKey();
    expect((await as(body.secret)('POST', '/v1/api-keys', { name: 'x', scopes: ['platform'] }, { 'idempotency-key': key })).status).toBe(403);
    expect(await scopeOf(key)).toEqual([]);
    const failing = nextKey();
    const add = adapters.jobs.add;
    adapters.jobs.add = async () => {
      throw new Error('The queue is gone.');
    };
    expect((await owner('POST', '/v1/test-clock', { now: '2026-01-01T00:00:00Z' }, { 'idempotency-key': failing })).status).toBe(500);
    adapters.jobs.add = add;
    expect(await scopeOf(failing)).toEqual([]);
    expect((await owner('POST', '/v1/test-clock', { now: '2026-01-01T00:00:00Z' }, { 'idempotency-key': failing })).status).toBe(200);
  });

  it('has 1 to 255 characters, and counts on POST only', async () => {
    for (const key of ['x'.repeat(256), '""']) expect((await create(owner, key, { name: 'x' })).body.code).toBe('invalid_idempotency_key');
    expect((await create(owner, 'x'.repeat(255), { name: 'x' })).status).toBe(201);
    const put = () => owner('PUT', '/v1/products/put', { name: 'Put' }, { 'idempotency-key': 'put' });
    expect([(await put()).status, (await put()).status]).toEqual([201, 200]);
  });

  it('is stored without the secret that its answer holds', async () => {
    const key = nextKey();
    const { body } = await owner('POST', '/v1/api-keys', { name: 'secret' }, { 'idempotency-key': key });
    const [row] = await scopeOf(key);
    expect(row.answer.toString('latin1')).not.toContain(body.secret);
    expect(JSON.stringify(row)).not.toContain(body.secret);
    expect((await owner('POST', '/v1/api-keys', { name: 'secret' }, { 'idempotency-key': key })).body.secret).toBe(body.secret);
  });
});
