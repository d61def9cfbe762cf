import { describe, expect, it } from 'vitest';
import type { RateablePrice } from '../catalog/price.js';
import { decimal, sumOf, toPlain } from '../money/decimal.js';
import { type Fraction, WHOLE } from '../period/proration-fraction.js';
import type { GroupUsage } from './pool-usage.js';
import { rateDays } from './rate-days.js';
import { ratePrice } from './rate-price.js';
import type { UsageAround } from './usage-around.js';

type Terms = Partial<RateablePrice> & Pick<RateablePrice, 'model'>;
const perUnit = (unitAmount: string) => ({ type: 'per_unit' as const, unit_amount: unitAmount });
const latency: RateablePrice['sla_credit'] = { meter: 'latency', tiers: [{ above: '300', percent: '10' }, { above: '500', percent: '25' }, { above: '1000', percent: '100' }] };
const uptime: RateablePrice['sla_credit'] = { meter: 'uptime', tiers: [{ below: '99.9', percent: '10' }, { below: '99', percent: '30' }] };
const used = (quantity: string): GroupUsage[] => (quantity === '' ? [] : [{ group: {}, quantity: decimal(quantity) }]);

function rate(terms: Terms, usage: readonly GroupUsage[], given: { value: string | null; fraction?: Fraction; around?: UsageAround }) {
  const price: RateablePrice = { type: 'usage', sla_credit: latency, ...terms };
  const around = { slaValue: given.value === null ? null : decimal(given.value), ...given.around };
  const rated = ratePrice({ price, currency: 'USD', rounding: 'half_away_from_zero', usage, fraction: given.fraction, around });
  expect(rated.trace.at(-1)?.amount).toBe(toPlain(rated.unroundedAmount));
  expect(toPlain(sumOf(rated.trace, (step) => decimal(step.adds)))).toBe(toPlain(rated.unroundedAmount));
  return rated;
}

// Goal: what is given back once a bound is crossed, and how much it is of. Method: a value and a quantity; sums by hand.
describe('credits for service that was worse than agreed on', () => {
  const one: Terms = { model: perUnit('1') };
  const rows: [string, Terms, string | null, string, string][] = [
    ['within the agreement', one, '120', '80', '80'],
    ['0', one, '0', '80', '80'],
    ['on the first bound it is kept', one, '300', '80', '80'],
    ['a hair above it', one, '300.000000000000000001', '80', '72'],
    ['on the second bound the first counts', one, '500', '80', '72'],
    ['above the second', one, '500.1', '80', '60'],
    ['on the third', one, '1000', '80', '60'],
    ['above the third all is given back', one, '1001', '80', '0'],
    ['very far above', one, '99999999999999999999', '80', '0'],
    ['nothing was measured', one, null, '80', '80'],
    ['nothing was used', one, '400', '', '0'],
    ['a flat part is credited too', { model: { type: 'graduated', tiers: [{ up_to: null, unit_amount: '1', flat_amount: '20' }] } }, '400', '', '18'],
    ['below a bound', { ...one, sla_credit: uptime }, '99.5', '80', '72'],
    ['below the second', { ...one, sla_credit: uptime }, '42', '80', '56'],
    ['on a bound from below', { ...one, sla_credit: uptime }, '99.9', '80', '80'],
    ['on the second from below', { ...one, sla_credit: uptime }, '99', '80', '72'],
    ['below 0 as a bound', { ...one, sla_credit: { meter: 'balance', tiers: [{ below: '-5', percent: '50' }] } }, '-6', '80', '40'],
    ['0 percent is none', { ...one, sla_credit: { meter: 'latency', tiers: [{ above: '1', percent: '0' }] } }, '2', '80', '80'],
    ['a third of a percent', { ...one, sla_credit: { meter: 'latency', tiers: [{ above: '1', percent: '0.3333' }] } }, '2', '80', '79.73336'],
    ['of what the discount leaves', { ...one, discount: { percent: '50', amount: '10' } }, '400', '80', '27'], // 30 × 0.9
    ['of the maximum', { ...one, maximum_amount: '50' }, '400', '80', '45'],
    ['of the minimum: less than it may be owed', { ...one, minimum_amount: '100' }, '400', '80', '90'],
    ['of what is above the included units', { ...one, included_units: '30' }, '400', '80', '45'],
    ['of volume', { model: { type: 'volume', tiers: [{ up_to: '10', unit_amount: '2' }, { up_to: null, unit_amount: '1' }] } }, '400', '80', '72'],
    ['of packages', { model: { type: 'package', package_size: '50', package_amount: '7' } }, '400', '80', '12.6'],
    ['of stairs', { model: { type: 'stairstep', tiers: [{ up_to: '80', amount: '10' }, { up_to: null, amount: '50' }] } }, '400', '80', '9'],
    ['a net negative quantity', one, '400', '-80', '0'],
    ['very many units', { model: perUnit('0.0000001') }, '400', '1000000000000', '90000'],
  ];
  it.each(rows)('%s', (_name, terms, value, quantity, amount) => {
    expect(toPlain(rate(terms, used(quantity), { value }).unroundedAmount)).toBe(amount);
  });

  it('are of what was charged event by event, or stated', () => {
    const charged = { quantity: decimal('100'), freeEvents: 0, freeValue: decimal('0'), hasCharged: true, chargedEvents: 1, chargedValue: decimal('100'), amount: decimal('2.9') };
    expect(toPlain(rate({ model: { type: 'percentage', rate: '2.9' } }, [{ group: {}, quantity: decimal('100'), charged }], { value: '400' }).unroundedAmount)).toBe('2.61');
    const stated = { sum: decimal('5'), missing: 0 };
    expect(toPlain(rate({ model: { type: 'dynamic', amount: '$.cost' } }, [{ group: {}, quantity: decimal('1'), stated }], { value: '400' }).unroundedAmount)).toBe('4.5');
  });

  it('are shared by the groups, and rounded with them', () => {
    const usage = ['eu', 'us', 'ap'].map((region) => ({ group: { region }, quantity: decimal('33.35') }));
    const { amountMinor, lines } = rate({ ...one, group_by: ['region'] }, usage, { value: '400' });
    // 100.05 × 0.9 = 90.045, 30.015 each.
    expect([amountMinor, lines.map((line) => line.amountMinor)]).toEqual([9_005n, [3_002n, 3_002n, 3_001n]]);
  });

  it('give back nothing of what is given back', () => {
    const volume = { type: 'volume' as const, tiers: [{ up_to: '100', unit_amount: '2' }, { up_to: null, unit_amount: '1' }] };
    const around = { tierCount: { since: null, before: used('90'), share: WHOLE } };
    const rated = rate({ model: volume, tier_period: 'P1Y' }, used('120'), { value: '1001', around });
    expect(toPlain(rated.unroundedAmount)).toBe('-60');
    expect(rated.trace.at(-1)?.detail).toBe('latency was 1001, above 1000: 100% of 0, 0, is credited and -60 remains');
  });

  it('are of a partial period as of a whole one', () => {
    expect(toPlain(rate({ ...one, minimum_amount: '200', prorate: 'second' }, used('80'), { value: '400', fraction: { numerator: 1n, denominator: 2n } }).unroundedAmount)).toBe('90');
  });

  it('say so in words and numbers', () => {
    expect(rate({ ...one, sla_credit: { ...latency, meter: 'errors', per: 'calls' } }, used('80'), { value: '501' }).trace.at(-1)).toEqual({
      step: 'sla_credit', detail: 'errors per calls was 501, above 500: 25% of 80, 20, is credited and 60 remains',
      values: { before: '80', value: '501', above: '500', percent: '25', credited: '20' }, quantity: '80', amount: '60', adds: '-20',
    });
    expect(rate(one, used('80'), { value: '12' }).trace.at(-1)).toMatchObject({ detail: 'latency was 12, as agreed, so nothing is credited', adds: '0' });
    expect(rate(one, used('80'), { value: null }).trace.at(-1)).toMatchObject({ detail: 'nothing was measured of latency, so nothing is credited', adds: '0' });
  });

  it('stand on the last day, once the period is over', () => {
    const price: RateablePrice = { type: 'usage', ...one, sla_credit: latency };
    const days = ['30', '80'].map((quantity, index) => ({ day: `2027-01-0${index + 1}`, cumulative: used(quantity) }));
    const amounts = (over: boolean) => rateDays({ price, currency: 'USD', rounding: 'half_away_from_zero', days, over, around: { slaValue: decimal('400') } }).map((day) => day.amountMinor);
    expect(amounts(false)).toEqual([3_000n, 5_000n]);
    expect(amounts(true)).toEqual([3_000n, 4_200n]); // 50 less 8.
  });
});
