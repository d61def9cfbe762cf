import { describe, expect, it } from 'vitest';
import type { UnitConversion } from '../catalog/price.js';
import { decimal, toPlain } from '../money/decimal.js';
import { convertUnits } from './convert-units.js';
import { noNote } from './trace.js';

// Goal: units that are sold, from units that are metered. Method: on and beside each whole number, by hand.
describe('convertUnits', () => {
  it.each<[string, string, UnitConversion['rounding'], string]>([
    ['0', '1000', 'none', '0'],
    ['0', '1000', 'up', '0'],
    ['1', '1000', 'none', '0.001'],
    ['1500', '1000', 'none', '1.5'],
    ['1', '3', 'none', '0.3333333333333333333333333333333333333333'], // 40 digits.
    ['2', '3', 'none', '0.6666666666666666666666666666666666666667'], // Half to even, on the 41st.
    ['10', '3', 'none', '3.333333333333333333333333333333333333333'], // 40 digits, the one before the point counted.
    ['9800000001', '1000000000', 'none', '9.800000001'],
    ['5', '0.5', 'none', '10'],
    ['0.000000000000000001', '1000000000000', 'none', '0.000000000000000000000000000001'],
    ['0.000000000000000001', '1000', 'up', '1'], // Anything at all is begun.
    ['999', '1000', 'up', '1'],
    ['1000', '1000', 'up', '1'],
    ['1000.000000000000000001', '1000', 'up', '2'],
    ['1001', '1000', 'up', '2'],
    ['10.5', '10', 'up', '2'],
    ['999.999999999999999999', '1000', 'down', '0'],
    ['1000', '1000', 'down', '1'],
    ['1999', '1000', 'down', '1'],
    ['10.5', '1', 'down', '10'],
    ['499', '1000', 'nearest', '0'],
    ['499.999999999999999999', '1000', 'nearest', '0'],
    ['500', '1000', 'nearest', '1'], // A half goes up.
    ['1500', '1000', 'nearest', '2'],
    ['2500', '1000', 'nearest', '3'], // Also an even one.
    ['99999999999999999999', '3', 'down', '33333333333333333333'],
    ['2', '3', 'nearest', '1'],
  ])('%s by %s, %s: %s', (quantity, divide_by, rounding, converted) => {
    expect(toPlain(convertUnits(decimal(quantity), { divide_by, rounding }, noNote))).toBe(converted);
  });
});
