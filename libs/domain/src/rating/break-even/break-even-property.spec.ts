import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Model } from '../../catalog/model.js';
import type { RateablePrice } from '../../catalog/price.js';
import { decimal, type Decimal } from '../../money/decimal.js';
import { priceFaults } from '../../catalog/price-faults.js';
import { simulatePrice } from '../simulate-price.js';
import { breakEven } from './break-even.js';

// Goal: the ranges are what rating says at every quantity. Method: random pairs of prices of every model and wrapper that a single
// quantity decides; each of the grid's quantities is simulated under both, and must lie in a range of who is cheaper.

const amounts = fc.constantFrom('0', '0.25', '1', '1.5', '2', '3', '7', '10');
const tierList = fc
  .tuple(fc.subarray(['3', '7.5', '12', '20']), fc.array(fc.record({ amount: amounts, flat: amounts, maximum: fc.option(amounts, { nil: undefined }) }), { minLength: 5, maxLength: 5 }))
  .map(([bounds, asked]) => [...bounds, null].map((up_to, index) => ({ up_to, amount: '0', flat: '0', maximum: undefined, ...asked[index] })));
const unitTiers = tierList.map((list) => list.map(({ up_to, amount, flat, maximum }) => ({ up_to, unit_amount: amount, flat_amount: flat, ...(maximum !== undefined && { maximum_amount: maximum }) })));
const models: fc.Arbitrary<Model> = fc.oneof(
  amounts.map((amount): Model => ({ type: 'flat', amount })),
  amounts.map((unit_amount): Model => ({ type: 'per_unit', unit_amount })),
  fc.tuple(fc.constantFrom('0.75', '2', '5', '10'), amounts).map(([package_size, package_amount]): Model => ({ type: 'package', package_size, package_amount })),
  unitTiers.map((tiers): Model => ({ type: 'graduated', tiers })),
  unitTiers.map((tiers): Model => ({ type: 'volume', tiers })),
  tierList.map((list): Model => ({ type: 'stairstep', tiers: list.map(({ up_to, amount }) => ({ up_to, amount })) })),
  unitTiers.map((tiers): Model => ({ type: 'graduated_percentage', tiers: tiers.map(({ unit_amount: rate, ...tier }) => ({ ...tier, rate: `${rate}0` })) })),
  fc.record({ rate: amounts, fixed_amount: amounts, free_events: fc.constantFrom(0, 1, 4), free_amount: fc.constantFrom('0', '1', '6.25'), minimum_per_event: fc.constantFrom('0', '1') })
    .map((terms): Model => ({ type: 'percentage', ...terms })),
);
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const conversions = fc.record({ divide_by: fc.constantFrom('1', '2', '3', '0.7'), rounding: fc.constantFrom('none' as const, 'up' as const, 'down' as const, 'nearest' as const) });
const prices: fc.Arbitrary<RateablePrice> = fc
  .record({
    model: models, included: optional(fc.constantFrom('0', '2.5', '10')), conversion: optional(conversions), percent: optional(fc.constantFrom('0', '10', '33.3', '100')), off: optional(amounts),
    maximum: optional(fc.constantFrom('10', '20')), minimum: optional(fc.constantFrom('0', '4', '10')),
  })
  .map(({ model, included, conversion, percent, off, maximum, minimum }): RateablePrice => ({
    type: 'usage', model,
    ...(model.type !== 'percentage' && included !== undefined && { included_units: included }), ...(model.type !== 'percentage' && conversion !== undefined && { unit_conversion: conversion }),
    ...((percent ?? off) !== undefined && { discount: { ...(percent !== undefined && { percent }), ...(off !== undefined && { amount: off }) } }),
    ...(maximum !== undefined && { maximum_amount: maximum }), ...(minimum !== undefined && { minimum_amount: minimum }),
  }));

/** Quotients of a rating have 40 digits, and those that are compared are exact. */
const nothing = decimal('0.00000000000000000000000000000001');
const asDecimal = (text: string): Decimal => decimal(text);

describe('break-even ranges', () => {
  it('are what simulations say of every quantity', () => {
    fc.assert(fc.property(prices, prices, fc.constantFrom('0.25', '0.5', '1', '2.5'), (a, b, step) => {
      fc.pre([a, b].every((price) => priceFaults(price, '', { meterOptional: true }).length === 0));
      const side = (price: RateablePrice, name: string) => ({ prices: [price], plan: null, pointer: name, pointerOf: () => name });
      const answer = breakEven({
        a: side(a, '/a'), b: side(b, '/b'), currency: 'USD', countingMeters: new Set(), usage: new Map(), quantities: new Map(), event_value: step, to_quantity: '30',
      }, { rounding: 'half_even' });
      expect(answer.ok).toBe(true);
      if (!answer.ok) return;
      const { ranges } = answer.value;
      const count = Number(decimal('30').divToInt(step));
      let index = 0;
      for (let at = 0; at <= count; at += 1) {
        const quantity = decimal(step).times(at);
        while (ranges[index]?.to?.lt(quantity) === true) index += 1;
        const events = Array.from({ length: at }, () => ({ value: step }));
        const [costA, costB] = [a, b].map((price) => asDecimal(simulatePrice({ price, currency: 'USD', events }, { rounding: 'half_even' }).unrounded_amount));
        const difference = costA?.minus(costB ?? 0) ?? decimal('0');
        expect(`${quantity.toFixed()} ${difference.abs().lt(nothing) ? 'same' : difference.lt(0) ? 'a' : 'b'}`).toBe(`${quantity.toFixed()} ${ranges[index]?.cheaper}`);
      }
      expect(ranges.slice(1).every(({ cheaper }, place) => cheaper !== ranges[place]?.cheaper)).toBe(true);
    }), { numRuns: 300 });
  }, 60_000);
});
