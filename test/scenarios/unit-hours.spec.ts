import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '#testing';
import { eventually, Product } from './product.js';

// Goal: unit-hours of gauges from events to invoices: carried in, growing with time alone, corrected late, moved between customers. Method:
// one organization over four months of its clock, with gigabytes stored in two folders of a disk and seats; each amount by hand.
//
// Stored: 10,000 GB-hours free, then 0.0002 each. Seats: 12.00 for each 744 seat-hours.

interface Line { readonly kind: string; readonly price_key: string; readonly quantity: string; readonly amount: string; readonly period: { readonly start: string } }
interface Invoice { readonly status: string; readonly total: string; readonly lines: readonly Line[] }
interface UsageRow { readonly window_start: string; readonly group: Record<string, string>; readonly value: string }

describeWith('clickhouse', 'unit-hours of gauges', () => {
  let product: Product;
  let events = 0;
  beforeAll(async () => {
    product = await Product.start();
    await product.expect(200, 'POST /v1/test-clock', { body: { now: '2026-12-20T00:00:00Z' } });
    await product.expect(201, 'POST /v1/meters', { body: { key: 'stored', name: 'Stored', event_type: 'disk', aggregation: 'time_weighted_sum', value: '$.gb', group_by: { folder: '$.folder' }, unit: 'GB-hour' } });
    await product.expect(201, 'POST /v1/meters', { body: { key: 'seats', name: 'Seats', event_type: 'seats', aggregation: 'time_weighted_sum', value: '$.taken', unit: 'seat-hour' } });
    const stored = { key: 'stored', name: 'Storage', type: 'usage', meter: 'stored', included_units: '10000', model: { type: 'per_unit', unit_amount: '0.0002' } };
    const seats = { key: 'seats', name: 'Seats', type: 'usage', meter: 'seats', unit_conversion: { divide_by: '744', rounding: 'none' }, model: { type: 'per_unit', unit_amount: '12' } };
    await product.expect(201, 'POST /v1/plans', { body: { key: 'team', name: 'Team', currency: 'USD', billing_period: 'P1M', prices: [stored, seats] } });
    await product.expect(201, 'POST /v1/customers', { body: { key: 'acme', name: 'Acme', currency: 'USD', subjects: ['disk-1', 'office'] } });
    await product.expect(201, 'POST /v1/customers', { body: { key: 'brook', name: 'Brook', currency: 'USD' } });
    await store('photos', 50, '2026-12-20T00:00:00Z');
    await advance('2027-01-01T00:00:00Z');
    for (const customer of ['acme', 'brook']) await product.expect(201, 'POST /v1/subscriptions', { body: { customer, plan: 'team' } });
    await seat(5, '2027-01-01T00:00:00Z');
  }, 120_000);
  afterAll(async () => product?.dispose(), 90_000);

  const tell = (event: object): Promise<unknown> => product.expect(202, 'POST /v1/events', { body: { id: `set_${(events += 1)}`, ...event } });
  const store = (folder: string, gb: number, time: string) => tell({ type: 'disk', subject: 'disk-1', time, data: { folder, gb } });
  const seat = (taken: number, time: string) => tell({ type: 'seats', subject: 'office', time, data: { taken } });
  const advance = (to: string) => product.expect(200, 'POST /v1/test-clock/advance', { body: { to } });
  const shown = ({ total, lines }: Invoice): string[] => [total, ...lines.map(({ price_key: price, kind, quantity, amount, period }) => `${kind} of ${period.start.slice(5, 7)}: ${quantity} ${price} for ${amount}`)];
  const upcoming = async (): Promise<string[]> => shown(await product.expect<Invoice>(200, 'GET /v1/customers/acme/upcoming-invoice'));
  /** A reader that waits in vain for a rating on a busy machine gets the one before. */
  const upcomingBecomes = async (lines: readonly string[]): Promise<void> => {
    let seen: string[] = [];
    await eventually('the upcoming invoice is rated', async () => (seen = await upcoming()).join() === lines.join()).catch(() => undefined);
    expect(seen).toEqual(lines);
  };
  const latest = async (customer: string): Promise<string[]> => {
    const [invoice] = (await product.expect<{ data: Invoice[] }>(200, `GET /v1/invoices?customer=${customer}&limit=1`)).data;
    return invoice === undefined ? [] : shown(invoice);
  };
  const usage = async (meter: string, query: string): Promise<string[]> =>
    (await product.expect<{ data: UsageRow[] }>(200, `GET /v1/meters/${meter}/usage?${query}`)).data.map(({ window_start: start, group, value }) => [start.slice(5, 10), ...Object.values(group), value].join(' '));

  it('grow in the open period without any event, and the upcoming invoice with them', async () => {
    await advance('2027-01-11T00:00:00Z');
    // 50 GB × 240 h − 10,000 = 2,000. 5 × 240 / 744 × 12 = 19.354…
    await upcomingBecomes(['19.75', 'usage of 01: 12000 stored for 0.40', 'usage of 01: 1200 seats for 19.35']);
    await advance('2027-01-11T05:00:00Z');
    await upcomingBecomes(['20.21', 'usage of 01: 12250 stored for 0.45', 'usage of 01: 1225 seats for 19.76']); // 5 × 245 / 744 × 12 = 19.758…
    const rated = await product.expect<{ data: { day: string; quantity: string }[] }>(200, 'GET /v1/rated-usage?from=2027-01-09T00:00:00Z&to=2027-02-01T00:00:00Z&customer=acme&price=stored&group_by=day');
    expect(rated.data.map(({ day, quantity }) => `${day} ${quantity}`)).toEqual(['2027-01-09 1200', '2027-01-10 1200', '2027-01-11 250']);
    expect(await usage('stored', 'from=2027-01-09T00:00:00Z&to=2027-02-01T00:00:00Z&customer=acme&window=day')).toEqual(['01-09 1200', '01-10 1200', '01-11 250']);
  }, 60_000);

  it('are billed to the cent when the period is over', async () => {
    await store('photos', 100, '2027-01-11T00:00:00Z');
    await advance('2027-01-16T12:00:00Z');
    await store('logs', 20, '2027-01-16T12:00:00Z');
    await seat(8, '2027-01-16T00:00:00Z');
    await advance('2027-02-10T00:00:00Z');
    // 50 × 240 + 100 × 504 + 20 × 372 = 69,840: 59,840 × 0.0002 = 11.968. 5 × 360 + 8 × 384 = 4,872: 78.580…
    expect(await latest('acme')).toEqual(['90.55', 'usage of 01: 69840 stored for 11.97', 'usage of 01: 4872 seats for 78.58']);
    expect(await usage('stored', 'from=2027-01-01T00:00:00Z&to=2027-02-01T00:00:00Z&customer=acme&group_by=folder')).toEqual(['01-01 logs 7440', '01-01 photos 62400']);
    await upcomingBecomes(['31.05', 'usage of 02: 25920 stored for 3.18', 'usage of 02: 1728 seats for 27.87']); // 120 × 216; 8 × 216 / 744 × 12
  }, 60_000);

  it('change in a closed period and in those after it where an event comes late', async () => {
    await store('photos', 60, '2027-01-21T00:00:00Z');
    await advance('2027-03-02T00:00:00Z');
    // January: 50 × 240 + 100 × 240 + 60 × 264 + 7,440 = 59,280, less 10,000: 9.856, and 11.97 was billed. February: 80 × 672 − 10,000.
    expect(await latest('acme')).toEqual(['93.35', 'usage of 02: 53760 stored for 8.75', 'usage of 02: 5376 seats for 86.71', 'adjustment of 01: -10560 stored for -2.11']);
  }, 60_000);

  it('go with a subject that moves at an instant', async () => {
    await advance('2027-03-10T12:00:00Z');
    await product.expect(201, 'POST /v1/customers/brook/subjects', { body: { subject: 'disk-1', effective_at: '2027-03-10T12:00:00Z' } });
    await advance('2027-04-02T00:00:00Z');
    // 80 GB: 228 hours are Acme's, 516 Brook's.
    expect(await latest('acme')).toEqual(['97.65', 'usage of 03: 18240 stored for 1.65', 'usage of 03: 5952 seats for 96.00']);
    expect(await latest('brook')).toEqual(['6.26', 'usage of 03: 41280 stored for 6.26', 'usage of 03: 0 seats for 0.00']);
    expect(await usage('stored', 'from=2027-03-01T00:00:00Z&to=2027-04-01T00:00:00Z')).toEqual(['03-01 59520']); // 80 × 744
  }, 60_000);

  it('are the same from raw events, are tried out and backtested', async () => {
    const verified = await product.expect<{ equal: boolean }>(200, 'GET /v1/meters/stored/verify?from=2027-01-01T00:00:00Z&to=2027-04-01T00:00:00Z');
    expect(verified.equal).toBe(true);
    const tried = await product.expect<{ value: string; groups: unknown }>(200, 'POST /v1/meters/try', { body: { event_type: 'disk', aggregation: 'time_weighted_sum', value: '$.gb', group_by: { folder: '$.folder' }, from: '2027-03-01T00:00:00Z', to: '2027-04-01T00:00:00Z' } });
    expect([tried.value, tried.groups]).toEqual(['59520', [{ group: { folder: 'photos' }, value: '44640' }, { group: { folder: 'logs' }, value: '14880' }]]);
    const backtest = await product.expect<{ total: { plan: string; compared: { current: string } } }>(200, 'POST /v1/pricing/backtest', { body: { plan: 'team', customers: ['acme'], from: '2027-03-01T00:00:00Z', to: '2027-04-01T00:00:00Z' } });
    expect([backtest.total.plan, backtest.total.compared.current]).toEqual(['97.65', '97.65']);
    const price = { type: 'usage', meter: 'stored', included_units: '10000', model: { type: 'per_unit', unit_amount: '0.0002' } };
    const simulated = await product.expect<{ amount: string }>(200, 'POST /v1/pricing/simulate', { body: { price, currency: 'USD', events: [{ value: 80, hours: 228 }] } });
    expect(simulated.amount).toBe('1.65');
    expect(await product.verifyInvoices()).toEqual([6]);
  }, 60_000);

  it('are refused with a pointer and the way to mend them', async () => {
    const faultsOf = async (route: string, body: unknown): Promise<string[]> => (await product.expect<{ errors: { pointer: string; code: string }[] }>(422, route, { body })).errors.map(({ pointer, code }) => `${pointer} ${code}`);
    expect(await faultsOf('POST /v1/meters', { key: 'bad', name: 'Bad', event_type: 'disk', aggregation: 'time_weighted_sum', percentile: '5' })).toEqual(['/value missing_field', '/percentile not_allowed']);
    expect(await faultsOf('POST /v1/meters', { key: 'bad', name: 'Bad', event_type: 'disk', aggregation: 'time_weighted_sum', value: 'data.a ? "x" : "y"' })).toEqual(['/value invalid_expression']);
    expect(await faultsOf('POST /v1/plans', { key: 'bad', name: 'Bad', currency: 'USD', billing_period: 'P1M', prices: [{ key: 'p', name: 'P', type: 'usage', meter: 'stored', model: { type: 'percentage', rate: '1' } }] })).toEqual(['/prices/0/model/type meter_not_sum']);
    const price = { type: 'usage', meter: 'stored', model: { type: 'per_unit', unit_amount: '1' } };
    expect(await faultsOf('POST /v1/pricing/simulate', { price, currency: 'USD', events: [{ value: '1' }] })).toEqual(['/events/0/hours missing_field']);
    expect(await faultsOf('POST /v1/pricing/simulate', { price: { ...price, meter: undefined }, currency: 'USD', events: [{ value: '1', hours: '1' }] })).toEqual(['/events/0/hours not_allowed']);
    expect(await faultsOf('POST /v1/pricing/simulate', { price, currency: 'USD', events: [{ value: '1', hours: '-1' }, { value: '1', hours: 'x' }] })).toEqual(['/events/0/hours number_out_of_range', '/events/1/hours invalid_decimal']);
  });
});
