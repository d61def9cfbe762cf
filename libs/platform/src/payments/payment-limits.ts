/** Whether an amount can be asked for, and if not, why not. */
export type AmountVerdict = 'payable' | 'zero' | 'negative' | 'below_minimum' | 'above_maximum' | 'finer_than_step';

/** A currency as our amounts count it. */
export interface CountedCurrency {
  /** ISO 4217 in capitals. */
  readonly currency: string;
  readonly minorDigits: number;
}

/** What a provider can take in one currency. All amounts in our minor units, both bounds inclusive. */
export interface PaymentLimits {
  readonly minimumMinor: bigint;
  readonly maximumMinor: bigint;
  /** A payable amount is a multiple of it: 10 for Bahraini dinars at Stripe, where the third digit must be 0. */
  readonly stepMinor: bigint;
  judge(amountMinor: bigint): AmountVerdict;
  canTake(amountMinor: bigint): boolean;
}

export function paymentLimits(bounds: { minimumMinor: bigint; maximumMinor: bigint; stepMinor: bigint }): PaymentLimits {
  const judge = (amountMinor: bigint): AmountVerdict => {
    if (amountMinor === 0n) return 'zero';
    if (amountMinor < 0n) return 'negative';
    if (amountMinor % bounds.stepMinor !== 0n) return 'finer_than_step';
    if (amountMinor < bounds.minimumMinor) return 'below_minimum';
    return amountMinor > bounds.maximumMinor ? 'above_maximum' : 'payable';
  };
  return { ...bounds, judge, canTake: (amountMinor) => judge(amountMinor) === 'payable' };
}
