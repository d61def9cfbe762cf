import { brokenSideOf, isWorse, type SlaCredit, type SlaTier } from '../catalog/sla-credit.js';
import { Decimal, toPlain, ZERO } from '../money/decimal.js';
import { priceDecimal } from './price-decimal.js';
import { type Note, traceStep, type Words } from './trace.js';

interface CreditOptions {
  readonly credit: SlaCredit;
  /** What the agreement's meter came to over the period; null where nothing was measured. */
  readonly value: Decimal | null;
  readonly quantity: Decimal;
  readonly note: Note;
}

/**
 * Gives back the percent of the worst bound that was crossed, of what is asked after every other step; never more than that, and
 * nothing of what is given back already. On a bound the agreement is kept, and where nothing was measured too.
 */
export function creditSla(amount: Decimal, options: CreditOptions): Decimal {
  const { credit, value } = options;
  const side = brokenSideOf(credit);
  const tier = value === null ? undefined : credit.tiers.findLast((candidate) => isWorse(value, priceDecimal(candidate[side] ?? ''), side));
  const percent = tier === undefined ? ZERO : priceDecimal(tier.percent);
  const credited = Decimal.max(ZERO, amount).times(percent).times('0.01');
  const rest = amount.minus(credited);
  options.note(() => traceStep({ step: 'sla_credit', words: wordsOf({ amount, credited, rest, tier, side }, options), quantity: options.quantity, amount: rest, adds: credited.negated() }));
  return rest;
}

function wordsOf(found: { amount: Decimal; credited: Decimal; rest: Decimal; tier: SlaTier | undefined; side: 'above' | 'below' }, { credit, value }: CreditOptions): Words {
  const { amount, credited, rest, tier, side } = found;
  const measured = [credit.meter ?? 'the agreed value', ...(credit.per === undefined ? [] : ['per', credit.per])].join(' ');
  if (value === null) return { detail: `nothing was measured of ${measured}, so nothing is credited`, values: { before: toPlain(amount) } };
  const was = `${measured} was ${toPlain(value)}`;
  if (tier === undefined) return { detail: `${was}, as agreed, so nothing is credited`, values: { before: toPlain(amount), value: toPlain(value) } };
  const bound = toPlain(priceDecimal(tier[side] ?? ''));
  const percent = toPlain(priceDecimal(tier.percent));
  return {
    detail: `${was}, ${side} ${bound}: ${percent}% of ${toPlain(Decimal.max(ZERO, amount))}, ${toPlain(credited)}, is credited and ${toPlain(rest)} remains`,
    values: { before: toPlain(amount), value: toPlain(value), [side]: bound, percent, credited: toPlain(credited) },
  };
}
