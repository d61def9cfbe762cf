import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeInvoiceIssuedRecord, topics } from '#contracts';
import { sendFacts } from '#persistence';
import { Fault, type EventLog, type LogRecord } from '#platform';
import { usePostgres } from '#testing';
import { flat, InvoicingFixture, perUnit } from './testing/invoicing-fixture.js';

// Goal: whoever reads the log learns of each issued invoice, whatever fails. Method: a month on a real Postgres and its log; a log
// that fails before or after it has written; a reader in a group that Tollway does not know.

usePostgres();
let fixture: InvoicingFixture;
beforeEach(async () => {
  fixture = await InvoicingFixture.open();
  await fixture.plan([flat({ id: 'price_base', amount: '31.00' }), perUnit({ id: 'price_calls', amount: '0.01' })]);
  await fixture.customer('cus_a');
  await fixture.setClock('2026-01-01T00:00:00Z');
  await fixture.subscribe({ id: 'sub_a', startAt: '2026-01-01T00:00:00Z' });
  fixture.rating().quantityOf = () => '250';
  await fixture.advance('2026-02-01T01:00:00Z');
});
afterEach(() => fixture.close());

const send = (log: Pick<EventLog, 'append'> = fixture.log): Promise<number> => sendFacts({ database: fixture.database, log, table: 'invoicing_facts' });

async function seen(count: number): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  const subscription = await fixture.log.subscribe({ topic: topics.invoiceIssued, group: 'warehouse', batchSizeMax: 100, handle: async (batch) => void records.push(...batch.records) });
  await expect.poll(() => records.length, { timeout: 10_000 }).toBe(count);
  await subscription.close();
  return records;
}

describe('facts of issued invoices', () => {
  it('tell what was issued, in order, once where nothing fails', async () => {
    expect(await send()).toBe(2);
    expect(await send()).toBe(0);
    const records = await seen(2);
    expect(records.map(({ key }) => key)).toEqual(['org_a', 'org_a']);
    const [first, second] = records.map(({ value }) => decodeInvoiceIssuedRecord(value));
    expect(first).toMatchObject({ number: 'ACME-000001', total: '31.00', lines: [{ kind: 'advance', price_key: 'base', amount: '31.00' }], usage_complete_as_of: null });
    // 250 × 0.01 = 2.50 of January, and February's fee.
    expect(second).toMatchObject({
      v: 1, organization: 'org_a', number: 'ACME-000002', kind: 'period', customer: 'cus_a', subscription: 'sub_a', plan: 'plan_a', plan_version: 1, currency: 'USD',
      subtotal: '33.50', discount: '0.00', tax: '0.00', total: '33.50', credits_applied: '0.00', amount_due: '33.50', issued_at: '2026-02-01T01:00:00Z',
      lines: [
        { kind: 'usage', price: 'price_calls', price_key: 'calls', quantity: '250', amount: '2.50', period: { from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z' } },
        { kind: 'advance', price_key: 'base', amount: '31.00', period: { from: '2026-02-01T00:00:00Z', to: '2026-03-01T00:00:00Z' } },
      ],
    });
  });

  it('stay where the log is away, and come twice where it fails after it wrote', async () => {
    const away = new Fault({ code: 'log_unavailable', detail: 'Away.', retryable: true });
    await expect(send({ append: () => Promise.reject(away) })).rejects.toBe(away);
    await expect(send({ append: async (topic, records) => (await fixture.log.append(topic, records), Promise.reject(away)) })).rejects.toBe(away);
    expect(await send()).toBe(2);
    const numbers = (await seen(4)).map(({ value }) => decodeInvoiceIssuedRecord(value).number);
    expect(numbers).toEqual(['ACME-000001', 'ACME-000002', 'ACME-000001', 'ACME-000002']);
  });

  it('are sent by one process at a time', async () => {
    const [begun, appending] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const first = send({ append: async (topic, records) => (begun.resolve(), await appending.promise, fixture.log.append(topic, records)) });
    await begun.promise;
    expect(await send()).toBe(0);
    appending.resolve();
    expect(await first).toBe(2);
    expect(await seen(2)).toHaveLength(2);
  });
});
