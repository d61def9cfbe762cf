import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RateablePrice } from '../catalog/price.js';
import { decimal } from '../money/decimal.js';
import type { GroupUsage } from './pool-usage.js';
import { bucketDayAmounts } from './rate-bucket-days.js';
import { rateDays } from './rate-days.js';
import { rateAmountMinor } from './rate-price.js';

// Goal: a month of hours that is rated once comes to what rating each of its days from the start comes to. Method: random days of hours
// in two groups, with corrections, under random prices with buckets; the other side rates all usage until each day's end anew.

const start = Temporal.Instant.from('2027-01-01T00:00:00Z');
const quantities = fc.oneof(fc.integer({ min: -5, max: 30 }).map(String), fc.constantFrom('0', '10', '10.5', '0.000000000000000001'));
const hours = fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom('eu', 'us'), quantities), { maxLength: 4, selector: ([hour, region]) => `${hour} ${region}` });
const tiers = [{ up_to: '10', unit_amount: '2', flat_amount: '0.5' }, { up_to: null, unit_amount: '1.005' }];
const models: RateablePrice['model'][] = [
  { type: 'flat', amount: '3' }, { type: 'per_unit', unit_amount: '0.333' }, { type: 'package', package_size: '7', package_amount: '2' }, { type: 'graduated', tiers }, { type: 'volume', tiers },
  { type: 'stairstep', tiers: [{ up_to: '10', amount: '1' }, { up_to: null, amount: '5' }] }, { type: 'graduated_percentage', tiers: [{ up_to: '10', rate: '20' }, { up_to: null, rate: '7.7' }] },
];
const matrix: RateablePrice['model'] = { type: 'matrix', dimensions: ['region'], cells: [{ when: { region: 'eu' }, model: { type: 'volume', tiers } }], default: null };
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const prices = fc
  .record({
    model: fc.constantFrom(...models, matrix), grouped: fc.boolean(), included: optional(fc.constantFrom('0', '5', '40.5')), rolls: fc.boolean(), divideBy: optional(fc.constantFrom('3', '0.7')),
    rounding: fc.constantFrom('none' as const, 'up' as const), percent: optional(fc.constantFrom('10', '100')), off: optional(fc.constantFrom('1', '20')), maximum: optional(fc.constantFrom('30')), isProrated: fc.boolean(),
  })
  .map(({ model, grouped, included, rolls, divideBy, rounding, percent, off, maximum, isProrated }): RateablePrice => ({
    type: 'usage', bucket: 'hour', model, prorate: isProrated,
    ...(grouped && model.type !== 'matrix' && { group_by: ['region'] }),
    ...(included !== undefined && model.type !== 'matrix' && { included_units: included, ...(rolls && { rollover: {} }) }),
    ...(divideBy !== undefined && { unit_conversion: { divide_by: divideBy, rounding } }),
    ...((percent ?? off) !== undefined && { discount: { ...(percent !== undefined && { percent }), ...(off !== undefined && { amount: off }) } }),
    ...(maximum !== undefined && { maximum_amount: maximum }),
  }));

function daysOf(hoursOfDays: readonly (readonly (readonly [number, string, string])[])[]): GroupUsage[][] {
  const soFar: GroupUsage[] = [];
  return hoursOfDays.map((ofDay, day) => {
    soFar.push(...ofDay.map(([hour, region, quantity]) => ({ group: { region }, quantity: decimal(quantity), bucket: start.add({ hours: 24 * day + hour }) })));
    return [...soFar];
  });
}

describe('days of a price by hours', () => {
  it('go on from each other, and come to what all until their end comes to', () => {
    fc.assert(fc.property(prices, fc.array(hours, { minLength: 1, maxLength: 6 }), fc.constantFrom('0', '3', '60'), (price, hoursOfDays, before) => {
      const days = daysOf(hoursOfDays);
      const previous = { price, usage: [{ group: { region: 'eu' }, quantity: decimal(before), bucket: start.subtract({ hours: 5 }) }] };
      const input = { price, currency: 'USD', rounding: 'half_away_from_zero' as const, fraction: { numerator: 21n, denominator: 31n }, around: { previous } };
      const anew = days.map((usage) => rateAmountMinor({ ...input, usage }));
      expect(bucketDayAmounts(input, days)).toEqual(anew);
      // The same through the days, where copies of the usage are rated by themselves.
      const dated = (copy: boolean) => days.map((cumulative, index) => ({ day: String(index), cumulative: copy ? cumulative.map((entry) => ({ ...entry })) : cumulative }));
      expect(rateDays({ ...input, days: dated(false), over: true })).toEqual(rateDays({ ...input, days: dated(true), over: true }));
    }), { numRuns: 300 });
  });

  const entry = (hour: number): GroupUsage => ({ group: {}, quantity: decimal('1'), bucket: start.add({ hours: hour }) });
  const [first, second] = [entry(3), entry(5)];
  it.each<[string, GroupUsage[][]]>([
    ['something is gone', [[first, second], [first]]],
    ['an earlier hour comes later', [[second], [second, first]]],
    ['the hour of a day before gets more', [[first], [first, entry(3)]]],
    ['an entry stands there twice', [[first, first]]],
    ['an entry has no hour', [[{ group: {}, quantity: decimal('1') }]]],
    ['the entries are others', [[first], [entry(3), second]]],
  ])('is not tried where %s', (_name, days) => {
    const price: RateablePrice = { type: 'usage', bucket: 'hour', model: { type: 'per_unit', unit_amount: '1' } };
    expect(bucketDayAmounts({ price, currency: 'USD', rounding: 'half_even' }, days)).toBeNull();
  });
});
