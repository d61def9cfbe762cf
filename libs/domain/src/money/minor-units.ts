import { assert } from '../assert.js';
import { currencyDigits } from './currency.js';
import { assertExact, Decimal, decimalOf } from './decimal.js';

/** How a last digit is rounded; an organization chooses once. */
export type Rounding = 'half_away_from_zero' | 'half_even';

const modes: Readonly<Record<Rounding, 4 | 6>> = {
  half_away_from_zero: Decimal.ROUND_HALF_UP, // decimal.js calls "up" what is away from zero.
  half_even: Decimal.ROUND_HALF_EVEN,
};

/** By digits after the point. Made once: a power costs more than the product that it is for. */
const minorUnits = [0, 1, 2, 3].map((digits) => new Decimal(10).pow(digits));
const majorUnits = [0, 1, 2, 3].map((digits) => new Decimal(10).pow(-digits));

function minorUnitsOf(currency: string): Decimal {
  const units = minorUnits[currencyDigits(currency)];
  assert(units !== undefined, 'A currency has at most three digits.');
  return units;
}

function majorUnitsOf(currency: string): Decimal {
  const units = majorUnits[currencyDigits(currency)];
  assert(units !== undefined, 'A currency has at most three digits.');
  return units;
}

/** The amount with the currency's digits. The only place where money is rounded. */
export function roundToCurrency(amount: Decimal, options: { currency: string; rounding: Rounding }): Decimal {
  assertExact(amount);
  return amount.toDecimalPlaces(currencyDigits(options.currency), modes[options.rounding]);
}

/** An amount in major units as one of minor units, unrounded: 0.125 USD is 12.5. */
export function inMinorUnits(amount: Decimal, currency: string): Decimal {
  assertExact(amount);
  return amount.times(minorUnitsOf(currency));
}

/** A rounded amount in major units as minor units: 12.50 USD is 1250n. The amount must have no more digits than its currency. */
export function toMinor(amount: Decimal, currency: string): bigint {
  const minor = inMinorUnits(amount, currency);
  assert(minor.isInteger(), 'Only a rounded amount is posted.');
  return BigInt(minor.toFixed());
}

/** Minor units as an amount in major units: 1250n USD is 12.5. */
export function fromMinor(amountMinor: bigint, currency: string): Decimal {
  return decimalOf(amountMinor).times(majorUnitsOf(currency));
}

/** A posted amount with exactly the currency's digits: "12.50", JPY "13", BHD "1.230". */
export function formatMinor(amountMinor: bigint, currency: string): string {
  const digits = currencyDigits(currency);
  const sign = amountMinor < 0n ? '-' : '';
  const text = (amountMinor < 0n ? -amountMinor : amountMinor).toString().padStart(digits + 1, '0');
  if (digits === 0) return sign + text;
  return `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}
