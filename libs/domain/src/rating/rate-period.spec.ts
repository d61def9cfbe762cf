import { describe, expect, it } from 'vitest';
import { decimal } from '../money/decimal.js';
import { localDays } from '../period/local-days.js';
import { period } from '../period/period.js';
import type { IdentifiedPrice } from './rate-fee.js';
import { ratePeriod, type RatePeriodInput } from './rate-period.js';

// Goal: fees and usage of one period together. Method: a plan of a base fee in advance, a support fee in arrears and metered
// requests; amounts by hand.
const at = (text: string): Temporal.Instant => Temporal.Instant.from(text);
const january = period(at('2027-01-01T00:00:00Z'), at('2027-02-01T00:00:00Z'));
const base: IdentifiedPrice = { id: 'price_base', key: 'base', name: 'Base', type: 'recurring', model: { type: 'flat', amount: '31.00' } };
const support: IdentifiedPrice = { id: 'price_support', key: 'support', name: 'Support', type: 'recurring', pay: 'in_arrears', model: { type: 'flat', amount: '62.00' } };
const requests: IdentifiedPrice = {
  id: 'price_requests', key: 'requests', name: 'Requests', type: 'usage', meter: 'requests', group_by: ['region'],
  model: { type: 'per_unit', unit_amount: '0.01' },
};
const setUp: IdentifiedPrice = { id: 'price_setup', key: 'setup', name: 'Set-up', type: 'one_time', model: { type: 'flat', amount: '500.00' } };

function rate(changes: Partial<RatePeriodInput> = {}) {
  const part = changes.part ?? january;
  return ratePeriod({
    prices: [base, support, requests],
    currency: 'USD',
    rounding: 'half_away_from_zero',
    timeZone: 'UTC',
    part,
    whole: january,
    days: localDays(part, 'UTC'),
    over: true,
    returnsUnused: true,
    usageUntil: () => [],
    ...changes,
  });
}

const lineAmounts = (rated: ReturnType<typeof rate>): Record<string, string> => Object.fromEntries(rated.lines.map(({ ref, amountMinor }) => [ref, String(amountMinor)]));
const daySum = (rated: ReturnType<typeof rate>, priceId: string): bigint => rated.days.filter((day) => day.priceId === priceId).reduce((sum, day) => sum + day.amountMinor, 0n);

describe('rating a period', () => {
  it('gives a line per price and group, and days that sum to them', () => {
    const rated = rate({
      usageUntil: (_price, day) => [
        { group: { region: 'eu' }, quantity: decimal(day.day < '2027-01-15' ? '100' : '250') },
        { group: { region: 'us' }, quantity: decimal('50.5') },
      ],
    });
    expect(lineAmounts(rated)).toEqual({
      'base/all': '3100',
      'support/all': '6200',
      'requests/["eu"]': '250', // 250 × 0.01 = 2.50; together 3.005 → 3.01, and the odd cent goes to the larger remainder:
      'requests/["us"]': '51', // 2.50 and 0.505 → 2.50 and 0.51
    });
    expect(daySum(rated, 'price_requests')).toBe(301n);
    const byDay = new Map(rated.days.filter((day) => day.priceId === 'price_requests').map((day) => [day.day.day, day.amountMinor]));
    expect(byDay.get('2027-01-01')).toBe(151n); // (100 + 50.5) × 0.01 = 1.505 → 1.51
    expect(byDay.get('2027-01-15')).toBe(150n); // 3.01 − 1.51
    expect(byDay.get('2027-01-16')).toBe(0n);
  });

  it('names groups in its descriptions, without control characters', () => {
    const rated = rate({ prices: [requests], usageUntil: () => ['', 'eu', 'a\u0000\nb'].map((region) => ({ group: { region }, quantity: decimal('1') })) });
    expect(rated.lines.map(({ description, group }) => [description, group['region']])).toEqual([
      ['Requests (region (none))', ''], ['Requests (region a\uFFFD\uFFFDb)', 'a\u0000\nb'], ['Requests (region eu)', 'eu']]);
  });

  it('puts a fee in advance on the first day and one in arrears on the last', () => {
    const rated = rate();
    const days = (priceId: string) => rated.days.filter((day) => day.priceId === priceId && day.amountMinor !== 0n).map((day) => [day.day.day, day.amountMinor]);
    expect(days('price_base')).toEqual([['2027-01-01', 3100n]]);
    expect(days('price_support')).toEqual([['2027-01-31', 6200n]]);
  });

  it('owes nothing in arrears before the period is over', () => {
    const soFar = localDays(january, 'UTC').slice(0, 10);
    const rated = rate({ days: soFar, over: false });
    expect(daySum(rated, 'price_base')).toBe(3100n);
    expect(daySum(rated, 'price_support')).toBe(0n);
  });

  it('charges a stub by its share', () => {
    // 11 of 31 days: base 31 × 11/31 = 11.00, support 62 × 11/31 = 22.00
    const part = period(at('2027-01-21T00:00:00Z'), january.end);
    expect(lineAmounts(rate({ part }))).toMatchObject({ 'base/all': '1100', 'support/all': '2200' });
  });

  it('keeps the advance fee of a period that ended early and gives back what is unused on its last day', () => {
    // Ended after 10 of 31 days: base 31.00 was owed on the first day, 21/31 of it = 21.00 comes back; support 62 × 10/31 = 20.00
    const part = period(january.start, at('2027-01-11T00:00:00Z'));
    const rated = rate({ part });
    expect(lineAmounts(rated)).toMatchObject({ 'base/all': '3100', 'support/all': '2000' });
    expect(rated.days.filter(({ priceId, amountMinor }) => priceId === 'price_base' && amountMinor !== 0n).map(({ day, amountMinor }) => [day.day, amountMinor])).toEqual([
      ['2027-01-01', 3100n],
      ['2027-01-10', -2100n],
    ]);
    expect(daySum(rate({ part, returnsUnused: false }), 'price_base')).toBe(3100n);
  });

  it('leaves one-time prices out, since they belong to no period', () => {
    expect(rate({ prices: [setUp] })).toEqual({ lines: [], days: [], thresholds: [] });
  });
});
