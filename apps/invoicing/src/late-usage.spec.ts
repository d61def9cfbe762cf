import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { LateUsage } from '#domain';
import { usePostgres } from '#testing';
import { flat, InvoicingFixture, perUnit, summary } from './testing/invoicing-fixture.js';

// Goal: usage that is counted after its invoice was issued reaches exactly one later document. Method: a real Postgres, the
// rating service played: quantities by period change after the period was closed.

usePostgres();
let fixture: InvoicingFixture;
afterEach(() => fixture.close());

let quantities: Record<number, number> = {};

/** A fee of 31.00 and 0.01 a call, from 2026-01-01 on. */
async function story(options: { lateUsage?: LateUsage; fee?: boolean } = {}): Promise<void> {
  quantities = {};
  fixture = await InvoicingFixture.open();
  const prices = [...(options.fee === false ? [] : [flat({ id: 'price_base', amount: '31.00' })]), perUnit({ id: 'price_calls', amount: '0.01' })];
  await fixture.plan(prices, options.lateUsage === undefined ? {} : { lateUsage: options.lateUsage });
  await fixture.customer();
  await fixture.setClock('2026-01-01T00:00:00Z');
  await fixture.subscribe({ id: 'sub_a', startAt: '2026-01-01T00:00:00Z' });
  fixture.rating().quantityOf = ({ periodIndex }) => String(quantities[periodIndex] ?? 0);
}

async function late(changed: Record<number, number>): Promise<void> {
  quantities = { ...quantities, ...changed };
  await fixture.rating().rateClosed('sub_a');
}

const summaries = async (): Promise<string[]> => (await fixture.invoices()).map(summary);

/** Per period: on documents, absorbed, and what all of its usage comes to. */
async function books(): Promise<{ period: number; documents: bigint; absorbed: bigint; rated: bigint }[]> {
  const { rows } = await fixture.sql.query<{ period_index: number; documents: string; absorbed: string; rated: string }>(`
    select rated.period_index,
      (select coalesce(sum(line.amount_minor), 0) from invoice_lines line join invoices invoice on invoice.id = line.invoice_id
        where invoice.subscription_id = rated.subscription_id and line.kind in ('usage', 'adjustment') and line.period_start = rated.period_start)::text as documents,
      (select coalesce(sum(absorbed_minor), 0) from late_settlements late where late.period_index = rated.period_index)::text as absorbed,
      coalesce((select sum(amount_minor) from late_rated_lines late where late.period_index = rated.period_index),
        (select sum(amount_minor) from rated_lines line where line.period_index = rated.period_index and line.kind = 'usage'))::text as rated
    from rated_periods rated where rated.is_final order by rated.period_index`);
  return rows.map((row) => ({ period: row.period_index, documents: BigInt(row.documents), absorbed: BigInt(row.absorbed), rated: BigInt(row.rated) }));
}

describe('late usage of a running subscription', () => {
  it('is billed on the next invoice, as a line of the original period, and shown before in the draft and the upcoming invoice', async () => {
    await story();
    quantities = { 1: 100, 2: 200, 3: 300 };
    await fixture.advance('2026-02-10T00:00:00Z');
    await late({ 1: 150 });
    const upcoming = async () => {
      const outcome = await fixture.use().previewUpcomingInvoice.execute({ organizationId: 'org_a', customer: 'cus_a', subscriptionId: undefined });
      return outcome.ok ? outcome.value.preview.lines.map(({ kind, amountMinor }) => `${kind} ${amountMinor}`) : outcome.code;
    };
    expect(await upcoming()).toEqual(['usage 0', 'adjustment 50', 'advance 3100']); // 50 × 0.01
    await fixture.advance('2026-03-01T00:30:00Z');
    expect((await summaries()).at(-1)).toBe('draft draft 2026-02-01/2026-03-01 3150: usage 0, adjustment 50, advance 3100');
    expect(await upcoming()).toEqual(['usage 0', 'advance 3100']);
    await fixture.advance('2026-04-01T01:00:00Z');
    expect(await summaries()).toEqual([
      'ACME-000001 paid 2026-01-01/2026-02-01 3100: advance 3100',
      'ACME-000002 paid 2026-01-01/2026-02-01 3200: usage 100, advance 3100',
      'ACME-000003 paid 2026-02-01/2026-03-01 3350: usage 200, adjustment 50, advance 3100',
      'ACME-000004 paid 2026-03-01/2026-04-01 3400: usage 300, advance 3100',
    ]);
    const adjustment = (await fixture.invoices())[2]?.lines.find(({ kind }) => kind === 'adjustment');
    expect(adjustment).toMatchObject({ priceKey: 'calls', description: 'Late usage: Price calls', period: { start: Temporal.Instant.from('2026-01-01T00:00:00Z'), end: Temporal.Instant.from('2026-02-01T00:00:00Z') } });
    expect(adjustment?.quantity?.toFixed()).toBe('50');
  });

  it('can be late again, and go away again', async () => {
    await story({ fee: false });
    quantities = { 1: 100 };
    await fixture.advance('2026-02-10T00:00:00Z');
    await late({ 1: 150 });
    await fixture.advance('2026-03-10T00:00:00Z');
    await late({ 1: 170, 2: 30 });
    await fixture.advance('2026-04-10T00:00:00Z');
    await late({ 1: 90 });
    await fixture.advance('2026-05-10T00:00:00Z');
    expect(await summaries()).toEqual([
      'ACME-000001 paid 2026-01-01/2026-02-01 100: usage 100',
      'ACME-000002 paid 2026-02-01/2026-03-01 50: usage 0, adjustment 50',
      'ACME-000003 paid 2026-03-01/2026-04-01 50: usage 0, adjustment 20, adjustment 30', // 170 − 150; 30 − 0
      'ACME-000004 paid 2026-04-01/2026-05-01 0: usage 0, adjustment -80, carried_over 80', // 90 − 170
    ]);
    expect(await books()).toEqual([
      { period: 1, documents: 90n, absorbed: 0n, rated: 90n }, { period: 2, documents: 30n, absorbed: 0n, rated: 30n },
      { period: 3, documents: 0n, absorbed: 0n, rated: 0n }, { period: 4, documents: 0n, absorbed: 0n, rated: 0n },
    ]);
  });

  it('is absorbed where the plan says so, and what is owed to the customer is returned', async () => {
    await story({ fee: false, lateUsage: { policy: 'absorb' } });
    quantities = { 1: 100 };
    await fixture.advance('2026-02-10T00:00:00Z');
    await late({ 1: 150 });
    await fixture.advance('2026-03-10T00:00:00Z');
    await late({ 1: 60 });
    await fixture.advance('2026-04-10T00:00:00Z');
    expect(await summaries()).toEqual([
      'ACME-000001 paid 2026-01-01/2026-02-01 100: usage 100',
      'ACME-000002 paid 2026-02-01/2026-03-01 0: usage 0',
      'ACME-000003 paid 2026-03-01/2026-04-01 0: usage 0, adjustment -40, carried_over 40', // 60 − 100; the 50 that nobody paid have gone.
    ]);
    expect((await books())[0]).toEqual({ period: 1, documents: 60n, absorbed: 0n, rated: 60n });
  });

  it('is rated by the plan version that the period was closed with, and moves between groups without money', async () => {
    await story({ fee: false });
    await fixture.sql.query(`update plan_versions set prices = jsonb_set(prices, '{0,group_by}', '["region"]')`);
    let regions: Record<string, string> = { eu: '60', us: '40' };
    fixture.rating().groupsOf = ({ periodIndex }) => (periodIndex === 1 ? regions : {});
    await fixture.advance('2026-02-10T00:00:00Z');
    regions = { eu: '50', ap: '50' };
    await fixture.rating().rateClosed('sub_a');
    await fixture.advance('2026-03-10T00:00:00Z');
    const lines = (await fixture.invoices())[1]?.lines.map(({ kind, amountMinor, groupValues }) => [kind, amountMinor, groupValues['region']]);
    // us has no usage any more: all of it goes back.
    expect(lines).toEqual([['usage', 0n, undefined], ['adjustment', 50n, 'ap'], ['adjustment', -10n, 'eu'], ['adjustment', -40n, 'us']]);
  });
});

describe('late usage after the end', () => {
  async function ended(options: Parameters<typeof story>[0] = {}): Promise<void> {
    await story({ fee: false, ...options });
    quantities = { 1: 100 };
    await fixture.cancel('sub_a', { at: '2026-02-01T00:00:00Z' });
    await fixture.advance('2026-03-01T00:00:00Z');
    expect(await summaries()).toEqual(['ACME-000001 paid 2026-01-01/2026-02-01 100: usage 100']);
  }

  it('is collected for a grace period and billed on a one-off invoice, and again on another', async () => {
    await ended();
    await late({ 1: 150 });
    await fixture.advance('2026-03-01T00:30:00Z');
    expect((await summaries()).at(-1)).toBe('draft draft 2026-01-01/2026-02-01 50: adjustment 50');
    await late({ 1: 180 });
    await fixture.advance('2026-03-02T00:00:00Z');
    await late({ 1: 200 });
    await fixture.advance('2026-03-03T00:00:00Z');
    expect(await summaries()).toEqual([
      'ACME-000001 paid 2026-01-01/2026-02-01 100: usage 100',
      'ACME-000002 paid 2026-01-01/2026-02-01 80: adjustment 80',
      'ACME-000003 paid 2026-01-01/2026-02-01 20: adjustment 20',
    ]);
    expect((await fixture.invoices())[1]?.invoice.issuedAt?.toString()).toBe('2026-03-01T01:00:00Z'); // An hour after it was seen.
  });

  it('that goes away before its document is issued leaves none, and no gap in the numbers', async () => {
    await ended();
    await late({ 1: 150 });
    await fixture.advance('2026-03-01T00:30:00Z');
    await late({ 1: 100 });
    await fixture.advance('2026-03-02T00:00:00Z');
    await late({ 1: 70 });
    await fixture.advance('2026-03-03T00:00:00Z');
    expect(await summaries()).toEqual([
      'ACME-000001 paid 2026-01-01/2026-02-01 100: usage 100',
      'ACME-000002 paid 2026-01-01/2026-02-01 0: adjustment -30, carried_over 30',
    ]);
  });

  it('that is absorbed makes no document', async () => {
    await ended({ lateUsage: { policy: 'absorb' } });
    await late({ 1: 150 });
    await fixture.advance('2026-03-02T00:00:00Z');
    expect(await summaries()).toHaveLength(1);
    expect(await books()).toEqual([{ period: 1, documents: 100n, absorbed: 50n, rated: 150n }]);
  });
});

describe('whatever comes late', () => {
  const policies: LateUsage[] = [{ policy: 'next_invoice' }, { policy: 'absorb' }, { policy: 'next_invoice', absorb_below: '0.40' }];
  // Each month some closed periods change, some of them again and again; the subscription ends after the fourth.
  const months = fc.array(fc.dictionary(fc.constantFrom('1', '2', '3', '4'), fc.integer({ min: 0, max: 200 }), { maxKeys: 3 }), { minLength: 6, maxLength: 6 });

  it('documents and what was absorbed add up to the rate of all usage', async () => {
    await fc.assert(fc.asyncProperty(fc.constantFrom(...policies), months, async (lateUsage, changes) => {
      await story({ fee: false, lateUsage });
      quantities = { 1: 100, 2: 50, 3: 0, 4: 120 };
      await fixture.cancel('sub_a', { at: '2026-05-01T00:00:00Z' });
      for (const [index, changed] of changes.entries()) {
        await fixture.advance(`2026-0${index + 2}-15T00:00:00Z`);
        await late(changed);
        await late(changed);
      }
      await fixture.advance('2026-09-01T00:00:00Z');
      const all = await books();
      expect(all.map(({ documents, absorbed }) => documents + absorbed)).toEqual(all.map(({ rated }) => rated));
      expect(all.map(({ rated }) => rated)).toEqual([1, 2, 3, 4].map((period) => BigInt(quantities[period] ?? 0)));
      if (lateUsage.policy === 'next_invoice' && lateUsage.absorb_below === undefined) expect(all.every(({ absorbed }) => absorbed === 0n)).toBe(true);
      await fixture.close();
    }), { numRuns: 4 });
    fixture = await InvoicingFixture.open();
  });
});
