/** What many measurements of one thing come to. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The middle value; of an even number of values, the mean of the two in the middle. */
export function medianOf(values: readonly number[]): number {
  const sorted = sortedOf(values);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = sortedOf(values);
  return { median: medianOf(sorted), min: sorted[0] as number, max: sorted.at(-1) as number };
}

/** The smallest value that at least `percent` of all values do not exceed (nearest rank). */
export function percentileOf(values: readonly number[], percent: number): number {
  const sorted = sortedOf(values);
  const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length));
  return sorted[rank - 1] as number;
}

function sortedOf(values: readonly number[]): number[] {
  if (values.length === 0 || values.some((value) => !Number.isFinite(value))) throw new RangeError('There is nothing to summarise, or a value is no number.');
  return values.toSorted((a, b) => a - b);
}
