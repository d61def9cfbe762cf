import { readFileSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { describeWith } from '#testing';
import { eventually, Product } from './product.js';

// Goal: a real access log, sent carelessly, is counted to the last event and byte. Method: pieces overlap, some are sent twice or
// at the same time, and the process group is killed in the middle. The truths were counted with awk, not with Tollway.

const truths = {
  lines: 10_000,
  clients: 1_753,
  bytes: '2747282740',
  byStatus: { '200': '9126', '206': '45', '301': '164', '304': '445', '403': '2', '404': '213', '416': '2', '500': '3' },
  byDay: { '2015-05-17': '1632', '2015-05-18': '2893', '2015-05-19': '2896', '2015-05-20': '2579' },
  mostActive: { client: '66.249.73.135', requests: '482', bytes: '75500527' },
};
const range = 'from=2015-05-01T00:00:00Z&to=2015-06-01T00:00:00Z';
const pieceLines = 700;

interface Row {
  readonly window_start: string;
  readonly subject?: string;
  readonly group: Record<string, string>;
  readonly value: string;
}

describeWith('access-log', 'a real access log', () => {
  let product: Product;
  afterAll(async () => product?.dispose());

  const usage = async (query: string): Promise<Row[]> => (await product.expect<{ data: Row[] }>(200, `GET /v1/meters/${query}`)).data;
  const totalOf = async (meter: string): Promise<string> => (await usage(`${meter}/usage?${range}`))[0]?.value ?? '0';

  it('is counted exactly, whatever was sent twice and whenever it was killed', async () => {
    const lines = readFileSync(process.env['TOLLWAY_ACCESS_LOG'] ?? '', 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(truths.lines);
    const send = async (from: number): Promise<number | null> => {
      const body = `${lines.slice(from, from + pieceLines).join('\n')}\n`;
      const sent = product.call<{ accepted: number }>(`POST /v1/ingest/combined?batch=may&first_line=${from + 1}`, { raw: { type: 'text/plain', body } });
      return (await sent.catch(() => null))?.body.accepted ?? null;
    };
    product = await Product.start();
    await product.expect(201, 'POST /v1/meters', { body: { key: 'requests', name: 'Requests', event_type: 'http.request', aggregation: 'count', group_by: { status: '$.status' } } });
    await product.expect(201, 'POST /v1/meters', { body: { key: 'traffic', name: 'Traffic', event_type: 'http.request', aggregation: 'sum', value: '$.bytes' } });
    const pieces = Array.from({ length: Math.ceil(lines.length / pieceLines) }, (_, index) => index * pieceLines);
    // The first half, each piece twice at the same time; the group is killed while the sends run.
    const running = pieces.slice(0, 7).flatMap((from) => [send(from), send(from)]);
    await Promise.race(running);
    await product.kill('group');
    await Promise.all(running);
    product = await Product.start({ dataDir: product.dataDir });
    for (const from of pieces) expect(await send(from)).toBe(Math.min(pieceLines, lines.length - from));
    // Pieces cut elsewhere: the same lines under the same numbers. Then Node alone is killed before everything is counted.
    expect(await send(350)).toBe(pieceLines);
    expect(await send(5_001)).toBe(pieceLines);
    await product.kill('process');
    product = await Product.start({ dataDir: product.dataDir });
    await eventually('all lines are counted', async () => (await totalOf('requests')) === String(truths.lines));
    await checkTruths();
    // Once more after a clean restart, when rollups have replaced the raw events.
    expect(await product.stop()).toBe(0);
    product = await Product.start({ dataDir: product.dataDir });
    await checkTruths();
  }, 180_000);

  it('is backtested under two plans to what a computation apart comes to', async () => {
    const clients = clientsOf(readFileSync(process.env['TOLLWAY_ACCESS_LOG'] ?? '', 'utf8'));
    const customers = { crawler: clients.slice(0, 1), ten: clients.slice(1, 11), hundred: clients.slice(11, 111) };
    await product.expect(200, 'POST /v1/test-clock', { body: { now: '2015-05-01T00:00:00Z' } });
    for (const [key, own] of Object.entries(customers)) await product.expect(201, 'POST /v1/customers', { body: { key, name: key, currency: 'USD', subjects: own.map(({ address }) => address) } });
    await product.expect(200, 'POST /v1/test-clock/advance', { body: { to: '2015-06-02T00:00:00Z' } });
    const usage = (meter: string, terms: object) => ({ key: meter, name: meter, type: 'usage', meter, ...terms });
    const tiers = [{ up_to: '100', unit_amount: '0.01' }, { up_to: null, unit_amount: '0.004' }];
    const byTiers = [usage('requests', { model: { type: 'graduated', tiers } }), usage('traffic', { model: { type: 'per_unit', unit_amount: '0.02' }, unit_conversion: { divide_by: '1000000', rounding: 'up' } })];
    const byPackages = [
      usage('requests', { model: { type: 'package', package_size: '50', package_amount: '0.30' } }),
      usage('traffic', { model: { type: 'per_unit', unit_amount: '0.00000009' }, included_units: '10000000', minimum_amount: '0.50' }),
    ];
    const totalOf = async (prices: readonly object[]): Promise<string> => {
      const body = { plan: { currency: 'USD', billing_period: 'P1M', prices }, customers: Object.keys(customers), from: '2015-05-01T00:00:00Z', to: '2015-06-01T00:00:00Z' };
      return (await product.expect<{ total: { plan: string } }>(200, 'POST /v1/pricing/backtest', { body })).total.plan;
    };
    const sums = Object.values(customers).map((own) => ({ requests: own.reduce((sum, { requests }) => sum + requests, 0n), bytes: own.reduce((sum, { bytes }) => sum + bytes, 0n) }));
    const most = (a: bigint, b: bigint): bigint => (a > b ? a : b);
    // In 10^-8 USD, each price of each customer rounded to cents.
    const cents = (amount: bigint): bigint => (amount + 500_000n) / 1_000_000n;
    const tiered = sums.map(({ requests, bytes }) => cents((requests - most(0n, requests - 100n)) * 1_000_000n + most(0n, requests - 100n) * 400_000n) + cents(((bytes + 999_999n) / 1_000_000n) * 2_000_000n));
    const packaged = sums.map(({ requests, bytes }) => cents(((requests + 49n) / 50n) * 30_000_000n) + cents(most(50_000_000n, (bytes - 10_000_000n) * 9n)));
    const text = (amounts: readonly bigint[]): string => (Number(amounts.reduce((sum, amount) => sum + amount, 0n)) / 100).toFixed(2);
    expect([await totalOf(byTiers), await totalOf(byPackages)]).toEqual([text(tiered), text(packaged)]);
    expect([text(tiered), text(packaged)]).toEqual(['33.03', '79.77']); // So Python says, too.
  }, 60_000);

  async function checkTruths(): Promise<void> {
    expect(await totalOf('requests')).toBe(String(truths.lines));
    expect(await totalOf('traffic')).toBe(truths.bytes);
    const byStatus = await usage(`requests/usage?${range}&group_by=status`);
    expect(Object.fromEntries(byStatus.map(({ group, value }) => [group['status'], value]))).toEqual(truths.byStatus);
    const byDay = await usage(`requests/usage?${range}&window=day`);
    expect(Object.fromEntries(byDay.map(({ window_start: start, value }) => [start.slice(0, 10), value]))).toEqual(truths.byDay);
    const { client, requests, bytes } = truths.mostActive;
    const byClient = await usage(`requests/usage?${range}&group_by=subject`);
    expect(byClient).toHaveLength(truths.clients);
    expect(byClient.find(({ subject }) => subject === client)?.value).toBe(requests);
    expect((await usage(`traffic/usage?${range}&subject=${client}`))[0]?.value).toBe(bytes);
  }
});

/** Requests and bytes of each address of a log in combined format, the most active first; "-" is no byte. */
function clientsOf(log: string): { address: string; requests: bigint; bytes: bigint }[] {
  const clients = new Map<string, { address: string; requests: bigint; bytes: bigint }>();
  for (const line of log.trimEnd().split('\n')) {
    const address = line.slice(0, line.indexOf(' '));
    const sent = /" \d{3} (\d+|-)/.exec(line)?.[1] ?? '-';
    const known = clients.get(address) ?? { address, requests: 0n, bytes: 0n };
    clients.set(address, { address, requests: known.requests + 1n, bytes: known.bytes + (sent === '-' ? 0n : BigInt(sent)) });
  }
  return [...clients.values()].sort((a, b) => Number(b.requests - a.requests) || (a.address < b.address ? -1 : 1));
}
