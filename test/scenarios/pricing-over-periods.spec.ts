import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '#testing';
import { eventually, Product } from './product.js';

// Goal: what looks beyond its own period, from events to invoices: units that roll over, tiers that count on, and credits
// for how well it was served. Method: one running product, an organization with a clock of its own for each story, side by side; a few events a month, each amount by hand beside it.

interface Line { readonly kind: string; readonly quantity: string; readonly amount: string; readonly period: { readonly start: string }; readonly unrounded_amount: string; readonly trace: readonly { step: string; detail: string; amount: string }[] }
interface Invoice { readonly total: string; readonly lines: readonly Line[] }
interface Refused { readonly errors: readonly { readonly pointer: string; readonly code: string; readonly detail: string }[] }

const perUnit = (unitAmount: string) => ({ type: 'per_unit', unit_amount: unitAmount });
const price = (model: object, more: object) => ({ key: 'calls', name: 'Calls', type: 'usage', meter: 'calls', model, ...more });
const planOf = (name: string, prices: readonly object[]) => ({ key: name, name, currency: 'USD', billing_period: 'P1M', prices });
const shown = ({ total, lines }: Invoice) => [total, ...lines.map(({ kind, quantity, amount, period }) => `${kind} of ${period.start.slice(5, 7)}: ${quantity} for ${amount}`)];

/** An organization of its own, with a customer and a meter, in January. */
class Story {
  private events = 0;
  private constructor(private readonly product: Product, readonly key: string) {}

  static async begin(product: Product, name: string): Promise<Story> {
    const { api_key: { secret } } = await product.expect<{ api_key: { secret: string } }>(201, 'POST /v1/organizations', { body: { name, mode: 'test' } });
    const story = new Story(product, secret);
    await story.ok('POST /v1/test-clock', { now: '2027-01-01T00:00:00Z' }, 200);
    await story.ok('POST /v1/meters', { key: 'calls', name: 'Calls', event_type: 'call', aggregation: 'sum', value: '$.n' });
    await story.ok('POST /v1/customers', { key: 'acme', name: 'Acme', currency: 'USD', subjects: ['acme-1'] });
    return story;
  }

  ok<Body = Record<string, unknown>>(route: string, body?: unknown, status = 201): Promise<Body> {
    return this.product.expect<Body>(status, route, { key: this.key, ...(body === undefined ? {} : { body }) });
  }

  advance(to: string) {
    return this.ok('POST /v1/test-clock/advance', { to: `${to}T00:00:00Z` }, 200);
  }

  use(day: string, n: number, data: object = {}) {
    return this.ok('POST /v1/events', [{ id: `call_${(this.events += 1)}`, type: 'call', subject: 'acme-1', time: `2027-${day}T00:00:00Z`, data: { n, ...data } }], 202);
  }

  /** A reader on a busy machine may be answered before the usage is rated. */
  upcoming(total: string): Promise<void> {
    return eventually(`the upcoming invoice is ${total}`, async () => (await this.ok<Invoice>('GET /v1/customers/acme/upcoming-invoice', undefined, 200)).total === total);
  }

  async latest(): Promise<Invoice> {
    const [invoice] = (await this.ok<{ data: Invoice[] }>('GET /v1/invoices?customer=acme&limit=1', undefined, 200)).data;
    for (const line of invoice?.lines ?? []) expect(line.trace.at(-1)?.amount ?? '').toBe(line.unrounded_amount);
    return invoice ?? { total: '', lines: [] };
  }

  /** Pointers and codes of what is refused, in order. */
  async refused(route: string, body: unknown): Promise<string[]> {
    const { errors } = await this.ok<Refused>(route, body, 422);
    expect(errors.every(({ detail }) => detail.length > 20)).toBe(true);
    return errors.map(({ pointer, code }) => `${pointer} ${code}`).toSorted();
  }
}

describeWith('clickhouse', 'prices that look beyond their period', () => {
  let product: Product;
  beforeAll(async () => {
    product = await Product.start();
  }, 240_000);
  afterAll(async () => product?.dispose(), 90_000);

  it.concurrent('carry unused units into the next period, and late usage with them', async () => {
    const story = await Story.begin(product, 'Rollover');
    const rolling = (unitAmount: string) => price(perUnit(unitAmount), { included_units: 100, rollover: { maximum_units: 80 } });
    await story.ok('POST /v1/plans', planOf('rolling', [rolling('1')]));
    await story.ok('POST /v1/plans', planOf('other', [rolling('1')]));
    const { id: subscription } = await story.ok<{ id: string }>('POST /v1/subscriptions', { customer: 'acme', plan: 'rolling' });
    await story.use('01-01', 60);
    await story.advance('2027-02-10');
    expect(shown(await story.latest())).toEqual(['0.00', 'usage of 01: 60 for 0.00']);
    await story.use('02-05', 150);
    await story.advance('2027-02-11');
    await story.upcoming('10.00'); // 150 − 100 − (100 − 60)
    await story.advance('2027-03-02');
    expect(shown(await story.latest())).toEqual(['10.00', 'usage of 02: 150 for 10.00']);
    await story.use('01-20', 30); // January left 10, and not 40: 30 more of February are to be paid.
    await story.use('03-01', 70);
    await story.advance('2027-03-20');
    await product.expect(200, 'PATCH /v1/plans/rolling', { key: story.key, body: { prices: [rolling('2')] } });
    await story.ok('POST /v1/plans/rolling/migrate', { to_version: 2, when: 'period_end' }, 200);
    await story.advance('2027-04-02');
    expect(shown(await story.latest())).toEqual(['30.00', 'usage of 03: 70 for 0.00', 'adjustment of 01: 30 for 0.00', 'adjustment of 02: 0 for 30.00']);
    const rated = await story.ok<{ data: { amount: string; state: string }[] }>('GET /v1/rated-usage?from=2027-01-01T00:00:00Z&to=2027-04-01T00:00:00Z&group_by=price', undefined, 200);
    expect(rated.data.map(({ state, amount }) => `${state} ${amount}`).toSorted()).toEqual(['adjustment 0.00', 'adjustment 30.00', 'closed 10.00']);
    await story.use('04-01', 150);
    await story.advance('2027-05-02');
    expect(shown(await story.latest())).toEqual(['40.00', 'usage of 04: 150 for 40.00']); // (150 − 100 − 30 of the version before) × 2
    expect((await story.latest()).lines[0]?.trace.find(({ step }) => step === 'rollover')?.detail).toBe('50 less 30 rolled over from the period before leaves 20');
    await story.use('05-01', 20);
    await story.ok(`POST /v1/subscriptions/${subscription}/change`, { plan: 'other', when: 'period_end' }, 200);
    await story.advance('2027-06-02');
    await story.use('06-01', 150);
    await story.advance('2027-07-02');
    expect(shown(await story.latest())).toEqual(['50.00', 'usage of 06: 150 for 50.00']); // What was left under another plan is gone.
    // January 90 of 100, February 150 − 100 − 10, at 1.
    const tried = await story.ok<{ total: { plan: string } }>('POST /v1/pricing/backtest', { plan: 'rolling', version: 1, from: '2027-01-01T00:00:00Z', to: '2027-03-01T00:00:00Z' }, 200);
    expect(tried.total.plan).toBe('40.00');
    expect(await product.verifyInvoices(story)).toEqual([6]);
  }, 240_000);

  it.concurrent('count on through tiers for a quarter, down to late usage', async () => {
    const story = await Story.begin(product, 'Tier period');
    const tiers = (upTo: string, first: string, rest: string) => [{ up_to: upTo, unit_amount: first }, { up_to: null, unit_amount: rest }];
    const calls = price({ type: 'graduated', tiers: tiers('100', '1', '0.5') }, { tier_period: 'P3M', included_units: '20' });
    const bulk = { ...price({ type: 'volume', tiers: tiers('70', '3', '1') }, { tier_period: 'P3M' }), key: 'bulk', name: 'Bulk' };
    await story.ok('POST /v1/plans', planOf('counting', [calls, bulk]));
    await story.ok('POST /v1/plans', planOf('other', [calls, bulk]));
    const { id: subscription } = await story.ok<{ id: string }>('POST /v1/subscriptions', { customer: 'acme', plan: 'counting' });
    await story.use('01-01', 60);
    await story.advance('2027-02-10');
    expect(shown(await story.latest())).toEqual(['220.00', 'usage of 01: 60 for 40.00', 'usage of 01: 60 for 180.00']); // 60 − 20; 60 × 3
    await story.use('02-05', 90);
    await story.advance('2027-02-11');
    await story.upcoming('45.00'); // 130: 100 + 15 − 40; 150 × 1 − 180
    await story.advance('2027-03-02');
    expect(shown(await story.latest())).toEqual(['45.00', 'usage of 02: 90 for 75.00', 'usage of 02: 90 for -30.00']);
    const ofFebruary = await story.ok<{ data: { price_key: string; quantity: string; amount: string; day: string }[] }>('GET /v1/rated-usage?from=2027-02-01T00:00:00Z&to=2027-03-01T00:00:00Z&group_by=price,day', undefined, 200);
    expect(ofFebruary.data.filter(({ quantity }) => quantity !== '0').map((row) => [row.price_key, row.day, row.quantity, row.amount]).toSorted()).toEqual([['bulk', '2027-02-05', '90', '-30.00'], ['calls', '2027-02-05', '90', '75.00']]);
    await story.use('01-20', 10); // January 50 and 70 × 3; February 140: 120 − 50, and 160 − 210.
    await story.use('03-01', 20); // 160: 130 − 120; 180 − 160
    await product.expect(200, 'PATCH /v1/plans/counting', { key: story.key, body: { prices: [calls, { ...bulk, name: 'In bulk' }] } });
    await story.ok('POST /v1/plans/counting/migrate', { to_version: 2, when: 'now' }, 200); // Cuts March at its second day, and not the count.
    await story.use('03-02', 10); // 170: 135 − 130; 190 − 180
    await story.advance('2027-03-03');
    expect(shown(await story.latest())).toEqual([
      '45.00', 'usage of 03: 20 for 10.00', 'usage of 03: 20 for 20.00',
      'adjustment of 01: 10 for 10.00', 'adjustment of 01: 10 for 30.00', 'adjustment of 02: 0 for -5.00', 'adjustment of 02: 0 for -20.00',
    ]);
    await story.advance('2027-04-02');
    expect(shown(await story.latest())).toEqual(['15.00', 'usage of 03: 10 for 5.00', 'usage of 03: 10 for 10.00']);
    await story.use('04-01', 30);
    await story.ok(`POST /v1/subscriptions/${subscription}/change`, { plan: 'other', when: 'period_end' }, 200);
    await story.advance('2027-05-02');
    expect(shown(await story.latest())).toEqual(['100.00', 'usage of 04: 30 for 10.00', 'usage of 04: 30 for 90.00']); // The next quarter, from tier 0.
    await story.use('05-01', 30);
    await story.advance('2027-06-02');
    expect(shown(await story.latest())).toEqual(['100.00', 'usage of 05: 30 for 10.00', 'usage of 05: 30 for 90.00']); // The next plan, from tier 0.
    const tried = await story.ok<{ total: { plan: string } }>('POST /v1/pricing/backtest', { plan: 'counting', from: '2027-01-01T00:00:00Z', to: '2027-04-01T00:00:00Z' }, 200);
    expect(tried.total.plan).toBe('325.00'); // 135 + 190
    expect(await product.verifyInvoices(story)).toEqual([6]);
    expect(await story.refused('POST /v1/plans', planOf('bad', [{ ...calls, tier_period: 'P4W' }, { ...bulk, bucket: 'day' }]))).toEqual(['/prices/1/tier_period not_allowed']);
    expect(await story.refused('POST /v1/plans', planOf('bad', [{ ...calls, tier_period: 'P4W' }]))).toEqual(['/prices/0/tier_period invalid_interval']);
  }, 240_000);

  it.concurrent('credit a share where the service was worse than agreed on, until late usage says otherwise', async () => {
    const story = await Story.begin(product, 'Agreements');
    await story.ok('POST /v1/meters', { key: 'latency', name: 'Latency', event_type: 'call', aggregation: 'percentile', percentile: '95', value: '$.ms' });
    await story.ok('POST /v1/meters', { key: 'requests', name: 'Requests', event_type: 'call', aggregation: 'count' });
    await story.ok('POST /v1/meters', { key: 'errors', name: 'Errors', event_type: 'call', aggregation: 'count', filter: 'data.status >= 500' });
    const calls = price(perUnit('1'), { sla_credit: { meter: 'latency', tiers: [{ above: 300, percent: 10 }, { above: '1000', percent: '50' }] } });
    const quality = { ...price(perUnit('1'), { sla_credit: { meter: 'errors', per: 'requests', tiers: [{ above: '0.4', percent: '50' }] } }), key: 'quality', name: 'Quality' };
    await story.ok('POST /v1/plans', planOf('agreed', [calls, quality]));
    const { id: subscription } = await story.ok<{ id: string }>('POST /v1/subscriptions', { customer: 'acme', plan: 'agreed' });
    await story.use('01-01', 60, { ms: 100, status: 200 });
    await story.use('01-01', 20, { ms: 400, status: 503 });
    await story.advance('2027-01-20');
    // The 95th of 100 and 400 is 385: 80 less 10%; 1 of 2 failed: 80 less 50%.
    await story.upcoming('112.00');
    await story.advance('2027-02-02');
    const invoice = await story.latest();
    expect(shown(invoice)).toEqual(['112.00', 'usage of 01: 80 for 72.00', 'usage of 01: 80 for 40.00']);
    expect(invoice.lines.map(({ trace }) => trace.at(-1)?.detail)).toEqual([
      'latency was 385, above 300: 10% of 80, 8, is credited and 72 remains', 'errors per requests was 0.5, above 0.4: 50% of 80, 40, is credited and 40 remains',
    ]);
    const rated = await story.ok<{ data: { price_key: string; day: string; amount: string }[] }>('GET /v1/rated-usage?from=2027-01-01T00:00:00Z&to=2027-02-01T00:00:00Z&group_by=price,day', undefined, 200);
    expect(rated.data.filter(({ amount }) => amount !== '0.00').map((row) => `${row.day} ${row.price_key} ${row.amount}`).toSorted()).toEqual([
      '2027-01-01 calls 80.00', '2027-01-01 quality 80.00', '2027-01-31 calls -8.00', '2027-01-31 quality -40.00',
    ]);
    await story.use('01-20', 0, { ms: 100, status: 200 }); // The 95th is 370 now, and 1 of 3 failed: that is within the agreement.
    await story.use('02-01', 10, { ms: 100, status: 200 });
    const own = (meter: string) => ({ overrides: [{ price: 'calls', sla_credit: { meter, tiers: [{ above: '50', percent: '50' }] } }], when: 'period_end' });
    expect(await story.refused(`POST /v1/subscriptions/${subscription}/change`, own('none'))).toEqual(['/overrides/0/sla_credit/meter unknown_meter']);
    await story.ok(`POST /v1/subscriptions/${subscription}/change`, own('latency'), 200);
    await story.advance('2027-03-02');
    expect(shown(await story.latest())).toEqual(['60.00', 'usage of 02: 10 for 10.00', 'usage of 02: 10 for 10.00', 'adjustment of 01: 0 for 40.00']);
    await story.use('03-01', 10, { ms: 100, status: 200 });
    await story.advance('2027-04-02');
    expect(shown(await story.latest())).toEqual(['15.00', 'usage of 03: 10 for 5.00', 'usage of 03: 10 for 10.00']); // 100 is above the 50 of its own.
    const tried = await story.ok<{ total: { plan: string } }>('POST /v1/pricing/backtest', { plan: 'agreed', from: '2027-01-01T00:00:00Z', to: '2027-02-01T00:00:00Z' }, 200);
    expect(tried.total.plan).toBe('152.00'); // 80 less 8, and 80.
    expect(await product.verifyInvoices(story)).toEqual([3]);
    const unknown = { ...price(perUnit('1'), { sla_credit: { meter: 'none', per: 'nothing', tiers: [{ above: '1', percent: '1' }] } }) };
    expect(await story.refused('POST /v1/plans', planOf('bad', [unknown]))).toEqual(['/prices/0/sla_credit/meter unknown_meter', '/prices/0/sla_credit/per unknown_meter']);
  }, 240_000);

  it.concurrent('are tried out, and refused with a pointer and the way to mend them', async () => {
    const story = await Story.begin(product, 'Trials');
    const simulate = async (terms: object, given: object) => (await story.ok<{ amount: string }>('POST /v1/pricing/simulate', { price: { type: 'usage', model: perUnit('1'), ...terms }, currency: 'USD', ...given }, 200)).amount;
    expect(await simulate({ included_units: 100, rollover: { maximum_units: 30.5 } }, { quantity: 250, earlier: { quantity: 60 } })).toBe('119.50');
    expect(await simulate({ included_units: 100, tier_period: 'P1Y' }, { events: [{ value: 90 }], earlier: { events: [{ value: 60 }] } })).toBe('50.00');
    expect(await simulate({ sla_credit: { tiers: [{ above: 0.1, percent: 12.5 }] } }, { quantity: 80, sla_value: 0.2 })).toBe('70.00');
    const twice = { sla_credit: { meter: 'calls', tiers: [{ above: '2', percent: '101' }, { above: '1', percent: '1' }, { below: '3', percent: '1' }] } };
    expect(await story.refused('POST /v1/plans', planOf('bad', [price(perUnit('1'), { rollover: {} }), { ...price(perUnit('1'), { included_units: '1', rollover: { maximum_units: '-1' } }), key: 'b' }, { ...price(perUnit('1'), twice), key: 'c' }]))).toEqual([
      '/prices/0/rollover missing_field', '/prices/1/rollover/maximum_units negative_amount',
      '/prices/2/sla_credit/tiers/0/percent number_out_of_range', '/prices/2/sla_credit/tiers/1/above tiers_unsorted', '/prices/2/sla_credit/tiers/2/below not_allowed',
    ]);
    const lost = { price: { type: 'usage', model: perUnit('1') }, currency: 'USD', quantity: '1', earlier: { quantity: '1', events: [{ value: 'x' }] }, sla_value: '1' };
    expect(await story.refused('POST /v1/pricing/simulate', lost)).toEqual(['/earlier not_allowed', '/sla_value not_allowed']);
  });
});
