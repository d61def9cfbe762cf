import { readFileSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { describeWith, StripeDouble } from '#testing';
import { eventually, freePort, isAlive, onEachTopology, type Product } from './product.js';

// Goal: a month of a real access log becomes invoices to the cent, and Stripe holds the same, however often the product is killed
// between its calls. Method: five clients of the log are customers; their requests and bytes were counted with awk.
//
// Growth: base fee 29.00; requests: 100 free, then 200 at 0.05, the rest at 0.02; traffic 2.50 a GB, to the byte.
const customers = [
  // 482 − 100 = 382: 200 × 0.05 + 182 × 0.02 = 13.64; 0.075500527 GB × 2.50 = 0.18875… → 0.19; with June's base fee 42.83
  { client: '66.249.73.135', requests: '13.64', traffic: '0.19', total: '42.83' },
  // 364 − 100 = 264: 10 + 64 × 0.02 = 11.28; 0.005413408 × 2.50 = 0.01353… → 0.01; 40.29
  { client: '46.105.14.53', requests: '11.28', traffic: '0.01', total: '40.29' },
  // 357 − 100 = 257: 10 + 57 × 0.02 = 11.14; 0.043920629 × 2.50 = 0.10980… → 0.11; 40.25
  { client: '130.237.218.86', requests: '11.14', traffic: '0.11', total: '40.25' },
  // 273 − 100 = 173 × 0.05 = 8.65; 0.017140354 × 2.50 = 0.04285… → 0.04; 37.69
  { client: '75.97.9.59', requests: '8.65', traffic: '0.04', total: '37.69' },
  // 113 − 100 = 13 × 0.05 = 0.65; 0.001680536 × 2.50 = 0.0042… → 0.00; 29.65
  { client: '50.16.19.13', requests: '0.65', traffic: '0.00', total: '29.65' },
];

const plan = {
  key: 'growth', name: 'Growth', currency: 'USD', billing_period: 'P1M',
  prices: [
    { key: 'base', name: 'Base fee', type: 'recurring', model: { type: 'flat', amount: '29.00' } },
    {
      key: 'requests', name: 'Requests', type: 'usage', meter: 'requests', included_units: '100',
      model: { type: 'graduated', tiers: [{ up_to: '200', unit_amount: '0.05' }, { up_to: null, unit_amount: '0.02' }] },
    },
    {
      key: 'traffic', name: 'Traffic per GB', type: 'usage', meter: 'traffic', unit_conversion: { divide_by: '1000000000', rounding: 'none' },
      model: { type: 'per_unit', unit_amount: '2.50' },
    },
  ],
};

interface Line {
  readonly kind: string;
  readonly price_key: string | null;
  readonly amount: string;
}

interface Invoice {
  readonly id: string;
  readonly number: string | null;
  readonly status: string;
  readonly total: string;
  readonly amount_due: string;
  readonly lines: readonly Line[];
  readonly stripe: { readonly invoice: string; readonly status: string } | null;
}

const webhookSecret = 'whsec_c2NlbmFyaW8tc2VjcmV0';

describeWith('access-log', 'a real access log', () => onEachTopology('a month of it', (startProduct, topology) => {
  let product: Product;
  let stripe: StripeDouble;
  let port: number;
  afterAll(async () => {
    await product?.dispose();
    await stripe?.close();
  }, 90_000);

  const start = (dataDir?: string): Promise<Product> =>
    startProduct({
      port,
      replicas: 'invoicing=2,rating=2,aggregator=2',
      ...(dataDir === undefined ? {} : { dataDir }),
      environment: { STRIPE_API_KEY: stripe.apiKey, STRIPE_API_BASE: stripe.url, STRIPE_WEBHOOK_SECRET: webhookSecret },
    });

  const invoicesOf = async (client: string): Promise<Invoice[]> =>
    (await product.expect<{ data: Invoice[] }>(200, `GET /v1/invoices?customer=client-${client}&limit=100`)).data;

  it('is billed to the cent, and Stripe holds the same', async () => {
    port = await freePort();
    stripe = await StripeDouble.start({
      cardOfNewCustomers: 'pm_card_visa',
      webhook: { url: `http://127.0.0.1:${port}/v1/webhooks/stripe`, secret: webhookSecret },
    });
    product = await start();
    await product.expect(200, 'POST /v1/test-clock', { body: { now: '2015-05-01T00:00:00Z' } });
    await product.expect(201, 'POST /v1/meters', { body: { key: 'requests', name: 'Requests', event_type: 'http.request', aggregation: 'count' } });
    await product.expect(201, 'POST /v1/meters', { body: { key: 'traffic', name: 'Traffic', event_type: 'http.request', aggregation: 'sum', value: '$.bytes' } });
    await product.expect(201, 'POST /v1/plans', { body: plan });
    for (const { client } of customers) {
      await product.expect(201, 'POST /v1/customers', {
        body: { key: `client-${client}`, name: `Client ${client}`, email: 'billing@client.example', currency: 'USD', subjects: [client] },
      });
      await product.expect(201, 'POST /v1/subscriptions', { body: { customer: `client-${client}`, plan: 'growth', collection: 'automatic' } });
    }
    const log = readFileSync(process.env['TOLLWAY_ACCESS_LOG'] ?? '', 'utf8');
    await product.expect(200, 'POST /v1/test-clock/advance', { body: { to: '2015-05-31T00:00:00Z' } });
    await product.expect(202, 'POST /v1/ingest/combined?batch=may&first_line=1', { raw: { type: 'text/plain', body: log } });

    // The month ends; the process dies between calls to Stripe, again and again, until the advance gets through.
    const advance = { body: { to: '2015-06-01T02:00:00Z' } };
    // A restart goes on by itself, so the next kill may come while it starts.
    await stripe.webhooksIdle();
    const before = stripe.journal.length;
    for (const calls of [3, 8, 15, 24]) {
      // Asked for again each time: a kill may come before the wish was written, since events of May still make calls.
      void product.call('POST /v1/test-clock/advance', advance).catch(() => null);
      await eventually(`Stripe got ${calls} calls`, async () => stripe.journal.length >= before + calls, 90_000);
      await strike(calls);
    }
    await eventually('the advance is through', async () => (await product.call('POST /v1/test-clock/advance', advance)).status === 200, 60_000);
    // On the cluster its work is done before the front has seen that a new process answers.
    await eventually('invoicing answers again', async () => (await product.call('GET /v1/invoices')).status === 200, 60_000);

    for (const { client, requests, traffic, total } of customers) {
      await eventually('the payments are known', async () => (await invoicesOf(client)).every(({ status }) => status === 'paid'));
      const [june, may, ...rest] = await invoicesOf(client);
      expect(rest).toEqual([]);
      expect(may?.lines.map(({ kind, amount }) => [kind, amount])).toEqual([['advance', '29.00']]);
      const amounts = Object.fromEntries((june?.lines ?? []).map(({ price_key: key, amount }) => [key, amount]));
      expect(amounts, client).toEqual({ base: '29.00', requests, traffic });
      expect(june).toMatchObject({ status: 'paid', total, amount_due: total });
    }
    await stripeHoldsTheSame();

    // Nothing is added by doing it all again.
    const calls = stripe.state.invoices.size;
    if (topology === 'cluster') expect(await product.stop()).toBe(0);
    else await product.kill('group');
    product = await start(product.dataDir);
    await product.expect(200, 'POST /v1/test-clock/advance', { body: { to: '2015-06-02T00:00:00Z' } });
    expect(stripe.state.invoices.size).toBe(calls);
    await stripeHoldsTheSame();
  }, 400_000);

  /** Where all is one process it dies whole, alone or with its databases; where it is many, those that talk to Stripe die. */
  async function strike(nth: number): Promise<void> {
    if (topology === 'cluster') {
      for (const { pid } of product.processesOf('invoicing')) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
      return;
    }
    await product.kill(nth % 2 === 0 ? 'process' : 'group');
    product = await start(product.dataDir);
  }

  async function stripeHoldsTheSame(): Promise<void> {
    const ours = (await Promise.all(customers.map(({ client }) => invoicesOf(client)))).flat();
    expect(ours).toHaveLength(2 * customers.length);
    const theirs = [...stripe.state.invoices.values()];
    expect(theirs).toHaveLength(ours.length);
    expect(stripe.state.payments).toHaveLength(ours.length);
    for (const invoice of ours) {
      const remote = theirs.find(({ number }) => number === invoice.number);
      expect(remote, `invoice ${invoice.number}`).toMatchObject({ status: 'paid', amountDue: cents(invoice.amount_due), amountPaid: cents(invoice.amount_due) });
      expect(remote?.lines.map(({ amount }) => amount)).toEqual(invoice.lines.map(({ amount }) => cents(amount)));
    }
    expect(new Set(ours.map(({ number }) => number)).size).toBe(ours.length);
  }
}));

function cents(amount: string): number {
  return Number(amount.replace('.', ''));
}

