import { assert } from '../assert.js';
import { payTime, prorateUnit, type Price } from '../catalog/price.js';
import type { Rounding } from '../money/minor-units.js';
import { type Period } from '../period/period.js';
import { type IdentifiedPrice, rateFee } from '../rating/rate-fee.js';
import { addOnPricesIn, opensWhole, type AttachedAddOn } from '../subscription/attached-add-on.js';
import { closingAddOnFees, openingAddOnFees, type AddOnFee, type ClosedTime } from './add-on-fees.js';
import type { Boundary } from './boundary.js';
import type { InvoiceLine, LineKind } from './invoice-line.js';

/** What fees follow from, beside the schedule. */
export interface FeeTerms {
  /** The prices of each stage of the schedule. */
  readonly stages: readonly (readonly IdentifiedPrice[])[];
  /** All that the subscription ever has; left out, none. */
  readonly addOns?: readonly AttachedAddOn[] | undefined;
  readonly currency: string;
  readonly timeZone: string;
  readonly rounding: Rounding;
  /** Whether an end gives the unused part of advance fees back. */
  readonly returnsUnused: boolean;
}

/**
 * The fees that a boundary owes by itself, without usage, in the order in which an invoice shows them: arrears of what ended,
 * what the end or a change gives back, what is owed once, and advance of what starts. A fee that is not prorated is owed whole
 * and never given back. What is owed once is that of the terms it began with.
 */
export function boundaryFees(boundary: Boundary, terms: FeeTerms): InvoiceLine[] {
  const lines: InvoiceLine[] = [];
  const { closes, opens, unused } = boundary;
  if (closes !== null) lines.push(...recurring(terms, { stage: closes.stage, pay: 'in_arrears' }).map((price) => feeLine({ kind: 'arrears', price, part: closes.period, whole: closes.whole }, terms)));
  if (unused !== null && (unused.cutBy?.isProrated ?? terms.returnsUnused)) {
    lines.push(...recurring(terms, { stage: unused.stage, pay: 'in_advance' }).flatMap((price) => unusedLine({ price, part: unused.period, whole: unused.whole }, terms)));
  }
  const { addOns = [] } = terms;
  const closed = addOns.length === 0 ? null : closedTimeOf(boundary, terms);
  if (closed !== null) lines.push(...closingAddOnFees(addOns, closed).flatMap((fee) => addOnLines(fee, terms)));
  const first = boundary.trial ?? opens?.period;
  if (boundary.firstStage !== null && first !== undefined) {
    const once = pricesOfStage(terms, boundary.firstStage).filter((price) => price.type === 'one_time');
    lines.push(...once.map((price) => feeLine({ kind: 'one_time', price, part: first, whole: first }, terms)));
  }
  if (opens !== null && opens.owesAdvance) {
    lines.push(...recurring(terms, { stage: opens.advanceStage, pay: 'in_advance' }).map((price) => feeLine({ kind: 'advance', price, part: opens.period, whole: opens.whole }, terms)));
  }
  if (opens !== null) lines.push(...openingAddOnFees(addOns, opens).flatMap((fee) => addOnLines(fee, terms)));
  return lines;
}

/** What add-ons settle at a boundary; null at one that ends nothing. */
function closedTimeOf({ closes, opens, unused, at, isLast }: Boundary, { returnsUnused }: FeeTerms): ClosedTime | null {
  const whole = (closes ?? unused ?? (opens === null || opensWhole(opens) ? null : opens))?.whole;
  return whole === undefined ? null : { closes, whole, at, ends: isLast ? { returnsUnused } : null, stage: opens?.stage ?? null };
}

/** A fee of an add-on as lines, of which a return of nothing is none. */
export function addOnLines(fee: AddOnFee, terms: Pick<FeeTerms, 'currency' | 'rounding' | 'timeZone'>): InvoiceLine[] {
  if (fee.isReturned) return unusedLine(fee, terms);
  return [feeLine(fee, terms)];
}

/** The prices of the period that a boundary ends: the plan's, and those of add-ons that were there in some part of it. */
export function closingPrices({ closes }: Boundary, { stages, addOns = [] }: Pick<FeeTerms, 'stages' | 'addOns'>): readonly Price[] {
  return closes === null ? [] : [...(stages[closes.stage] ?? []), ...addOnPricesIn(addOns, closes.period)];
}

function pricesOfStage(terms: FeeTerms, stage: number): readonly IdentifiedPrice[] {
  const prices = terms.stages[stage];
  assert(prices !== undefined, 'Each stage of a schedule has its prices.');
  return prices;
}

function recurring(terms: FeeTerms, wanted: { stage: number; pay: 'in_advance' | 'in_arrears' }): IdentifiedPrice[] {
  return pricesOfStage(terms, wanted.stage).filter((price) => price.type === 'recurring' && payTime(price) === wanted.pay);
}

export function hasUsagePrice(prices: readonly Price[]): boolean {
  return prices.some((price) => price.type === 'usage');
}

interface Fee {
  /** Left out, it is of the kind and the price. */
  readonly ref?: string;
  readonly kind: LineKind;
  readonly price: IdentifiedPrice;
  readonly part: Period;
  readonly whole: Period;
}

function feeLine(fee: Fee, terms: Pick<FeeTerms, 'currency' | 'rounding' | 'timeZone'>): InvoiceLine {
  const { price, part } = fee;
  const rated = rateFee({ price, part, whole: fee.whole, currency: terms.currency, rounding: terms.rounding, timeZone: terms.timeZone });
  return {
    ref: fee.ref ?? `${fee.kind}:${price.id}`,
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

function unusedLine(fee: Omit<Fee, 'kind'>, terms: Pick<FeeTerms, 'currency' | 'rounding' | 'timeZone'>): InvoiceLine[] {
  if (prorateUnit(fee.price) === 'none') return [];
  const line = feeLine({ ...fee, kind: 'proration' }, terms);
  if (line.amountMinor === 0n) return [];
  const given = line.unroundedAmount?.negated() ?? null;
  return [{ ...line, description: `Unused time of ${fee.price.name}`, unroundedAmount: given, amountMinor: -line.amountMinor }];
}
