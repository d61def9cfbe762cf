import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { currencyCodes, currencyDigits, isCurrency } from './currency.js';
import { decimal, toPlain } from './decimal.js';
import { formatMinor, fromMinor, type Rounding, roundToCurrency, toMinor } from './minor-units.js';
import { addMoney, type Money, money, negateMoney, subtractMoney, sumMoney } from './money.js';

describe('currencies', () => {
  it.each([
    ['USD', 2],
    ['EUR', 2],
    ['JPY', 0],
    ['KRW', 0],
    ['ISK', 0],
    ['BHD', 3],
    ['KWD', 3],
    ['IQD', 3], // The runtime says 0.
    ['HUF', 2], // The runtime says 0.
    ['IDR', 2], // The runtime says 0.
  ])('%s has %i digits', (code, digits) => {
    expect(isCurrency(code)).toBe(true);
    expect(currencyDigits(code)).toBe(digits);
  });

  it.each(['', 'usd', 'US', 'USDT', 'XYZ', 'XAU', 'XXX', 'CLF', 'UYW', 'toString'])('%s is none', (code) => {
    expect(isCurrency(code)).toBe(false);
  });

  it('lists no code that the runtime has never heard of', () => {
    const known = new Set(Intl.supportedValuesOf('currency'));
    expect(currencyCodes.filter((code) => !known.has(code))).toEqual([]);
    expect(new Set(currencyCodes).size).toBe(currencyCodes.length);
  });
});

describe('rounding', () => {
  const rows: [string, string, Rounding, string][] = [
    ['12.345', 'USD', 'half_away_from_zero', '12.35'],
    ['12.345', 'USD', 'half_even', '12.34'],
    ['12.355', 'USD', 'half_even', '12.36'],
    ['12.3450000000000000001', 'USD', 'half_even', '12.35'], // Above the half.
    ['12.3449999999999999999', 'USD', 'half_away_from_zero', '12.34'],
    ['-12.345', 'USD', 'half_away_from_zero', '-12.35'],
    ['-12.345', 'USD', 'half_even', '-12.34'],
    ['0.005', 'USD', 'half_away_from_zero', '0.01'],
    ['0.005', 'USD', 'half_even', '0.00'],
    ['12.5', 'JPY', 'half_away_from_zero', '13'],
    ['12.5', 'JPY', 'half_even', '12'],
    ['1.2345', 'BHD', 'half_away_from_zero', '1.235'],
    ['1.23', 'BHD', 'half_even', '1.230'],
    ['-0.001', 'USD', 'half_away_from_zero', '0.00'],
  ];
  it.each(rows)('%s %s, %s: %s', (amount, currency, rounding, posted) => {
    const rounded = roundToCurrency(decimal(amount), { currency, rounding });
    expect(formatMinor(toMinor(rounded, currency), currency)).toBe(posted);
  });

  it('posts only what was rounded', () => {
    expect(() => toMinor(decimal('0.001'), 'USD')).toThrow('Only a rounded amount is posted.');
  });
});

describe('minor units', () => {
  it.each([
    [0n, 'USD', '0.00'],
    [1n, 'USD', '0.01'],
    [-1n, 'USD', '-0.01'],
    [1250n, 'USD', '12.50'],
    [-1250n, 'USD', '-12.50'],
    [13n, 'JPY', '13'],
    [0n, 'JPY', '0'],
    [1230n, 'BHD', '1.230'],
    [5n, 'BHD', '0.005'],
    [123456789012345678901234n, 'USD', '1234567890123456789012.34'],
  ])('%s %s is written %s', (minor, currency, text) => {
    expect(formatMinor(minor, currency)).toBe(text);
  });

  it('comes back from a decimal as it went', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }), fc.constantFrom('USD', 'JPY', 'BHD'), (minor, currency) => {
        expect(toMinor(fromMinor(minor, currency), currency)).toBe(minor);
      }),
    );
  });

  it('is major units as a decimal', () => {
    expect(toPlain(fromMinor(1250n, 'USD'))).toBe('12.5');
  });
});

describe('money', () => {
  const usd = money('USD', 150n);
  const eur = money('EUR', 150n);

  it('adds, subtracts, negates and sums', () => {
    expect(addMoney(usd, money('USD', 50n))).toEqual({ currency: 'USD', amountMinor: 200n });
    expect(subtractMoney(usd, money('USD', 200n))).toEqual({ currency: 'USD', amountMinor: -50n });
    expect(negateMoney(usd)).toEqual({ currency: 'USD', amountMinor: -150n });
    expect(sumMoney('USD', [usd, usd, usd])).toEqual({ currency: 'USD', amountMinor: 450n });
    expect(sumMoney('JPY', [])).toEqual({ currency: 'JPY', amountMinor: 0n });
  });

  it('does not compile with two currencies', () => {
    // @ts-expect-error Euro is not added to dollars.
    expect(() => addMoney(usd, eur)).toThrow('never mixed');
    // @ts-expect-error Nor subtracted.
    expect(() => subtractMoney(usd, eur)).toThrow('never mixed');
    // @ts-expect-error Nor summed.
    expect(() => sumMoney('USD', [usd, eur])).toThrow('never mixed');
    expectTypeOf(addMoney(usd, usd)).toEqualTypeOf<Money<'USD'>>();
  });

  it('asserts where the currency is known only at run time', () => {
    const someMoney: Money = eur;
    expect(() => addMoney<string>(usd, someMoney)).toThrow('Money of two currencies is never mixed.');
  });
});
