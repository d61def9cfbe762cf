import { assert } from '../assert.js';

type IntervalUnit = 'days' | 'weeks' | 'months' | 'years';

export interface Interval {
  readonly unit: IntervalUnit;
  readonly count: number;
}

/** A whole number of days, weeks, months or years as an ISO 8601 duration of one part: P1M, P3M, P1Y, P2W. */
const intervalPattern = /^P([1-9]\d{0,2})([DWMY])$/;

const units: Readonly<Record<string, { unit: IntervalUnit; countMax: number }>> = {
  D: { unit: 'days', countMax: 366 },
  W: { unit: 'weeks', countMax: 52 },
  M: { unit: 'months', countMax: 120 },
  Y: { unit: 'years', countMax: 10 },
};

/** True for an interval that can be billed by: at most 366 days, 52 weeks, 120 months or 10 years. */
export function isInterval(text: string): boolean {
  return intervalOf(text) !== null;
}

/** The parts of an interval that `isInterval` accepted. */
export function parseInterval(text: string): Interval {
  const interval = intervalOf(text);
  assert(interval !== null, 'An interval is checked with isInterval where it enters.');
  return interval;
}

/** How many of a unit make a year, or a little more. */
const unitsPerYear: Readonly<Record<IntervalUnit, number>> = { days: 366, weeks: 52, months: 12, years: 1 };

/** True where some year may pass without a boundary of its own. */
export function isLongerThanYear(text: string): boolean {
  const { unit, count } = parseInterval(text);
  return count > unitsPerYear[unit];
}

/** Whether one interval is some whole number of the other, so that their boundaries meet: a year is twelve months, and no number of weeks. */
export function isMultipleOf(interval: string, of: { part: string }): boolean {
  const [whole, one] = [baseOf(parseInterval(interval)), baseOf(parseInterval(of.part))];
  return whole.unit === one.unit && whole.count % one.count === 0;
}

const inMonths = { months: 1, years: 12 } as const;
const inDays = { days: 1, weeks: 7 } as const;

function baseOf({ unit, count }: Interval): { unit: 'days' | 'months'; count: number } {
  return unit === 'days' || unit === 'weeks' ? { unit: 'days', count: count * inDays[unit] } : { unit: 'months', count: count * inMonths[unit] };
}

function intervalOf(text: string): Interval | null {
  const match = intervalPattern.exec(text);
  const unit = units[match?.[2] ?? ''];
  const count = Number(match?.[1] ?? '0');
  if (unit === undefined || count > unit.countMax) return null;
  return { unit: unit.unit, count };
}
