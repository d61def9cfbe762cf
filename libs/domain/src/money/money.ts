import { assert } from '../assert.js';

/**
 * Posted money: whole minor units of one currency. The currency is part of the type, so adding USD to EUR does not compile;
 * where the currency is known only at run time, an assertion stands in.
 */
export interface Money<C extends string = string> {
  readonly currency: C;
  readonly amountMinor: bigint;
}

export function money<C extends string>(currency: C, amountMinor: bigint): Money<C> {
  return { currency, amountMinor };
}

export function addMoney<C extends string>(a: Money<C>, b: Money<NoInfer<C>>): Money<C> {
  assertSameCurrency(a, b);
  return money(a.currency, a.amountMinor + b.amountMinor);
}

export function subtractMoney<C extends string>(a: Money<C>, b: Money<NoInfer<C>>): Money<C> {
  assertSameCurrency(a, b);
  return money(a.currency, a.amountMinor - b.amountMinor);
}

export function negateMoney<C extends string>(a: Money<C>): Money<C> {
  return money(a.currency, -a.amountMinor);
}

/** The sum in the named currency; nothing sums to zero of it. */
export function sumMoney<C extends string>(currency: C, amounts: Iterable<Money<NoInfer<C>>>): Money<C> {
  let sum = money(currency, 0n);
  for (const amount of amounts) sum = addMoney(sum, amount);
  return sum;
}

function assertSameCurrency(a: Money, b: Money): void {
  assert(a.currency === b.currency, 'Money of two currencies is never mixed.');
}
