import { assert } from '../../assert.js';
import { type Decimal, decimalOf, sumOf } from '../../money/decimal.js';
import { fromMinor, type Rounding } from '../../money/minor-units.js';
import { ceilingOf, divideRatios, floorOf, ratio, ratioOf, type Ratio } from '../../money/ratio.js';
import { ratePrice } from '../rate-price.js';
import { costCurve, type CurveDomain } from './cost-curve.js';
import { type PricedUse, usageAt } from './priced-use.js';
import { areSameLines, type Line, scaleLine, type Stretch, type StretchBudget, sumCurves, valueAt } from './stretch.js';

export type Cheaper = 'a' | 'b' | 'same';

export interface ComparedCosts {
  readonly a: readonly PricedUse[];
  readonly b: readonly PricedUse[];
  readonly currency: string;
  readonly rounding: Rounding;
  /** The distance between two quantities; those that are compared are its multiples. */
  readonly step: Decimal;
  /** Inclusive. */
  readonly from: Decimal;
  /** Inclusive; null has no end. */
  readonly to: Decimal | null;
}

/** Quantities from and to which one side is cheaper, both included; null has no end. */
export interface CheaperRange {
  readonly from: Decimal;
  readonly to: Decimal | null;
  readonly cheaper: Cheaper;
}

export interface SideAmounts {
  /** The posted amounts of the prices, each rounded once. */
  readonly amount: Decimal;
  readonly unroundedAmount: Decimal;
}

/** Where another side becomes the cheaper one: the last quantity of before, and the first of after. */
export interface BreakEvenPoint {
  readonly before: { readonly cheaper: Cheaper; readonly quantity: Decimal; readonly a: SideAmounts; readonly b: SideAmounts };
  readonly after: { readonly cheaper: Cheaper; readonly quantity: Decimal; readonly a: SideAmounts; readonly b: SideAmounts };
  /** Whether one of the amounts leaps there, or the two meet. */
  readonly by: 'crossing' | 'jump';
}

export type CostComparison =
  | { readonly ok: true; readonly ranges: readonly CheaperRange[]; readonly points: readonly BreakEvenPoint[] }
  /** Steps without an end; too many of them; or too many changes. */
  | { readonly ok: false; readonly lacking: 'end' | 'stretches' | 'ranges' };

const stretchesMax = 10_000;
export const cheaperRangesMax = 100;

interface Run {
  readonly from: bigint;
  to: bigint | null;
  readonly cheaper: Cheaper;
  readonly first: Line;
  last: Line;
}

/**
 * Where one side costs less than the other, by unrounded amounts with quotients as exact fractions. Nothing is sampled: each price is a
 * curve of straight stretches, and the difference of their sums is looked at stretch by stretch.
 */
export function compareCosts(costs: ComparedCosts): CostComparison {
  const budget: StretchBudget = { left: stretchesMax, lacking: null };
  const step = ratioOf(costs.step);
  const to = costs.to === null ? null : floorOf(divideRatios(ratioOf(costs.to), step));
  const domain: CurveDomain = { step: costs.step, from: ceilingOf(divideRatios(ratioOf(costs.from), step)), to, budget };
  const curves = [
    ...costs.a.map((use) => costCurve(use, costs.currency, domain)),
    ...costs.b.map((use) => costCurve(use, costs.currency, domain).map((stretch) => ({ ...stretch, line: scaleLine(stretch.line, ratio(-1n)) }))),
  ];
  if (budget.lacking !== null) return { ok: false, lacking: budget.lacking };
  if (curves.reduce((sum, curve) => sum + curve.length, 0) > stretchesMax) return { ok: false, lacking: 'stretches' };
  const runs = runsOf(sumCurves(curves, domain));
  if (runs === null) return { ok: false, lacking: 'ranges' };
  const quantityAt = (at: bigint): Decimal => decimalOf(at).times(costs.step);
  return {
    ok: true,
    ranges: runs.map(({ from, to: end, cheaper }) => ({ from: quantityAt(from), to: end === null ? null : quantityAt(end), cheaper })),
    points: runs.slice(1).map((run, index) => pointBetween({ before: runs[index] ?? run, after: run, quantityAt, costs })),
  };
}

function pointBetween(of: { before: Run; after: Run; quantityAt: (at: bigint) => Decimal; costs: ComparedCosts }): BreakEvenPoint {
  const { before, after, quantityAt, costs } = of;
  const amountsAt = (quantity: Decimal) => ({ quantity, a: sideAmounts(costs.a, { quantity, costs }), b: sideAmounts(costs.b, { quantity, costs }) });
  return {
    before: { cheaper: before.cheaper, ...amountsAt(quantityAt(after.from - 1n)) },
    after: { cheaper: after.cheaper, ...amountsAt(quantityAt(after.from)) },
    by: meet(before.last, after) ? 'crossing' : 'jump',
  };
}

/** Whether the difference goes on from one stretch into the next, on its line or with a bend. */
function meet(last: Line, { first, from }: Run): boolean {
  if (areSameLines(last, first)) return true;
  const isSame = (at: bigint): boolean => {
    const [one, other] = [valueAt(last, at), valueAt(first, at)];
    return one.n * other.d === other.n * one.d;
  };
  return isSame(from) || isSame(from - 1n);
}

function sideAmounts(uses: readonly PricedUse[], { quantity, costs }: { quantity: Decimal; costs: ComparedCosts }): SideAmounts {
  const { currency, rounding } = costs;
  const rated = uses.map((use) => ratePrice({ price: use.price, currency, rounding, usage: usageAt(use, { quantity, currency }) }));
  return { amount: fromMinor(rated.reduce((sum, { amountMinor }) => sum + amountMinor, 0n), currency), unroundedAmount: sumOf(rated, (price) => price.unroundedAmount) };
}

/** Who is cheaper along the difference of a and b; null where that changes too often. */
function runsOf(difference: readonly Stretch[]): Run[] | null {
  const runs: Run[] = [];
  for (const stretch of difference) {
    for (const part of signsOf(stretch)) {
      const last = runs.at(-1);
      if (last?.cheaper === part.cheaper) [last.to, last.last] = [part.to, stretch.line];
      else if (runs.push({ ...part, first: stretch.line, last: stretch.line }) > cheaperRangesMax) return null;
    }
  }
  return runs;
}

/** The parts of a stretch below, at and above 0. */
function signsOf({ from, to, line }: Stretch): { from: bigint; to: bigint | null; cheaper: Cheaper }[] {
  if (line.slope.n === 0n) return [{ from, to, cheaper: cheaperAt(line.base) }];
  const rising = line.slope.n > 0n;
  assert(line.slope.d === line.base.d, 'A sum has one denominator.');
  const zero = { n: rising ? -line.base.n : line.base.n, d: rising ? line.slope.n : -line.slope.n };
  const [lastBefore, firstAfter] = [ceilingOf(zero) - 1n, floorOf(zero) + 1n];
  const parts = [
    { from, to: lesser(to, lastBefore), cheaper: rising ? 'a' as const : 'b' as const },
    { from: greater(from, lastBefore + 1n), to: lesser(to, firstAfter - 1n), cheaper: 'same' as const },
    { from: greater(from, firstAfter), to, cheaper: rising ? 'b' as const : 'a' as const },
  ];
  return parts.filter((part) => part.to === null || part.to >= part.from);
}

function cheaperAt(difference: Ratio): Cheaper {
  if (difference.n === 0n) return 'same';
  return difference.n < 0n ? 'a' : 'b';
}

function lesser(a: bigint | null, b: bigint): bigint {
  return a === null || b < a ? b : a;
}

function greater(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
