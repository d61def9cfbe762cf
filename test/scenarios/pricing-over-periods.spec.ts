import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '#testing';
import { Product } from './product.js';

// Goal: what looks beyond its own period, from events to invoices: units that roll over, and tiers that count on. Method: one running product, an organization
// with a clock of its own for each story; a few events a month, each amount by hand beside it.

interface Line { readonly kind: string; readonly quantity: string; readonly amount: string; readonly period: { readonly start: string }; readonly unrounded_amount: string; readonly trace: readonly { step: string; detail: string; amount: string }[] }
interface Invoice { readonly total: string; readonly lines: readonly Line[] }
interface Refused { readonly errors: readonly { readonly pointer: string; readonly code: string; readonly detail: string }[] }

describeWith('clickhouse', 'prices that look beyond their period', () => {
  let product: Product;
  let key: string;
  let events = 0;
  beforeAll(async () => {
    product = await Product.start();
  }, 120_000);
  afterAll(async () => product?.dispose(), 90_000);

  const ok = <Body = Record<string, unknown>>(route: string, body?: unknown, status = 201) => product.expect<Body>(status, route, { key, ...(body === undefined ? {} : { body }) });
  const advance = (to: string) => ok('POST /v1/test-clock/advance', { to: `${to}T00:00:00Z` }, 200);
  const perUnit = (unitAmount: string) => ({ type: 'per_unit', unit_amount: unitAmount });
  const price = (model: object, more: object) => ({ key: 'calls', name: 'Calls', type: 'usage', meter: 'calls', model, ...more });
  const use = (day: string, n: number, data: object = {}) => ok('POST /v1/events', [{ id: `call_${(events += 1)}`, type: 'call', subject: 'acme-1', time: `2027-${day}T00:00:00Z`, data: { n, ...data } }], 202);
  const planOf = (name: string, prices: readonly object[]) => ({ key: name, name, currency: 'USD', billing_period: 'P1M', prices });
  const upcoming = async () => (await ok<Invoice>('GET /v1/customers/acme/upcoming-invoice', undefined, 200)).total;
  const latest = async (): Promise<Invoice> => {
    const [invoice] = (await ok<{ data: Invoice[] }>('GET /v1/invoices?customer=acme&limit=1', undefined, 200)).data;
    for (const line of invoice?.lines ?? []) expect(line.trace.at(-1)?.amount ?? '').toBe(line.unrounded_amount);
    return invoice ?? { total: '', lines: [] };
  };
  const shown = ({ total, lines }: Invoice) => [total, ...lines.map(({ kind, quantity, amount, period }) => `${kind} of ${period.start.slice(5, 7)}: ${quantity} for ${amount}`)];

  /** An organization of its own, with a customer and the meters of all stories, in January. */
  async function story(name: string): Promise<void> {
    ({ api_key: { secret: key } } = await product.expect<{ api_key: { secret: string } }>(201, 'POST /v1/organizations', { body: { name, mode: 'test' } }));
    await ok('POST /v1/test-clock', { now: '2027-01-01T00:00:00Z' }, 200);
    await ok('POST /v1/meters', { key: 'calls', name: 'Calls', event_type: 'call', aggregation: 'sum', value: '$.n' });
    await ok('POST /v1/customers', { key: 'acme', name: 'Acme', currency: 'USD', subjects: ['acme-1'] });
  }

  it('carry unused units into the next period, and late usage with them', async () => {
    await story('Rollover');
    const rolling = (unitAmount: string) => price(perUnit(unitAmount), { included_units: 100, rollover: { maximum_units: 80 } });
    await ok('POST /v1/plans', planOf('rolling', [rolling('1')]));
    await ok('POST /v1/plans', planOf('other', [rolling('1')]));
    const { id: subscription } = await ok<{ id: string }>('POST /v1/subscriptions', { customer: 'acme', plan: 'rolling' });
    await use('01-01', 60);
    await advance('2027-02-10');
    expect(shown(await latest())).toEqual(['0.00', 'usage of 01: 60 for 0.00']);
    await use('02-05', 150);
    await advance('2027-02-11');
    expect(await upcoming()).toBe('10.00'); // 150 − 100 − (100 − 60)
    await advance('2027-03-02');
    expect(shown(await latest())).toEqual(['10.00', 'usage of 02: 150 for 10.00']);
    await use('01-20', 30); // January left 10, and not 40: 30 more of February are to be paid.
    await use('03-01', 70);
    await advance('2027-03-20');
    await product.expect(200, 'PATCH /v1/plans/rolling', { key, body: { prices: [rolling('2')] } });
    await ok('POST /v1/plans/rolling/migrate', { to_version: 2, when: 'period_end' }, 200);
    await advance('2027-04-02');
    expect(shown(await latest())).toEqual(['30.00', 'usage of 03: 70 for 0.00', 'adjustment of 01: 30 for 0.00', 'adjustment of 02: 0 for 30.00']);
    const rated = await ok<{ data: { amount: string; state: string }[] }>('GET /v1/rated-usage?from=2027-01-01T00:00:00Z&to=2027-04-01T00:00:00Z&group_by=price', undefined, 200);
    expect(rated.data.map(({ state, amount }) => `${state} ${amount}`).toSorted()).toEqual(['adjustment 0.00', 'adjustment 30.00', 'closed 10.00']);
    await use('04-01', 150);
    await advance('2027-05-02');
    expect(shown(await latest())).toEqual(['40.00', 'usage of 04: 150 for 40.00']); // (150 − 100 − 30 of the version before) × 2
    expect((await latest()).lines[0]?.trace.find(({ step }) => step === 'rollover')?.detail).toBe('50 less 30 rolled over from the period before leaves 20');
    await use('05-01', 20);
    await ok(`POST /v1/subscriptions/${subscription}/change`, { plan: 'other', when: 'period_end' }, 200);
    await advance('2027-06-02');
    await use('06-01', 150);
    await advance('2027-07-02');
    expect(shown(await latest())).toEqual(['50.00', 'usage of 06: 150 for 50.00']); // What was left under another plan is gone.
    // January 90 of 100, February 150 − 100 − 10, at 1.
    const tried = await ok<{ total: { plan: string } }>('POST /v1/pricing/backtest', { plan: 'rolling', version: 1, from: '2027-01-01T00:00:00Z', to: '2027-03-01T00:00:00Z' }, 200);
    expect(tried.total.plan).toBe('40.00');
  }, 120_000);

  it('count on through tiers for a quarter, down to late usage', async () => {
    await story('Tier period');
    const tiers = (upTo: string, first: string, rest: string) => [{ up_to: upTo, unit_amount: first }, { up_to: null, unit_amount: rest }];
    const calls = price({ type: 'graduated', tiers: tiers('100', '1', '0.5') }, { tier_period: 'P3M', included_units: '20' });
    const bulk = { ...price({ type: 'volume', tiers: tiers('70', '3', '1') }, { tier_period: 'P3M' }), key: 'bulk', name: 'Bulk' };
    await ok('POST /v1/plans', planOf('counting', [calls, bulk]));
    await ok('POST /v1/plans', planOf('other', [calls, bulk]));
    const { id: subscription } = await ok<{ id: string }>('POST /v1/subscriptions', { customer: 'acme', plan: 'counting' });
    await use('01-01', 60);
    await advance('2027-02-10');
    expect(shown(await latest())).toEqual(['220.00', 'usage of 01: 60 for 40.00', 'usage of 01: 60 for 180.00']); // 60 − 20; 60 × 3
    await use('02-05', 90);
    await advance('2027-02-11');
    expect(await upcoming()).toBe('45.00'); // 130: 100 + 15 − 40; 150 × 1 − 180
    await advance('2027-03-02');
    expect(shown(await latest())).toEqual(['45.00', 'usage of 02: 90 for 75.00', 'usage of 02: 90 for -30.00']);
    const ofFebruary = await ok<{ data: { price_key: string; quantity: string; amount: string; day: string }[] }>('GET /v1/rated-usage?from=2027-02-01T00:00:00Z&to=2027-03-01T00:00:00Z&group_by=price,day', undefined, 200);
    expect(ofFebruary.data.filter(({ quantity }) => quantity !== '0').map((row) => [row.price_key, row.day, row.quantity, row.amount]).toSorted()).toEqual([['bulk', '2027-02-05', '90', '-30.00'], ['calls', '2027-02-05', '90', '75.00']]);
    await use('01-20', 10); // January 50 and 70 × 3; February 140: 120 − 50, and 160 − 210.
    await use('03-01', 20); // 160: 130 − 120; 180 − 160
    await product.expect(200, 'PATCH /v1/plans/counting', { key, body: { prices: [calls, { ...bulk, name: 'In bulk' }] } });
    await ok('POST /v1/plans/counting/migrate', { to_version: 2, when: 'now' }, 200); // Cuts March at its second day, and not the count.
    await use('03-02', 10); // 170: 135 − 130; 190 − 180
    await advance('2027-03-03');
    expect(shown(await latest())).toEqual([
      '45.00', 'usage of 03: 20 for 10.00', 'usage of 03: 20 for 20.00',
      'adjustment of 01: 10 for 10.00', 'adjustment of 01: 10 for 30.00', 'adjustment of 02: 0 for -5.00', 'adjustment of 02: 0 for -20.00',
    ]);
    await advance('2027-04-02');
    expect(shown(await latest())).toEqual(['15.00', 'usage of 03: 10 for 5.00', 'usage of 03: 10 for 10.00']);
    await use('04-01', 30);
    await ok(`POST /v1/subscriptions/${subscription}/change`, { plan: 'other', when: 'period_end' }, 200);
    await advance('2027-05-02');
    expect(shown(await latest())).toEqual(['100.00', 'usage of 04: 30 for 10.00', 'usage of 04: 30 for 90.00']); // The next quarter, from tier 0.
    await use('05-01', 30);
    await advance('2027-06-02');
    expect(shown(await latest())).toEqual(['100.00', 'usage of 05: 30 for 10.00', 'usage of 05: 30 for 90.00']); // The next plan, from tier 0.
    const tried = await ok<{ total: { plan: string } }>('POST /v1/pricing/backtest', { plan: 'counting', from: '2027-01-01T00:00:00Z', to: '2027-04-01T00:00:00Z' }, 200);
    expect(tried.total.plan).toBe('325.00'); // 135 + 190
    const { errors } = await ok<Refused>('POST /v1/plans', planOf('bad', [{ ...calls, tier_period: 'P4W' }, { ...bulk, bucket: 'day' }]), 422);
    expect(errors.map(({ pointer, code }) => `${pointer} ${code}`)).toEqual(['/prices/1/tier_period not_allowed']);
    const second = await ok<Refused>('POST /v1/plans', planOf('bad', [{ ...calls, tier_period: 'P4W' }]), 422);
    expect(second.errors.map(({ pointer, code }) => `${pointer} ${code}`)).toEqual(['/prices/0/tier_period invalid_interval']);
  }, 120_000);

  it('are tried out, and refused with a pointer and the way to mend them', async () => {
    const simulated = await ok<{ amount: string }>('POST /v1/pricing/simulate', { price: { type: 'usage', model: perUnit('1'), included_units: 100, rollover: { maximum_units: 30.5 } }, currency: 'USD', quantity: 250, earlier: { quantity: 60 } }, 200);
    expect(simulated.amount).toBe('119.50');
    const unsound = planOf('bad', [price(perUnit('1'), { rollover: {} }), { ...price(perUnit('1'), { included_units: '1', rollover: { maximum_units: '-1' } }), key: 'b' }]);
    const { errors } = await ok<Refused>('POST /v1/plans', unsound, 422);
    expect(errors.map(({ pointer, code }) => `${pointer} ${code}`).toSorted()).toEqual(['/prices/0/rollover missing_field', '/prices/1/rollover/maximum_units negative_amount']);
    const lost = await ok<Refused>('POST /v1/pricing/simulate', { price: { type: 'usage', model: perUnit('1') }, currency: 'USD', quantity: '1', earlier: { quantity: '1', events: [{ value: 'x' }] } }, 422);
    expect(lost.errors.map(({ pointer, code }) => `${pointer} ${code}`)).toEqual(['/earlier not_allowed']);
  });
});
