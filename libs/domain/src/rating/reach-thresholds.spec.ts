import { describe, expect, it } from 'vitest';
import type { RateablePrice } from '../catalog/price.js';
import { decimal, toPlain } from '../money/decimal.js';
import type { Fraction } from '../period/proration-fraction.js';
import type { GroupUsage } from './pool-usage.js';
import { ratePrice } from './rate-price.js';
import { levelsFor, reachedThresholds } from './reach-thresholds.js';
import type { UsageAround } from './usage-around.js';

// Goal: which bounds a rating reaches, with the numbers that were held against them. Method: whole ratings, since those leave the levels; one row on,
// below and above each bound, the sum in its comment.

type Terms = Omit<RateablePrice, 'type'> & { type?: RateablePrice['type'] };
interface Situation {
  readonly currency?: string;
  readonly fraction?: Fraction;
  readonly around?: UsageAround;
}

const used = (quantity: string, group: Record<string, string> = {}): GroupUsage => ({ group, quantity: decimal(quantity) });
const perUnit = (unitAmount: string) => ({ type: 'per_unit' as const, unit_amount: unitAmount });

function reach(terms: Terms, usage: readonly GroupUsage[], { currency = 'USD', fraction, around }: Situation = {}) {
  const price = { type: 'usage' as const, ...terms };
  const levels = levelsFor(price, currency);
  if (levels === undefined) return undefined;
  const input = { price, currency, rounding: 'half_even' as const, usage, fraction, around };
  const rated = ratePrice({ ...input, levels });
  expect(toPlain(rated.unroundedAmount)).toBe(toPlain(ratePrice(input).unroundedAmount)); // Asking changes nothing.
  return reachedThresholds({ price, currency }, levels);
}

const short = (terms: Terms, usage: readonly GroupUsage[], situation?: Situation): string[] | undefined =>
  reach(terms, usage, situation)?.map(({ ref, bound, quantity, amount }) => `${ref}: ${bound} by ${quantity} at ${amount}`);

describe('thresholds of one quantity', () => {
  const graduated = { type: 'graduated' as const, tiers: [{ up_to: '10', unit_amount: '1' }, { up_to: '20', unit_amount: '0.5' }, { up_to: null, unit_amount: '0.1' }] };
  const volume = { ...graduated, type: 'volume' as const };
  const stairs = { type: 'stairstep' as const, tiers: [{ up_to: '10', amount: '5' }, { up_to: null, amount: '9' }] };
  const percents = { type: 'graduated_percentage' as const, tiers: [{ up_to: '100', rate: '2' }, { up_to: null, rate: '1' }] };
  const capped = { type: 'graduated' as const, tiers: [{ up_to: '10', unit_amount: '1', maximum_amount: '8' }, { up_to: null, unit_amount: '0.5', maximum_amount: '2' }] };
  const conversion = { divide_by: '1000', rounding: 'up' as const };
  const rows: [string, Terms, string, string[]][] = [
    ['included units that are left', { model: perUnit('0.1'), included_units: '100' }, '99.5', []],
    ['included units just used up', { model: perUnit('0.1'), included_units: '100' }, '100', ['all/included-units: 100 by 100 at 0']],
    ['included units exceeded', { model: perUnit('0.1'), included_units: '100' }, '130', ['all/included-units: 100 by 130 at 3']], // 30×0.1
    ['included units of 0', { model: perUnit('0.1'), included_units: '0' }, '5', []],
    ['included units are those that are sold', { model: perUnit('3'), included_units: '2', unit_conversion: conversion }, '1001', ['all/included-units: 2 by 2 at 0']], // Started thousands: 2.
    ['the first tier', { model: graduated }, '10', []],
    ['the second tier, by a fraction', { model: graduated }, '10.5', ['all/tier-2: 10 by 10.5 at 10.25']], // 10×1 + 0.5×0.5
    ['the end of the second tier', { model: graduated }, '20', ['all/tier-2: 10 by 20 at 15']], // 10×1 + 10×0.5
    ['two tiers at once', { model: graduated }, '30', ['all/tier-2: 10 by 30 at 16', 'all/tier-3: 20 by 30 at 16']], // 10 + 5 + 10×0.1
    ['tiers see what is left of included units', { model: graduated, included_units: '5' }, '16', ['all/included-units: 5 by 16 at 10.5', 'all/tier-2: 10 by 11 at 10.5']], // 10×1 + 1×0.5
    ['volume', { model: volume }, '20.5', ['all/tier-2: 10 by 20.5 at 2.05', 'all/tier-3: 20 by 20.5 at 2.05']], // 20.5×0.1
    ['a stair', { model: stairs }, '10', []],
    ['the next stair', { model: stairs }, '11', ['all/tier-2: 10 by 11 at 9']],
    ['a value in the second tier', { model: percents }, '150', ['all/tier-2: 100 by 150 at 2.5']], // 100×2% + 50×1%
    ['a maximum below', { model: perUnit('2'), maximum_amount: '15' }, '7', []],
    ['a maximum met', { model: perUnit('2'), maximum_amount: '15' }, '7.5', ['maximum: 15 by 7.5 at 15']],
    ['a maximum exceeded', { model: perUnit('2'), maximum_amount: '15' }, '10', ['maximum: 15 by 10 at 20']],
    ['a maximum of 0', { model: perUnit('2'), maximum_amount: '0' }, '10', []],
    ['a maximum after the discount', { model: perUnit('2'), maximum_amount: '15', discount: { percent: '50' } }, '10', []], // 20 − 50% = 10
    ['a maximum of a tier below', { model: capped }, '7', []],
    ['a maximum of a tier met', { model: capped }, '8', ['all/tier-1-maximum: 8 by 8 at 8']],
    ['a maximum of a tier exceeded, and the next tier', { model: capped }, '11', ['all/tier-1-maximum: 8 by 11 at 8.5', 'all/tier-2: 10 by 11 at 8.5']], // 8 of 10×1, 1×0.5
    ['a maximum of the open tier', { model: capped }, '20', ['all/tier-1-maximum: 8 by 20 at 10', 'all/tier-2: 10 by 20 at 10', 'all/tier-2-maximum: 2 by 20 at 10']], // 8, and 2 of 10×0.5
    ['a maximum of the tier of the whole quantity', { model: { ...capped, type: 'volume' } }, '11', ['all/tier-2: 10 by 11 at 2', 'all/tier-2-maximum: 2 by 11 at 2']], // 2 of 11×0.5
    ['a maximum of the only tier', { model: { type: 'graduated', tiers: [{ up_to: null, unit_amount: '1', maximum_amount: '8' }] } }, '9', ['all/tier-1-maximum: 8 by 9 at 8']],
    ['a maximum of 0 of a tier', { model: { type: 'graduated', tiers: [{ up_to: '10', unit_amount: '1', maximum_amount: '0' }, { up_to: null, unit_amount: '1' }] } }, '9', []],
    ['a minimum below', { model: perUnit('2'), minimum_amount: '15' }, '7', []],
    ['a minimum met', { model: perUnit('2'), minimum_amount: '15' }, '7.5', ['minimum: 15 by 7.5 at 15']],
    ['a minimum after the maximum', { model: perUnit('2'), minimum_amount: '5', maximum_amount: '15' }, '10', ['maximum: 15 by 10 at 20', 'minimum: 5 by 10 at 15']],
    ['a net negative quantity', { model: graduated, included_units: '5', maximum_amount: '15' }, '-30', []],
    ['buckets: the sum alone', { model: graduated, included_units: '1', bucket: 'day', maximum_amount: '15' }, '40', ['maximum: 15 by 40 at 16.9']], // 39 priced: 10 + 5 + 19×0.1
  ];
  it.each(rows)('tells of %s', (_name, terms, quantity, expected) => {
    const bucket = terms.bucket === undefined ? {} : { bucket: Temporal.Instant.from('2027-01-01T00:00:00Z') };
    expect(short(terms, [{ ...used(quantity), ...bucket }])).toEqual(expected);
  });

  it('tells which tier, and nothing of one for other bounds', () => {
    expect(reach({ model: graduated, maximum_amount: '12' }, [used('30')])?.map(({ kind, tier, group }) => [kind, tier, group])).toEqual([['tier', 2, {}], ['tier', 3, {}], ['maximum', null, {}]]);
  });

  it('goes by the model of the currency', () => {
    const terms = { model: perUnit('1'), currencies: { EUR: graduated } };
    expect(short(terms, [used('11')])).toBeUndefined();
    expect(short(terms, [used('11')], { currency: 'EUR' })).toEqual(['all/tier-2: 10 by 11 at 10.5']); // 10×1 + 1×0.5
  });

  it('scales what a partial period scales, and no tier', () => {
    const half = { fraction: { numerator: 1n, denominator: 2n } };
    const terms = { model: graduated, included_units: '10', maximum_amount: '20', prorate: 'second' as const };
    // 5 included, so 11 are priced: 10×1 + 1×0.5 = 10.5 of at most 10.
    expect(short(terms, [used('16')], half)).toEqual(['all/included-units: 5 by 16 at 10.5', 'all/tier-2: 10 by 11 at 10.5', 'maximum: 10 by 16 at 10.5']);
  });

  it.each<[string, Terms]>([
    ['no bound', { model: perUnit('1') }],
    ['one open tier', { model: { type: 'volume', tiers: [{ up_to: null, unit_amount: '1' }] } }],
    ['no bound but tiers of buckets', { model: graduated, bucket: 'hour' }],
    ['a fee', { type: 'recurring', model: graduated, maximum_amount: '1' }],
  ])('asks nothing of a price with %s', (_name, terms) => {
    expect(reach(terms, [])).toBeUndefined();
  });
});

describe('thresholds of groups and cells', () => {
  it('holds units and tiers against each group, a maximum against their sum', () => {
    const terms: Terms = { model: { type: 'graduated', tiers: [{ up_to: '10', unit_amount: '1' }, { up_to: null, unit_amount: '0.5' }] }, included_units: '5', maximum_amount: '12', group_by: ['region'] };
    const reached = reach(terms, [used('4', { region: 'us' }), used('17', { region: 'eu' })]);
    // eu: 12 priced, 10×1 + 2×0.5 = 11; us: all included; 11 is below 12.
    expect(reached?.map(({ ref, group, quantity }) => [ref, group, quantity])).toEqual([['["eu"]/included-units', { region: 'eu' }, '17'], ['["eu"]/tier-2', { region: 'eu' }, '12']]);
    // us: 7 − 5 = 2 more: 13.
    expect(short(terms, [used('7', { region: 'us' }), used('17', { region: 'eu' })])?.at(-1)).toBe('maximum: 12 by 24 at 13');
  });

  it('tells of every group, however many a trace names', () => {
    const usage = Array.from({ length: 120 }, (_, index) => used('3', { key: String(index) }));
    expect(reach({ model: perUnit('1'), included_units: '3', group_by: ['key'] }, usage)).toHaveLength(120);
  });

  it('leaves the tiers of cells out', () => {
    const cell = { type: 'graduated' as const, tiers: [{ up_to: '1', unit_amount: '1' }, { up_to: null, unit_amount: '1' }] };
    const matrix = { type: 'matrix' as const, dimensions: ['region'], cells: [{ when: { region: 'eu' }, model: cell }], default: null };
    expect(short({ model: matrix }, [used('5', { region: 'eu' })])).toBeUndefined();
    expect(short({ model: matrix, minimum_amount: '5' }, [used('5', { region: 'eu' })])).toEqual(['minimum: 5 by 5 at 5']);
  });
});

describe('thresholds of prices that look at other periods', () => {
  it('adds what rolled over to the included units', () => {
    const terms: Terms = { model: perUnit('1'), included_units: '100', rollover: { maximum_units: '30' } };
    const price = { type: 'usage' as const, ...terms };
    const around = { previous: { price, usage: [used('80')] } }; // 20 are left of 100, within 30.
    expect(short(terms, [used('119')], { around })).toEqual([]);
    expect(short(terms, [used('121')], { around })).toEqual(['all/included-units: 120 by 121 at 1']);
  });

  it('tells what the period itself has reached of tiers that count on', () => {
    const terms: Terms = { model: { type: 'graduated', tiers: [{ up_to: '100', unit_amount: '1' }, { up_to: '200', unit_amount: '0.5' }, { up_to: null, unit_amount: '0.1' }] }, included_units: '10', tier_period: 'P1Y' };
    const tierCount = { since: Temporal.Instant.from('2027-01-01T00:00:00Z'), before: [used('150')], share: { numerator: 1n, denominator: 1n } };
    expect(short(terms, [used('205')], { around: { tierCount } })).toEqual([]); // Before the period: 140 priced, in tier 2 already.
    expect(short(terms, [used('220')], { around: { tierCount } })).toEqual(['all/tier-3: 200 by 210 at 151']); // 100×1 + 100×0.5 + 10×0.1
  });
});
