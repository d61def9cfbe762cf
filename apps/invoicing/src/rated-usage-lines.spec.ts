import { expect, it } from 'vitest';
import type { IdentifiedPrice } from '#domain';
import type { Organization } from '#persistence';
import { unusedUsageLines } from './rated-usage-lines.js';
import type { BilledSubscription } from './subscription-terms.js';

// Goal: what a period that was never rated owes without usage. Method: two months of a subscription, and prices with a flat part of 5.
const at = (text: string): Temporal.Instant => Temporal.Instant.from(`${text}T00:00:00Z`);
const tiers = [{ up_to: null, unit_amount: '1', flat_amount: '5' }];
const monthly: IdentifiedPrice = { id: 'price_m', key: 'monthly', name: 'Monthly', type: 'usage', meter: 'calls', model: { type: 'graduated', tiers } };
const yearly: IdentifiedPrice = { ...monthly, id: 'price_y', key: 'yearly', name: 'Yearly', tier_period: 'P1Y' };
const plan = { billingPeriod: 'P1M', prices: [monthly, yearly], addOns: [] };
const subscription = { startAt: at('2027-01-01'), billingAnchor: at('2027-01-01'), trialEndAt: null, timeZone: 'UTC', currency: 'USD', cancelAt: null, changes: [] };
const one = { subscription, plan, stages: [plan] } as unknown as BilledSubscription;
const organization = { rounding: 'half_away_from_zero' } as Organization;

it.each([
  ['2027-01-01', '2027-02-01', ['monthly 500', 'yearly 500']],
  ['2027-02-01', '2027-03-01', ['monthly 500', 'yearly 0']], // The year's flat part was January's.
  ['2028-01-01', '2028-02-01', ['monthly 500', 'yearly 500']],
])('from %s to %s', (start, end, expected) => {
  const lines = unusedUsageLines(one, { organization, period: { start: at(start), end: at(end) }, stage: 0 });
  expect(lines.map(({ priceKey, amountMinor }) => `${priceKey} ${amountMinor}`)).toEqual(expected);
});
