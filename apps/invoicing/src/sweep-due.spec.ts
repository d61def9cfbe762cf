import { afterEach, describe, expect, it } from 'vitest';
import { holdBilling } from '#persistence';
import type { JobQueue } from '#platform';
import { usePostgres } from '#testing';
import { flat, InvoicingFixture, perUnit, summary } from './testing/invoicing-fixture.js';

usePostgres();
let fixture: InvoicingFixture;
afterEach(() => fixture.close());

describe('a year on a test clock', () => {
  it('bills the 31st of each month, arrears of the one and advance of the next, in order and once', async () => {
    fixture = await InvoicingFixture.open();
    await fixture.plan([flat({ id: 'price_base', amount: '49.00' }), perUnit({ id: 'price_calls', amount: '0.01' })]);
    await fixture.customer();
    await fixture.setClock('2026-01-31T00:00:00Z');
    await fixture.subscribe({ id: 'sub_a', startAt: '2026-01-31T00:00:00Z' });
    fixture.rating().quantityOf = ({ periodIndex }) => String(periodIndex * 100);
    // The boundary at the start, twelve more, and an issue act for each of these thirteen: 26.
    expect(await fixture.advance('2027-01-31T01:00:00Z')).toBe(26);
    const summaries = (await fixture.invoices()).map(summary);
    expect(summaries).toEqual([
      'ACME-000001 paid 2026-01-31/2026-02-28 4900: advance 4900',
      'ACME-000002 paid 2026-01-31/2026-02-28 5000: usage 100, advance 4900', // 100 × 0.01 + 49.00
      'ACME-000003 paid 2026-02-28/2026-03-31 5100: usage 200, advance 4900',
      'ACME-000004 paid 2026-03-31/2026-04-30 5200: usage 300, advance 4900',
      'ACME-000005 paid 2026-04-30/2026-05-31 5300: usage 400, advance 4900',
      'ACME-000006 paid 2026-05-31/2026-06-30 5400: usage 500, advance 4900',
      'ACME-000007 paid 2026-06-30/2026-07-31 5500: usage 600, advance 4900',
      'ACME-000008 paid 2026-07-31/2026-08-31 5600: usage 700, advance 4900',
      'ACME-000009 paid 2026-08-31/2026-09-30 5700: usage 800, advance 4900',
      'ACME-000010 paid 2026-09-30/2026-10-31 5800: usage 900, advance 4900',
      'ACME-000011 paid 2026-10-31/2026-11-30 5900: usage 1000, advance 4900',
      'ACME-000012 paid 2026-11-30/2026-12-31 6000: usage 1100, advance 4900',
      'ACME-000013 paid 2026-12-31/2027-01-31 6100: usage 1200, advance 4900',
    ]);
    const [first, second] = await fixture.invoices();
    expect(first?.invoice.issuedAt?.toString()).toBe('2026-01-31T00:00:00Z');
    expect(second?.invoice.issuedAt?.toString()).toBe('2026-02-28T01:00:00Z'); // The boundary and an hour of grace.
    expect(second?.invoice.dueAt?.toString()).toBe('2026-02-28T01:00:00Z');
    expect([...fixture.rating().asked.values()]).toEqual(Array.from({ length: 12 }, () => 1));
  });

  it('stops short of what is due after its target, and goes on from there', async () => {
    fixture = await InvoicingFixture.open();
    await fixture.plan([flat({ id: 'price_base', amount: '49.00' }), perUnit({ id: 'price_calls', amount: '0.01' })]);
    await fixture.customer();
    await fixture.setClock('2026-01-01T00:00:00Z');
    await fixture.subscribe({ id: 'sub_a', startAt: '2026-01-01T00:00:00Z' });
    expect(await fixture.advance('2026-02-01T00:00:00Z')).toBe(3); // Start, its issue, and the boundary of February.
    expect((await fixture.invoices()).map(summary)).toEqual([
      'ACME-000001 paid 2026-01-01/2026-02-01 4900: advance 4900',
      'draft draft 2026-01-01/2026-02-01 4900: usage 0, advance 4900',
    ]);
    expect((await fixture.invoices())[1]?.invoice.waitingForUsage).toBe(true);
    expect(await fixture.advance('2026-02-01T00:59:59Z')).toBe(0);
    expect(await fixture.advance('2026-02-01T01:00:00Z')).toBe(1);
    expect((await fixture.invoices()).map(({ invoice }) => invoice.status)).toEqual(['paid', 'paid']);
  });

  it('bills every elapsed period of a start in the past at once, in order, now', async () => {
    fixture = await InvoicingFixture.open();
    await fixture.plan([flat({ id: 'price_base', amount: '10' })]);
    await fixture.customer();
    await fixture.setClock('2026-04-15T12:00:00Z');
    await fixture.subscribe({ id: 'sub_a', startAt: '2026-01-01T00:00:00Z', collection: 'send_invoice', daysUntilDue: 14 });
    await fixture.settle();
    const invoices = await fixture.invoices();
    expect(invoices.map(summary)).toEqual([
      'ACME-000001 open 2026-01-01/2026-02-01 1000: advance 1000',
      'ACME-000002 open 2026-02-01/2026-03-01 1000: advance 1000',
      'ACME-000003 open 2026-03-01/2026-04-01 1000: advance 1000',
      'ACME-000004 open 2026-04-01/2026-05-01 1000: advance 1000',
    ]);
    expect(new Set(invoices.map(({ invoice }) => invoice.issuedAt?.toString()))).toEqual(new Set(['2026-04-15T12:00:00Z']));
    expect(new Set(invoices.map(({ invoice }) => invoice.dueAt?.toString()))).toEqual(new Set(['2026-04-29T12:00:00Z']));
  });

  it('gives numbers in order of issue across subscriptions', async () => {
    fixture = await InvoicingFixture.open();
    await fixture.plan([flat({ id: 'price_base', amount: '10' }), perUnit({ id: 'price_calls', amount: '1' })]);
    await fixture.customer('cus_a');
    await fixture.customer('cus_b');
    await fixture.setClock('2026-01-01T00:00:00Z');
    await fixture.subscribe({ id: 'sub_a', startAt: '2026-01-01T00:00:00Z' });
    await fixture.subscribe({ id: 'sub_b', customerId: 'cus_b', startAt: '2026-01-01T00:30:00Z' });
    await fixture.advance('2026-03-02T00:00:00Z');
    const issued = (await fixture.invoices()).map(({ invoice }) => invoice).sort((a, b) => (a.number ?? '').localeCompare(b.number ?? ''));
    expect(issued.map(({ number, subscriptionId, issuedAt }) => `${number} ${subscriptionId} ${issuedAt}`)).toEqual([
      'ACME-000001 sub_a 2026-01-01T00:00:00Z',
      'ACME-000002 sub_b 2026-01-01T00:30:00Z',
      'ACME-000003 sub_a 2026-02-01T01:00:00Z',
      'ACME-000004 sub_b 2026-02-01T01:30:00Z',
      'ACME-000005 sub_a 2026-03-01T01:00:00Z',
      'ACME-000006 sub_b 2026-03-01T01:30:00Z',
    ]);
  });
});

describe('trials', () => {
  it('owe what is owed once at the start, and nothing for the trial', async () => {
    fixture = await InvoicingFixture.open();
    await fixture.plan([flat({ id: 'price_setup', amount: '99', type: 'one_time' }), flat({ id: 'price_base', amount: '31' }), perUnit({ id: 'price_calls', amount: '0.01' })]);
    await fixture.customer();
    await fixture.setClock('2026-01-01T00:00:00Z');
    await fixture.subscribe({ id: 'sub_a', startAt: '2026-01-01T00:00:00Z', trialEndAt: '2026-01-15T00:00:00Z' });
    fixture.rating().quantityOf = () => '200';
    await fixture.advance('2026-02-15T01:00:00Z');
    expect((await fixture.invoices()).map(summary)).toEqual([
      'ACME-000001 paid 2026-01-01/2026-01-15 9900: one_time 9900',
      'ACME-000002 paid 2026-01-15/2026-02-15 3100: advance 3100',
      'ACME-000003 paid 2026-01-15/2026-02-15 3300: usage 200, advance 3100', // 200 × 0.01 + 31.00
    ]);
    expect([...fixture.rating().asked.keys()]).toEqual(['sub_a/1']);
  });

  it('leave nothing to bill when they are canceled', async () => {
    fixture = await InvoicingFixture.open();
    await fixture.plan([flat({ id: 'price_base', amount: '31' }), perUnit({ id: 'price_calls', amount: '0.01' })]);
    await fixture.customer();
    await fixture.setClock('2026-01-01T00:00:00Z');
    await fixture.subscribe({ id: 'sub_a', startAt: '2026-01-01T00:00:00Z', trialEndAt: '2026-01-15T00:00:00Z' });
    await fixture.settle();
    await fixture.cancel('sub_a', { at: '2026-01-10T00:00:00Z' });
    await fixture.advance('2026-06-01T00:00:00Z');
    expect(await fixture.invoices()).toEqual([]);
  });
});

describe('cancellation', () => {
  async function started(prices = [flat({ id: 'price_base', amount: '31.00' }), perUnit({ id: 'price_calls', amount: '0.01' })]): Promise<void> {
    fixture = await InvoicingFixture.open();
    await fixture.plan(prices);
    await fixture.customer();
    await fixture.setClock('2026-03-01T00:00:00Z');
    await fixture.subscribe({ id: 'sub_a', startAt: '2026-03-01T00:00:00Z' });
    await fixture.advance('2026-03-11T00:00:00Z');
  }

  it('makes a final invoice at that instant: usage until then, and the unused part of what was paid in advance', async () => {
    await started();
    await fixture.cancel('sub_a', { at: '2026-03-11T00:00:00Z' });
    fixture.rating().quantityOf = () => '5000';
    await fixture.advance('2026-12-01T00:00:00Z');
    expect((await fixture.invoices()).map(summary)).toEqual([
      'ACME-000001 paid 2026-03-01/2026-04-01 3100: advance 3100',
      'ACME-000002 paid 2026-03-01/2026-03-11 2900: usage 5000, proration -2100', // 50.00 - 31.00 × 21 / 31
    ]);
  });

  it('keeps the advance where it is not to be prorated', async () => {
    await started([flat({ id: 'price_base', amount: '31.00' })]);
    await fixture.cancel('sub_a', { at: '2026-03-11T00:00:00Z', prorate: false });
    await fixture.advance('2026-12-01T00:00:00Z');
    expect((await fixture.invoices()).map(summary)).toEqual(['ACME-000001 paid 2026-03-01/2026-04-01 3100: advance 3100']);
  });

  it('carries what it owes the customer over to the next invoice, of whichever subscription', async () => {
    await started([flat({ id: 'price_base', amount: '31.00' })]);
    await fixture.cancel('sub_a', { at: '2026-03-11T00:00:00Z' });
    await fixture.settle();
    await fixture.subscribe({ id: 'sub_b', startAt: '2026-03-11T00:00:00Z' });
    await fixture.settle();
    expect((await fixture.invoices()).map(summary)).toEqual([
      'ACME-000001 paid 2026-03-01/2026-04-01 3100: advance 3100',
      'ACME-000002 paid 2026-03-11/2026-04-01 0: proration -2100, carried_over 2100',
      'ACME-000003 paid 2026-03-11/2026-04-11 1000: carried_over -2100, advance 3100', // 31.00 - 21.00
    ]);
    expect((await fixture.invoices())[1]?.invoice.carriedTo).toBe((await fixture.invoices())[2]?.invoice.id);
  });

  it('at the end of the period bills arrears and no further advance', async () => {
    await started();
    await fixture.cancel('sub_a', { at: '2026-04-01T00:00:00Z' });
    fixture.rating().quantityOf = () => '100';
    await fixture.advance('2026-12-01T00:00:00Z');
    expect((await fixture.invoices()).map(summary)).toEqual([
      'ACME-000001 paid 2026-03-01/2026-04-01 3100: advance 3100',
      'ACME-000002 paid 2026-03-01/2026-04-01 100: usage 100',
    ]);
  });

  it('at the very instant of a boundary gives the period back that has just been billed', async () => {
    await started([flat({ id: 'price_base', amount: '31.00' })]);
    await fixture.advance('2026-04-01T00:00:00Z');
    await fixture.cancel('sub_a', { at: '2026-04-01T00:00:00Z' });
    await fixture.advance('2026-12-01T00:00:00Z');
    expect((await fixture.invoices()).map(summary)).toEqual([
      'ACME-000001 paid 2026-03-01/2026-04-01 3100: advance 3100',
      'ACME-000002 paid 2026-04-01/2026-05-01 3100: advance 3100',
      'ACME-000003 paid 2026-04-01/2026-05-01 0: proration -3100, carried_over 3100',
    ]);
  });
});

describe('an invoice that can not be issued', () => {
  it('holds up no other customer, and is issued once it can be', async () => {
    fixture = await InvoicingFixture.open();
    await fixture.plan([perUnit({ id: 'price_calls', amount: '0.01' })]);
    await fixture.customer('cus_a');
    await fixture.customer('cus_b');
    const startAt = Temporal.Now.instant().subtract({ hours: 24 * 35 }).toString();
    await fixture.subscribe({ id: 'sub_a', startAt });
    await fixture.subscribe({ id: 'sub_b', customerId: 'cus_b', startAt });
    fixture.rating().quantityOf = () => '100';
    const use = fixture.use();
    await use.sweepDue.execute();
    await fixture.rating().runJobs();
    await fixture.sql.query(`update rated_lines set currency = 'EUR' where subscription_id = 'sub_a'`);
    await use.sweepDue.execute();
    expect((await fixture.sql.query(`select subscription_id, status, number from invoices order by subscription_id`)).rows).toEqual([
      { subscription_id: 'sub_a', status: 'draft', number: null },
      { subscription_id: 'sub_b', status: 'open', number: 'ACME-000001' },
    ]);
    await fixture.sql.query(`update rated_lines set currency = 'USD'; update due_acts set next_try_at = now()`);
    await fixture.settle(use);
    expect((await fixture.invoices()).map(({ invoice }) => [invoice.subscriptionId, invoice.number]).sort()).toEqual([['sub_a', 'ACME-000002'], ['sub_b', 'ACME-000001']]);
  });
});

describe('waiting for usage', () => {
  it('issues nothing before every event that was acknowledged until then is counted', async () => {
    fixture = await InvoicingFixture.open();
    await fixture.plan([perUnit({ id: 'price_calls', amount: '0.01' })]);
    await fixture.customer();
    await fixture.subscribe({ id: 'sub_a', startAt: Temporal.Now.instant().subtract({ hours: 24 * 35 }).toString() });
    fixture.rating().quantityOf = () => '100';
    const use = fixture.use();
    await fixture.appendUncounted();
    for (let pass = 0; pass < 3; pass += 1) {
      await use.sweepDue.execute();
      expect(await fixture.rating().runJobs()).toBe(0);
    }
    const [draft] = await fixture.invoices();
    expect(draft?.invoice).toMatchObject({ status: 'draft', waitingForUsage: true });
    const aggregator = await fixture.countAll();
    await fixture.settle(use);
    await aggregator.close();
    expect((await fixture.invoices()).map(({ invoice, totals }) => [invoice.status, totals.amountDueMinor])).toEqual([['paid', 100n]]);
  });

  it('shows in a draft what is rated so far', async () => {
    fixture = await InvoicingFixture.open();
    await fixture.plan([perUnit({ id: 'price_calls', amount: '0.01' })]);
    await fixture.customer();
    await fixture.setClock('2026-01-01T00:00:00Z');
    await fixture.subscribe({ id: 'sub_a', startAt: '2026-01-01T00:00:00Z' });
    await fixture.advance('2026-02-01T00:30:00Z');
    fixture.rating().quantityOf = () => '700';
    await fixture.rating().rate({ organizationId: 'org_a', periods: [{ subscriptionId: 'sub_a', periodIndex: 1, start: '2026-01-01T00:00:00Z', end: '2026-02-01T00:00:00Z' }] }, { isFinal: false });
    const [draft] = await fixture.invoices();
    expect(draft === undefined ? null : summary(draft)).toBe('draft draft 2026-01-01/2026-02-01 700: usage 700');
    const lineIds = draft?.lines.map(({ id }) => id);
    await fixture.advance('2026-02-01T01:00:00Z');
    const [issued] = await fixture.invoices();
    expect(issued?.lines.map(({ id }) => id)).toEqual(lineIds);
  });
});

describe('a sweep that is asked for while another runs', () => {
  it('is done by that one, which may have looked already', async () => {
    fixture = await InvoicingFixture.open();
    await fixture.plan([flat({ id: 'price_base', amount: '49.00' })]);
    await fixture.customer();
    const startAt = Temporal.Now.instant().subtract({ hours: 1 }).toString();
    await fixture.subscribe({ id: 'sub_a', startAt });
    const refused: boolean[] = [];
    const jobs: JobQueue = {
      // The sweep has issued the first invoice when it adds a job, and adopts nothing any more.
      add: async () => {
        if (refused.length > 0) return;
        await fixture.subscribe({ id: 'sub_b', startAt });
        refused.push(await use.sweepDue.execute());
      },
      work: () => fixture.jobs.work(),
      close: () => fixture.jobs.close(),
    };
    const use = fixture.use({ jobs });
    expect(await use.sweepDue.execute()).toBe(true);
    expect(refused).toEqual([false]);
    expect((await fixture.invoices()).map(({ invoice }) => [invoice.subscriptionId, invoice.status])).toEqual([['sub_a', 'open'], ['sub_b', 'open']]);
  });
});

describe('a change on its way while its boundary is billed', () => {
  it('is waited for, so that the boundary is billed by its terms', async () => {
    fixture = await InvoicingFixture.open();
    await fixture.plan([flat({ id: 'price_base', amount: '31.00' })]);
    await fixture.plan([flat({ id: 'price_large', amount: '62.00' })], { id: 'plan_b' });
    await fixture.customer();
    await fixture.setClock('2026-03-01T00:00:00Z');
    await fixture.subscribe({ id: 'sub_a', startAt: '2026-03-01T00:00:00Z' });
    await fixture.settle();
    await fixture.setClock('2026-04-01T00:00:00Z');
    const query = async (text: string, values: unknown[] = []): Promise<unknown[]> => (await fixture.sql.query(text, values)).rows;
    // Asked for in March, kept at a moment at which April is due already.
    await query('begin');
    await holdBilling({ query } as unknown as Parameters<typeof holdBilling>[0], ['sub_a']);
    await fixture.change('sub_a', { at: '2026-04-01T00:00:00Z', planId: 'plan_b', isImmediate: false });
    const sweeping = fixture.use().sweepDue.execute();
    let waits = false;
    for (let tries = 0; tries < 5_000 && !waits; tries += 1) waits = (await query(`select 1 from pg_locks where locktype = 'advisory' and not granted`)).length > 0;
    await query('commit');
    await sweeping;
    await fixture.settle();
    expect(waits).toBe(true);
    expect((await fixture.invoices()).map(summary)).toEqual([
      'ACME-000001 paid 2026-03-01/2026-04-01 3100: advance 3100',
      'ACME-000002 paid 2026-04-01/2026-05-01 6200: advance 6200',
    ]);
  });
});
