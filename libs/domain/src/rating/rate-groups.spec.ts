import { describe, expect, it } from 'vitest';
import type { RateablePrice } from '../catalog/price.js';
import { decimal, toPlain } from '../money/decimal.js';
import { formatMinor } from '../money/minor-units.js';
import { ratePrice } from './rate-price.js';

type Terms = Omit<RateablePrice, 'type'>;
const perUnit = (unit_amount: string) => ({ type: 'per_unit' as const, unit_amount });
const byRegion = (model: Terms['model'], more: Partial<Terms> = {}): Terms => ({ model, group_by: ['region'], ...more });
const graduated = { type: 'graduated' as const, tiers: [{ up_to: '10', unit_amount: '1' }, { up_to: null, unit_amount: '0.5' }] };
const volume = { type: 'volume' as const, tiers: [{ up_to: '10', unit_amount: '2' }, { up_to: null, unit_amount: '1' }] };
const stairs = { type: 'stairstep' as const, tiers: [{ up_to: '10', amount: '10' }, { up_to: null, amount: '50' }] };

/** "eu 10 us 5": the quantity of each region, in the order in which they come; "-" has none. */
const usageOf = (text: string) => [...text.matchAll(/(\S+) (-?[\d.]+)/g)].map(([, region = '', quantity = '0']) => ({ group: (region === '-' ? {} : { region }) as Record<string, string>, quantity: decimal(quantity) }));

// Goal: each group by itself, and their sum. Method: by hand; lines are "region quantity amount", in the order of the invoice.
describe('a price by groups', () => {
  it.each<[string, Terms, string, string, string]>([
    ['one group', byRegion(perUnit('1')), 'eu 10', 'eu 10 10.00', '10.00'],
    ['two, in the order of their values', byRegion(perUnit('1')), 'us 5 eu 10', 'eu 10 10.00, us 5 5.00', '15.00'],
    ['parts of one group', byRegion(perUnit('1')), 'eu 1 us 2 eu 3', 'eu 4 4.00, us 2 2.00', '6.00'],
    ['without a value', byRegion(perUnit('1')), 'eu 1 - 2', ' 2 2.00, eu 1 1.00', '3.00'],
    ['nothing at all', byRegion(perUnit('1')), '', 'all 0 0.00', '0.00'],
    ['nothing at all of a flat amount', byRegion({ type: 'flat', amount: '7' }), '', 'all 0 7.00', '7.00'],
    ['a flat amount of each', byRegion({ type: 'flat', amount: '7' }), 'eu 1 us 0', 'eu 1 7.00, us 0 7.00', '14.00'],
    ['a group that is negative', byRegion(perUnit('1')), 'eu -5 us 3', 'eu -5 0.00, us 3 3.00', '3.00'],
    ['a group that comes to 0', byRegion(perUnit('1')), 'eu 5 eu -5 us 3', 'eu 0 0.00, us 3 3.00', '3.00'],
    ['fractions', byRegion(perUnit('0.1')), 'eu 10.5 us 0.25', 'eu 10.5 1.05, us 0.25 0.03', '1.08'], // 1.05 + 0.025 = 1.075
    ['10^12 at 10^-7 in each', byRegion(perUnit('0.0000001')), 'eu 1000000000000 us 1000000000000', 'eu 1000000000000 100000.00, us 1000000000000 100000.00', '200000.00'],
    ['packages of each', byRegion({ type: 'package', package_size: '10', package_amount: '5' }), 'eu 11 us 9', 'eu 11 10.00, us 9 5.00', '15.00'],
    ['tiers of each, on the bound', byRegion(graduated), 'eu 10 us 10', 'eu 10 10.00, us 10 10.00', '20.00'],
    ['tiers of each, between', byRegion(graduated), 'eu 10.5 us 12', 'eu 10.5 10.25, us 12 11.00', '21.25'],
    ['volume of each', byRegion(volume), 'eu 10 us 11', 'eu 10 20.00, us 11 11.00', '31.00'],
    ['stairs of each', byRegion(stairs), 'eu 10 us 10.5', 'eu 10 10.00, us 10.5 50.00', '60.00'],
    ['a share of each', byRegion({ type: 'graduated_percentage', tiers: [{ up_to: '100', rate: '10' }, { up_to: null, rate: '1' }] }), 'eu 100 us 200', 'eu 100 10.00, us 200 11.00', '21.00'],
    ['100 included in each', byRegion(perUnit('1'), { included_units: '100' }), 'eu 150 us 100.5', 'eu 150 50.00, us 100.5 0.50', '50.50'],
    ['each converted by itself', byRegion(perUnit('3'), { unit_conversion: { divide_by: '1000', rounding: 'up' } }), 'eu 1 us 1001', 'eu 1 3.00, us 1001 6.00', '9.00'],
    ['10% and 5 off the sum', byRegion(perUnit('1'), { discount: { percent: '10', amount: '5' } }), 'eu 50 us 50', 'eu 50 42.50, us 50 42.50', '85.00'],
    ['at most 10 in all', byRegion(perUnit('1'), { maximum_amount: '10' }), 'eu 10 us 20', 'eu 10 3.33, us 20 6.67', '10.00'],
    ['at least 50.01 in all', byRegion(perUnit('1'), { minimum_amount: '50.01' }), 'eu 10 us 20', 'eu 10 16.67, us 20 33.34', '50.01'],
    ['a minimum where nothing is owed', byRegion(perUnit('1'), { minimum_amount: '0.05' }), 'us 0 eu 0', 'eu 0 0.03, us 0 0.02', '0.05'],
    ['one rounding of three thirds', byRegion(perUnit('0.335')), 'us 1 eu 1 ap 1', 'ap 1 0.34, eu 1 0.34, us 1 0.33', '1.01'], // 1.005
    ['a cent that none has alone', byRegion(perUnit('0.002')), 'us 1 eu 1 ap 1', 'ap 1 0.01, eu 1 0.00, us 1 0.00', '0.01'], // 0.006
    ['no groups named: all of them', { model: perUnit('1') }, 'eu 1 us 2', 'all 3 3.00', '3.00'],
  ])('%s', (_name, terms, usage, lines, amount) => {
    const rated = ratePrice({ price: { type: 'usage', ...terms }, currency: 'USD', rounding: 'half_away_from_zero', usage: usageOf(usage) });
    expect(rated.lines.map(({ ref, group, quantity, amountMinor }) => `${group['region'] ?? ref} ${toPlain(quantity)} ${formatMinor(amountMinor, 'USD')}`).join(', ')).toBe(lines);
    expect(formatMinor(rated.amountMinor, 'USD')).toBe(amount);
  });
});
