import pg from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { holdTerms } from '#persistence';
import { usePostgres } from '#testing';
import { startBillingApi } from '../fixtures/billing-api-app.js';

// Goal: an act that is on its way while a boundary is billed comes after it, whatever instant it was asked for at. Method: the sweep's side by hand, in a transaction that
// is held until the request waits for it: it holds the terms, as the sweep does, and notes the boundary of 1 April as billed. Take `readBilledUntil` out, and each fails.

usePostgres();
const { owner, url } = await startBillingApi();
const flat = (key: string, amount: string) => ({ key, name: key, type: 'recurring', model: { type: 'flat', amount } });
await owner('POST', '/v1/test-clock', { now: '2026-03-01T00:00:00Z' });
await owner('POST', '/v1/plans', { key: 'small', name: 'Small', currency: 'EUR', billing_period: 'P1M', prices: [flat('base', '31')] });
await owner('PATCH', '/v1/plans/small', { prices: [flat('base', '62')] });
await owner('POST', '/v1/add-ons', { key: 'seat', name: 'Seat', currency: 'EUR', billing_period: 'P1M', prices: [flat('seat', '3')] });
await owner('POST', '/v1/customers', { key: 'acme', name: 'Acme', currency: 'EUR', time_zone: 'UTC' });
const sweep = new pg.Client({ connectionString: url });
await sweep.connect();
afterAll(() => sweep.end());
const manager = { query: async (text: string, values: unknown[]) => (await sweep.query(text, values)).rows } as unknown as Parameters<typeof holdTerms>[0];

async function waiting(): Promise<void> {
  for (let tries = 0; tries < 1_000; tries += 1) {
    const { rows } = await sweep.query(`select 1 from pg_locks where locktype = 'advisory' and not granted`);
    if (rows.length > 0) return;
  }
  throw new Error('The request does not wait for the sweep.');
}

/** Asks for something at 1 March while the boundary of 1 April is billed. */
async function asked(act: (id: string) => ReturnType<typeof owner>) {
  const { body: { id } } = await owner('POST', '/v1/subscriptions', { customer: 'acme', plan: 'small', version: 1 });
  await sweep.query('begin');
  await holdTerms(manager, [id]);
  await sweep.query(`insert into billing_schedules (organization_id, subscription_id, next_index, adopted_revision, ended) select organization_id, id, 3, revision, false from subscriptions where id = $1`, [id]);
  const answer = act(id);
  await waiting();
  await sweep.query('commit');
  const { status } = await answer;
  expect([200, 201]).toContain(status);
  const { rows: [row] } = await sweep.query(`select changes, add_ons, cancel_at from subscriptions where id = $1`, [id]);
  return row;
}

describe('an act during the billing of a boundary', () => {
  it.each([['now', '2026-04-01T00:00:00Z'], ['period_end', '2026-05-01T00:00:00Z']])('changes the plan %s from %s on', async (when, at) => {
    expect((await asked((id) => owner('POST', `/v1/subscriptions/${id}/change`, { plan: 'small', when, prorate: false }))).changes).toMatchObject([{ at }]);
  });

  it.each([['now', '2026-04-01T00:00:00.000Z'], ['period_end', '2026-05-01T00:00:00.000Z']])('cancels %s at %s', async (when, at) => {
    expect((await asked((id) => owner('POST', `/v1/subscriptions/${id}/cancel`, { when }))).cancel_at.toISOString()).toBe(at);
  });

  it('adds an add-on where the boundary lies', async () => {
    expect((await asked((id) => owner('POST', `/v1/subscriptions/${id}/add-ons`, { add_on: 'seat', when: 'now' }))).add_ons).toMatchObject([{ steps: [{ at: '2026-04-01T00:00:00Z' }] }]);
  });

  it('migrates at the end of the period that has begun', async () => {
    expect((await asked(() => owner('POST', '/v1/plans/small/migrate', { to_version: 2, when: 'period_end' }))).changes).toMatchObject([{ at: '2026-05-01T00:00:00Z' }]);
  });
});
