import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertExact, Decimal, decimal, decimalOf, divide, sumOf, toPlain, ZERO } from './decimal.js';

// Goal: exact arithmetic. Method: worst cases by hand, and an oracle that knows nothing but BigInt.
describe('Decimal', () => {
  it('adds, subtracts and multiplies the widest numbers of our bounds without losing a digit', () => {
    const quantity = decimal('99999999999999999999.999999999999999999'); // 20 + 18 digits.
    const quotient = divide(decimal('0.000000000000000001'), decimal('99999999999999999999.999999999999999999'));
    const price = decimal('999999999999.999999999999999999'); // 12 + 18 digits.
    const product = quotient.times(price);
    // 40 digits times 30 digits: 10^-38 has quotient digits down to 10^-78, the price adds 18 places.
    expect(product.decimalPlaces()).toBeLessThanOrEqual(96);
    expect(quantity.times(price).plus(product).minus(product).eq(quantity.times(price))).toBe(true);
    // (10^38 − 1)(10^30 − 1) × 10^-36 = 10^32 − 10^2 − 10^-6 + 10^-36
    expect(toPlain(quantity.times(price))).toBe('99999999999999999999999999999899.999999000000000000000000000000000001');
  });

  it('equals BigInt arithmetic over a common scale', () => {
    const scaled = fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n });
    fc.assert(
      fc.property(scaled, scaled, (a, b) => {
        const scale = new Decimal('1e-18');
        const x = decimalOf(a).times(scale);
        const y = decimalOf(b).times(scale);
        expect(x.plus(y).eq(decimalOf(a + b).times(scale))).toBe(true);
        expect(x.minus(y).eq(decimalOf(a - b).times(scale))).toBe(true);
        expect(x.times(y).eq(decimalOf(a * b).times(scale).times(scale))).toBe(true);
      }),
    );
  });

  it.each([
    ['1', '3', '0.3333333333333333333333333333333333333333'], // 40 digits.
    ['2', '3', '0.6666666666666666666666666666666666666667'],
    ['10', '4', '2.5'],
    ['-1', '8', '-0.125'],
    ['0', '7', '0'],
    ['100', '7', '14.28571428571428571428571428571428571429'],
    ['10000000000000000000000000000000000000005', '10', '1000000000000000000000000000000000000000'], // A tie to the even digit below: …000.5
    ['10000000000000000000000000000000000000015', '10', '1000000000000000000000000000000000000002'], // A tie to the even digit above: …001.5
  ])('divides %s by %s to 40 significant digits, half to even', (a, b, quotient) => {
    expect(toPlain(divide(decimal(a), decimal(b)))).toBe(quotient);
  });

  it('divides as BigInt long division does', () => {
    const number = fc.bigInt({ min: 1n, max: 10n ** 38n });
    fc.assert(
      fc.property(number, number, (a, b) => {
        expect(toPlain(divide(decimalOf(a), decimalOf(b)))).toBe(toPlain(quotientByBigInt(a, b)));
      }),
    );
  });

  it('refuses to divide by zero', () => {
    expect(() => divide(ZERO, ZERO)).toThrow('A divisor is never zero.');
  });

  it.each([
    ['1.10', '1.1'],
    ['-0', '0'],
    ['-0.000', '0'],
    ['100', '100'],
    ['0.000000000000000001', '0.000000000000000001'],
    ['99999999999999999999', '99999999999999999999'],
    ['-12.500', '-12.5'],
  ])('writes %s as %s', (text, plain) => {
    expect(toPlain(decimal(text))).toBe(plain);
  });

  it.each(['', '1e3', 'NaN', 'Infinity', '.5', '5.', '+1', ' 1', '1,5', '0x10', '1'.repeat(301)])('takes no text but plain notation: %s', (text) => {
    expect(() => decimal(text)).toThrow('plain notation');
  });

  it('notices a number that came near the precision', () => {
    expect(() => assertExact(decimalOf(10n ** 999n + 1n))).toThrow('fewer digits than the precision');
    expect(() => assertExact(new Decimal('NaN'))).toThrow('finite');
  });

  it('sums what it is told to pick', () => {
    expect(toPlain(sumOf([{ n: '0.1' }, { n: '0.2' }], (item) => decimal(item.n)))).toBe('0.3');
    expect(sumOf([], () => ZERO).isZero()).toBe(true);
  });
});

/** a / b to 40 significant digits, half to even, by whole numbers alone. */
function quotientByBigInt(a: bigint, b: bigint): Decimal {
  let places = 0n;
  let scaled = a;
  while (scaled / b < 10n ** 39n) {
    scaled *= 10n;
    places += 1n;
  }
  const digits = scaled / b;
  const excess = BigInt(digits.toString().length - 40); // More than 40 digits only where a / b is that large.
  const divisor = b * 10n ** excess;
  const floor = scaled / divisor;
  const twiceRest = 2n * (scaled - floor * divisor);
  const up = twiceRest > divisor || (twiceRest === divisor && floor % 2n === 1n);
  return decimalOf(up ? floor + 1n : floor).times(new Decimal(10).pow(Number(excess - places)));
}
