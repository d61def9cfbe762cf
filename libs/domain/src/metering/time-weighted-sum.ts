import { assert } from '../assert.js';
import { canonicalDecimal } from '../money/decimal-text.js';
import { unitsPerOne } from './expression.js';

/**
 * What a gauge did within one window of one line of an answer, or many gauges together. Values are whole numbers of the
 * parts that `unitsPerOne` has; instants are microseconds since an origin that a line's changes share.
 */
export interface GaugeChange {
  /** By how much the level is another at the window's end than at its beginning. */
  readonly delta: bigint;
  /** Of each change by `d` at the instant `t` the sum of −d × t; and of what lasted between changes within the window, its value times its time. */
  readonly area: bigint;
  /** How many more values began to last than ceased to. */
  readonly opened: bigint;
}

/** Half-open, microseconds since the origin. */
export interface GaugeWindow {
  readonly from: bigint;
  readonly to: bigint;
}

/** Parts of a unit times microseconds: what one unit that lasts an hour comes to, in parts of a unit. */
const microsPerHour = 3_600_000_000n;

/**
 * What each window holds: the sum of value × time, in parts of a unit times microseconds. `windows` follow each other from
 * the first that has a change; one has a row where something changes or lasts in it. Ends once nothing lasts any more.
 */
export function* heldInWindows<W extends GaugeWindow>(windows: Iterable<W>, changeIn: (window: W) => GaugeChange | undefined, changes: number): Generator<{ window: W; held: bigint }> {
  let [level, open, left] = [0n, 0n, changes];
  for (const window of windows) {
    const change = changeIn(window);
    const lasts = level * (window.to - window.from);
    if (change !== undefined) {
      yield { window, held: lasts + change.delta * window.to + change.area };
      level += change.delta;
      open += change.opened;
      left -= 1;
    } else if (open > 0n) {
      yield { window, held: lasts };
    }
    if (left === 0 && open === 0n) break;
  }
  assert(left === 0, 'Each change lies in one of the windows.');
}

/** Unit-hours in parts of a unit: the one division of a time-weighted sum, rounded half away from zero to 18 digits after the point. */
export function unitHours(held: bigint): bigint {
  const magnitude = held < 0n ? -held : held;
  const rounded = (2n * magnitude + microsPerHour) / (2n * microsPerHour);
  return held < 0n ? -rounded : rounded;
}

/** Parts of a unit as a decimal in shortest form. */
export function textOfParts(parts: bigint): string {
  const digits = (parts < 0n ? -parts : parts).toString().padStart(19, '0');
  return canonicalDecimal(`${parts < 0n ? '-' : ''}${digits.slice(0, -18)}.${digits.slice(-18)}`) ?? '0';
}

/** A decimal of at most 18 digits after the point as parts of a unit, however many digits stand before it. */
export function partsOfText(text: string): bigint {
  const match = /^(-?)(\d+)(?:\.(\d{1,18}))?$/.exec(text);
  assert(match !== null, 'ClickHouse writes decimals in plain notation.');
  const [, sign = '', whole = '', fraction = ''] = match;
  const magnitude = BigInt(whole) * unitsPerOne + BigInt(fraction.padEnd(18, '0'));
  return sign === '-' ? -magnitude : magnitude;
}
