import { describe, expect, it } from 'vitest';
import type { RateablePrice } from '../catalog/price.js';
import { decimal, toPlain } from '../money/decimal.js';
import { formatMinor } from '../money/minor-units.js';
import { rateFlat } from './rate-flat.js';
import { ratePrice } from './rate-price.js';

// Goal: one amount, whatever the quantity. Method: by hand; of a fee, with its share of a period, and posted in three currencies.
describe('rateFlat', () => {
  it.each(['0', '0.000000000000000001', '0.5', '1', '10', '10.5', '1000000000000', '99999999999999999999.999999999999999999'])('owes the same at %s', (quantity) => {
    const shares = rateFlat(decimal(quantity), decimal('49.00'));
    expect(shares.map((share) => [share.ref, toPlain(share.quantity), toPlain(share.amount)])).toEqual([['flat', quantity, '49']]);
  });

  it.each<[string, string, string, Partial<RateablePrice>, [bigint, bigint], string, string]>([
    // amount, quantity, currency, more, share of a period, unrounded, posted
    ['49.00', '0', 'USD', {}, [1n, 1n], '49', '49.00'],
    ['49.00', '-5', 'USD', {}, [1n, 1n], '49', '49.00'], // A net negative quantity is 0.
    ['0', '7', 'USD', {}, [1n, 1n], '0', '0.00'],
    ['0.005', '7', 'USD', {}, [1n, 1n], '0.005', '0.01'],
    ['0.0049', '7', 'USD', {}, [1n, 1n], '0.0049', '0.00'],
    ['999999999999.995', '1', 'USD', {}, [1n, 1n], '999999999999.995', '1000000000000.00'],
    ['0.000000000000000001', '1', 'USD', {}, [1n, 1n], '0.000000000000000001', '0.00'],
    ['49.5', '1', 'JPY', {}, [1n, 1n], '49.5', '50'],
    ['49.4', '1', 'JPY', {}, [1n, 1n], '49.4', '49'],
    ['1.2345', '1', 'BHD', {}, [1n, 1n], '1.2345', '1.235'],
    ['49', '5', 'USD', { included_units: '100' }, [1n, 1n], '49', '49.00'], // What is included leaves 0, which owes it.
    ['49', '5', 'USD', { discount: { percent: '10' } }, [1n, 1n], '44.1', '44.10'],
    ['49', '5', 'USD', { discount: { amount: '60' } }, [1n, 1n], '0', '0.00'],
    ['49', '5', 'USD', { maximum_amount: '30' }, [1n, 1n], '30', '30.00'],
    ['49', '5', 'USD', { minimum_amount: '50.01' }, [1n, 1n], '50.01', '50.01'],
    ['49', '1', 'USD', { type: 'recurring' }, [1n, 2n], '24.5', '24.50'],
    ['49', '3', 'USD', { type: 'recurring' }, [21n, 31n], '33.19354838709677419354838709677419354839', '33.19'], // 1029 / 31
    ['49', '1', 'USD', { type: 'recurring' }, [0n, 31n], '0', '0.00'],
    ['49', '1', 'USD', { type: 'recurring', prorate: 'none' }, [1n, 2n], '49', '49.00'],
    ['49', '1', 'USD', { prorate: 'day' }, [1n, 2n], '49', '49.00'], // Of usage, what is granted and bounded is scaled, and a flat part is neither.
  ])('%s for %s in %s, with %o for %o of a period: %s, posted %s', (amount, quantity, currency, more, [numerator, denominator], unrounded, posted) => {
    const price: RateablePrice = { type: 'usage', model: { type: 'flat', amount }, ...more };
    const rated = ratePrice({ price, currency, rounding: 'half_away_from_zero', usage: [{ group: {}, quantity: decimal(quantity) }], fraction: { numerator, denominator } });
    expect([toPlain(rated.unroundedAmount), formatMinor(rated.amountMinor, currency)]).toEqual([unrounded, posted]);
  });
});
