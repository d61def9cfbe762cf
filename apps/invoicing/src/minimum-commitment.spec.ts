import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { LateUsage, MinimumCommitment } from '#domain';
import { usePostgres } from '#testing';
import { flat, InvoicingFixture, perUnit, summary } from './testing/invoicing-fixture.js';

// Goal: what a subscription commits to is asked for once, whatever comes when. Method: a real Postgres, the rating service
// played; documents by hand, then random months.

usePostgres();
let fixture: InvoicingFixture;
afterEach(() => fixture.close());

let quantities: Record<number, number> = {};
const monthly: MinimumCommitment = { amount: '50', per: 'billing_period' };
const yearly: MinimumCommitment = { amount: '120', per: 'year' };

/** A fee of 31.00 in advance and 0.01 a call, from 2026-01-01 on, with a commitment. */
async function story(options: { commitment?: MinimumCommitment; lateUsage?: LateUsage; fee?: boolean; usage?: boolean } = {}): Promise<void> {
  quantities = {};
  fixture = await InvoicingFixture.open();
  const prices = [...(options.fee === false ? [] : [flat({ id: 'price_base', amount: '31.00' })]), ...(options.usage === false ? [] : [perUnit({ id: 'price_calls', amount: '0.01' })])];
  await fixture.plan(prices, options.lateUsage === undefined ? {} : { lateUsage: options.lateUsage });
  await fixture.customer();
  await fixture.setClock('2026-01-01T00:00:00Z');
  await fixture.subscribe({ id: 'sub_a', startAt: '2026-01-01T00:00:00Z', minimumCommitment: options.commitment ?? monthly });
  fixture.rating().quantityOf = ({ periodIndex }) => String(quantities[periodIndex] ?? 0);
}

async function late(changed: Record<number, number>): Promise<void> {
  quantities = { ...quantities, ...changed };
  await fixture.rating().rateClosed('sub_a');
}

const summaries = async (): Promise<string[]> => (await fixture.invoices()).map(summary);

async function upcoming(): Promise<string[] | string> {
  const outcome = await fixture.use().previewUpcomingInvoice.execute({ organizationId: 'org_a', customer: 'cus_a', subscriptionId: undefined });
  return outcome.ok ? outcome.value.preview.lines.map(({ kind, amountMinor }) => `${kind} ${amountMinor}`) : outcome.code;
}

/** What was settled, window by window. */
async function settlements(): Promise<string[]> {
  const { rows } = await fixture.sql.query<{ first_period: number; last_period: number; day: string; charged: string; amount: string }>(
    `select first_period, last_period, day::text, charged_minor::text as charged, amount_minor::text as amount from commitment_settlements order by id`);
  return rows.map((row) => `${row.first_period}-${row.last_period} ${row.day} ${row.charged} + ${row.amount}`);
}

describe('a commitment per billing period', () => {
  it('asks for what lacks when the period closes, shown before in the draft and the upcoming invoice', async () => {
    await story();
    quantities = { 1: 400, 2: 2_500 };
    await fixture.advance('2026-01-20T00:00:00Z');
    expect(await upcoming()).toEqual(['usage 0', 'minimum 1900', 'advance 3100']); // 50.00 - 31.00; nothing is rated yet.
    await fixture.advance('2026-02-01T00:30:00Z');
    expect((await summaries()).at(-1)).toBe('draft draft 2026-01-01/2026-02-01 5000: usage 0, minimum 1900, advance 3100');
    await fixture.advance('2026-03-01T01:00:00Z');
    expect(await summaries()).toEqual([
      'ACME-000001 paid 2026-01-01/2026-02-01 3100: advance 3100',
      'ACME-000002 paid 2026-01-01/2026-02-01 5000: usage 400, minimum 1500, advance 3100', // 50.00 - 31.00 - 4.00
      'ACME-000003 paid 2026-02-01/2026-03-01 5600: usage 2500, advance 3100', // 31.00 + 25.00 are more than 50.00.
    ]);
    expect(await settlements()).toEqual(['1-1 2026-01-31 3500 + 1500', '2-2 2026-02-28 5600 + 0']);
    const line = (await fixture.invoices())[1]?.lines.find(({ kind }) => kind === 'minimum');
    expect(line?.trace.map(({ detail }) => detail)).toEqual(['at least 50 a billing period', '35.00 was charged for it: 15.00 is missing']);
  });

  it('counts late usage against it: more usage takes from what lacked, less adds to it', async () => {
    await story();
    quantities = { 1: 400 };
    await fixture.advance('2026-02-10T00:00:00Z');
    await late({ 1: 1_000 });
    expect(await upcoming()).toEqual(['usage 0', 'adjustment 600', 'adjustment -600', 'minimum 1900', 'advance 3100']);
    await fixture.advance('2026-03-10T00:00:00Z');
    await late({ 1: 2_500 });
    await fixture.advance('2026-04-10T00:00:00Z');
    await late({ 1: 100 });
    await fixture.advance('2026-05-10T00:00:00Z');
    expect((await summaries()).slice(1)).toEqual([
      'ACME-000002 paid 2026-01-01/2026-02-01 5000: usage 400, minimum 1500, advance 3100',
      'ACME-000003 paid 2026-02-01/2026-03-01 5000: usage 0, adjustment 600, adjustment -600, minimum 1900, advance 3100',
      'ACME-000004 paid 2026-03-01/2026-04-01 5600: usage 0, adjustment 1500, adjustment -900, minimum 1900, advance 3100', // 31.00 + 25.00 = 56.00, and 50.00 was paid.
      'ACME-000005 paid 2026-04-01/2026-05-01 4400: usage 0, adjustment -2400, adjustment 1800, minimum 1900, advance 3100', // Back to 50.00: 31.00 + 1.00 + 18.00.
    ]);
  });

  it('does not count what the plan absorbs', async () => {
    await story({ lateUsage: { policy: 'absorb' } });
    quantities = { 1: 400 };
    await fixture.advance('2026-02-10T00:00:00Z');
    await late({ 1: 1_000 });
    await fixture.advance('2026-03-10T00:00:00Z');
    expect((await summaries()).at(-1)).toBe('ACME-000003 paid 2026-02-01/2026-03-01 5000: usage 0, minimum 1900, advance 3100');
  });

  it('is its share where a change brings another, and where the subscription ends', async () => {
    await story();
    await fixture.plan([flat({ id: 'price_large', amount: '62.00' })], { id: 'plan_large' });
    quantities = { 1: 300 };
    await fixture.advance('2026-01-16T12:00:00Z');
    await fixture.change('sub_a', { at: '2026-01-16T12:00:00Z', planId: 'plan_large', minimumCommitment: { amount: '100', per: 'billing_period' } });
    await fixture.advance('2026-02-15T00:00:00Z');
    await fixture.cancel('sub_a', { at: '2026-02-15T00:00:00Z' });
    await fixture.advance('2026-03-01T00:00:00Z');
    expect(await summaries()).toEqual([
      'ACME-000001 paid 2026-01-01/2026-02-01 3100: advance 3100',
      // Another amount: the first ends at the change. 25.00 - (31.00 - 15.50 + 3.00) = 6.50
      'ACME-000002 paid 2026-01-01/2026-01-16 2500: usage 300, minimum 650, proration -1550, advance 3100',
      'ACME-000003 paid 2026-02-01/2026-03-01 8100: minimum 1900, advance 6200', // Half of 100.00 - 31.00
      'ACME-000004 paid 2026-02-15/2026-03-01 0: minimum 1900, proration -3100, carried_over 1200', // Half of 100.00 - (62.00 - 31.00)
    ]);
  });

  it('is held against both parts of a period that a change divides', async () => {
    await story({ fee: false });
    await fixture.plan([perUnit({ id: 'price_other', amount: '0.02' })], { id: 'plan_other' });
    quantities = { 1: 4_000, 2: 700 };
    await fixture.advance('2026-01-16T12:00:00Z');
    await fixture.change('sub_a', { at: '2026-01-16T12:00:00Z', planId: 'plan_other', minimumCommitment: monthly });
    await fixture.advance('2026-02-01T00:30:00Z');
    // The rating of this double knows the first plan only: 7.00. 40.00 + 7.00 of 50.00.
    await fixture.advance('2026-02-02T00:00:00Z');
    expect(await summaries()).toEqual(['ACME-000001 paid 2026-01-01/2026-01-16 4000: usage 4000', 'ACME-000002 paid 2026-01-16/2026-02-01 1000: usage 700, minimum 300']);
  });

  it('makes a last invoice where nothing else would, and none where nothing lacks', async () => {
    await story({ usage: false });
    await fixture.cancel('sub_a', { at: '2026-02-01T00:00:00Z' });
    await fixture.subscribe({ id: 'sub_b', startAt: '2026-01-01T00:00:00Z', minimumCommitment: { amount: '31', per: 'billing_period' } });
    await fixture.cancel('sub_b', { at: '2026-02-01T00:00:00Z' });
    await fixture.advance('2026-02-10T00:00:00Z');
    expect((await summaries()).toSorted()).toEqual([
      'ACME-000001 paid 2026-01-01/2026-02-01 3100: advance 3100', 'ACME-000002 paid 2026-01-01/2026-02-01 3100: advance 3100', 'ACME-000003 paid 2026-01-01/2026-02-01 1900: minimum 1900',
    ]);
    expect((await settlements()).toSorted()).toEqual(['1-1 2026-01-31 3100 + 0', '1-1 2026-01-31 3100 + 1900']);
  });

  it('comes to the same in whatever order documents are issued', async () => {
    await story();
    await fixture.sql.query(`update organizations set grace_period_seconds = 40 * 86400 where id = 'org_a'`);
    quantities = { 1: 400 };
    await fixture.advance('2026-03-05T00:00:00Z');
    const [, january, february] = await fixture.invoices();
    // Neither is rated yet.
    expect([january, february].map((draft) => draft && summary(draft))).toEqual([
      'draft draft 2026-01-01/2026-02-01 5000: usage 0, minimum 1900, advance 3100', 'draft draft 2026-02-01/2026-03-01 5000: usage 0, minimum 1900, advance 3100',
    ]);
    const finalized = fixture.use().changeInvoice.finalize({ organizationId: 'org_a', id: february?.invoice.id ?? '' });
    await fixture.settle();
    expect(await finalized).toMatchObject({ ok: true });
    await fixture.advance('2026-03-20T00:00:00Z');
    // February's fee stands on January's document, which comes later, and then takes from what February asked for.
    expect((await summaries()).slice(1).toSorted()).toEqual([
      'ACME-000002 paid 2026-02-01/2026-03-01 8100: usage 0, minimum 5000, advance 3100',
      'ACME-000003 paid 2026-01-01/2026-02-01 1900: usage 400, minimum 1500, adjustment -3100, advance 3100',
    ]);
  });

  it('follows late usage after the end', async () => {
    await story({ fee: false });
    quantities = { 1: 1_000 };
    await fixture.cancel('sub_a', { at: '2026-02-01T00:00:00Z' });
    await fixture.advance('2026-03-01T00:00:00Z');
    await late({ 1: 7_000 });
    await fixture.advance('2026-03-02T00:00:00Z');
    expect(await summaries()).toEqual([
      'ACME-000001 paid 2026-01-01/2026-02-01 5000: usage 1000, minimum 4000',
      'ACME-000002 paid 2026-01-01/2026-02-01 2000: adjustment 6000, adjustment -4000', // 70.00, and 50.00 was paid.
    ]);
  });
});

describe('a commitment per year', () => {
  it('asks for what lacks when the year is over, or for its share at the end', async () => {
    await story({ fee: false, commitment: yearly });
    quantities = Object.fromEntries(Array.from({ length: 12 }, (_, month) => [month + 1, 500]));
    await fixture.advance('2027-01-02T00:00:00Z');
    const all = await summaries();
    expect(all.slice(0, -1).every((one) => one.endsWith('500: usage 500'))).toBe(true);
    expect(all.at(-1)).toBe('ACME-000012 paid 2026-12-01/2027-01-01 6500: usage 500, minimum 6000'); // 120.00 - 12 × 5.00
    await late({ 3: 900 });
    await fixture.cancel('sub_a', { at: '2027-03-15T00:00:00Z' });
    await fixture.advance('2027-03-16T00:00:00Z');
    expect((await summaries()).slice(12)).toEqual([
      'ACME-000013 paid 2027-01-01/2027-02-01 0: usage 0, adjustment 400, adjustment -400',
      'ACME-000014 paid 2027-02-01/2027-03-01 0: usage 0',
      'ACME-000015 paid 2027-03-01/2027-03-15 2400: usage 0, minimum 2400', // 73 of 365 days of 120.00
    ]);
  });
});

describe('whatever comes when', () => {
  const months = fc.array(fc.dictionary(fc.constantFrom('1', '2', '3', '4'), fc.integer({ min: 0, max: 900 }), { maxKeys: 3 }), { minLength: 6, maxLength: 6 });

  it('each period comes to the greater of its charges and what it commits to', async () => {
    await fc.assert(fc.asyncProperty(months, fc.boolean(), async (changes, isYearly) => {
      await story({ fee: false, commitment: isYearly ? { amount: '12', per: 'year' } : { amount: '4', per: 'billing_period' } });
      quantities = { 1: 100, 2: 500, 3: 0, 4: 420 };
      await fixture.cancel('sub_a', { at: '2026-05-01T00:00:00Z' });
      for (const [index, changed] of changes.entries()) {
        await fixture.advance(`2026-0${index + 2}-15T00:00:00Z`);
        await late(changed);
      }
      await fixture.advance('2026-09-01T00:00:00Z');
      const { rows } = await fixture.sql.query<{ total: string }>(
        `select coalesce(sum(amount_minor), 0)::text as total from invoice_lines where kind <> 'carried_over' ${isYearly ? '' : 'group by period_start order by period_start'}`);
      const charges = [1, 2, 3, 4].map((period) => quantities[period] ?? 0);
      // Four months of a year of 365 days: 120 days of 12.00.
      const expected = isYearly ? [Math.max(charges.reduce((sum, one) => sum + one, 0), Math.round((1_200 * 120) / 365))] : charges.map((charge) => Math.max(charge, 400));
      expect(rows.map(({ total }) => Number(total))).toEqual(expected);
      await fixture.close();
    }), { numRuns: 4 });
    fixture = await InvoicingFixture.open();
  });
});
