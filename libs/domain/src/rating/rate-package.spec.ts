import { describe, expect, it } from 'vitest';
import { decimal, toPlain } from '../money/decimal.js';
import { ratePackage } from './rate-package.js';

// Goal: started packages. Method: a row on and beside each multiple, amounts by hand.
describe('ratePackage', () => {
  it.each([
    // quantity, size, amount, expected
    ['0', '1000', '5', '0'],
    ['0.000000000000000001', '1000', '5', '5'], // The smallest rest starts a package.
    ['1', '1000', '5', '5'],
    ['999', '1000', '5', '5'],
    ['999.999999999999999999', '1000', '5', '5'],
    ['1000', '1000', '5', '5'],
    ['1000.000000000000000001', '1000', '5', '10'],
    ['1001', '1000', '5', '10'],
    ['2000', '1000', '5', '10'],
    ['2500', '1000', '5', '15'],
    ['10000', '1000', '5', '50'],
    ['10001', '1000', '5', '55'],
    ['3', '1', '0.25', '0.75'],
    ['3.5', '1', '0.25', '1'],
    ['1', '0.1', '0.01', '0.1'], // 10 packages.
    ['1.05', '0.1', '0.01', '0.11'],
    ['1', '0.3', '1', '4'], // 3 full ones hold 0.9.
    ['0.9', '0.3', '1', '3'],
    ['10', '3', '1', '4'],
    ['9', '3', '1', '3'],
    ['1000000000000', '1', '0.0000001', '100000'], // 10^12 × 0.0000001
    ['1000000000000', '7', '1', '142857142858'], // 142857142857 full ones hold 999999999999.
    ['99999999999999999999.999999999999999999', '1', '1', '100000000000000000000'],
    ['99999999999999999999', '0.000000000000000003', '1', '33333333333333333333000000000000000000'], // (10^20 − 1)/3 × 10^18
    ['5', '99999999999999999999', '2.5', '2.5'],
    ['5', '10', '0', '0'],
  ])('rates %s in packages of %s at %s: %s', (quantity, packageSize, packageAmount, amount) => {
    const shares = ratePackage(decimal(quantity), { packageSize: decimal(packageSize), packageAmount: decimal(packageAmount) });
    expect(shares.map((share) => [share.ref, toPlain(share.quantity), toPlain(share.amount)])).toEqual([['packages', toPlain(decimal(quantity)), amount]]);
  });

  it('takes no empty package and no negative quantity', () => {
    expect(() => ratePackage(decimal('1'), { packageSize: decimal('0'), packageAmount: decimal('1') })).toThrow('more than nothing');
    expect(() => ratePackage(decimal('-1'), { packageSize: decimal('1'), packageAmount: decimal('1') })).toThrow('clamped before');
  });
});
