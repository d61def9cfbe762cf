import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { createClient } from '@clickhouse/client';
import { afterAll, expect, it } from 'vitest';
import { startClickHouseFront } from '#platform';
import { onEachTopology, testKey, type Product } from './product.js';

// Goal: what an invoice was made of can be opened, counted and made again for ever, whatever comes after it. Method: a month of one customer with
// prices that count, sum and look at each event, then late events, voids and amendments; the product is killed around the close. Digests are made
// by hand from the events that the product lists. At last somebody changes rows in ClickHouse behind its back, and is found out.
//
// Calls cost 0.10 each above 10 free ones, by region; a payment costs 2 % + 0.30; the base fee is 5.00.

interface Line {
  readonly id: string;
  readonly kind: string;
  readonly price_key: string | null;
  readonly amount: string;
  readonly group: Readonly<Record<string, string>>;
  readonly usage: { readonly events: string; readonly digest: string } | null;
}

interface Invoice {
  readonly id: string;
  readonly total: string;
  readonly lines: readonly Line[];
}

interface Receipt {
  readonly intact: boolean | null;
  readonly detail: string;
  readonly usage: {
    readonly events: string;
    readonly digest: string;
    readonly hours: readonly { readonly hour: string; readonly events: string; readonly value: string; readonly digest: string }[];
    readonly changes: Readonly<Record<string, string>> | null;
    readonly subjects: readonly { readonly subject: string }[];
  } | null;
}

interface LineEvent {
  readonly id: string;
  readonly source: string;
  readonly time: string;
  readonly payload_hash: string;
  readonly value: string;
  readonly change: string | null;
  readonly cursor: string;
  readonly data: Readonly<Record<string, unknown>>;
}

interface Verification {
  readonly equal: boolean;
  readonly checked: readonly string[];
  readonly unchecked: readonly unknown[];
  readonly differences: readonly { readonly line: string | null; readonly field: string; readonly stored: string | null; readonly computed: string | null }[];
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** As docs/guides/receipts.md says. */
function digestOf(events: readonly LineEvent[]): string {
  const hours = Map.groupBy(events, ({ time }) => `${time.slice(0, 13)}:00:00Z`);
  const digests = [...hours].sort(([a], [b]) => (a < b ? -1 : 1)).map(([hour, own]) => `${hour}\0${sha256(own.map(({ source, id, payload_hash }) => `${source}\0${id}\0${payload_hash}\0`).sort().join(''))}\0`);
  return sha256(digests.join(''));
}

onEachTopology('receipts', (start, topology) => {
  let product: Product;
  afterAll(() => product?.dispose(), 90_000);

  const send = (events: readonly object[]) => product.expect(202, 'POST /v1/events', { body: events });
  const call = (id: string, day: number, region = 'eu', subject = 'acme-1') => ({ id, type: 'call', subject, time: `2027-01-${String(day).padStart(2, '0')}T10:00:00Z`, data: { region } });
  const payment = (id: string, amount: string, hour: string) => ({ id, type: 'payment', subject: 'acme-1', time: `2027-01-20T${hour}:00:00Z`, data: { amount } });
  const advance = (to: string) => product.expect(200, 'POST /v1/test-clock/advance', { body: { to } });
  const invoices = async (): Promise<Invoice[]> => (await product.expect<{ data: Invoice[] }>(200, 'GET /v1/invoices?customer=acme&limit=100')).data.toReversed();
  const receiptOf = (invoice: Invoice, line: Line) => product.expect<Receipt>(200, `GET /v1/invoices/${invoice.id}/lines/${line.id}/receipt`);
  const verify = (invoice: Invoice) => product.expect<Verification>(200, `GET /v1/invoices/${invoice.id}/verify`);
  const lineOf = (invoice: Invoice, kind: string, priceKey: string | null, region?: string): Line => {
    const found = invoice.lines.find((line) => line.kind === kind && line.price_key === priceKey && (region === undefined || line.group['region'] === region));
    if (found === undefined) throw new Error(`The invoice has no line ${kind} ${priceKey} ${region ?? ''}.`);
    return found;
  };
  async function eventsOf(invoice: Invoice, line: Line, limit = 7): Promise<LineEvent[]> {
    const events: LineEvent[] = [];
    for (let after = '', isMore = true; isMore;) {
      const page = await product.expect<{ data: LineEvent[]; has_more: boolean }>(200, `GET /v1/invoices/${invoice.id}/lines/${line.id}/events?limit=${limit}${after}`);
      events.push(...page.data);
      isMore = page.has_more;
      after = `&starting_after=${encodeURIComponent(page.data.at(-1)?.cursor ?? '')}`;
    }
    return events;
  }
  async function restart(): Promise<void> {
    if (topology !== 'standalone') return;
    await product.kill('process');
    product = await start({ dataDir: product.dataDir });
  }

  it('open each line to its events, and stay so', async () => {
    product = await start();
    await product.expect(200, 'POST /v1/test-clock', { body: { now: '2027-01-01T00:00:00Z' } });
    await product.expect(201, 'POST /v1/meters', { body: { key: 'calls', name: 'Calls', event_type: 'call', aggregation: 'count', group_by: { region: '$.region' } } });
    await product.expect(201, 'POST /v1/meters', { body: { key: 'paid', name: 'Paid', event_type: 'payment', aggregation: 'sum', value: '$.amount' } });
    await product.expect(201, 'POST /v1/plans', { body: { key: 'growth', name: 'Growth', currency: 'USD', billing_period: 'P1M', prices: [
      { key: 'base', name: 'Base', type: 'recurring', model: { type: 'flat', amount: '5' } },
      { key: 'calls', name: 'Calls', type: 'usage', meter: 'calls', group_by: ['region'], included_units: '10', model: { type: 'per_unit', unit_amount: '0.1' } },
      { key: 'payments', name: 'Payments', type: 'usage', meter: 'paid', model: { type: 'percentage', rate: '2', fixed_amount: '0.3' } },
    ] } });
    await product.expect(201, 'POST /v1/customers', { body: { key: 'acme', name: 'Acme', currency: 'USD', subjects: ['acme-1', 'acme-2'] } });
    await product.expect(201, 'POST /v1/subscriptions', { body: { customer: 'acme', plan: 'growth' } });
    await advance('2027-01-30T00:00:00Z');
    await send([
      ...Array.from({ length: 13 }, (_, nth) => call(`eu-${nth}`, 1 + (nth % 3), 'eu', `acme-${1 + (nth % 2)}`)), ...Array.from({ length: 12 }, (_, nth) => call(`us-${nth}`, 5, 'us')),
      payment('pay-1', '100.00', '08'), payment('pay-2', '50.5', '09'), payment('pay-3', '7', '10'),
    ]);
    await product.expect(202, 'POST /v1/events/amend', { body: { id: 'pay-3', source: 'default', data: { amount: '10' } } });
    await product.expect(202, 'POST /v1/events/void', { body: { id: 'us-0', source: 'default' } });
    const draft = async (): Promise<Invoice> => (await invoices()).at(-1) as Invoice;
    await advance('2027-02-01T00:30:00Z');
    const pending = await draft();
    const closed = await product.call('GET /v1/invoices/' + pending.id + '/verify');
    expect([closed.status, closed.body['code']]).toEqual([409, 'invoice_not_issued']);
    expect(pending.lines.map(({ usage }) => usage)).toEqual([null, null, null, null]);
    await restart();
    await advance('2027-02-10T00:00:00Z');

    // (13 − 10) × 0.10; (11 − 10) × 0.10; 2 % of 100.00, 50.50 and 10.00, and 0.30 for each: 2.30 + 1.31 + 0.50.
    const [first, second] = await invoices() as [Invoice, Invoice];
    const [eu, us, payments, base] = [lineOf(second, 'usage', 'calls', 'eu'), lineOf(second, 'usage', 'calls', 'us'), lineOf(second, 'usage', 'payments'), lineOf(second, 'advance', 'base')];
    expect([eu.amount, us.amount, payments.amount, base.amount, second.total]).toEqual(['0.30', '0.10', '4.11', '5.00', '9.51']);
    expect([eu.usage?.events, us.usage?.events, payments.usage?.events, base.usage]).toEqual(['13', '11', '3', null]);

    const euReceipt = await receiptOf(second, eu);
    expect(euReceipt).toMatchObject({ intact: true, detail: 'Made of 13 events, all of which are there as they were.', usage: { events: '13', changes: null } });
    // Days 1, 2 and 3 have 5, 4 and 4 calls.
    expect(euReceipt.usage?.hours.map(({ hour, events, value }) => [hour, events, value])).toEqual([['2027-01-01T10:00:00Z', '5', '5'], ['2027-01-02T10:00:00Z', '4', '4'], ['2027-01-03T10:00:00Z', '4', '4']]);
    const euEvents = await eventsOf(second, eu);
    expect(euEvents.map(({ id }) => id).sort()).toEqual(Array.from({ length: 13 }, (_, nth) => `eu-${nth}`).sort());
    expect([digestOf(euEvents), euReceipt.usage?.digest]).toEqual([eu.usage?.digest, eu.usage?.digest]);
    const paid = await eventsOf(second, payments);
    expect(paid.map(({ id, value, data }) => [id, value, data])).toEqual([['pay-1', '100', { amount: '100.00' }], ['pay-2', '50.5', { amount: '50.5' }], ['pay-3', '10', { amount: '10' }]]);
    expect(digestOf(paid)).toBe(payments.usage?.digest);
    expect(await receiptOf(second, base)).toMatchObject({ intact: null, usage: null, detail: 'A fee in advance: it follows from the price and the period.' });
    expect(await eventsOf(second, base)).toEqual([]);
    for (const invoice of [first, second]) expect(await verify(invoice)).toEqual({ object: 'invoice_verification', invoice: invoice.id, invoice_number: expect.any(String), equal: true, checked: invoice.lines.map(({ id }) => id).toSorted(byPlaceIn(invoice)), unchecked: [], differences: [] });

    // Everything that can come late does.
    await send([call('eu-late', 2), call('us-late', 5, 'us'), call('us-later', 31, 'us'), payment('pay-late', '1', '11')]);
    for (const id of ['eu-0', 'us-1']) await product.expect(202, 'POST /v1/events/void', { body: { id, source: 'default' } });
    for (const [id, amount] of [['pay-1', '300'], ['pay-3', '20']]) await product.expect(202, 'POST /v1/events/amend', { body: { id, source: 'default', data: { amount } } });
    for (const id of ['eu-1', 'eu-2']) await product.expect(202, 'POST /v1/events/amend', { body: { id, source: 'default', data: { region: 'us' } } });
    await product.expect(201, 'POST /v1/customers', { body: { key: 'brook', name: 'Brook', currency: 'USD', subjects: [] } });
    await product.expect(201, 'POST /v1/customers/brook/subjects', { body: { subject: 'acme-2', effective_at: '2027-01-02T00:00:00Z' } });
    await advance('2027-02-12T00:00:00Z');
    expect(await receiptOf(second, eu)).toEqual(euReceipt);
    expect(await eventsOf(second, eu)).toEqual(euEvents);
    expect(await eventsOf(second, payments)).toEqual(paid);
    expect(await verify(second)).toMatchObject({ equal: true, differences: [] });

    await advance('2027-03-01T02:00:00Z');
    const third = (await invoices()).at(-1) as Invoice;
    const late = lineOf(third, 'adjustment', 'payments');
    // 2 % of 200 more for pay-1, of 10 more for pay-3, and 0.02 + 0.30 for pay-late.
    expect(late.amount).toBe('4.52');
    expect(await receiptOf(third, late)).toMatchObject({ intact: true, usage: { events: '4', changes: { added: '1', removed: '0', amended: '2' } } });
    expect((await eventsOf(third, late)).map(({ id, change, value }) => [id, change, value])).toEqual([['pay-1', 'amended', '300'], ['pay-3', 'amended', '20'], ['pay-late', 'added', '1']]);
    const lateEu = lineOf(third, 'adjustment', 'calls', 'eu');
    const changes = await eventsOf(third, lateEu);
    expect(changes.filter(({ change }) => change === 'added').map(({ id }) => id)).toEqual(['eu-late']);
    expect(changes.filter(({ change }) => change === 'removed').map(({ id }) => id)).toContain('eu-0');
    for (const invoice of [second, third]) expect(await verify(invoice)).toMatchObject({ equal: true, unchecked: [], differences: [] });
    expect(await receiptOf(second, eu)).toEqual(euReceipt);

    // The other way round: an event names the lines that bear it.
    const billing = async (id: string) => (await product.expect<{ data: { group: object; value: string | null; state: string; documents: { change: string; value: string | null; line: string }[] }[] }>(200, `GET /v1/events/${id}/billing`))
      .data.map(({ group, value, state, documents }) => [group, state, value, ...documents.map((document) => [document.change, document.value, document.line])]);
    const lateUs = lineOf(third, 'adjustment', 'calls', 'us');
    expect(await billing('pay-1')).toEqual([[{}, 'billed', '300', ['counted', '100', payments.id], ['amended', '300', late.id]]]);
    expect(await billing('eu-2')).toEqual([[{ region: 'eu' }, 'billed', null, ['counted', '1', eu.id], ['removed', null, lateEu.id]], [{ region: 'us' }, 'billed', '1', ['added', '1', lateUs.id]]]);
    for (const id of ['eu-0', 'eu-1']) expect(await billing(id)).toEqual([[{ region: 'eu' }, 'billed', null, ['counted', '1', eu.id], ['removed', null, lateEu.id]]]); // Voided; moved with its subject.
    expect(await billing('us-0')).toEqual([]); // Voided before the month was closed.
  }, 300_000);

  it.skipIf(spawnSync('python3', ['--version']).status !== 0)('are checked by the script of the guide', async () => {
    const script = /<!-- receipts:script -->\n```python\n([^]*?)\n```/.exec(readFileSync('docs/guides/receipts.md', 'utf8'))?.[1] ?? '';
    const [, second] = await invoices() as [Invoice, Invoice];
    const eu = lineOf(second, 'usage', 'calls', 'eu');
    const { stdout, stderr } = await promisify(execFile)('python3', ['-c', script], { env: { ...process.env, TOLLWAY: product.url, KEY: testKey, INVOICE: second.id, LINE: eu.id } });
    expect([stdout, stderr]).toEqual([`13 ${eu.usage?.digest} as invoiced\n`, '']);
  }, 60_000);

  it('name what is asked for wrongly', async () => {
    const [, second] = await invoices() as [Invoice, Invoice];
    const [line] = second.lines as [Line];
    for (const [route, status, code] of [
      [`GET /v1/invoices/inv_none/lines/${line.id}/receipt`, 404, 'not_found'],
      [`GET /v1/invoices/${second.id}/lines/il_none/receipt`, 404, 'not_found'],
      [`GET /v1/invoices/${second.id}/lines/il_none/events`, 404, 'not_found'],
      ['GET /v1/invoices/inv_none/verify', 404, 'not_found'],
      [`GET /v1/invoices/${second.id}/lines/${line.id}/events?starting_after=nonsense`, 422, 'invalid_request'],
      [`GET /v1/invoices/${second.id}/lines/${line.id}/events?limit=0`, 422, 'invalid_request'],
    ] as const) {
      const answer = await product.call(route);
      expect([route, answer.status, answer.body['code']]).toEqual([route, status, code]);
    }
    const key = await product.expect<{ api_key: { secret: string } }>(201, 'POST /v1/organizations', { body: { name: 'Other', mode: 'test' } });
    for (const route of ['verify', `lines/${line.id}/receipt`, `lines/${line.id}/events`]) expect((await product.call(`GET /v1/invoices/${second.id}/${route}`, { key: key.api_key.secret })).status).toBe(404);
  });

  /** Behind the product's back, while it is down. */
  async function changeRows(...statements: readonly string[]): Promise<void> {
    await product.stop();
    const front = await startClickHouseFront({ dataDir: product.dataDir });
    const client = createClient({ url: front.url, database: 'tollway' });
    for (const query of statements) await client.command({ query: `${query} SETTINGS mutations_sync = 2` });
    await client.close();
    await front.stop();
    product = await start({ dataDir: product.dataDir });
  }

  it('find out who changes rows by hand', async () => {
    const [, second] = await invoices() as [Invoice, Invoice];
    const [us, payments] = [lineOf(second, 'usage', 'calls', 'us'), lineOf(second, 'usage', 'payments')];
    await changeRows(`ALTER TABLE events UPDATE data = '{"amount":"51.5"}' WHERE id = 'pay-2'`, `ALTER TABLE events DELETE WHERE id = 'us-5'`);
    const { usage, ...receipt } = await receiptOf(second, us);
    expect(receipt).toMatchObject({ intact: false, detail: 'The events that are there now are not those that the line was made of: compare the digests hour by hour.' });
    expect(usage?.events).toBe('10');
    const { equal, differences } = await verify(second);
    expect(equal).toBe(false);
    const ofLine = (line: Line) => differences.filter((difference) => difference.line === line.id).map(({ field, stored, computed }) => [field, stored, computed]);
    // 2 % of one more is 0.02; the events are the same.
    expect(ofLine(payments)).toEqual([['quantity', '160.5', '161.5'], ['unrounded_amount', '4.11', '4.13'], ['amount', '4.11', '4.13']]);
    // Ten calls are free.
    expect(ofLine(us)).toEqual([['quantity', '11', '10'], ['unrounded_amount', '0.1', '0'], ['amount', '0.10', '0.00'], ['events', '11', '10'], ['digest', us.usage?.digest, usage?.digest]]);
  }, 120_000);
});

const byPlaceIn = ({ lines }: Invoice) => {
  const places = new Map([...lines.filter(({ kind }) => kind === 'usage' || kind === 'adjustment'), ...lines.filter(({ kind }) => kind !== 'usage' && kind !== 'adjustment')].map(({ id }, place) => [id, place]));
  return (a: string, b: string): number => (places.get(a) ?? 0) - (places.get(b) ?? 0);
};
