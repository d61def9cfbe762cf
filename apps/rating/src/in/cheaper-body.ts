import type { BreakEvenBody } from '#contracts';
import { formatMinor, toMinor, toPlain, type BreakEven, type BreakEvenPoint, type SideAmounts } from '#domain';

/** Who is cheaper between which quantities, as it is answered. */
export function cheaperBody({ ranges, points }: Pick<BreakEven, 'ranges' | 'points'>, currency: string): Pick<BreakEvenBody, 'ranges' | 'points'> {
  const sideAmounts = ({ amount, unroundedAmount }: SideAmounts) => ({ amount: formatMinor(toMinor(amount, currency), currency), unrounded_amount: toPlain(unroundedAmount) });
  const sideOf = ({ cheaper, quantity, a, b }: BreakEvenPoint['before']) => ({ cheaper, quantity: toPlain(quantity), a: sideAmounts(a), b: sideAmounts(b) });
  return {
    ranges: ranges.map(({ from, to, cheaper }) => ({ from: toPlain(from), to: to === null ? null : toPlain(to), cheaper })),
    points: points.map(({ before, after, by }) => ({ before: sideOf(before), after: sideOf(after), by })),
  };
}
