import { mkdirSync, chmodSync } from 'node:fs';
import { join } from 'node:path';
import { decimal } from '#domain';
import { aggregatorGroup, topics } from '#contracts';
import type { Bench } from '../bench.ts';
import { HttpLoad, postRequest } from '../http-load.ts';
import { benchKey } from '../ingest-setting.ts';
import { cpuSecondsOf } from '../processes.ts';
import { comparisonReading, figureReading, type Reading } from '../reading.ts';
import { alternate, type Pair, type RoundOptions, type Side } from '../rounds.ts';
import { until } from '../running-product.ts';
import { medianOf } from '../statistics.ts';
import { withWholeProduct, type WholeProduct } from '../whole-product.ts';
import { bareModelOf, bareSum } from './rating-floor.ts';
import { commonModels } from './rating.ts';

// A month ends for all subscriptions of five prices each: the test clock goes past the end and the grace period. The time is taken until the
// last invoice is issued; that the payment provider (the sandbox) has them all comes after it and has a line of its own. Against a COPY of the very rows of invoices and lines into equal tables. Each round is a month.

const subscriptions = { short: { few: 100, many: 300 }, long: { few: 250, many: 1_000 } } as const;
const eventsPerSubscription = 10;
const bytesPerEvent = 2_500;
const calls = 8; // Requests at once while the customers are made.
const eventsPerRequest = 500;
const issueTimeoutMs = 600_000;
const firstMonth = Temporal.PlainYearMonth.from('2026-01');
const clockOf = (month: number, day: number, hour = 0): string => firstMonth.add({ months: month }).toPlainDate({ day }).toZonedDateTime({ timeZone: 'UTC', plainTime: { hour } }).toInstant().toString();

export const close: Bench = {
  name: 'close',
  run: ({ isShort, rounds, say }) =>
    withWholeProduct(async (whole) => {
      const { few, many } = isShort ? subscriptions.short : subscriptions.long;
      const month = { next: 0 };
      await makeCatalog(whole);
      const small = await closeMonths(whole, { month, from: 0, to: few, rounds: isShort ? { rounds: 1, warmUps: 1 } : rounds, say });
      const large = await closeMonths(whole, { month, from: few, to: many, rounds: isShort ? { rounds: 3, warmUps: 0 } : rounds, say });
      return readingsOf({ small: small.pairs, large: large.pairs, settledSeconds: large.settledSeconds, few, many });
    }),
};

function readingsOf(measured: { small: readonly Pair[]; large: readonly Pair[]; settledSeconds: readonly number[]; few: number; many: number }): Reading[] {
  const { small, large, settledSeconds, few, many } = measured;
  const seconds = (pairs: readonly Pair[]): number => medianOf(pairs.map(({ ours }) => ours.seconds));
  const exponent = Math.log(seconds(large) / seconds(small)) / Math.log(many / few);
  return [
    comparisonReading(large, { name: 'close', unit: 'invoices/s', goal: '100k in 120 s: 833' }),
    figureReading(large.map(({ ours }) => ours.seconds), { name: `close: ${many} issued`, unit: 's', goal: '' }),
    figureReading(settledSeconds, { name: `close: ${many} issued and pushed`, unit: 's', goal: '' }),
    figureReading([exponent], { name: `close: growth exponent, ${few} to ${many}`, unit: '', goal: 'at most 1.05' }),
  ];
}

async function closeMonths(
  whole: WholeProduct,
  options: { month: { next: number }; from: number; to: number; rounds: RoundOptions; say: (sentence: string) => void },
): Promise<{ pairs: Pair[]; settledSeconds: readonly number[] }> {
  const startedAt = performance.now();
  await makeSubscriptions(whole, { ...options, month: options.month.next });
  options.say(`${options.to} subscriptions after ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
  const ours = closeSide(whole, { month: options.month, count: options.to });
  const pairs = await alternate({ ours, floor: await copySide(whole, ours) }, options.rounds);
  return { pairs, settledSeconds: ours.settledSeconds.slice(-options.rounds.rounds) };
}

async function makeCatalog({ product }: WholeProduct): Promise<void> {
  await product.expect(200, 'POST /v1/test-clock', { now: clockOf(0, 1) });
  await product.expect(201, 'POST /v1/meters', { key: 'bytes', name: 'Bytes', event_type: 'bench.close', aggregation: 'sum', value: '$.bytes' });
  const prices = commonModels.map((model) => ({ key: model.type, name: model.type, type: 'usage', meter: 'bytes', model }));
  await product.expect(201, 'POST /v1/plans', { key: 'five', name: 'Five prices', currency: 'USD', billing_period: 'P1M', prices });
}

async function makeSubscriptions({ product }: WholeProduct, range: { from: number; to: number; month: number }): Promise<void> {
  let next = range.from;
  const work = async (): Promise<void> => {
    while (next < range.to) {
      const key = `customer-${next++}`;
      await product.expect(201, 'POST /v1/customers', { key, name: key, email: 'billing@customer.example', currency: 'USD', subjects: [`subject-of-${key}`] });
      await product.expect(201, 'POST /v1/subscriptions', { customer: key, plan: 'five', collection: 'send_invoice', start_at: clockOf(range.month, 1) });
    }
  };
  await Promise.all(Array.from({ length: calls }, work));
}

interface CloseSide extends Side {
  /** The instant at which the closed month ended. */
  closed(): string;
  /** Resolves when the advance has answered: then nothing of the month is left to do. */
  settled(): Promise<void>;
  readonly settledSeconds: number[];
}

function closeSide(whole: WholeProduct, options: { month: { next: number }; count: number }): CloseSide {
  const { product } = whole;
  const expectedMinor = commonModels.map(bareModelOf).reduce((sum, model) => sum + bareSum(model, [decimal(String(eventsPerSubscription * bytesPerEvent))]), 0n) * BigInt(options.count);
  const expected = `${options.count} invoices of ${expectedMinor} cents`;
  const closed = (): string => clockOf(options.month.next, 1);
  const settledSeconds: number[] = [];
  let advancing: Promise<void> = Promise.resolve();
  return {
    closed,
    settled: () => advancing,
    settledSeconds,
    async prepare() {
      await product.expect(200, 'POST /v1/test-clock/advance', { to: clockOf(options.month.next, 28) });
      await postUsage(whole, { month: options.month.next, count: options.count });
      await until('the usage is counted', async () => (await whole.log.lag({ topic: topics.usageEvents, group: aggregatorGroup })) === 0n);
      options.month.next += 1;
    },
    async run() {
      const startedAt = performance.now();
      advancing = product.expect(200, 'POST /v1/test-clock/advance', { to: clockOf(options.month.next, 1, 2) }).then(() => void settledSeconds.push((performance.now() - startedAt) / 1_000));
      advancing.catch(() => undefined); // Told by settled().
      await until(`there are ${expected}`, async () => (await issuedOf(whole, closed())) === expected, { timeoutMs: issueTimeoutMs, everyMs: 50 });
      return options.count;
    },
    answer: () => digestOf(whole, { invoices: 'invoices', lines: 'invoice_lines', closed: closed() }),
    cpuSeconds: () => cpuSecondsOf(whole.pids()),
  };
}

async function issuedOf({ pool }: WholeProduct, closed: string): Promise<string> {
  const { rows } = await pool.query<{ issued: string }>(`SELECT count(*) || ' invoices of ' || coalesce(sum(total_minor), 0) || ' cents' AS issued FROM invoices WHERE period_end = $1 AND issued_at IS NOT NULL`, [closed]);
  return rows[0]?.issued ?? '';
}

async function postUsage({ product }: WholeProduct, { month, count }: { month: number; count: number }): Promise<void> {
  const events = Array.from({ length: count * eventsPerSubscription }, (_, index) => ({
    id: `month-${month}-${index}`,
    type: 'bench.close',
    subject: `subject-of-customer-${index % count}`,
    time: clockOf(month, 2 + (index % 25)),
    data: { bytes: bytesPerEvent },
  }));
  const load = await HttpLoad.open({ port: product.port, connections: 4 });
  const bodies = Array.from({ length: events.length / eventsPerRequest }, (_, nth) => JSON.stringify(events.slice(nth * eventsPerRequest, (nth + 1) * eventsPerRequest)));
  await load.sendAll(bodies.map((body) => postRequest({ path: '/v1/events', key: benchKey, body })), { status: 202, body: `{"accepted":${eventsPerRequest},"rejected":[]}` });
  load.close();
}

/** The server itself reads the rows from files, the fastest way there is into these tables and their indexes. */
async function copySide(whole: WholeProduct, { closed, settled }: CloseSide): Promise<Side> {
  const { pool, stores } = whole;
  const folder = join(stores.dataDir, 'copies');
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o777); // The server may be another user.
  const files = { invoices: join(folder, 'invoices'), lines: join(folder, 'lines') };
  await pool.query('CREATE TABLE IF NOT EXISTS bench_invoices (LIKE invoices INCLUDING INDEXES); CREATE TABLE IF NOT EXISTS bench_invoice_lines (LIKE invoice_lines INCLUDING INDEXES)');
  return {
    async prepare() {
      await settled();
      await pool.query('TRUNCATE bench_invoices, bench_invoice_lines');
      await pool.query(`COPY (SELECT * FROM invoices WHERE period_end = '${closed()}') TO '${files.invoices}' WITH (FORMAT binary)`);
      await pool.query(`COPY (SELECT l.* FROM invoice_lines l JOIN invoices i ON i.id = l.invoice_id WHERE i.period_end = '${closed()}') TO '${files.lines}' WITH (FORMAT binary)`);
    },
    async run() {
      const copied = await pool.query(`COPY bench_invoices FROM '${files.invoices}' WITH (FORMAT binary)`);
      await pool.query(`COPY bench_invoice_lines FROM '${files.lines}' WITH (FORMAT binary)`);
      return copied.rowCount ?? 0;
    },
    answer: () => digestOf(whole, { invoices: 'bench_invoices', lines: 'bench_invoice_lines', closed: closed() }),
    cpuSeconds: () => cpuSecondsOf([stores.postgres.pid]),
  };
}

async function digestOf({ pool }: WholeProduct, tables: { invoices: string; lines: string; closed: string }): Promise<string> {
  const { rows } = await pool.query<{ digest: string }>(
    `SELECT count(DISTINCT i.id) || ' invoices, ' || count(*) || ' lines of ' || sum(l.amount_minor) || ', ' || sum(hashtextextended(i.id || i.number || l.id || l.description, 0)::numeric) AS digest
     FROM ${tables.invoices} i JOIN ${tables.lines} l ON l.invoice_id = i.id WHERE i.period_end = $1`,
    [tables.closed],
  );
  return rows[0]?.digest ?? '';
}
