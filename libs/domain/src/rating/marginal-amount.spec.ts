import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RateablePrice } from '../catalog/price.js';
import type { Aggregation } from '../metering/meter.js';
import { decimal, sumOf, toPlain } from '../money/decimal.js';
import { chargeEvents, noEventsYet } from './charge-events.js';
import { marginalAmount } from './marginal-amount.js';
import type { GroupUsage } from './pool-usage.js';
import { rateExactly } from './rate-exactly.js';
import { noNote } from './trace.js';

// Goal: what a little more costs. Method: one price and what was used, the difference by hand.
const base: RateablePrice = { type: 'usage', meter: 'calls', model: { type: 'per_unit', unit_amount: '0.002' } };
const graduated: RateablePrice = { ...base, model: { type: 'graduated', tiers: [{ up_to: '100', unit_amount: '0.01', flat_amount: '5' }, { up_to: null, unit_amount: '0.005' }] } };
const used = (quantity: string, more: Partial<GroupUsage> = {}): GroupUsage => ({ group: {}, quantity: decimal(quantity), ...more });

interface Asked {
  readonly group?: Record<string, string>;
  readonly aggregation?: Aggregation;
  readonly bucket?: string;
}

function added(price: RateablePrice, usage: readonly GroupUsage[], quantity: string, { group = {}, aggregation = 'count', bucket }: Asked = {}): string {
  const found = marginalAmount({ price, currency: 'USD', aggregation, usage, quantity: decimal(quantity), group, bucket: bucket === undefined ? null : Temporal.Instant.from(bucket) });
  return 'amount' in found ? toPlain(found.amount) : found.unknown;
}

describe('what a quantity more adds', () => {
  it.each<[string, RateablePrice, string, string, string]>([
    ['a unit price', base, '500', '1', '0.002'],
    ['nothing more', base, '500', '0', '0'],
    ['included units', { ...base, included_units: '1000' }, '999', '1', '0'],
    ['the first unit beyond them', { ...base, included_units: '1000' }, '1000', '1', '0.002'],
    ['what crosses them', { ...base, included_units: '1000' }, '998', '5', '0.006'], // 3 × 0.002
    ['a discount', { ...base, discount: { percent: '25' } }, '10', '2', '0.003'], // 2 × 0.002 × 0.75
    ['a cap that is near', { ...base, maximum_amount: '0.009' }, '4', '2', '0.001'], // 0.009 - 0.008
    ['a cap that is reached', { ...base, maximum_amount: '0.009' }, '50', '2', '0'],
    ['a minimum that is not reached', { ...base, minimum_amount: '1' }, '10', '5', '0'],
    ['a minimum that is', { ...base, minimum_amount: '1' }, '499', '3', '0.004'], // 502 × 0.002 - 1
    ['a tier', graduated, '50', '2', '0.02'],
    ['what crosses a tier', graduated, '99', '3', '0.02'], // 1 × 0.01 + 2 × 0.005
    ['a started package', { ...base, model: { type: 'package', package_size: '100', package_amount: '3' } }, '100', '1', '3'],
    ['one that has room', { ...base, model: { type: 'package', package_size: '100', package_amount: '3' } }, '98', '2', '0'],
    ['a volume that gets cheaper', { ...base, model: { type: 'volume', tiers: [{ up_to: '10', unit_amount: '2' }, { up_to: null, unit_amount: '1' }] } }, '10', '1', '-9'], // 11 × 1 - 10 × 2
    ['a conversion', { ...base, unit_conversion: { divide_by: '1000', rounding: 'up' } }, '1000', '1', '0.002'],
  ])('of %s', (_name, price, before, quantity, amount) => {
    expect(added(price, [used(before)], quantity)).toBe(amount);
  });

  it('is the first unit’s where nothing was used yet', () => {
    expect(added(base, [], '1')).toBe('0.002');
    expect(added(graduated, [], '1')).toBe('0.01'); // The flat part is owed at quantity 0 too.
  });

  it('is charged as one event of a percentage, after those that came', () => {
    const model = { type: 'percentage' as const, rate: '2.9', fixed_amount: '0.30', free_events: 1 };
    const price: RateablePrice = { ...base, model };
    const charged = chargeEvents(noEventsYet, [decimal('50')], model);
    expect(added(price, [], '100', { aggregation: 'sum' })).toBe('0'); // The free one.
    expect(added(price, [{ group: {}, quantity: charged.quantity, charged }], '100', { aggregation: 'sum' })).toBe('3.2'); // 100 × 2.9 % + 0.30
  });

  it('lies in its own hour', () => {
    const hours: RateablePrice = { ...base, bucket: 'hour', model: { type: 'package', package_size: '10', package_amount: '1' } };
    const usage = [used('9', { bucket: Temporal.Instant.from('2027-01-01T10:00:00Z') }), used('10', { bucket: Temporal.Instant.from('2027-01-01T11:00:00Z') })];
    expect(added(hours, usage, '1', { bucket: '2027-01-01T10:00:00Z' })).toBe('0');
    expect(added(hours, usage, '1', { bucket: '2027-01-01T11:00:00Z' })).toBe('1');
    expect(added(hours, usage, '1', { bucket: '2027-01-01T12:00:00Z' })).toBe('1');
  });

  it('is by its group, and unknown without it', () => {
    const grouped: RateablePrice = { ...base, group_by: ['region'], included_units: '10' };
    const usage = [used('10', { group: { region: 'eu' } }), used('3', { group: { region: 'us' } })];
    expect(added(grouped, usage, '1')).toBe('depends_on_group');
    expect(added(grouped, usage, '1', { group: { region: 'eu' } })).toBe('0.002');
    expect(added(grouped, usage, '1', { group: { region: 'us' } })).toBe('0');
    expect(added(grouped, usage, '12', { group: { region: 'ap' } })).toBe('0.004'); // 2 × 0.002
    const matrix: RateablePrice = { ...base, model: { type: 'matrix', dimensions: ['region'], cells: [{ when: { region: 'eu' }, model: { type: 'per_unit', unit_amount: '0.02' } }], default: null } };
    expect(added(matrix, usage, '1')).toBe('depends_on_group');
    expect(added(matrix, usage, '2', { group: { region: 'eu' } })).toBe('0.04');
    expect(added(matrix, usage, '2', { group: { region: 'us' } })).toBe('0');
  });

  it('is unknown where the event itself says it, or where the meter does not add up', () => {
    expect(added({ ...base, model: { type: 'dynamic', amount: '$.cost' } }, [], '1')).toBe('depends_on_event');
    for (const aggregation of ['min', 'max', 'avg', 'percentile'] as const) expect(added(base, [used('5')], '1', { aggregation })).toBe('depends_on_value');
    for (const aggregation of ['unique_count', 'latest', 'time_weighted_sum'] as const) expect(added(base, [used('5')], '1', { aggregation })).toBe('0.002');
  });

  it('adds up to what the period asks, however it is cut', () => {
    const quantities = fc.array(fc.integer({ min: 0, max: 400 }).map((cents) => decimal(String(cents)).div(decimal('4'))), { minLength: 1, maxLength: 8 });
    const prices = fc.constantFrom(base, graduated, { ...graduated, included_units: '30', maximum_amount: '6', discount: { percent: '10' } }, { ...base, minimum_amount: '0.3' });
    fc.assert(fc.property(prices, quantities, (price, parts) => {
      const amountOf = (quantity: ReturnType<typeof decimal>) => rateExactly({ price, currency: 'USD', usage: [{ group: {}, quantity }], note: noNote }).amount;
      let reached = decimal('0');
      const steps = parts.map((quantity) => {
        const found = marginalAmount({ price, currency: 'USD', aggregation: 'sum', usage: [{ group: {}, quantity: reached }], quantity, group: {}, bucket: null });
        reached = reached.plus(quantity);
        return 'amount' in found ? found.amount : expect.unreachable('The price is of one quantity.');
      });
      expect(toPlain(sumOf(steps, (step) => step))).toBe(toPlain(amountOf(reached).minus(amountOf(decimal('0')))));
    }));
  });
});
