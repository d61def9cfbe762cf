import { describe, expect, it } from 'vitest';
import { decimal, toPlain, ZERO } from '../money/decimal.js';
import { nothingStated, rateDynamic } from './rate-dynamic.js';
import { ratePrice } from './rate-price.js';

const rate = (stated: string, multiplier?: string) =>
  toPlain(rateDynamic(decimal('3'), { sum: decimal(stated), missing: 0 }, { type: 'dynamic', amount: '$.cost', ...(multiplier !== undefined && { multiplier }) })[0]?.amount ?? ZERO);

// Goal: the sum of what events state, times the multiplier. Method: a row for each kind of sum, products by hand.
describe('rateDynamic', () => {
  it.each([
    ['0', '1.2', '0'],
    ['0.000000000000000001', '1', '0.000000000000000001'],
    ['0.000000000000000001', '1.5', '0.0000000000000000015'],
    ['1', '1.2', '1.2'],
    ['12.5', '1.2', '15'],
    ['12.345', '1', '12.345'],
    ['12.345', undefined, '12.345'], // No multiplier is 1.
    ['100', '0', '0'],
    ['100', '0.0000001', '0.00001'],
    ['0.1', '0.1', '0.01'],
    ['0.3', '3', '0.9'],
    ['3.333333333333333333', '3', '9.999999999999999999'],
    ['-0.000000000000000001', '1.2', '0'], // A net negative sum asks nothing.
    ['-50', '1.2', '0'],
    ['999999.99', '1.05', '1049999.9895'],
    ['1000000000000', '0.0000001', '100000'],
    ['1000000000000', '1.000000000000000001', '1000000000000.000001'],
    ['99999999999999999999', '2', '199999999999999999998'],
    ['99999999999999999999.999999999999999999', '1', '99999999999999999999.999999999999999999'],
    ['2.5', '999999999999', '2499999999997.5'],
    ['7', '1.1', '7.7'],
    ['7.7', '1.1', '8.47'],
    ['0.005', '1', '0.005'], // Half a cent is rounded with the line, not here.
    ['19.99', '1.175', '23.48825'],
    ['100', '1.01', '101'],
  ])('%s × %s', (stated, multiplier, amount) => {
    expect(rate(stated, multiplier)).toBe(amount);
  });

  it('asks nothing where nothing is stated', () => {
    expect(toPlain(rateDynamic(decimal('5'), nothingStated, { type: 'dynamic', amount: '$.cost' })[0]?.amount ?? ZERO)).toBe('0');
  });

  it('lists events without an amount, whatever the net quantity', () => {
    const usage = [{ group: {}, quantity: decimal('-2'), stated: { sum: decimal('4'), missing: 1 } }];
    const rated = ratePrice({ price: { type: 'usage', model: { type: 'dynamic', amount: '$.cost', multiplier: '1.25' } }, currency: 'USD', rounding: 'half_even', usage });
    expect(rated.trace.map(({ step, detail, amount }) => [step, detail, amount])).toEqual([
      ['quantity', '-2 metered', '0'],
      ['net_negative', 'the net quantity -2 is negative and is rated as 0', '0'],
      ['unpriced', '1 event states no amount and adds 0', '0'],
      ['model', '4 stated by the events × 1.25 = 5', '5'],
    ]);
    expect(rated.amountMinor).toBe(500n);
  });
});
