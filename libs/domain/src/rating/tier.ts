import { assert } from '../assert.js';
import type { Curve } from '../catalog/model.js';
import { type Decimal, isBelowZero, lesserOf, ONE, toPlain, ZERO } from '../money/decimal.js';
import { optionalDecimal, priceDecimal } from './price-decimal.js';
import type { Words } from './trace.js';

/** A band (from, upTo] of a quantity, where `from` is the upTo of the tier before, or 0; null is open. */
export interface Band {
  readonly upTo: Decimal | null;
}

export interface Tier extends Band {
  /** Per unit of the quantity that falls in the tier. */
  readonly unitAmount: Decimal;
  /** Owed once any quantity falls in the tier; the first tier's also at quantity 0. */
  readonly flatAmount: Decimal;
  /** What the tier asks at most, its flat amount included; null is no bound. */
  readonly maximumAmount?: Decimal | null;
}

interface TierTerms {
  readonly up_to: string | null;
  readonly flat_amount?: string | undefined;
  readonly maximum_amount?: string | undefined;
}

/** The tiers of a model that `priceFaults` found sound. */
export function tiersOf(tiers: Extract<Curve, { type: 'graduated' | 'volume' }>['tiers']): readonly Tier[] {
  return readOnce(tiers, () => tiers.map((tier) => ({ ...commonTerms(tier), unitAmount: priceDecimal(tier.unit_amount) })));
}

/** A stored price rates many lines, and its tiers never change: each list is read once. */
const readBefore = new WeakMap<object, readonly Tier[]>();

function readOnce(tiers: object, read: () => readonly Tier[]): readonly Tier[] {
  const known = readBefore.get(tiers) ?? read();
  readBefore.set(tiers, known);
  return known;
}

const hundredth = ONE.times('0.01');

/** Tiers of a rate in percent: each unit of value costs its hundredth part of the rate. */
export function percentTiersOf(tiers: Extract<Curve, { type: 'graduated_percentage' }>['tiers']): readonly Tier[] {
  return readOnce(tiers, () => tiers.map((tier) => ({ ...commonTerms(tier), unitAmount: priceDecimal(tier.rate).times(hundredth) })));
}

function commonTerms(tier: TierTerms): Omit<Tier, 'unitAmount'> {
  return {
    upTo: optionalDecimal(tier.up_to ?? undefined),
    flatAmount: optionalDecimal(tier.flat_amount) ?? ZERO,
    maximumAmount: optionalDecimal(tier.maximum_amount),
  };
}

/** Sorted, without overlap, with one open tier at the end: what all tiered models rely on. */
export function assertTiers(tiers: readonly Band[]): void {
  if (foundSound.has(tiers)) return;
  assert(tiers.at(-1)?.upTo === null, 'The last tier must be open-ended.');
  let from: Decimal = ZERO;
  for (const tier of tiers.slice(0, -1)) {
    assert(tier.upTo?.gt(from) === true, 'Each tier but the last must end above the one before it.');
    from = tier.upTo;
  }
  foundSound.add(tiers);
}

/** Lists that were looked at before; they are read-only. */
const foundSound = new WeakSet<readonly Band[]>();

/** The tier that a whole quantity falls in, and its number from 1; 0 falls in the first. */
export function tierOf<T extends Band>(quantity: Decimal, tiers: readonly T[]): { tier: T; number: number } {
  assert(!isBelowZero(quantity), 'A net negative quantity is clamped before it gets here.');
  assertTiers(tiers);
  const index = tiers.findIndex((tier) => tier.upTo === null || quantity.lte(tier.upTo));
  const tier = tiers[index];
  assert(tier !== undefined, 'The open tier takes every quantity.');
  return { tier, number: index + 1 };
}

/** What a tier asks for the quantity in it. `rate` says the price of a unit as the model has it. */
export function askOfTier(tier: Tier, part: { quantity: Decimal; number: number; rate: UnitWords }): { amount: Decimal; words: () => Words } {
  const { quantity, number } = part;
  const maximum = tier.maximumAmount ?? null;
  const asked = quantity.times(tier.unitAmount).plus(tier.flatAmount);
  const amount = maximum === null ? asked : lesserOf(asked, maximum);
  const words = (): Words => {
    const flat = tier.flatAmount.isZero() ? '' : ` + ${toPlain(tier.flatAmount)} flat`;
    const bound = maximum === null ? '' : `, at most ${toPlain(maximum)}`;
    return {
      detail: `${toPlain(quantity)} × ${part.rate.words(tier)}${flat}${bound}`,
      values: { tier: String(number), ...part.rate.values(tier), unit_amount: toPlain(tier.unitAmount), flat_amount: toPlain(tier.flatAmount), ...(maximum === null ? {} : { maximum_amount: toPlain(maximum) }) },
    };
  };
  return { amount, words };
}

/** How a model says the price of a unit: in a sentence, and as numbers of it by name. */
export interface UnitWords {
  readonly words: (tier: Tier) => string;
  readonly values: (tier: Tier) => Readonly<Record<string, string>>;
}

/** As an amount. */
export const unitRate: UnitWords = { words: (tier) => toPlain(tier.unitAmount), values: () => ({}) };

/** As a share of it, in percent. */
export const percentRate: UnitWords = { words: (tier) => `${percentOf(tier)}%`, values: (tier) => ({ rate: percentOf(tier) }) };

function percentOf(tier: Tier): string {
  return toPlain(tier.unitAmount.times(100));
}
