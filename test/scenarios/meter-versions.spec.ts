import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '#testing';
import { Product } from './product.js';

// Goal: a meter that counts otherwise from an instant on bills each event by the version of its time, and nothing that was billed changes.
// Method: one running product and three months of a test clock; every quantity and amount worked out by hand.

interface Invoice {
  readonly total: string;
  readonly lines: readonly { readonly kind: string; readonly price_key: string; readonly quantity: string; readonly amount: string; readonly period: { readonly start: string } }[];
}

interface Row {
  readonly window_start: string;
  readonly group: Readonly<Record<string, string>>;
  readonly value: string;
}

describeWith('clickhouse', 'versions of a meter', () => {
  let product: Product;
  beforeAll(async () => {
    product = await Product.start();
  }, 120_000);
  afterAll(async () => {
    await product?.dispose();
  }, 90_000);

  it('count and bill each event by its time', async () => {
    const { api_key: { secret: key } } = await product.expect<{ api_key: { secret: string } }>(201, 'POST /v1/organizations', { body: { name: 'Counting', mode: 'test' } });
    const ok = <Body = Record<string, unknown>>(route: string, body?: unknown, status = route.startsWith('POST') ? 201 : 200) => product.expect<Body>(status, route, { key, ...(body === undefined ? {} : { body }) });
    const advance = (to: string) => ok('POST /v1/test-clock/advance', { to }, 200);
    let sent = 0;
    const send = (time: string, datas: readonly object[]) => ok('POST /v1/events', datas.map((data) => ({ id: `${(sent += 1)}`, type: 'call', subject: 'acme', time, data })), 202);
    const good = (count: number, more: object = {}) => Array.from({ length: count }, () => ({ status: 200, ...more }));
    const bad = (count: number, more: object = {}) => Array.from({ length: count }, () => ({ status: 500, ...more }));
    const usage = async (query: string) => (await ok<{ data: Row[] }>(`GET /v1/meters/${query}`)).data.map(({ window_start, group, value }) => [window_start.slice(0, 10), ...Object.values(group), value].join(' '));
    const march = 'from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z';
    const upcoming = async () => {
      const { lines } = await ok<Invoice>('GET /v1/customers/acme/upcoming-invoice');
      return lines.filter(({ kind }) => kind === 'usage').map(({ price_key, quantity, amount }) => `${price_key} ${quantity} ${amount}`);
    };
    const invoices = async () => (await ok<{ data: Invoice[] }>('GET /v1/invoices?customer=acme&limit=100')).data.toReversed()
      .map(({ lines }) => lines.map(({ kind, price_key, quantity, amount }) => `${kind} ${price_key} ${quantity} ${amount}`));

    await ok('POST /v1/test-clock', { now: '2026-03-01T00:00:00Z' }, 200);
    await ok('POST /v1/meters', { key: 'calls', name: 'Calls', event_type: 'call', aggregation: 'count' });
    await ok('POST /v1/meters', { key: 'people', name: 'People', event_type: 'call', aggregation: 'unique_count', value: '$.user' });
    const price = (name: string, unit_amount: string) => ({ key: name, name, type: 'usage', meter: name, model: { type: 'per_unit', unit_amount } });
    await ok('POST /v1/plans', { key: 'metered', name: 'Metered', currency: 'USD', billing_period: 'P1M', prices: [price('calls', '0.10'), price('people', '1')] });
    await ok('POST /v1/customers', { key: 'acme', name: 'Acme', currency: 'USD', subjects: ['acme'] });
    await ok('POST /v1/subscriptions', { customer: 'acme', plan: 'metered' });

    await advance('2026-03-16T12:30:00Z');
    await send('2026-03-05T00:00:00Z', [...good(6, { user: 'ann' }), ...bad(4, { user: 'bob' })]);
    // From half past twelve on: only what did not fail, by region; and whoever is signed in counts by its account.
    expect(await ok('PATCH /v1/meters/calls', { filter: 'data.status < 500', group_by: { region: '$.region' } })).toMatchObject({ version: 2, effective_at: '2026-03-16T12:30:00Z' });
    await ok('PATCH /v1/meters/people', { value: '$.account' });
    await send('2026-03-16T12:29:59.999999Z', bad(1));
    await send('2026-03-16T12:30:00Z', [...good(15, { region: 'eu', account: 'ann' }), ...bad(5, { region: 'eu', account: 'cy' })]);
    const byDay = ['2026-03-05  10', '2026-03-16  1', '2026-03-16 eu 15'];
    await expect.poll(() => usage(`calls/usage?${march}&window=day&group_by=region`), { timeout: 20_000 }).toEqual(byDay);
    expect(await usage(`calls/usage?${march}`)).toEqual(['2026-03-01 26']); // 10 + 1 + 15
    expect(await usage(`calls/usage?${march}&filter[region]=eu`)).toEqual(['2026-03-01 15']);
    expect(await usage(`people/usage?${march}`)).toEqual(['2026-03-01 3']); // ann, who is one in both, bob and cy.
    expect(await upcoming()).toEqual(['calls 26 2.60', 'people 3 3.00']);
    expect((await ok<{ data: { meter_key: string; value: string }[] }>(`GET /v1/customers/acme/usage?${march}`)).data.map(({ meter_key, value }) => `${meter_key} ${value}`).toSorted()).toEqual(['calls 26', 'people 3']);

    await advance('2026-04-01T02:00:00Z');
    expect(await invoices()).toEqual([['usage calls 26 2.60', 'usage people 3 3.00']]);
    const [marchInvoice] = (await ok<{ data: { id: string }[] }>('GET /v1/invoices?customer=acme')).data;
    const issued = await ok(`GET /v1/invoices/${marchInvoice?.id}`);

    // What is billed stays: a version may begin with April, and not before.
    const early = await product.call<{ code: string; detail: string }>('PATCH /v1/meters/calls', { key, body: { filter: null, effective_at: '2026-03-31T23:59:59Z' } });
    expect([early.status, early.body.code, early.body.detail.includes('2026-04-01T00:00:00Z')]).toEqual([409, 'billed_period', true]);
    await send('2026-04-01T01:00:00Z', [...good(2), ...bad(1)]);
    await expect.poll(upcoming, { timeout: 20_000 }).toEqual(['calls 2 0.20', 'people 0 0.00']);
    expect(await ok('PATCH /v1/meters/calls', { filter: null, effective_at: '2026-04-01T00:00:00Z' })).toMatchObject({ version: 3 });
    expect(await upcoming()).toEqual(['calls 3 0.30', 'people 0 0.00']);

    // Late usage of March is counted by the version of its time: five of the first days, and one of two behind half past twelve.
    await send('2026-03-05T01:00:00Z', bad(5));
    await send('2026-03-20T00:00:00Z', [...good(1), ...bad(1)]);
    await advance('2026-05-01T02:00:00Z');
    expect(await invoices()).toEqual([['usage calls 26 2.60', 'usage people 3 3.00'], ['usage calls 3 0.30', 'usage people 0 0.00', 'adjustment calls 6 0.60']]);
    expect(await ok(`GET /v1/invoices/${marchInvoice?.id}`)).toEqual(issued);

    // All of it from rollups now, and equal to what the events say.
    type Verified = { rolled_up: boolean; equal: boolean; compared: { events: string; waiting: number } };
    const verify = () => ok<Verified>('GET /v1/meters/calls/verify?from=2026-03-01T00:00:00Z&to=2026-05-01T00:00:00Z');
    // 10 and 5, 1 on the 20th and 3 in April; the hour that two versions share is read from its events.
    await expect.poll(verify, { timeout: 30_000 }).toMatchObject({ rolled_up: true, equal: true, compared: { events: '19', waiting: 0 } });
    expect(await usage(`calls/usage?from=2026-03-01T00:00:00Z&to=2026-05-01T00:00:00Z&window=month`)).toEqual(['2026-03-01 32', '2026-04-01 3']);
    const events = await ok<{ data: { state: string; meters: string[] }[] }>('GET /v1/events?type=call&limit=100&from=2026-03-20T00:00:00Z&to=2026-03-21T00:00:00Z&meter=calls');
    expect(events.data.map(({ state, meters }) => [state, ...meters])).toEqual([['counted', 'calls']]);
    expect(await product.verifyInvoices({ key })).toEqual([2]);

    // A receipt shows each version that counted in its period.
    const receipts = (await ok<{ data: { id: string; lines: { id: string; kind: string; price_key: string }[] }[] }>('GET /v1/invoices?customer=acme')).data.toReversed()
      .flatMap(({ id, lines }) => lines.filter(({ price_key }) => price_key === 'calls').map((line) => `GET /v1/invoices/${id}/lines/${line.id}/receipt`));
    const versions = await Promise.all(receipts.map(async (receipt) => (await ok<{ usage: { meter: { versions: Record<string, unknown>[] } } }>(receipt)).usage.meter.versions));
    const ofMarch = [
      { version: 1, event_type: 'call', aggregation: 'count', value: null, percentile: null, group_by: {}, filter: null, from: '2026-03-01T00:00:00Z', to: '2026-03-16T12:30:00Z' },
      { version: 2, event_type: 'call', aggregation: 'count', value: null, percentile: null, group_by: { region: '$.region' }, filter: 'data.status < 500', from: '2026-03-16T12:30:00Z', to: '2026-04-01T00:00:00Z' },
    ];
    expect(versions.map((all) => all.map(({ version, from, to }) => [version, from, to]))).toEqual([
      ofMarch.map(({ version, from, to }) => [version, from, to]), [[3, '2026-04-01T00:00:00Z', '2026-05-01T00:00:00Z']], ofMarch.map(({ version, from, to }) => [version, from, to]),
    ]);
    expect([versions[0], versions[2]]).toEqual([ofMarch, ofMarch]);
  }, 180_000);

  // Goal: what the guide tells works as it stands. Method: its commands are taken from the text and run by a shell; the answer that stands behind a step is that of its last command.
  it('are made and refused as the guide says', async () => {
    const guide = readFileSync('docs/guides/meter-versions.md', 'utf8');
    const steps = [...guide.matchAll(/<!-- meter-versions:step -->\n```sh\n([\s\S]*?)```(?:\n<!-- meter-versions:answer -->\n```json\n([\s\S]*?)```)?/g)];
    expect([steps.length, steps.filter(([, , answer]) => answer !== undefined).length]).toEqual([10, 8]);
    const { api_key: { secret } } = await product.expect<{ api_key: { secret: string } }>(201, 'POST /v1/organizations', { body: { name: 'Reading', mode: 'test' } });
    const [call] = /^call\(\).*$/m.exec(guide) ?? [];
    for (const [, commands = '', answer] of steps) {
      const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', `${call}\n${commands}`], { env: { ...process.env, TOLLWAY: product.url, KEY: secret }, timeout: 60_000 });
      const answers = stdout.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
      if (answer === undefined) expect(answers.filter(({ code }) => code !== undefined), commands).toEqual([]);
      else expect(answers.at(-1), commands).toMatchObject(JSON.parse(answer));
    }
  }, 120_000);
});
