import { describe, expect, it } from 'vitest';
import { type Simulation, simulatePrice, simulationFaults } from './simulate-price.js';

type Data = Record<string, unknown>;
const perUnit: Simulation['price'] = { type: 'usage', model: { type: 'per_unit', unit_amount: '1' } };
const failed = 'data.status >= 500';
const counted = { aggregation: 'count' as const, percentile: null };

// Goal: events that are exempt are not priced, and what is unknown is no exemption. Method: a filter, events as [value, data], and what is left, by hand.
describe('an exemption', () => {
  it.each<[string, string, [string, Data?][], string]>([
    ['none fails', failed, [['3', { status: 200 }], ['4', { status: 404 }]], '7'],
    ['one fails', failed, [['3', { status: 200 }], ['4', { status: 503 }]], '3'],
    ['all fail', failed, [['3', { status: 500 }], ['4', { status: 503 }]], '0'],
    ['on the bound', failed, [['3', { status: 499 }], ['4', { status: 500 }]], '3'],
    ['a fraction beside the bound', failed, [['3', { status: 499.999999 }]], '3'],
    ['no events', failed, [], '0'],
    ['nothing said', failed, [['3', {}], ['4']], '7'],
    ['another type', failed, [['3', { status: 'broken' }]], '3'],
    ['null', failed, [['3', { status: null }]], '3'],
    ['a number as text', failed, [['3', { status: '503' }]], '3'],
    ['a fraction of a unit', failed, [['0.5', { status: 200 }], ['10.5', { status: 500 }]], '0.5'],
    ['a refund that stays', failed, [['5', { status: 200 }], ['-2', { status: 200 }]], '3'],
    ['a refund that is exempt', failed, [['5', { status: 200 }], ['-2', { status: 500 }]], '5'],
    ['net negative', failed, [['-5', { status: 200 }], ['9', { status: 500 }]], '0'],
    ['10^12 of them', failed, [['1000000000000', { status: 200 }], ['1', { status: 500 }]], '1000000000000'],
    ['a text', 'data.plan == "trial"', [['3', { plan: 'trial' }], ['4', { plan: 'paid' }]], '4'],
    ['a truth', 'data.cached == true', [['3', { cached: true }], ['4', { cached: false }]], '4'],
    ['not', 'data.cached != true', [['3', { cached: true }], ['4', { cached: false }]], '3'],
    ['either', 'data.status >= 500 || data.cached == true', [['3', { status: 200, cached: true }], ['4', { status: 500, cached: false }], ['5', { status: 200, cached: false }]], '5'],
    ['both', 'data.status >= 500 && data.retried == true', [['3', { status: 500, retried: true }], ['4', { status: 500, retried: false }]], '4'],
    ['a list', 'data.status in [429, 503]', [['3', { status: 429 }], ['4', { status: 500 }], ['5', { status: 503 }]], '4'],
    ['a text that begins so', 'data.route.startsWith("/health")', [['3', { route: '/healthz' }], ['4', { route: '/v1/health' }]], '4'],
    ['deeper data', 'data.error.kind == "ours"', [['3', { error: { kind: 'ours' } }], ['4', { error: { kind: 'theirs' } }], ['5', {}]], '9'],
    ['sums of data', 'data.queued + data.served > 1000', [['3', { queued: 900, served: 101 }], ['4', { queued: 900, served: 100 }]], '4'],
    ['digits beyond a float', 'data.n == 9007199254740993', [['3', { n: 9007199254740991 }], ['4', { n: 1 }]], '7'],
  ])('%s', (_name, exempt, events, left) => {
    const simulation: Simulation = { price: { ...perUnit, exempt }, currency: 'USD', events: events.map(([value, data]) => ({ value, ...(data !== undefined && { data }) })) };
    expect(simulationFaults(simulation)).toEqual([]);
    expect(simulatePrice(simulation, { rounding: 'half_even' }).unrounded_amount).toBe(left);
  });

  it.each<[string, Partial<Simulation['price']>, string]>([
    ['before included units', { included_units: '2' }, '1.00'], // 3 − 2
    ['before packages', { model: { type: 'package', package_size: '3', package_amount: '5' } }, '5.00'],
    ['before the tier is chosen', { model: { type: 'volume', tiers: [{ up_to: '3', unit_amount: '2' }, { up_to: null, unit_amount: '1' }] } }, '6.00'],
    ['before a percentage', { model: { type: 'percentage', rate: '10', fixed_amount: '1' } }, '1.30'],
    ['and a minimum stays', { minimum_amount: '9' }, '9.00'],
  ])('comes %s', (_name, terms, amount) => {
    const simulation: Simulation = { price: { ...perUnit, exempt: failed, ...terms }, currency: 'USD', events: [{ value: '3', data: { status: 200 } }, { value: '4', data: { status: 503 } }] };
    expect(simulatePrice(simulation, { rounding: 'half_even' }).amount).toBe(amount);
  });

  it('is of events, so a meter that counts counts those that are left', () => {
    const simulation: Simulation = { price: { ...perUnit, exempt: failed }, currency: 'USD', events: [{ value: '30', data: { status: 200 } }, { value: '40', data: { status: 503 } }, { value: '50' }] };
    expect(simulatePrice(simulation, { rounding: 'half_even', meter: counted }).amount).toBe('2.00');
  });
});
