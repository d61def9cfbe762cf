import { describe, expect, it } from 'vitest';
import { decimal, toPlain } from '../money/decimal.js';
import { rateFlat } from './rate-flat.js';
import { ratePerUnit } from './rate-per-unit.js';

// Goal: exact products. Method: by hand, at both ends of the bounds.
describe('ratePerUnit', () => {
  it.each([
    ['0', '0.002', '0'],
    ['1', '0.002', '0.002'],
    ['0.5', '0.002', '0.001'],
    ['1234.5', '0.01', '12.345'],
    ['10', '0', '0'],
    ['3', '0.1', '0.3'], // A float says 0.30000000000000004.
    ['0.1', '0.2', '0.02'],
    ['1000000000000', '0.0000001', '100000'],
    ['1000000000001', '0.0000001', '100000.0000001'],
    ['123456789012.123456789012345678', '1', '123456789012.123456789012345678'],
    ['0.000000000000000001', '0.000000000000000001', '0.000000000000000000000000000000000001'],
    ['99999999999999999999', '999999999999', '99999999999899999999000000000001'], // (10^20 − 1)(10^12 − 1) = 10^32 − 10^20 − 10^12 + 1
    ['7', '1.005', '7.035'],
    ['333', '0.003', '0.999'],
  ])('%s × %s = %s', (quantity, unitAmount, amount) => {
    expect(ratePerUnit(decimal(quantity), decimal(unitAmount)).map((share) => [share.ref, toPlain(share.amount)])).toEqual([['units', amount]]);
  });
});

describe('rateFlat', () => {
  it.each(['0', '0.5', '1', '1000000000000'])('owes the same at %s', (quantity) => {
    const shares = rateFlat(decimal(quantity), decimal('49.00'));
    expect(shares.map((share) => [share.ref, toPlain(share.quantity), toPlain(share.amount)])).toEqual([['flat', quantity, '49']]);
  });
});
