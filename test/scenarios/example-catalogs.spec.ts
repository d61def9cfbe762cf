import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWith } from '#testing';
import { Product } from './product.js';

// Goal: the catalogs in examples/ are what a month of usage is billed by, and plans as code say what they change. Method: the
// command line applies each file to an organization of its own; every amount is worked out by hand.

interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

describeWith('clickhouse', 'catalogs as files', () => {
  let product: Product;
  let folder: string;
  beforeAll(async () => {
    product = await Product.start();
    folder = mkdtempSync(join(tmpdir(), 'tollway-catalog-'));
  }, 120_000);
  afterAll(async () => {
    await product?.dispose();
    rmSync(folder, { recursive: true, force: true });
  }, 90_000);

  async function organization() {
    const { api_key: { secret: key } } = await product.expect<{ api_key: { secret: string } }>(201, 'POST /v1/organizations', { body: { name: 'Catalog', mode: 'test' } });
    const ok = <Body = Record<string, unknown>>(status: number, route: string, body?: unknown) => product.expect<Body>(status, route, { key, ...(body === undefined ? {} : { body }) });
    return { tollway: commandLine(key), ok };
  }

  function commandLine(key: string) {
    return async (...args: string[]): Promise<Said> => {
      const child = spawn(process.execPath, [resolve('dist/apps/cli/src/main.js'), ...args], { env: { ...process.env, TOLLWAY_URL: product.url, TOLLWAY_API_KEY: key } });
      const said = { out: '', err: '' };
      child.stdout.on('data', (chunk: Buffer) => void (said.out += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => void (said.err += chunk.toString()));
      const [code] = (await once(child, 'close')) as [number | null];
      return { code, ...said };
    };
  }

  const many = (count: number, event: (index: number) => object) => Array.from({ length: count }, (_, index) => event(index));
  const event = (type: string, data: object) => (index: number) => ({ id: `${type}/${JSON.stringify(data)}/${index}`, type, subject: 'acme', time: '2026-05-10T00:00:00Z', data });

  it.each<[string, string, object[], string]>([
    // 100.00 × 2.9 % + 0.30 = 3.20; 9.99 × 2.9 % + 0.30 = 0.58971; 0.50 × 2.9 % + 0.30 = 0.3145. In all 4.10421.
    ['payments', 'standard', ['100.00', '9.99', '0.50'].map((amount) => event('payment.captured', { amount })(0)), '4.10'],
    // 1000 × 0.0079 + 10 × 0.075 + 1 × 0.10; what was not delivered is not counted.
    ['messaging', 'pay-per-message', [
      ...many(1_000, event('message.sent', { country: 'US', status: 'delivered' })), ...many(10, event('message.sent', { country: 'DE', status: 'delivered' })),
      ...many(1, event('message.sent', { country: 'FR', status: 'delivered' })), ...many(5, event('message.sent', { country: 'FR', status: 'failed' })),
    ], '8.75'],
    // (150000 - 100000) × 0.000003 + 20000 × 0.000015 + 1000000 × 0.00000025 = 0.15 + 0.30 + 0.25
    ['llm', 'developer', [
      ...many(3, event('completion.finished', { model: 'large', direction: 'input', tokens: 50_000 })), ...many(2, event('completion.finished', { model: 'large', direction: 'output', tokens: 10_000 })),
      ...many(1, event('completion.finished', { model: 'small', direction: 'input', tokens: 1_000_000 })),
    ], '0.70'],
    // (1200 - 1000) × 0.002
    ['data', 'pay-as-you-go', [...many(1_200, event('http.request', { status: 200 })), ...many(50, event('http.request', { status: 503 }))], '0.40'],
  ])('%s bills a month to the cent', async (name, plan, events, total) => {
    const { tollway, ok } = await organization();
    const file = `examples/catalogs/${name}.yaml`;
    const applied = await tollway('catalog', 'apply', file);
    expect([applied.code, applied.err]).toEqual([0, '']);
    expect(await tollway('catalog', 'apply', file)).toEqual({ code: 0, out: 'Nothing differs.\n', err: '' });
    await ok(200, 'POST /v1/test-clock', { now: '2026-05-01T00:00:00Z' });
    await ok(201, 'POST /v1/customers', { key: 'acme', name: 'Acme', currency: 'USD', subjects: ['acme'] });
    await ok(201, 'POST /v1/subscriptions', { customer: 'acme', plan });
    await ok(200, 'POST /v1/test-clock/advance', { to: '2026-05-11T00:00:00Z' });
    await ok(202, 'POST /v1/events', events);
    await ok(200, 'POST /v1/test-clock/advance', { to: '2026-06-01T02:00:00Z' });
    expect((await ok<{ data: { total: string }[] }>(200, 'GET /v1/invoices?customer=acme')).data.map((invoice) => invoice.total)).toEqual([total]);
  });

  it('data stops the free plan at its allowance, until it is upgraded or the next month begins', async () => {
    const { tollway, ok } = await organization();
    await tollway('catalog', 'apply', 'examples/catalogs/data.yaml');
    await ok(200, 'POST /v1/test-clock', { now: '2026-05-01T00:00:00Z' });
    const subscribe = async (key: string) => {
      await ok(201, 'POST /v1/customers', { key, name: key, currency: 'USD', subjects: [key] });
      return (await ok<{ id: string }>(201, 'POST /v1/subscriptions', { customer: key, plan: 'free' })).id;
    };
    const acme = await subscribe('acme');
    await subscribe('bolt');
    const call = (key: string, from: number, to: number) => many(to - from, (index) => ({ ...event('http.request', { status: 200 })(from + index), id: `${key}/${from + index}`, subject: key }));
    const access = (key: string, feature = 'requests', query = '') => ok(200, `GET /v1/customers/${key}/access/${feature}${query}`);
    await ok(200, 'POST /v1/test-clock/advance', { to: '2026-05-11T00:00:00Z' });
    await ok(202, 'POST /v1/events', [...call('acme', 0, 999), ...call('bolt', 0, 1_000)]);
    await ok(200, 'POST /v1/test-clock/advance', { to: '2026-05-11T00:00:01Z' }); // All of them are counted.

    expect(await access('acme')).toMatchObject({ allowed: true, code: null, limit: '1000', used: '999', remaining: '1', rate_limit: { limit: 5, per_seconds: 1 } });
    expect(await access('acme', 'requests', '?quantity=2')).toMatchObject({ allowed: false, code: 'quota_exceeded' });
    await ok(202, 'POST /v1/events', call('acme', 999, 1_000));
    await ok(200, 'POST /v1/test-clock/advance', { to: '2026-05-11T00:00:02Z' });
    const stopped = { allowed: false, code: 'quota_exceeded', limit: '1000', used: '1000', remaining: '0', resets_at: '2026-06-01T00:00:00Z', marginal_amount: '0' };
    expect(await access('acme')).toMatchObject(stopped);
    expect(await access('bolt')).toMatchObject(stopped);
    expect(await access('acme', 'exports')).toMatchObject({ allowed: false, code: 'no_entitlement' });

    await ok(200, `POST /v1/subscriptions/${acme}/change`, { plan: 'pro', when: 'now' });
    expect(await access('acme')).toMatchObject({ allowed: true, code: null, limit: null, used: '0', marginal_amount: '0', plan_key: 'pro' });
    // What the change leaves of May includes 20,000 requests too; the next costs 0.001.
    expect(await access('acme', 'requests', '?quantity=20001')).toMatchObject({ allowed: true, marginal_amount: '0.001', currency: 'USD' });
    expect((await ok<{ data: { feature_key: string; type: string }[] }>(200, 'GET /v1/customers/acme/entitlements')).data.map(({ feature_key: key, type }) => [key, type])).toEqual([['exports', 'boolean'], ['requests', 'metered']]);

    await ok(200, 'POST /v1/test-clock/advance', { to: '2026-06-01T00:00:00Z' });
    expect(await access('bolt')).toMatchObject({ allowed: true, code: null, used: '0', remaining: '1000', resets_at: '2026-07-01T00:00:00Z' });
    await product.expect(422, 'GET /v1/customers/bolt/access/requests?quantity=-1', { key: (await ok<{ secret: string }>(201, 'POST /v1/api-keys', { name: 'gateway', scopes: ['usage:read'] })).secret });
  });

  describe('as code', () => {
    const write = (text: string): string => {
      const path = join(folder, 'catalog.yaml');
      writeFileSync(path, text);
      return path;
    };
    const data = readFileSync('examples/catalogs/data.yaml', 'utf8');

    it('say what they would change before they do', async () => {
      const { tollway, ok } = await organization();
      expect((await tollway('catalog', 'diff', write(data))).out).toBe('+ product data-api\n+ meter requests\n+ feature requests\n+ feature exports\n+ plan free\n+ plan pay-as-you-go\n+ plan pro\n');
      expect((await ok<{ data: unknown[] }>(200, 'GET /v1/plans')).data).toEqual([]);
      await tollway('catalog', 'apply', write(data));
      const dearer = write(data.replace('amount: 29', 'amount: 31.90').replace('name: Data API', 'name: Data').replace('limit: 1000,', 'limit: 800,').replace('limit: 50000, enforcement: soft', 'limit: 50000'));
      const free = '~ plan free\n  The entitlement to requests: limit from 1000 to 800 (-20 %).\n~ plan pay-as-you-go\n  The entitlement to requests: enforcement from "soft" to "hard".\n';
      const said = '~ product data-api\n  It: name from "Data API" to "Data".\n' + free + '~ plan pro\n  "Base fee" (base): amount from 29 to 31.9 (+10 %).\n';
      expect((await tollway('catalog', 'diff', dearer)).out).toBe(said);
      expect((await tollway('catalog', 'apply', dearer)).out).toBe(`${said}Applied: 4 objects.\n`);
      expect(await ok(200, 'GET /v1/plans/pro')).toMatchObject({ version: 2, prices: [{ model: { amount: '31.9' } }, {}] });
    });

    it('apply a plan that is a draft as such', async () => {
      const { tollway, ok } = await organization();
      const drafted = data.replace('- key: pro\n', '- key: pro\n    draft: true\n');
      expect((await tollway('catalog', 'apply', write(drafted))).out).toBe('+ product data-api\n+ meter requests\n+ feature requests\n+ feature exports\n+ plan free\n+ plan pay-as-you-go\n+ draft of plan pro\nApplied: 7 objects.\n');
      expect(await ok(200, 'GET /v1/plans/pro')).toMatchObject({ status: 'draft', latest_version: 0 });
      expect((await tollway('catalog', 'apply', write(drafted))).out).toBe('Nothing differs.\n');
      expect((await tollway('catalog', 'diff', write(drafted.replace('amount: 29', 'amount: 31.90')))).out).toBe('~ draft of plan pro\n  "Base fee" (base): amount from 29 to 31.9 (+10 %).\n');
      await ok(200, 'POST /v1/plans/pro/publish');
      expect((await tollway('catalog', 'diff', write(drafted))).out).toBe('Nothing differs.\n');
      expect((await tollway('catalog', 'diff', write(data))).out).toBe('Nothing differs.\n');
    });

    it('keep every digit', async () => {
      const { tollway, ok } = await organization();
      await tollway('catalog', 'apply', write(data.replace('unit_amount: 0.002', 'unit_amount: 0.123456789012345678').replace('limit: 50000', 'limit: 12345678901234567890.5')));
      expect(await ok(200, 'GET /v1/plans/pay-as-you-go')).toMatchObject({ prices: [{ model: { unit_amount: '0.123456789012345678' } }], entitlements: [{ limit: '12345678901234567890.5' }] });
    });

    // A file in which an add-on stands before the one that it requires, terms are written once, and a price has two currencies.
    const addOns = `meters:
  - { key: requests, name: Requests, event_type: http.request, aggregation: count }
plans:
  - { key: pro, name: Pro, currency: USD, billing_period: P1M, prices: [{ key: base, name: Base, type: recurring, model: { type: flat, amount: 29 }, currencies: { EUR: { type: flat, amount: 27.50 } } }] }
add_ons:
  - key: premium
    name: Premium
    currency: USD
    plans: [pro]
    requires: [support]
    prices:
      - key: fast
        name: Fast lane
        type: usage
        meter: requests
        model: &tiers { type: graduated, tiers: [{ up_to: 1000, unit_amount: 0.02 }, { up_to: null, unit_amount: 0.010 }] }
        currencies: { EUR: *tiers }
  - &support { key: support, name: Support, currency: USD, max_quantity: 5, prices: [{ key: seat, name: Seat, type: recurring, model: { type: per_unit, unit_amount: 6.20 } }] }
  - { <<: *support, key: night-support, prices: [{ key: night, name: Night, type: recurring, model: { type: per_unit, unit_amount: 9 } }] }
`;

    it('have add-ons, whatever order they stand in, and are exported as what changes nothing', async () => {
      const { tollway, ok } = await organization();
      const file = write(addOns);
      const made = '+ meter requests\n+ plan pro\n+ add-on support\n+ add-on premium\n+ add-on night-support\n';
      expect(await tollway('catalog', 'diff', file)).toEqual({ code: 0, out: made, err: '' });
      expect(await tollway('catalog', 'apply', file)).toEqual({ code: 0, out: `${made}Applied: 5 objects.\n`, err: '' });
      expect(await tollway('catalog', 'apply', file)).toEqual({ code: 0, out: 'Nothing differs.\n', err: '' });
      expect(await ok(200, 'GET /v1/add-ons/premium')).toMatchObject({ version: 1, requires: ['support'], plans: ['pro'], prices: [{ currencies: { EUR: { tiers: [{ up_to: '1000', unit_amount: '0.02' }, { unit_amount: '0.01' }] } } }] });
      expect(await ok(200, 'GET /v1/add-ons/night-support')).toMatchObject({ version: 1, max_quantity: '5', prices: [{ key: 'night' }] });
      await ok(201, 'PUT /v1/plans/unborn/draft', { name: 'Unborn', currency: 'USD', billing_period: 'P1M', prices: [] });

      const exported = await tollway('catalog', 'export');
      expect([exported.code, exported.err]).toEqual([0, '']);
      expect(await tollway('catalog', 'diff', write(exported.out))).toEqual({ code: 0, out: 'Nothing differs.\n', err: '' });
      expect((await tollway('catalog', 'apply', write(exported.out))).out).toBe('Nothing differs.\n');
      const other = await organization();
      expect((await other.tollway('catalog', 'apply', write(exported.out))).out).toContain('Applied: 6 objects.');
      expect((await other.tollway('catalog', 'export')).out).toBe(exported.out);

      const dearer = write(addOns.replace('unit_amount: 6.20', 'unit_amount: 6.82'));
      expect((await tollway('catalog', 'apply', dearer)).out).toBe('~ add-on support\n  "Seat" (seat): unit amount from 6.2 to 6.82 (+10 %).\nApplied: one object.\n');
      expect(await ok(200, 'GET /v1/add-ons/support')).toMatchObject({ version: 2 });
      const unknown = await tollway('catalog', 'apply', write(addOns.replace('requires: [support]', 'requires: [nothing]').replace('plans: [pro]', 'plans: [free]')));
      expect([unknown.code, unknown.err.trim().split('\n').map((line) => line.split(': ')[0])]).toEqual([1, ['PUT /v1/add-ons/premium was answered with 422', '  /plans/0', '  /requires/0']]);
    });

    it.each<[string, string, string[]]>([
      ['a field twice', 'plans:\n  - key: a\n    key: b\n', [':3: This field stands here twice; keep one of the two.']],
      ['two of one key', 'products:\n  - { key: a, name: A }\n  - { key: a, name: B }\n', [':3 /products/1/key: Another one above has the key "a" too; keep one of the two.']],
      ['wrong types', 'products:\n  - key: a\n    name: 5\nadd_ons: none\nprices: []\n', [':3 /products/0/name: This must be a text, and is a number.', ':4 /add_ons: This must be a list, and is a text.', ':5 /prices: There is no such field.']],
      ['what is missing', 'products:\n  - name: A\n', [':2 /products/0/key: This field is required.']],
      ['an alias of nothing', 'products: *all\n', [':1: No anchor "all" stands before this alias.']],
      ['aliases without end', `a: &a [x, x]\n${[...'bcdefghijklmnopqrst'].map((name, index) => `${name}: &${name} [*${'abcdefghijklmnopqrs'[index]}, *${'abcdefghijklmnopqrs'[index]}]\n`).join('')}`, [': What its aliases stand for is too much, or stands for itself; write it out.']],
      ['too deep a nest', `plans: ${'['.repeat(20_000)}${']'.repeat(20_000)}\n`, [':1: This is nested too deep to be read.']],
      ['two documents', 'plans: []\n---\nplans: []\n', [':2: A second document begins here; give it a file of its own.']],
      ['no catalog', 'hello\n', [':1: This must be an object, and is a text.']],
      ['too much', `# ${'x'.repeat(4_000_000)}\n`, [': The file has more than 4 million characters; split it, product by product.']],
      ['a circle', `add_ons:\n${['ab', 'ba'].map(([key, other]) => `  - { key: ${key}, name: A, currency: USD, requires: [${other}], prices: [{ key: p, name: P, type: recurring, model: { type: flat, amount: 1 } }] }\n`).join('')}`,
        [':2 /add_ons/0/requires: a requires b requires a: nobody could have one before the other; remove one of these.', ':3 /add_ons/1/requires: b requires a requires b: nobody could have one before the other; remove one of these.']],
    ])('are refused for %s, with the line', async (_name, text, faults) => {
      const tollway = commandLine('');
      const file = write(text);
      const { code, err } = await tollway('catalog', 'validate', file);
      expect([code, err.trim().split('\n').map((line) => line.replace(file, ''))]).toEqual([1, faults]);
    });

    it('name every fault with its place, before anything is done', async () => {
      const { tollway, ok } = await organization();
      const file = write(data.replace('amount: 29', 'amount: x').replace('aggregation: count', 'aggregation: tally').replace('name: Free', 'title: Free').replace('limit: 1000,', 'limit: -1, quota: 5,'));
      const { code, out, err } = await tollway('catalog', 'apply', file);
      expect([code, out]).toEqual([1, '']);
      expect(err.trim().split('\n').map((line) => line.replace(file, '').split(' ')[1]?.replace(':', ''))).toEqual(['/meters/0/aggregation', '/plans/0/name', '/plans/0/entitlements/0/quota', '/plans/0/entitlements/0/limit', '/plans/0/title', '/plans/2/prices/0/model/amount']);
      expect((await ok<{ data: unknown[] }>(200, 'GET /v1/meters')).data).toEqual([]);
      expect((await tollway('catalog', 'validate', write('plans: ['))).err).toMatch(/catalog\.yaml:1: /);
      const refused = await tollway('catalog', 'apply', write(data.replace('product: data-api\n    currency: USD\n    billing_period: P1M\n    trial_days', 'product: other\n    currency: USD\n    billing_period: P1M\n    trial_days')));
      expect([refused.code, refused.err.split('\n').slice(0, 2)]).toEqual([1, ['PUT /v1/plans/pro was answered with 422: The plan has a fault.', '  /product: There is no such product; name one that there is, or make it first.']]);
      expect((await tollway('catalog', 'apply')).code).toBe(2);
    });
  });
});
