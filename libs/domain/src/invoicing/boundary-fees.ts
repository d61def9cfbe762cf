import { payTime, prorateUnit, type Price } from '../catalog/price.js';
import type { Rounding } from '../money/minor-units.js';
import { type Period } from '../period/period.js';
import { type Fraction, prorationFraction, WHOLE } from '../period/proration-fraction.js';
import { ratePrice } from '../rating/rate-price.js';
import type { Boundary } from './boundary.js';
import type { InvoiceLine, LineKind } from './invoice-line.js';

export type PricedPrice = Price & { readonly id: string };

/** What fees follow from, beside the schedule. */
export interface FeeTerms {
  readonly prices: readonly PricedPrice[];
  readonly currency: string;
  readonly timeZone: string;
  readonly rounding: Rounding;
  /** Whether an end gives the unused part of advance fees back. */
  readonly returnsUnused: boolean;
}

/**
 * The fees that a boundary owes by itself, without usage, in the order in which an invoice shows them: arrears of what ended,
 * what the end gives back, what is owed once, and advance of what starts. A fee that is not prorated is owed whole and never given back.
 */
export function boundaryFees(boundary: Boundary, terms: FeeTerms): InvoiceLine[] {
  const recurring = terms.prices.filter((price) => price.type === 'recurring');
  const inAdvance = recurring.filter((price) => payTime(price) === 'in_advance');
  const lines: InvoiceLine[] = [];
  const { closes, opens, unused } = boundary;
  if (closes !== null) {
    const inArrears = recurring.filter((price) => payTime(price) === 'in_arrears');
    lines.push(...inArrears.map((price) => feeLine({ kind: 'arrears', price, part: closes.period, whole: closes.whole }, terms)));
  }
  if (unused !== null && terms.returnsUnused) lines.push(...inAdvance.flatMap((price) => unusedLine({ price, part: unused.period, whole: unused.whole }, terms)));
  const first = boundary.isFirst ? (boundary.trial ?? opens?.period) : undefined;
  if (first !== undefined) {
    const once = terms.prices.filter((price) => price.type === 'one_time');
    lines.push(...once.map((price) => feeLine({ kind: 'one_time', price, part: first, whole: first }, terms)));
  }
  if (opens !== null) lines.push(...inAdvance.map((price) => feeLine({ kind: 'advance', price, part: opens.period, whole: opens.whole }, terms)));
  return lines;
}

export function hasUsagePrice(prices: readonly Price[]): boolean {
  return prices.some((price) => price.type === 'usage');
}

interface Fee {
  readonly kind: LineKind;
  readonly price: PricedPrice;
  readonly part: Period;
  readonly whole: Period;
}

function feeLine(fee: Fee, terms: FeeTerms): InvoiceLine {
  const { price, part } = fee;
  const rated = ratePrice({ price, currency: terms.currency, rounding: terms.rounding, usage: [], fraction: fractionOf(fee, terms) });
  return {
    ref: `${fee.kind}:${price.id}`,
    kind: fee.kind,
    priceId: price.id,
    priceKey: price.key,
    description: price.name,
    quantity: rated.quantity,
    unroundedAmount: rated.unroundedAmount,
    amountMinor: rated.amountMinor,
    period: part,
    groupValues: {},
    trace: rated.trace,
  };
}

function unusedLine(fee: Omit<Fee, 'kind'>, terms: FeeTerms): InvoiceLine[] {
  if (prorateUnit(fee.price) === 'none') return [];
  const line = feeLine({ ...fee, kind: 'proration' }, terms);
  if (line.amountMinor === 0n) return [];
  const given = line.unroundedAmount?.negated() ?? null;
  return [{ ...line, description: `Unused time of ${fee.price.name}`, unroundedAmount: given, amountMinor: -line.amountMinor }];
}

function fractionOf(fee: Fee, terms: FeeTerms): Fraction {
  const unit = prorateUnit(fee.price);
  if (unit === 'none' || fee.kind === 'one_time') return WHOLE;
  return prorationFraction({ part: fee.part, whole: fee.whole, unit, timeZone: terms.timeZone });
}
