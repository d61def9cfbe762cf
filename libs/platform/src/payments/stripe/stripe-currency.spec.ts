import { describe, expect, it } from 'vitest';

import { fromStripeAmount, stripeLimits, toStripeAmount } from './stripe-currency.js';

describe('amounts at Stripe', () => {
  // Our minor units, our digits, Stripe's integer; null where Stripe has none.
  it.each([
    ['USD', 2, 1250n, 1250],
    ['USD', 2, -134n, -134],
    ['JPY', 0, 1300n, 1300],
    ['BHD', 3, 1230n, 1230],
    ['ISK', 0, 5n, 500], // whole krónur, written with two digits
    ['UGX', 0, 700n, 70_000],
    ['HUF', 2, 1045n, 1045],
    ['MGA', 2, 1200n, 12], // we count hundredths, Stripe whole ariary
    ['MGA', 2, 1250n, null],
    ['USD', 2, 9_007_199_254_740_993n, null], // no longer exact as a JavaScript number
  ] as const)('%s with %i digits: %s is %s', (currency, minorDigits, ours, theirs) => {
    expect(toStripeAmount(ours, { currency, minorDigits })).toBe(theirs);
    if (theirs !== null) expect(fromStripeAmount(theirs, { currency, minorDigits })).toBe(ours);
  });

  it('has no króna for half of one', () => {
    expect(fromStripeAmount(550, { currency: 'ISK', minorDigits: 0 })).toBeNull();
  });
});

describe('what Stripe takes', () => {
  it.each([
    ['USD', 2, 49n, 'below_minimum'],
    ['USD', 2, 50n, 'payable'],
    ['USD', 2, 0n, 'zero'],
    ['USD', 2, -50n, 'negative'],
    ['USD', 2, 999_999_999_999n, 'payable'],
    ['USD', 2, 1_000_000_000_000n, 'above_maximum'],
    ['HUF', 2, 17_499n, 'below_minimum'],
    ['JPY', 0, 49n, 'below_minimum'],
    ['JPY', 0, 50n, 'payable'],
    ['KWD', 3, 5124n, 'finer_than_step'],
    ['KWD', 3, 5120n, 'payable'],
    ['ISK', 0, 1n, 'payable'], // no minimum is published; one króna is Stripe's 100
    ['MGA', 2, 150n, 'finer_than_step'],
    ['MGA', 2, 100n, 'payable'],
  ] as const)('%s with %i digits: %s is %s', (currency, minorDigits, amount, verdict) => {
    const limits = stripeLimits({ currency, minorDigits });
    expect(limits.judge(amount)).toBe(verdict);
    expect(limits.canTake(amount)).toBe(verdict === 'payable');
  });

  it('names the step and the minimum in our units', () => {
    expect(stripeLimits({ currency: 'BHD', minorDigits: 3 })).toMatchObject({ stepMinor: 10n, minimumMinor: 10n });
    expect(stripeLimits({ currency: 'ISK', minorDigits: 0 })).toMatchObject({ stepMinor: 1n, minimumMinor: 1n });
    expect(stripeLimits({ currency: 'ISK', minorDigits: 2 })).toMatchObject({ stepMinor: 100n, minimumMinor: 100n });
  });
});
