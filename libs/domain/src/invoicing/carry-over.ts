import { assert } from '../assert.js';

/** What the payment provider takes in the invoice's currency, in minor units. */
export interface PayableAmounts {
  /** The least that can be charged, inclusive. */
  readonly minimumMinor: bigint;
  /** A charge is a multiple of it. */
  readonly stepMinor: bigint;
}

export interface CarryOver {
  /** Zero, or an amount that the provider takes. */
  readonly payableMinor: bigint;
  /** What a later invoice bears instead. Negative is money owed to the customer. */
  readonly carriedMinor: bigint;
}

/** Without a provider any whole amount can be asked for; only money that is owed to the customer waits for a later invoice. */
const anyAmount: PayableAmounts = { minimumMinor: 1n, stepMinor: 1n };

/** Splits what would be owed into what can be asked for now and what waits. Both parts add up to the whole. */
export function carryOver(owedMinor: bigint, payable: PayableAmounts | null): CarryOver {
  const { minimumMinor, stepMinor } = payable ?? anyAmount;
  assert(minimumMinor > 0n && stepMinor > 0n, 'A payment has a least amount and a step above zero.');
  const rounded = owedMinor <= 0n ? 0n : owedMinor - (owedMinor % stepMinor);
  const payableMinor = rounded < minimumMinor ? 0n : rounded;
  return { payableMinor, carriedMinor: owedMinor - payableMinor };
}
