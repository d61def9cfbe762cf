import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Database, migrateDatabase } from '#persistence';
import { assert } from '#platform';
import { usePostgres } from '#testing';
import { FindInvoiceUsage } from './find-invoice-usage.js';
import type { RateClosedPeriods } from './rate-closed-periods.js';
import type { RateOnBasis } from './rate-on-basis.js';
import { VerifyInvoice } from './verify-invoice.js';

// Goal: a document of a boundary stays what it is, whatever is made of the subscription at that very instant. Method: a real Postgres with documents of a fee of
// 31.00 a month as they were issued on February 1; then the subscription is changed at that instant. Take `before` out of `boundariesOf`, and it fails.

const postgres = usePostgres();
const organizationId = 'org_a';
const february = '2027-02-01T00:00:00Z';
let database: Database;
let admin: pg.Client;

beforeAll(async () => {
  const server = await postgres.freshDatabase({ template: { name: 'migrated', prepare: async (url) => void (await migrateDatabase(url)) } });
  database = await Database.open({ url: server.url, role: 'rating', poolSizeMax: 2 });
  admin = new pg.Client({ connectionString: server.url });
  await admin.connect();
  await admin.query(`
    insert into organizations (id, name, mode, invoice_prefix, created_at) values ('org_a', 'A', 'test', 'A', now());
    insert into plans (id, organization_id, key, name, latest_version, created_at) values ('plan_small', 'org_a', 'small', 'Small', 1, now()), ('plan_large', 'org_a', 'large', 'Large', 1, now());
    insert into customers (id, organization_id, key, name, time_zone, currency, created_at) values ('cus_a', 'org_a', 'acme', 'Acme', 'UTC', 'USD', now());
  `);
  for (const [plan, amount] of [['small', '31'], ['large', '62']]) {
    const prices = JSON.stringify([{ id: `price_${plan}`, key: 'base', name: 'Base', type: 'recurring', model: { type: 'flat', amount } }]);
    await admin.query(`insert into plan_versions (plan_id, version, organization_id, currency, billing_period, prices, created_at) values ($1, 1, 'org_a', 'USD', 'P1M', $2, now())`, [`plan_${plan}`, prices]);
  }
}, 60_000);

afterAll(async () => {
  await database?.close();
  await admin?.end();
});

/** A subscription from January 1 on, and the invoice of one of its boundaries, with a fee in advance. */
async function issued(id: string, of: { boundary: number; plan?: string; amountMinor?: number }): Promise<void> {
  const { boundary, plan = 'small', amountMinor = 3_100 } = of;
  await admin.query(
    `insert into subscriptions (id, organization_id, customer_id, plan_id, plan_version, start_at, billing_anchor, currency, time_zone, collection, created_at)
     values ($1, 'org_a', 'cus_a', 'plan_small', 1, '2027-01-01T00:00:00Z', '2027-01-01T00:00:00Z', 'USD', 'UTC', 'automatic', now())`, [id]);
  await admin.query(
    `insert into invoices (id, organization_id, kind, number, customer_id, subscription_id, period_index, plan_id, plan_version, status, currency, collection, period_start, period_end,
       subtotal_minor, total_minor, amount_due_minor, dated_at, issued_at)
     values ('inv_' || $1, 'org_a', 'period', $1, 'cus_a', $1, $2, 'plan_small', 1, 'open', 'USD', 'automatic', $3, $3::timestamptz + interval '1 month', $4, $4, $4, $3, $3)`,
    [id, boundary, boundary === 1 ? '2027-01-01T00:00:00Z' : february, amountMinor]);
  await admin.query(
    `insert into invoice_lines (id, organization_id, invoice_id, position, kind, ref, price_id, price_key, description, quantity, unrounded_amount, amount_minor, period_start, period_end)
     select 'il_' || id, organization_id, id, 1, 'advance', 'advance:price_' || $2, 'price_' || $2, 'base', 'Base', 1, $3::numeric / 100, $3, period_start, period_end from invoices where id = 'inv_' || $1`,
    [id, plan, amountMinor]);
}

async function change(id: string, more: { at?: string; prorated?: boolean; immediate?: boolean } = {}): Promise<void> {
  const { at = february, prorated = false, immediate = true } = more;
  const made = { at, plan_id: 'plan_large', plan_version: 1, billing_period: 'P1M', billing_anchor: '2027-01-01T00:00:00Z', prorated, immediate, quantities: {}, overrides: [], minimum_commitment: null };
  await admin.query(`update subscriptions set changes = $2 where id = $1`, [id, JSON.stringify([made])]);
}

async function cancel(id: string, { at, askedAt = at }: { at: string; askedAt?: string }): Promise<void> {
  await admin.query(`update subscriptions set cancel_at = $2, canceled_at = $3, cancel_prorate = true where id = $1`, [id, at, askedAt]);
}

/** What differs, in words. */
async function differences(id: string): Promise<string[]> {
  const never = { withTerms: () => expect.unreachable('No usage is on these documents.'), again: () => expect.unreachable('No usage is on these documents.') };
  const findUsage = new FindInvoiceUsage({ database, rateClosed: never as unknown as RateClosedPeriods });
  const outcome = await new VerifyInvoice({ database, findUsage, rateOnBasis: never as unknown as RateOnBasis }).execute({ organizationId, invoiceId: `inv_${id}` });
  assert(outcome.ok, 'The invoice is there.');
  expect(outcome.value.unchecked).toEqual([]);
  return outcome.value.differences.map(({ field, stored, computed }) => `${field} ${stored} ${computed}`);
}

it.each<[string, { prorated?: boolean }]>([['unprorated', {}], ['prorated', { prorated: true }]])('an invoice is right after an %s change at its very instant', async (name, more) => {
  await issued(name, { boundary: 2 });
  expect(await differences(name)).toEqual([]);
  await change(name, more);
  expect(await differences(name)).toEqual([]);
});

it.each([['first', 1, '2027-01-01T00:00:00Z'], ['later', 2, february]])('an invoice of a %s boundary is right after a cancellation at its very instant', async (name, boundary, at) => {
  await issued(name, { boundary });
  await cancel(name, { at });
  expect(await differences(name)).toEqual([]);
});

it('is wrong with a fee that no plan of that instant asks for', async () => {
  await issued('dear', { boundary: 2, amountMinor: 3_200 });
  await change('dear');
  expect(await differences('dear')).toEqual(['unrounded_amount 32 31', 'amount 32.00 31.00']);
});

it('is wrong with the old fee after a change that was set for the boundary, and with any after an end that was', async () => {
  await issued('set', { boundary: 2 });
  await change('set', { immediate: false, prorated: true });
  // It lacks 62.00 of the large plan, and nothing leads to 31.00 of the small one.
  expect(await differences('set')).toEqual(['line 31.00 null', 'line null 62.00']);
  await issued('ended', { boundary: 2 });
  await cancel('ended', { at: february, askedAt: '2027-01-20T00:00:00Z' });
  expect(await differences('ended')).toEqual(['line 31.00 null']);
});
