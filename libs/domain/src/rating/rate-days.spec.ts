import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RateablePrice } from '../catalog/price.js';
import { decimal, toPlain, ZERO } from '../money/decimal.js';
import { type DayUsage, rateDays } from './rate-days.js';
import { ratePrice } from './rate-price.js';

type Terms = Omit<RateablePrice, 'type'> & { type?: RateablePrice['type'] };

const perUnit = (unitAmount: string) => ({ type: 'per_unit' as const, unit_amount: unitAmount });
const half = { numerator: 1n, denominator: 2n };

/** Days from what each of them added. */
function daysOf(added: readonly string[]): DayUsage[] {
  let sum = ZERO;
  return added.map((quantity, index) => {
    sum = sum.plus(decimal(quantity));
    return { day: `2026-11-${String(index + 1).padStart(2, '0')}`, cumulative: [{ group: {}, quantity: sum }] };
  });
}

function amounts(terms: Terms, added: readonly string[], situation: { over?: boolean; currency?: string; fraction?: typeof half } = {}): bigint[] {
  const { over = true, currency = 'USD', fraction } = situation;
  const price = { type: 'usage' as const, ...terms };
  return rateDays({ price, currency, rounding: 'half_away_from_zero', days: daysOf(added), over, fraction }).map((day) => day.amountMinor);
}

// Goal: days that sum to the period to the cent. Method: short periods by hand, R being what is posted so far.
describe('rateDays', () => {
  const graduated = { type: 'graduated' as const, tiers: [{ up_to: '10', unit_amount: '1', flat_amount: '5' }, { up_to: null, unit_amount: '0.5' }] };
  const volume = { type: 'volume' as const, tiers: [{ up_to: '10', unit_amount: '2' }, { up_to: null, unit_amount: '1' }] };

  const rows: [string, Terms, string[], bigint[]][] = [
    ['per unit', { model: perUnit('0.01') }, ['100', '0', '50'], [100n, 0n, 50n]],
    ['each day is a difference of posted amounts', { model: perUnit('0.004') }, ['1', '1', '1', '1'], [0n, 1n, 0n, 1n]], // R: 0.00, 0.01, 0.01, 0.02
    ['tiers fill up over the days', { model: graduated }, ['8', '4', '2'], [1300n, 300n, 100n]], // R: 5+8, 5+10+1, 5+10+2
    ['a flat part owed at 0 stands on the first day', { model: graduated }, ['0', '0', '4'], [500n, 0n, 400n]],
    ['more may cost less', { model: volume }, ['10', '1', '0'], [2000n, -900n, 0n]], // R: 20, 11, 11
    ['a flat usage price stands on the first day', { model: { type: 'flat', amount: '49' } }, ['0', '7'], [4900n, 0n]],
    ['packages stand where they start', { model: { type: 'package', package_size: '10', package_amount: '5' } }, ['1', '9', '1'], [500n, 0n, 500n]],
    ['included units go first', { model: perUnit('1'), included_units: '5' }, ['3', '3', '3'], [0n, 100n, 300n]],
    ['the maximum holds from the day that reaches it', { model: perUnit('1'), maximum_amount: '5' }, ['4', '4', '4'], [400n, 100n, 0n]],
    ['the minimum stands on the last day', { model: perUnit('1'), minimum_amount: '10' }, ['2', '1', '3'], [200n, 100n, 700n]], // 3 + (10 − 6)
    ['a minimum without usage', { model: perUnit('1'), minimum_amount: '10' }, ['0', '0'], [0n, 1000n]],
    ['a minimum that is exceeded adds nothing', { model: perUnit('1'), minimum_amount: '5' }, ['2', '4'], [200n, 400n]],
    ['a correction is negative', { model: perUnit('1') }, ['5', '-2', '1'], [500n, -200n, 100n]],
    ['below 0 nothing is paid out', { model: perUnit('1') }, ['5', '-7', '3'], [500n, -500n, 100n]], // R: 5, 0, 1
    ['one day', { model: perUnit('1'), minimum_amount: '3' }, ['2'], [300n]],
    ['no day', { model: perUnit('1') }, [], []],
    ['a fee in advance stands on the first day', { type: 'recurring', model: { type: 'flat', amount: '49' } }, ['1', '0', '0'], [4900n, 0n, 0n]],
    ['a fee in arrears on the last', { type: 'recurring', pay: 'in_arrears', model: { type: 'flat', amount: '49' } }, ['1', '0', '0'], [0n, 0n, 4900n]],
    ['a one-time price on the first', { type: 'one_time', model: { type: 'flat', amount: '99' } }, ['1', '0'], [9900n, 0n]],
  ];
  it.each(rows)('%s', (_name, terms, added, expected) => {
    expect(amounts(terms, added)).toEqual(expected);
  });

  it('adds the minimum and a fee in arrears only once the period is over', () => {
    expect(amounts({ model: perUnit('1'), minimum_amount: '10' }, ['2', '1'], { over: false })).toEqual([200n, 100n]);
    expect(amounts({ type: 'recurring', pay: 'in_arrears', model: { type: 'flat', amount: '49' } }, ['1', '0'], { over: false })).toEqual([0n, 0n]);
    expect(amounts({ type: 'recurring', model: { type: 'flat', amount: '49' } }, ['1', '0'], { over: false })).toEqual([4900n, 0n]);
  });

  it('uses the digits of the currency and the share of the period', () => {
    expect(amounts({ model: perUnit('0.4') }, ['1', '1', '1'], { currency: 'JPY' })).toEqual([0n, 1n, 0n]); // R: 0, 1, 1
    expect(amounts({ model: perUnit('1'), minimum_amount: '10', prorate: 'day' }, ['1', '1'], { fraction: half })).toEqual([100n, 400n]);
    expect(amounts({ type: 'recurring', model: { type: 'flat', amount: '49' } }, ['1', '0'], { fraction: half })).toEqual([2450n, 0n]);
  });

  it('says what each day added', () => {
    const rated = rateDays({ price: { type: 'usage', model: perUnit('1') }, currency: 'USD', rounding: 'half_even', days: daysOf(['5', '-2.5', '0']), over: false });
    expect(rated.map(({ day, quantity }) => [day, toPlain(quantity)])).toEqual([['2026-11-01', '5'], ['2026-11-02', '-2.5'], ['2026-11-03', '0']]);
  });

  it('takes a fee without quantities for one', () => {
    const days = [{ day: '2026-11-01', cumulative: [] }, { day: '2026-11-02', cumulative: [] }];
    const rated = rateDays({ price: { type: 'recurring', model: perUnit('10') }, currency: 'USD', rounding: 'half_even', days, over: true });
    expect(rated.map(({ quantity, amountMinor }) => [toPlain(quantity), amountMinor])).toEqual([['1', 1000n], ['0', 0n]]);
  });

  it('sums to the posted amount of the period, whatever the price and the days', () => {
    const model = fc.constantFrom<RateablePrice['model']>(
      perUnit('0.0033'), graduated, volume, { type: 'package', package_size: '7', package_amount: '0.99' }, { type: 'flat', amount: '1.005' },
    );
    const bound = fc.option(fc.integer({ min: 0, max: 50 }).map(String), { nil: undefined });
    const added = fc.array(fc.integer({ min: -50, max: 500 }).map((n) => `${Math.trunc(n / 10)}`), { minLength: 1, maxLength: 31 });
    fc.assert(
      fc.property(model, bound, bound, added, (chosen, minimum, included, quantities) => {
        const price: RateablePrice = { type: 'usage', model: chosen, ...(minimum !== undefined && { minimum_amount: minimum }), ...(included !== undefined && { included_units: included }) };
        const days = daysOf(quantities);
        const whole = ratePrice({ price, currency: 'USD', rounding: 'half_away_from_zero', usage: days.at(-1)?.cumulative ?? [] });
        const sum = amounts(price, quantities).reduce((a, b) => a + b, 0n);
        expect(sum).toBe(whole.amountMinor);
      }),
    );
  });
});
