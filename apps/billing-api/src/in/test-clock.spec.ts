import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { aggregatorGroup, topics } from '#contracts';
import { beginClockRun, BusinessClock, countIntoClockRun, Database, finishClockRun, insertDueActs, insertInvoices, readTestClock } from '#persistence';
import { systemClock } from '#platform';
import { usePostgres } from '#testing';
import { startBillingApi } from '../fixtures/billing-api-app.js';

usePostgres();
const { url, jobs, adapters, anotherOrganization } = await startBillingApi();
const invoicing = await Database.open({ url, role: 'invoicing', poolSizeMax: 2 });
afterAll(async () => {
  await invoicing.close();
});
afterEach(() => {
  jobs.onAdd = async () => undefined;
});

/** Plays invoicing for one organization: `acts` are due, and done at the next sweep. */
function playInvoicing(organizationId: string, acts: number): void {
  jobs.onAdd = async () =>
    invoicing.inOrganization(organizationId, async (manager) => {
      const { target } = await readTestClock(manager, organizationId);
      if (target === null) return;
      await beginClockRun(manager, { organizationId, target });
      await countIntoClockRun(manager, { organizationId, acts });
      await finishClockRun(manager, { organizationId, target, at: systemClock.now() });
    });
}

describe('the test clock', () => {
  it('is system time until it is set or advanced', async () => {
    const { call } = await anotherOrganization();
    const { status, body } = await call('GET', '/v1/test-clock');
    expect([status, body.status, body.target]).toEqual([200, 'ready', null]);
    expect(Math.abs(Temporal.Instant.from(body.now).since(systemClock.now()).total('seconds'))).toBeLessThan(60);
  });

  it('freezes at any instant, earlier ones too, and is read without delay', async () => {
    const { id, call } = await anotherOrganization();
    for (const now of ['2030-01-01T00:00:00Z', '2001-02-03T04:05:06.123456Z']) {
      expect(await call('POST', '/v1/test-clock', { now })).toMatchObject({ status: 200, body: { object: 'test_clock', now, status: 'ready' } });
      expect((await adapters.businessClock.now(id)).toString()).toBe(now);
    }
    expect((await call('POST', '/v1/test-clock', { now: '2030-01-01' })).body.errors[0].pointer).toBe('/now');
  });

  it('gives every reader an instant no older than its question', async () => {
    const { id, call } = await anotherOrganization();
    for (let second = 10; second < 20; second += 1) {
      const now = `2026-01-01T00:00:${second}Z`;
      const early = [adapters.businessClock.now(id), adapters.businessClock.now(id)];
      await call('POST', '/v1/test-clock', { now });
      expect((await adapters.businessClock.now(id)).toString()).toBe(now);
      await Promise.all(early);
    }
  });

  it('is what was answered also for readers that ask once in a while', async () => {
    const { id, call } = await anotherOrganization();
    const leased = new BusinessClock({ ...adapters, hasLeases: true });
    for (let second = 10; second < 15; second += 1) {
      const now = `2026-01-01T00:00:${second}Z`;
      await leased.now(id); // What it said just before must not be what it says just after.
      await call('POST', '/v1/test-clock', { now });
      expect((await leased.now(id)).toString()).toBe(now);
    }
    for (let day = 2; day < 7; day += 1) {
      const to = `2026-01-0${day}T00:00:00Z`;
      playInvoicing(id, 0);
      await leased.now(id);
      await call('POST', '/v1/test-clock/advance', { to });
      expect((await leased.now(id)).toString()).toBe(to);
    }
  });

  it('can not be set once an invoice exists', async () => {
    const { id, call } = await anotherOrganization();
    await call('POST', '/v1/test-clock', { now: '2026-01-01T00:00:00Z' });
    const at = Temporal.Instant.from('2026-01-01T00:00:00Z');
    await invoicing.inOrganization(id, (manager) => insertInvoices(manager, {
      organizationId: id,
      invoices: [{
        id: 'inv_x', kind: 'period', customerId: 'cus_x', subscriptionId: 'sub_x', periodIndex: 1, closesIndex: null, planId: 'plan_x', planVersion: 1, waitingForUsage: false, currency: 'EUR',
        collection: 'automatic', daysUntilDue: null, periodStart: at, periodEnd: at.add({ hours: 1 }), datedAt: at,
      }],
    }));
    const { status, body } = await call('POST', '/v1/test-clock', { now: '2026-02-01T00:00:00Z' });
    expect([status, body.code, body.allowed]).toEqual([409, 'invoice_exists', ['advance']]);
  });

  it('does not stand in live organizations', async () => {
    const { call } = await anotherOrganization('live');
    for (const answer of [await call('GET', '/v1/test-clock'), await call('POST', '/v1/test-clock', { now: '2026-01-01T00:00:00Z' }), await call('POST', '/v1/test-clock/advance', { to: '2090-01-01T00:00:00Z' })]) {
      expect([answer.status, answer.body.code]).toEqual([409, 'live_organization']);
    }
  });
});

describe('advancing', () => {
  it('waits for what is due, says how much was done, and only then is later', async () => {
    const { id, call } = await anotherOrganization();
    await call('POST', '/v1/test-clock', { now: '2026-01-01T00:00:00Z' });
    const running = call('POST', '/v1/test-clock/advance', { to: '2026-02-01T00:00:00Z' });
    await expect.poll(async () => (await call('GET', '/v1/test-clock')).body).toEqual({ object: 'test_clock', now: '2026-01-01T00:00:00Z', status: 'advancing', target: '2026-02-01T00:00:00Z' });
    const other = await call('POST', '/v1/test-clock/advance', { to: '2026-03-01T00:00:00Z' });
    expect([other.status, other.body.code, other.body.clock]).toEqual([409, 'clock_advancing', { status: 'advancing', target: '2026-02-01T00:00:00Z' }]);
    expect((await call('POST', '/v1/test-clock', { now: '2026-01-05T00:00:00Z' })).body.code).toBe('clock_advancing');
    const joined = call('POST', '/v1/test-clock/advance', { to: '2026-02-01T00:00:00Z' });
    playInvoicing(id, 7);
    const answer = { status: 200, body: { object: 'test_clock', now: '2026-02-01T00:00:00Z', status: 'ready', ran: 7 } };
    expect(await running).toMatchObject(answer);
    expect(await joined).toMatchObject(answer);
    expect((await adapters.businessClock.now(id)).toString()).toBe('2026-02-01T00:00:00Z');
  });

  it('runs again to an instant that it was at before it was set back', async () => {
    const { id, call } = await anotherOrganization();
    const to = '2026-02-01T00:00:00Z';
    await call('POST', '/v1/test-clock', { now: '2026-01-01T00:00:00Z' });
    playInvoicing(id, 0);
    expect((await call('POST', '/v1/test-clock/advance', { to })).body).toMatchObject({ now: to, ran: 0 });
    await call('POST', '/v1/test-clock', { now: '2026-01-01T00:00:00Z' });
    const due = { kind: 'boundary' as const, subscriptionId: 'sub_x', periodIndex: 1, dueAt: Temporal.Instant.from('2026-01-15T00:00:00Z') };
    await invoicing.inOrganization(id, (manager) => insertDueActs(manager, { organizationId: id, acts: [due] }));
    jobs.onAdd = async () => undefined;
    const running = call('POST', '/v1/test-clock/advance', { to });
    await expect.poll(async () => (await call('GET', '/v1/test-clock')).body.status).toBe('advancing');
    await invoicing.inOrganization(id, async (manager) => manager.query(`update due_acts set done_at = now()`));
    expect((await running).body).toMatchObject({ now: to, ran: 1 });
  });

  it('goes forward only, also from system time', async () => {
    const { id, call } = await anotherOrganization();
    expect((await call('POST', '/v1/test-clock/advance', { to: '2020-01-01T00:00:00Z' })).body).toMatchObject({ status: 422, code: 'not_forward', errors: [{ pointer: '/to' }] });
    playInvoicing(id, 0);
    expect((await call('POST', '/v1/test-clock/advance', { to: '2100-01-01T00:00:00Z' })).body).toMatchObject({ now: '2100-01-01T00:00:00Z', ran: 0 });
    expect((await call('POST', '/v1/test-clock/advance', { to: '2100-01-01T00:00:00Z' })).body.code).toBe('not_forward');
  });

  it('waits until every event acknowledged before the call is counted', async () => {
    const { id, call } = await anotherOrganization();
    await call('POST', '/v1/test-clock', { now: '2026-01-01T00:00:00Z' });
    await adapters.log.append(topics.usageEvents, [{ key: 'k', value: '{"v":1}' }]);
    playInvoicing(id, 1);
    let answered = false;
    const running = call('POST', '/v1/test-clock/advance', { to: '2026-02-01T00:00:00Z' }).finally(() => (answered = true));
    // The event stands in the log and nobody has consumed it: the clock must not even begin.
    await expect.poll(() => adapters.log.lag({ topic: topics.usageEvents, group: aggregatorGroup })).toBe(1n);
    expect((await call('GET', '/v1/test-clock')).body.status).toBe('ready');
    expect(answered).toBe(false);
    const consumer = await adapters.log.subscribe({ topic: topics.usageEvents, group: aggregatorGroup, batchSizeMax: 10, handle: async () => undefined });
    expect((await running).body).toMatchObject({ now: '2026-02-01T00:00:00Z', ran: 1 });
    await consumer.close();
  });
});
