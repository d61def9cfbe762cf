/** `npm run test:long` runs the same files with larger counts. */
export const isLongForm = process.env['TOLLWAY_LONG'] === 'on';

/** How often a property is tried, or how much a scenario does, in each form. */
export function runsOf(counts: { readonly short: number; readonly long: number }): number {
  return isLongForm ? counts.long : counts.short;
}
