import { describe, expect, it } from 'vitest';
import type { RateablePrice } from '../../catalog/price.js';
import { toPlain } from '../../money/decimal.js';
import { breakEven } from './break-even.js';
import type { BesideUse, BreakEvenQuestion } from './break-even-question.js';

// Goal: where two prices cost the same, and who is cheaper on each side. Method: pairs of prices whose points are worked out by hand;
// "a 0..999 same 1000 b 1001.." reads: a is cheaper from 0 to 999, at 1000 both cost the same, b is cheaper from 1001 on.

type Terms = Partial<RateablePrice> & { model: RateablePrice['model'] };
const usage = (terms: Terms): RateablePrice => ({ type: 'usage', ...terms });
const perUnit = (amount: string, more: Partial<RateablePrice> = {}) => usage({ model: { type: 'per_unit', unit_amount: amount }, ...more });
const flat = (amount: string, more: Partial<RateablePrice> = {}) => usage({ model: { type: 'flat', amount }, ...more });
const fee = (amount: string, key = 'base'): RateablePrice => ({ key, type: 'recurring', model: { type: 'flat', amount } });
const packages = (size: string, amount: string, more: Partial<RateablePrice> = {}) => usage({ model: { type: 'package', package_size: size, package_amount: amount }, ...more });
const graduated = (...tiers: [string | null, string, string?, string?][]) =>
  usage({ model: { type: 'graduated', tiers: tiers.map(([up_to, unit_amount, flat_amount, maximum_amount]) => ({ up_to, unit_amount, ...(flat_amount !== undefined && { flat_amount }), ...(maximum_amount !== undefined && { maximum_amount }) })) } });
const volume = (...tiers: [string | null, string, string?][]) => usage({ model: { type: 'volume', tiers: tiers.map(([up_to, unit_amount, flat_amount]) => ({ up_to, unit_amount, ...(flat_amount !== undefined && { flat_amount }) })) } });
const stairs = (...tiers: [string | null, string][]) => usage({ model: { type: 'stairstep', tiers: tiers.map(([up_to, amount]) => ({ up_to, amount })) } });
const percentage = (rate: string, model: object = {}, more: Partial<RateablePrice> = {}) => usage({ model: { type: 'percentage', rate, ...model }, ...more });

type More = Partial<Omit<BreakEvenQuestion, 'usage' | 'quantities'>> & { usage?: Record<string, BesideUse>; quantities?: Record<string, string> };

function question(a: readonly RateablePrice[], b: readonly RateablePrice[], { usage: beside, quantities, ...more }: More = {}): BreakEvenQuestion {
  const side = (prices: readonly RateablePrice[], name: string) => ({ prices, plan: null, pointer: `/${name}/price`, pointerOf: (index: number) => `/${name}/prices/${index}` });
  const uses = new Map(Object.entries(beside ?? {}).map(([meter, use]) => [meter, { ...use, pointer: `/usage/${meter}` }]));
  return { currency: 'USD', countingMeters: new Set(['calls']), a: side(a, 'a'), b: side(b, 'b'), usage: uses, quantities: new Map(Object.entries(quantities ?? {})), ...more };
}

function told(a: readonly RateablePrice[], b: readonly RateablePrice[], more: More = {}): string {
  const answer = breakEven(question(a, b, more), { rounding: 'half_away_from_zero' });
  if (!answer.ok) return answer.faults.map(({ pointer, code }) => `${pointer} ${code}`).join(', ');
  return answer.value.ranges.map(({ from, to, cheaper }) => (to !== null && from.eq(to) ? `${cheaper} ${toPlain(from)}` : `${cheaper} ${toPlain(from)}..${to === null ? '' : toPlain(to)}`)).join(' ');
}

const whole = { step: '1' };
const tiny = '000000000000000001';

describe('breakEven', () => {
  it.each<[string, RateablePrice[], RateablePrice[], More, string]>([
    ['49 and nothing per unit against 0.01: 49 / 0.01', [fee('49')], [perUnit('0.01')], whole, 'b 0..4899 same 4900 a 4901..'],
    ['the same to the smallest quantity', [fee('49')], [perUnit('0.01')], {}, `b 0..4899.999999999999999999 same 4900 a 4900.${tiny}..`],
    ['100 / 3 is no decimal: 33 × 3 = 99, 34 × 3 = 102', [fee('100')], [perUnit('3')], whole, 'b 0..33 a 34..'],
    ['100 / 3 between two smallest quantities', [fee('100')], [perUnit('3')], {}, 'b 0..33.333333333333333333 a 33.333333333333333334..'],
    ['the same price', [perUnit('0.01')], [perUnit('0.010')], {}, 'same 0..'],
    ['cheaper everywhere but at 0', [perUnit('0.01')], [perUnit('0.02')], whole, 'same 0 a 1..'],
    ['included units: (q − 1000) × 0.02 = q × 0.01 at 2000', [perUnit('0.02', { included_units: '1000' })], [perUnit('0.01')], whole, 'same 0 a 1..1999 same 2000 b 2001..'],
    ['base 20 + 0.01 beyond 1000 against base 50: 20 + (q − 1000) × 0.01 = 50 at 4000', [fee('20'), perUnit('0.01', { included_units: '1000' })], [fee('50'), perUnit('0', {})], whole, 'a 0..3999 same 4000 b 4001..'],
    ['graduated 1 to 100, then 0.5, against 0.8: 100 + (q − 100) / 2 = 0.8 q at 166.6…', [graduated(['100', '1'], [null, '0.5'])], [perUnit('0.8')], whole, 'same 0 b 1..166 a 167..'],
    ['graduated with flat 5 from the start: 5 + q = 2 q at 5; the second tier’s flat 10 at 101: 115 + 1.5 × (q − 100) stays below 2 q',
      [graduated(['100', '1', '5'], [null, '1.5', '10'])], [perUnit('2')], whole, 'b 0..4 same 5 a 6..'],
    ['the flat part of a tier as a jump: 100 at 100, 200 + … at 101 against 1.5 q; 200 + (q − 100) = 1.5 q at 200', [graduated(['100', '1'], [null, '1', '100'])], [perUnit('1.5')], whole, 'same 0 a 1..100 b 101..199 same 200 a 201..'],
    ['a tier that asks at most 12: 5 + q up to 7, then 12, against 1.5 q: 5 + q = 12 at 7 still above 10.5; 12 = 1.5 q at 8; 12 + (q − 10) × 3 = 1.5 q at 12',
      [graduated(['10', '1', '5', '12'], [null, '3'])], [perUnit('1.5')], whole, 'b 0..7 same 8 a 9..11 same 12 b 13..'],
    ['volume 2 to 100, then 1, against 1.5: at 101 all become cheaper', [volume(['100', '2'], [null, '1'])], [perUnit('1.5')], whole, 'same 0 b 1..100 a 101..'],
    ['volume with fractions: right above 100', [volume(['100', '2'], [null, '1'])], [perUnit('1.5')], {}, `same 0 b 0.${tiny}..100 a 100.${tiny}..`],
    ['volume that falls back: 200 at 100, 101 + 20 at 101 against a fee of 150: 2 q = 150 at 75; q + 20 = 150 at 130',
      [volume(['100', '2'], [null, '1', '20'])], [fee('150')], whole, 'a 0..74 same 75 b 76..100 a 101..129 same 130 b 131..'],
    ['stairs 10 to 10, 50 above, against 3 q: 10 / 3, then a jump, then 50 / 3', [stairs(['10', '10'], [null, '50'])], [perUnit('3')], whole, 'b 0..3 a 4..10 b 11..16 a 17..'],
    ['two fees alike, and stairs that differ above 10', [stairs(['10', '10'], [null, '50'])], [stairs(['20', '10'], [null, '50'])], whole, 'same 0..10 b 11..20 same 21..'],
    ['packages of 1000 at 5 against 0.006: 5 / 0.006 = 833.3…, 10 / 0.006 = 1666.6…, 15 / 0.006 = 2500, 20 / 0.006 = 3333.3…, 25 / 0.006 = 4166.6…, 30 / 0.006 = 5000: from there packages always',
      [packages('1000', '5')], [perUnit('0.006')], { ...whole, to_quantity: '10000' }, 'same 0 b 1..833 a 834..1000 b 1001..1666 a 1667..2000 b 2001..2499 same 2500 a 2501..3000 b 3001..3333 a 3334..4000 b 4001..4166 a 4167..10000'],
    ['packages of 1000 at 5 against 0.005: dearer but where one is full', [packages('1000', '5')], [perUnit('0.005')], { ...whole, to_quantity: '2500' }, 'same 0 b 1..999 same 1000 b 1001..1999 same 2000 b 2001..2500'],
    ['packages of 2.5 in halves: 5 and 10 against 3 q at 1.6… and 3.3…', [packages('2.5', '5')], [perUnit('3')], { step: '0.5', to_quantity: '5' }, 'same 0 b 0.5..1.5 a 2..2.5 b 3 a 3.5..5'],
    ['conversion rounded up: 1001 are 2 at 3, against 0.003 each', [perUnit('3', { unit_conversion: { divide_by: '1000', rounding: 'up' } })], [perUnit('0.003')], { ...whole, to_quantity: '2000' }, 'same 0 b 1..999 same 1000 b 1001..1999 same 2000'],
    ['conversion rounded down: 999 are 0', [perUnit('3', { unit_conversion: { divide_by: '1000', rounding: 'down' } })], [perUnit('0.003')], { ...whole, to_quantity: '2000' }, 'same 0 a 1..999 same 1000 a 1001..1999 same 2000'],
    ['conversion to the nearest, a half up: 500 are 1', [perUnit('3', { unit_conversion: { divide_by: '1000', rounding: 'nearest' } })], [perUnit('0.003')], { ...whole, to_quantity: '1500' }, 'same 0 a 1..499 b 500..999 same 1000 a 1001..1499 b 1500'],
    ['conversion by 3 without rounding: 3 × q / 3 is q, exactly', [perUnit('3', { unit_conversion: { divide_by: '3', rounding: 'none' } })], [perUnit('1')], whole, 'same 0..'],
    ['10% and then 5 off, not below 0, against 0.5: 0.9 q − 5 = 0.5 q at 12.5', [perUnit('1', { discount: { percent: '10', amount: '5' } })], [perUnit('0.5')], whole, 'same 0 a 1..12 b 13..'],
    ['a maximum of 30: 30 = 0.5 q at 60', [perUnit('1', { maximum_amount: '30' })], [perUnit('0.5')], whole, 'same 0 b 1..59 same 60 a 61..'],
    ['a minimum of 48: 48 = 2 q at 24, and q = 2 q nowhere after', [perUnit('1', { minimum_amount: '48' })], [perUnit('2')], whole, 'b 0..23 same 24 a 25..'],
    ['both bounded at 10: the same from where the later one reaches it', [perUnit('1', { maximum_amount: '10' })], [perUnit('2', { maximum_amount: '10' })], whole, 'same 0 a 1..9 same 10..'],
    ['2% to 1000, 1% above, against 15: 2% of 750', [usage({ model: { type: 'graduated_percentage', tiers: [{ up_to: '1000', rate: '2' }, { up_to: null, rate: '1' }] } })], [flat('15')], whole, 'a 0..749 same 750 b 751..'],
    ['2.9% + 0.30 of 10 each, 0.59, against 5.9% of the sum: the same; against 6%: 0.60', [percentage('2.9', { fixed_amount: '0.30' })], [perUnit('0.06')], { event_value: '10' }, 'same 0 a 10..'],
    ['two events free: 0.59 (n − 2) = 0.295 n at 4', [percentage('2.9', { fixed_amount: '0.30', free_events: 2 })], [perUnit('0.0295')], { event_value: '10' }, 'same 0 a 10..30 same 40 b 50..'],
    ['25 free, events of 10: two and a half, 5% of the half is 0.25 + 0.10; 0.35 at 30 against 0.35', [percentage('5', { fixed_amount: '0.10', free_amount: '25' })], [flat('0.35')], { event_value: '10' }, 'a 0..20 same 30 b 40..'],
    ['at least 0.50 each: 1% of 10 is 0.10', [percentage('1', { minimum_per_event: '0.50' })], [flat('2')], { event_value: '10' }, 'a 0..30 same 40 b 50..'],
    ['a negative step of volume to the fee: only between', [flat('5')], [perUnit('1')], { ...whole, from_quantity: '4', to_quantity: '6' }, 'b 4 same 5 a 6'],
    ['10^12 at 0.0000001 is 100000', [perUnit('0.0000001')], [flat('100000')], whole, 'a 0..999999999999 same 1000000000000 b 1000000000001..'],
    ['groups by shares: 70% at 0.01 and 30% at 0.02 are 0.013 each; 13 at 1000',
      [usage({ model: { type: 'matrix', dimensions: ['region'], cells: [{ when: { region: 'eu' }, model: { type: 'per_unit', unit_amount: '0.01' } }], default: { type: 'per_unit', unit_amount: '0.02' } } })], [flat('13')],
      { ...whole, groups: [{ group: { region: 'eu' }, share: '0.7' }, { group: { region: 'us' }, share: '0.3' }] }, 'a 0..999 same 1000 b 1001..'],
    ['each group with its own 100 included: a half each, so 200 in all', [perUnit('1', { group_by: ['region'], included_units: '100' })], [flat('10')],
      { ...whole, groups: [{ group: { region: 'eu' }, share: '0.5' }, { group: { region: 'us' }, share: '0.5' }] }, 'a 0..209 same 210 b 211..'],
    ['a flat amount of each group, once there is any: 10 at 0, 20 from 1 on, against 15', [flat('10', { group_by: ['region'] })], [fee('15'), perUnit('0')],
      { ...whole, groups: [{ group: { region: 'eu' }, share: '0.5' }, { group: { region: 'us' }, share: '0.5' }] }, 'a 0 b 1..'],
    ['a percentage of payments against 0.50 for each: a payment of 20 is 0.58 + 0.30, so never', [percentage('2.9', { fixed_amount: '0.30' }, { meter: 'volume' })], [perUnit('0.5', { meter: 'calls' })],
      { meter: 'calls', usage: { volume: { per_unit: '20', event_value: '20' } } }, 'same 0 b 1..'],
    ['the other meter stays: 500 MB at 0.02 are 10, + q = 2 q at 10', [perUnit('1', { meter: 'calls' }), perUnit('0.02', { meter: 'traffic' })], [perUnit('2', { meter: 'calls' })],
      { meter: 'calls', usage: { traffic: { quantity: '500' } } }, 'b 0..9 same 10 a 11..'],
    ['three seats at 20 against 50 + 0.01 beyond 100: 60 = 50 + (q − 100) × 0.01 at 1100', [{ key: 'seats', type: 'recurring', model: { type: 'per_unit', unit_amount: '20' } }, perUnit('0', { meter: 'calls' })],
      [fee('50'), perUnit('0.01', { meter: 'calls', included_units: '100' })], { quantities: { seats: '3' } }, 'b 0..1099 same 1100 a 1101..'],
  ])('%s', (_name, a, b, more, expected) => {
    expect(told(a, b, more)).toBe(expected);
  });

  it('says what both cost on each side of a point, posted and unrounded, and whether they meet there', () => {
    const answer = breakEven(question([volume(['100', '0.0201'], [null, '0.01'])], [fee('1.50')], whole), { rounding: 'half_away_from_zero' });
    const points = !answer.ok ? [] : answer.value.points.map(({ before, after, by }) => [by, ...[before, after].map(({ quantity, cheaper, a, b }) => `${cheaper} ${[quantity, a.unroundedAmount, a.amount, b.amount].map(toPlain).join(' ')}`)]);
    expect(points).toEqual([
      ['crossing', 'a 74 1.4874 1.49 1.5', 'b 75 1.5075 1.51 1.5'],
      ['jump', 'b 100 2.01 2.01 1.5', 'a 101 1.01 1.01 1.5'],
      ['crossing', 'a 149 1.49 1.49 1.5', 'same 150 1.5 1.5 1.5'],
      ['crossing', 'same 150 1.5 1.5 1.5', 'b 151 1.51 1.51 1.5'],
    ]);
  });

  it.each<[string, RateablePrice[], RateablePrice[], More, string]>([
    ['packages without an end', [packages('1000', '5')], [perUnit('1')], {}, '/to_quantity missing_field'],
    ['more steps than are looked at', [packages('1', '5')], [perUnit('1')], { to_quantity: '1000000' }, '/to_quantity too_many_steps'],
    ['more changes than are told', [packages('10', '10')], [perUnit('1')], { to_quantity: '1000' }, '/to_quantity too_many_steps'],
    ['hours by themselves', [perUnit('1', { bucket: 'hour' })], [perUnit('1')], {}, '/a/prices/0 not_allowed'],
    ['what events state', [perUnit('1')], [usage({ model: { type: 'dynamic', amount: '$.cost' } })], {}, '/b/prices/0 not_allowed'],
    ['a percentage without the value of an event', [percentage('1')], [perUnit('1')], {}, '/event_value missing_field'],
    ['groups that nobody told', [perUnit('1', { group_by: ['region'] })], [perUnit('1')], {}, '/groups missing_field'],
    ['shares of more than all', [perUnit('1')], [perUnit('1')], { groups: [{ group: {}, share: '0.5' }, { group: {}, share: '0.6' }] }, '/groups number_out_of_range'],
    ['half an event', [percentage('1')], [perUnit('1')], { event_value: '10', step: '5' }, '/step number_out_of_range'],
    ['half an event that stays', [percentage('1', {}, { meter: 'volume' })], [perUnit('1', { meter: 'calls' })], { meter: 'calls', usage: { volume: { quantity: '15', event_value: '10' } } }, '/usage/volume/quantity number_out_of_range'],
    ['several meters', [perUnit('1', { meter: 'calls' })], [perUnit('1', { meter: 'traffic' })], {}, '/meter missing_field'],
    ['a meter of neither', [perUnit('1', { meter: 'calls' })], [perUnit('1', { meter: 'calls' })], { meter: 'traffic', usage: { seconds: { quantity: '1' } } }, '/meter unknown_meter, /usage/seconds unknown_meter'],
    ['the meter that varies, twice; one with two quantities', [perUnit('1', { meter: 'calls' })], [perUnit('1', { meter: 'traffic' })],
      { meter: 'calls', usage: { calls: { quantity: '1' }, traffic: { quantity: '1', per_unit: '2' } } }, '/usage/calls not_allowed, /usage/traffic missing_field'],
    ['a fee of neither', [fee('1'), perUnit('1')], [perUnit('1')], { quantities: { seats: '3', base: '-1' } }, '/quantities/seats unknown_price, /quantities/base negative_amount'],
    ['no usage', [fee('1')], [fee('2')], {}, '/a/price missing_field'],
    ['a range without quantities', [perUnit('1')], [perUnit('1')], { from_quantity: '3', to_quantity: '2' }, '/to_quantity invalid_range'],
    ['no step within the range', [perUnit('1')], [perUnit('1')], { from_quantity: '3', to_quantity: '4', step: '5' }, '/step invalid_range'],
    ['numbers that are none', [perUnit('1')], [perUnit('1')], { step: '0', from_quantity: '-1', to_quantity: 'x', currency: 'usd' }, '/currency unknown_currency, /step number_out_of_range, /from_quantity negative_amount, /to_quantity invalid_decimal'],
  ])('refuses %s', (_name, a, b, more, expected) => {
    expect(told(a, b, more)).toBe(expected);
  });

  it('refuses plans of two billing periods, and one without models in the currency', () => {
    const asked = question([perUnit('1', { key: 'calls' })], [perUnit('2')], {});
    const ofPlans = { ...asked, a: { ...asked.a, plan: { billingPeriod: 'P1M', currency: 'EUR' } }, b: { ...asked.b, plan: { billingPeriod: 'P1Y', currency: 'USD' } } };
    const answer = breakEven(ofPlans, { rounding: 'half_even' });
    expect(answer.ok ? [] : answer.faults.map(({ pointer, code }) => `${pointer} ${code}`)).toEqual(['/a/price currency_mismatch', '/b/price not_allowed']);
  });
});
