import { assert } from '../assert.js';

/** What one customer would have paid under a plan, and pays under the present one; minor units. */
export interface BacktestedCustomer {
  readonly planMinor: bigint;
  /** Null where there is no present plan to compare with. */
  readonly currentMinor: bigint | null;
}

export interface BacktestSummary {
  /** Of all customers. */
  readonly planMinor: bigint;
  /** Of those that have a present plan, and what they would have paid. */
  readonly compared: { readonly planMinor: bigint; readonly currentMinor: bigint };
  readonly payLess: number;
  readonly payMore: number;
  readonly payTheSame: number;
  /** Null without customers. */
  readonly distribution: Distribution | null;
}

/** Amounts per customer under the plan, in minor units: each is one that a customer has (nearest rank). */
export interface Distribution {
  readonly minimum: bigint;
  readonly p25: bigint;
  readonly median: bigint;
  readonly p75: bigint;
  readonly p95: bigint;
  readonly maximum: bigint;
}

export function compareBacktests(customers: readonly BacktestedCustomer[]): BacktestSummary {
  const compared = customers.flatMap(({ planMinor, currentMinor }) => (currentMinor === null ? [] : [{ planMinor, currentMinor }]));
  const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);
  return {
    planMinor: sum(customers.map(({ planMinor }) => planMinor)),
    compared: { planMinor: sum(compared.map(({ planMinor }) => planMinor)), currentMinor: sum(compared.map(({ currentMinor }) => currentMinor)) },
    payLess: compared.filter(({ planMinor, currentMinor }) => planMinor < currentMinor).length,
    payMore: compared.filter(({ planMinor, currentMinor }) => planMinor > currentMinor).length,
    payTheSame: compared.filter(({ planMinor, currentMinor }) => planMinor === currentMinor).length,
    distribution: distributionOf(customers.map(({ planMinor }) => planMinor)),
  };
}

function distributionOf(amounts: readonly bigint[]): Distribution | null {
  if (amounts.length === 0) return null;
  const sorted = amounts.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  /** The least amount that at least so many percent of all do not exceed. */
  const rank = (percent: number): bigint => {
    const amount = sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)];
    assert(amount !== undefined, 'A rank lies within the amounts.');
    return amount;
  };
  return { minimum: rank(0), p25: rank(25), median: rank(50), p75: rank(75), p95: rank(95), maximum: rank(100) };
}
