import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeLogger } from '#platform';
import { usePostgres } from '#testing';
import type { SweepStep } from './invoicing-context.js';
import { flat, InvoicingFixture } from './testing/invoicing-fixture.js';
import { MortalProcess } from './testing/mortal-process.js';

// Goal: a provider that takes many documents at once gets each once, whatever becomes of the others and wherever the process ends.
// Method: the sandbox, five customers whose invoices of 49.00 are issued and wait in the outbox together.

usePostgres();
let fixture: InvoicingFixture;
const methods: Record<string, string | null> = { cus_a: null, cus_b: 'pm_fail', cus_c: 'pm_lost_answer', cus_d: null, cus_e: 'pm_fail_once' };

beforeEach(async () => {
  fixture = await InvoicingFixture.open();
  await fixture.plan([flat({ id: 'price_base', amount: '49.00' })]);
  await fixture.setClock('2026-01-01T00:00:00Z');
  for (const [customer, method] of Object.entries(methods)) {
    await fixture.customer(customer, method === null ? {} : { payment_method: method });
    await fixture.subscribe({ id: customer.replace('cus', 'sub'), customerId: customer, startAt: '2026-01-01T00:00:00Z' });
  }
  await fixture.use().sweepDue.execute();
  expect(await outbox()).toEqual({ pending: 5 });
});
afterEach(() => fixture.close());

async function outbox(): Promise<Record<string, number>> {
  const { rows } = await fixture.sql.query<{ state: string; count: number }>('select state, count(*)::int as count from payment_outbox group by 1');
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
}

/** By customer: where the invoice stands, what the sandbox has of it, and the tries that are written down. */
async function documents(): Promise<Record<string, string>> {
  const { rows } = await fixture.sql.query<{ customer_id: string; said: string }>(
    `select customer_id, concat_ws(', ', invoice.status, payment_status, 'at the provider ' || (body->>'status'), jsonb_array_length(body->'payments') || ' asked',
       (select string_agg(payment.status || ' ' || payment.amount_minor, ' ') from payments payment where invoice_id = invoice.id)) as said
     from invoices invoice left join provider_objects there on there.kind = 'sandbox_invoice' and our_id = invoice.id order by 1`);
  return Object.fromEntries(rows.map((row) => [row.customer_id, row.said]));
}

const paid = 'paid, succeeded, at the provider paid, 1 asked, succeeded 4900';
const declined = 'open, failed, at the provider open, 1 asked, failed 4900';
const settled = { cus_a: paid, cus_b: declined, cus_c: paid, cus_d: paid, cus_e: declined };

/** What waits for its next try is due at once. */
async function pushAgain(): Promise<void> {
  await fixture.sql.query('update payment_outbox set next_try_at = now()');
  await fixture.use().pushOutbox.execute();
}

describe('many documents at once', () => {
  it('come to what each of them comes to', async () => {
    expect(await fixture.use().pushOutbox.execute()).toBe(4);
    expect(await outbox()).toEqual({ done: 4, unknown: 1 });
    // The answer was lost: the money may have been taken.
    expect(await documents()).toEqual({ ...settled, cus_c: 'open, unknown, at the provider paid, 1 asked' });
    await pushAgain();
    expect(await outbox()).toEqual({ done: 5 });
    expect(await documents()).toEqual(settled);
    const { rows } = await fixture.sql.query(`select our_id, provider_id from provider_objects where kind = 'customer' order by 1`);
    expect(rows).toEqual(Object.keys(methods).map((id) => ({ our_id: id, provider_id: `sandbox_${id}` })));
  });

  it('are told one by one where one of them is broken', async () => {
    await fixture.sql.query(`update invoice_lines set amount_minor = 4800 where invoice_id = (select id from invoices where customer_id = 'cus_d')`);
    expect(await fixture.use().pushOutbox.execute()).toBe(3);
    expect(await outbox()).toEqual({ done: 3, unknown: 2 });
    expect((await documents())['cus_d']).toBe('open');
    await fixture.sql.query(`update invoice_lines set amount_minor = 4900`);
    await pushAgain();
    expect(await documents()).toEqual(settled);
  });

  it.each<SweepStep>(['push:begun', 'push:answered', 'push:written', 'push:committed'])('are there once after a death at %s', async (step) => {
    const process = new MortalProcess({ step, time: 1 });
    await fixture.use({ ...process.adapters(fixture), logger: makeLogger({ name: 'dying', level: 'silent' }) }).pushOutbox.execute().catch(() => undefined);
    expect(process.isDead).toBe(true);
    expect(await outbox()).toEqual(step === 'push:committed' ? { done: 4, unknown: 1 } : { pending: 5 });
    await pushAgain();
    await pushAgain();
    expect(await outbox()).toEqual({ done: 5 });
    expect(await documents()).toEqual(settled);
  });

  it('are told once by two processes', async () => {
    const ended = await Promise.all([fixture.use().pushOutbox.execute(), fixture.use().pushOutbox.execute()]);
    expect(ended[0] + ended[1]).toBe(4);
    await pushAgain();
    expect(await documents()).toEqual(settled);
  });
});
