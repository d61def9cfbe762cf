import { describe, expect, it } from 'vitest';
import { planDiff, type ComparedTerms } from './plan-diff.js';

// Goal: what differs between two versions, and how it reads. Method: one plan, one change a row, the sentence written by hand.
const requests = {
  id: 'price_1', key: 'requests', name: 'Requests', type: 'usage', meter: 'requests', included_units: '100',
  model: { type: 'graduated', tiers: [{ up_to: '1000', unit_amount: '0.01' }, { up_to: null, unit_amount: '0.005' }] },
};
const base = { id: 'price_2', key: 'base', name: 'Base fee', type: 'recurring', model: { type: 'flat', amount: '49' } };
const plan: ComparedTerms = { currency: 'USD', billing_period: 'P1M', trial_days: 0, prices: [base, requests] };
const withBase = (change: object): ComparedTerms => ({ ...plan, prices: [{ ...base, ...change }, requests] });
const withRequests = (change: object): ComparedTerms => ({ ...plan, prices: [base, { ...requests, ...change }] });
const tiers = (...changed: object[]) => withRequests({ model: { type: 'graduated', tiers: changed } });

describe('the difference of two versions of a plan', () => {
  it.each<[string, ComparedTerms, string[]]>([
    ['is nothing where they are the same', plan, []],
    ['is nothing where a decimal is only written otherwise', withBase({ model: { type: 'flat', amount: '49.00' } }), []],
    ['is nothing where only an id differs', withBase({ id: 'price_9' }), []],
    ['rises', withBase({ model: { type: 'flat', amount: '53.90' } }), ['"Base fee" (base): amount from 49 to 53.9 (+10 %).']], // 4.90 of 49.
    ['falls', withBase({ model: { type: 'flat', amount: '48' } }), ['"Base fee" (base): amount from 49 to 48 (-2.04 %).']], // 1 / 49 = 2.0408 %
    ['is in a tier', tiers({ up_to: '1000', unit_amount: '0.01' }, { up_to: null, unit_amount: '0.006' }), ['"Requests" (requests): unit amount of tier 2 from 0.005 to 0.006 (+20 %).']],
    ['is a bound', tiers({ up_to: '500', unit_amount: '0.01' }, { up_to: null, unit_amount: '0.005' }), ['"Requests" (requests): upper bound of tier 1 from 1000 to 500 (-50 %).']],
    ['is another name', withBase({ name: 'Platform' }), ['"Platform" (base): name from "Base fee" to "Platform".']],
    ['is a name that looks like a number', withBase({ name: '1e999' }), ['"1e999" (base): name from "Base fee" to 1e999.']],
    ['is what is there now', withBase({ minimum_amount: '10' }), ['"Base fee" (base): minimum amount 10, new.']],
    ['is what is gone', withRequests({ included_units: undefined }), ['"Requests" (requests): included units 100, gone.']],
    ['is another model', withBase({ model: { type: 'per_unit', unit_amount: '49' } }), [
      '"Base fee" (base): model from "flat" to "per_unit".', '"Base fee" (base): unit amount 49, new.', '"Base fee" (base): amount 49, gone.',
    ]],
    ['is of the plan itself', { ...plan, currency: 'EUR', trial_days: 14 }, ['The plan: currency from "USD" to "EUR".', 'The plan: trial days from 0 to 14.']],
    ['is a price more and one less', { ...plan, prices: [base, { ...base, key: 'seats', name: 'Seats' }] }, ['The price "Seats" (seats) is new.', 'The price "Requests" (requests) is gone.']],
    ['is nothing where prices only stand in another order', { ...plan, prices: [requests, base] }, []],
  ])('%s', (_name, after, texts) => {
    expect(planDiff(plan, after).map(({ text }) => text)).toEqual(texts);
  });

  const calls = { feature: 'calls', type: 'metered', limit: '1000', reset: 'billing_period', enforcement: 'hard' };
  const granting = (...entitlements: ComparedTerms['entitlements'] & object[]): ComparedTerms => ({ ...plan, entitlements });
  it.each<[string, ComparedTerms, string[]]>([
    ['is another limit', granting({ ...calls, limit: '1500' }), ['The entitlement to calls: limit from 1000 to 1500 (+50 %).']],
    ['is another reset', granting({ ...calls, reset: 'day' }), ['The entitlement to calls: reset from "billing_period" to "day".']],
    ['is no entitlement any more', plan, ['The entitlement to calls is gone.']],
    ['is what is granted beside', granting({ feature: 'sso', type: 'boolean' }, calls, { feature: 'region', type: 'static', value: 'eu' }, { ...calls, feature: 'exports', reset: 'never' }, { ...calls, feature: 'maps', limit: null }), [
      'The entitlement to sso is new.', 'The entitlement to region is new: "eu".', 'The entitlement to exports is new: 1000 in all, hard.', 'The entitlement to maps is new: without a limit.',
    ]],
    ['is a rate limit', granting({ ...calls, rate_limit: { limit: 10, per_seconds: 1 } }), ['The entitlement to calls: limit of rate limit 10, new.', 'The entitlement to calls: per seconds of rate limit 1, new.']],
    ['is nothing where entitlements are the same', granting({ ...calls, limit: '1000.0' }), []],
  ])('of entitlements %s', (_name, after, texts) => {
    expect(planDiff(granting(calls), after).map(({ text }) => text)).toEqual(texts);
  });

  it('of entitlements names the feature', () => {
    expect(planDiff(plan, granting(calls))).toEqual([{ pointer: '/entitlements/calls', priceKey: null, kind: 'added', from: null, to: calls, text: 'The entitlement to calls is new: 1000 per billing period, hard.' }]);
  });

  it('names the place, what was there and what is', () => {
    expect(planDiff(plan, withBase({ model: { type: 'flat', amount: '53.90' } }))).toEqual([
      { pointer: '/prices/base/model/amount', priceKey: 'base', kind: 'changed', from: '49', to: '53.90', text: '"Base fee" (base): amount from 49 to 53.9 (+10 %).' },
    ]);
  });
});
