import { assert } from '../../errors/assert.js';
import { paymentLimits } from '../payment-limits.js';
import type { CountedCurrency, PaymentLimits } from '../payment-limits.js';

/**
 * How Stripe counts money, after https://docs.stripe.com/currencies: amounts are integers of the smallest unit, two digits unless listed.
 * ISK and UGX lost their fractions, but are still written with two digits that must be 00. The third digit of three-digit currencies must
 * be 0. HUF and TWD are whole only in payouts, charges have two digits.
 */
const zeroDigits = new Set(['BIF', 'CLP', 'DJF', 'GNF', 'JPY', 'KMF', 'KRW', 'MGA', 'PYG', 'RWF', 'VND', 'VUV', 'XAF', 'XOF', 'XPF']);
const threeDigits = new Set(['BHD', 'JOD', 'KWD', 'OMR', 'TND']);
const wholeInTwoDigits = new Set(['ISK', 'UGX']);

/**
 * The least that Stripe charges, in Stripe's units, for accounts settled in that currency (same page, "Minimum charge amount by currency").
 * A charge that is converted first must reach the minimum of the settlement currency, which can't be seen from here: for a currency that is
 * not listed only the step bounds it, and what Stripe makes of a smaller amount is caught after finalizing.
 */
const minimums: Readonly<Record<string, bigint>> = {
  USD: 50n, AED: 200n, ARS: 50n, AUD: 50n, BRL: 50n, CAD: 50n, CHF: 50n, COP: 50n, CZK: 1500n, DKK: 250n, EUR: 50n,
  GBP: 30n, HKD: 400n, HUF: 17500n, IDR: 50n, ILS: 50n, INR: 50n, JPY: 50n, KRW: 50n, MXN: 1000n, MYR: 200n, NOK: 300n,
  NZD: 50n, PHP: 50n, PLN: 200n, RON: 200n, RUB: 50n, SEK: 300n, SGD: 50n, THB: 1000n, ZAR: 50n,
};

/** Twelve digits, the most that a card charge may have. */
const maximum = 999_999_999_999n;

function stripeDigits(currency: string): number {
  if (zeroDigits.has(currency)) return 0;
  return threeDigits.has(currency) ? 3 : 2;
}

/** What a charged amount must be a multiple of, in Stripe's units. */
function stripeStep(currency: string): bigint {
  if (threeDigits.has(currency)) return 10n;
  return wholeInTwoDigits.has(currency) ? 100n : 1n;
}

/** Our minor units in Stripe's integer; null where Stripe has no number for it. */
export function toStripeAmount(amountMinor: bigint, counted: CountedCurrency): number | null {
  const scaled = rescale(amountMinor, { from: counted.minorDigits, to: stripeDigits(counted.currency) });
  if (scaled === null) return null;
  const amount = Number(scaled);
  return Number.isSafeInteger(amount) ? amount : null;
}

/** Stripe's integer in our minor units; null where it is finer than ours. */
export function fromStripeAmount(amount: number, counted: CountedCurrency): bigint | null {
  assert(Number.isSafeInteger(amount), 'Stripe counts in integers.');
  return rescale(BigInt(amount), { from: stripeDigits(counted.currency), to: counted.minorDigits });
}

export function stripeLimits(counted: CountedCurrency): PaymentLimits {
  const step = stripeStep(counted.currency);
  const minimum = minimums[counted.currency] ?? step;
  const scale = { from: stripeDigits(counted.currency), to: counted.minorDigits };
  return paymentLimits({ minimumMinor: rescaleUp(minimum, scale), maximumMinor: rescaleDown(maximum, scale), stepMinor: rescaleUp(step, scale) });
}

interface Scale {
  readonly from: number;
  readonly to: number;
}

function rescale(amount: bigint, scale: Scale): bigint | null {
  if (scale.to >= scale.from) return amount * 10n ** BigInt(scale.to - scale.from);
  const divisor = 10n ** BigInt(scale.from - scale.to);
  return amount % divisor === 0n ? amount / divisor : null;
}

function rescaleUp(amount: bigint, scale: Scale): bigint {
  const exact = rescale(amount, scale);
  return exact ?? rescaleDown(amount, scale) + 1n;
}

function rescaleDown(amount: bigint, scale: Scale): bigint {
  if (scale.to >= scale.from) return amount * 10n ** BigInt(scale.to - scale.from);
  return amount / 10n ** BigInt(scale.from - scale.to);
}
