import { assert } from '../../assert.js';
import { addRatios, ceilingOf, commonDenominator, compareRatios, divideRatios, floorOf, multiplyRatios, type Ratio, ratio, ratioZero, subtractRatios } from '../../money/ratio.js';

/** What grows evenly: at grid point k it is slope × k + base. */
export interface Line {
  readonly slope: Ratio;
  readonly base: Ratio;
}

/**
 * A line over the grid points from `from` to `to`, both included; null has no end. Quantities lie on a grid, so that bands that are
 * open at their start and bands that are open at their end are both runs of whole numbers.
 */
export interface Stretch {
  readonly from: bigint;
  readonly to: bigint | null;
  readonly line: Line;
}

/** How many stretches may still be made. What a step needs beyond it is not made, and the first that lacked some is noted. */
export interface StretchBudget {
  left: number;
  lacking: 'end' | 'stretches' | null;
}

export function level(base: Ratio): Line {
  return { slope: ratioZero, base };
}

export function valueAt({ slope, base }: Line, at: bigint): Ratio {
  return addRatios(multiplyRatios(slope, ratio(at)), base);
}

export function shiftLine(line: Line, by: Ratio): Line {
  return { slope: line.slope, base: addRatios(line.base, by) };
}

export function scaleLine(line: Line, by: Ratio): Line {
  return { slope: multiplyRatios(line.slope, by), base: multiplyRatios(line.base, by) };
}

export function areSameLines(a: Line, b: Line): boolean {
  return compareRatios(a.slope, b.slope) === 0n && compareRatios(a.base, b.base) === 0n;
}

/** The parts at which a line that does not fall is at most the bound, and above it. Null is no such part. */
export function splitAt(stretch: Stretch, bound: Ratio): { upTo: Stretch | null; above: Stretch | null } {
  const { line, from, to } = stretch;
  if (line.slope.n === 0n) return compareRatios(line.base, bound) <= 0n ? { upTo: stretch, above: null } : { upTo: null, above: stretch };
  assert(line.slope.n > 0n, 'Within a stretch more never costs less.');
  const last = floorOf(divideRatios(subtractRatios(bound, line.base), line.slope));
  if (last < from) return { upTo: null, above: stretch };
  if (to !== null && last >= to) return { upTo: stretch, above: null };
  return { upTo: { from, to: last, line }, above: { from: last + 1n, to, line } };
}

/** The same line, but never above the bound. */
export function limitStretch(stretch: Stretch, bound: Ratio): Stretch[] {
  const { upTo, above } = splitAt(stretch, bound);
  return [upTo, above === null ? null : { ...above, line: level(bound) }].filter((part) => part !== null);
}

/** The same line, but never below the bound. */
export function raiseStretch(stretch: Stretch, bound: Ratio): Stretch[] {
  const { upTo, above } = splitAt(stretch, bound);
  return [upTo === null ? null : { ...upTo, line: level(bound) }, above].filter((part) => part !== null);
}

/** The whole numbers that a line is rounded to, one stretch each. */
export function stepsOf(stretch: Stretch, { rounding, budget }: { rounding: 'up' | 'down'; budget: StretchBudget }): Stretch[] {
  const { line, to } = stretch;
  const wholeAt = (at: bigint): bigint => (rounding === 'up' ? ceilingOf(valueAt(line, at)) : floorOf(valueAt(line, at)));
  if (line.slope.n === 0n) return [{ ...stretch, line: level(ratio(wholeAt(stretch.from))) }];
  if (to === null || !takes(budget, stepsBetween(stretch.from, { to, wholeAt }))) {
    budget.lacking ??= to === null ? 'end' : 'stretches';
    return [{ ...stretch, line: level(ratio(wholeAt(stretch.from))) }];
  }
  const steps: Stretch[] = [];
  for (let from = stretch.from; from <= to; ) {
    const whole = wholeAt(from);
    const last = lastOf(line, { whole, rounding });
    steps.push({ from, to: last < to ? last : to, line: level(ratio(whole)) });
    from = last + 1n;
  }
  return steps;
}

/** The last grid point at which a rising line is rounded to the whole number. */
function lastOf({ slope, base }: Line, { whole, rounding }: { whole: bigint; rounding: 'up' | 'down' }): bigint {
  if (rounding === 'up') return floorOf(divideRatios(subtractRatios(ratio(whole), base), slope));
  return ceilingOf(divideRatios(subtractRatios(ratio(whole + 1n), base), slope)) - 1n;
}

function stepsBetween(from: bigint, { to, wholeAt }: { to: bigint; wholeAt: (at: bigint) => bigint }): bigint {
  const points = to - from + 1n;
  const wholes = wholeAt(to) - wholeAt(from) + 1n;
  return points < wholes ? points : wholes;
}

function takes(budget: StretchBudget, count: bigint): boolean {
  if (count > BigInt(budget.left)) return false;
  budget.left -= Number(count);
  return true;
}

/** The sum of curves that cover the same grid points. All its lines have one denominator: of many prices the terms would be long, and bringing each sum to lowest terms dear. */
export function sumCurves(curves: readonly (readonly Stretch[])[], domain: { readonly from: bigint; readonly to: bigint | null }): Stretch[] {
  const d = commonDenominator(curves.flatMap((curve) => curve.flatMap(({ line }) => [line.slope, line.base])));
  const over = (value: Ratio): bigint => value.n * (d / value.d);
  const turns = curves.flatMap((curve) => turnsOf(curve, over));
  turns.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  const sum: { from: bigint; to: bigint | null; line: Line }[] = [];
  let [slope, base] = [0n, 0n];
  for (const turn of turns) {
    slope += turn.slope;
    base += turn.base;
    const line = { slope: { n: slope, d }, base: { n: base, d } };
    const last = sum.at(-1);
    if (last?.from === turn.from) last.line = line;
    else {
      if (last !== undefined) last.to = turn.from - 1n;
      sum.push({ from: turn.from, to: domain.to, line });
    }
  }
  return sum.length === 0 ? [{ ...domain, line: level(ratioZero) }] : sum;
}

/** Where a curve bends or jumps, and by how much. */
function turnsOf(curve: readonly Stretch[], over: (value: Ratio) => bigint): { from: bigint; slope: bigint; base: bigint }[] {
  let before = { slope: 0n, base: 0n };
  return curve.map(({ from, line }) => {
    const now = { slope: over(line.slope), base: over(line.base) };
    const turn = { from, slope: now.slope - before.slope, base: now.base - before.base };
    before = now;
    return turn;
  });
}
