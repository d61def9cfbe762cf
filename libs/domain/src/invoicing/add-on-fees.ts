import { payTime, prorateUnit } from '../catalog/price.js';
import { later, period, type Period } from '../period/period.js';
import type { IdentifiedPrice } from '../rating/rate-fee.js';
import { addOnPart, opensWhole, quantityAtOpening, withAddOnQuantity, type AddOnEnd, type AttachedAddOn } from '../subscription/attached-add-on.js';
import type { BillingPeriod } from '../subscription/billing-schedule.js';
import type { LineKind } from './invoice-line.js';

/** A fee of an add-on that a boundary owes, or gives back. */
export interface AddOnFee {
  readonly kind: LineKind;
  /** With the units that it is owed for. */
  readonly price: IdentifiedPrice;
  readonly part: Period;
  readonly whole: Period;
  /** Unused time of what was billed before. */
  readonly isReturned: boolean;
  /** What it follows from, unique among the fees of a boundary. */
  readonly ref: string;
  /** On whose day it stands in reports. */
  readonly at: Temporal.Instant;
}

/** What of a subscription's period ends at a boundary. */
export interface ClosedTime {
  /** The period that ends; null where nothing of it is left. */
  readonly closes: BillingPeriod | null;
  readonly whole: Period;
  readonly at: Temporal.Instant;
  /** Whether the subscription itself ends here, and gives the unused part of advance fees back. */
  readonly ends: { readonly returnsUnused: boolean } | null;
  /** Whose time begins here; null for none. Left out where all changes at this instant are looked at as one. */
  readonly stage?: number | null;
}

/** The fees in advance of a period that begins, and what is owed once by add-ons that begin with it. */
export function openingAddOnFees(addOns: readonly AttachedAddOn[], opens: BillingPeriod): AddOnFee[] {
  if (!opensWhole(opens)) return [];
  const { whole } = opens;
  // A later end or change is settled when it comes.
  const part = period(opens.period.start, whole.end);
  return addOns.flatMap((addOn) => {
    const quantity = quantityAtOpening(addOn, part.start);
    if (quantity === null || isEndedBy(addOn, opens.advanceStage)) return [];
    const [begins] = addOn.steps;
    const once = begins?.at.equals(part.start) === true ? oneTimeFees(addOn, { quantity, part, whole }) : [];
    const advance = recurring(addOn, 'in_advance').map((price) => feeOf(addOn, { kind: 'advance', price, quantity, part, whole, at: part.start }));
    return [...once, ...advance];
  });
}

/** Whether the change that began a stage, or one before it, ended it. */
function isEndedBy({ end }: AttachedAddOn, stage: number): boolean {
  return end?.stage !== undefined && end.stage <= stage;
}

/**
 * What add-ons owe for a period that ends: fees in arrears for their part of it, and what came and went in it: the rest of fees in advance of what
 * was added, and the unused rest of what was taken away. A plan's change ends a period in the midst of its whole; an add-on goes on over it,
 * billed by then, so nothing of it is settled there.
 */
export function closingAddOnFees(addOns: readonly AttachedAddOn[], closed: ClosedTime): AddOnFee[] {
  return addOns.flatMap((addOn) => [...arrears(addOn, closed), ...settled(addOn, closed)]);
}

/** One fee for each stretch with the same quantity; a fee that is not prorated is owed once for the whole, with the last quantity. */
function arrears(addOn: AttachedAddOn, { closes, whole, at, ends }: ClosedTime): AddOnFee[] {
  const part = closes === null ? null : addOnPart(addOn, closes.period);
  const prices = recurring(addOn, 'in_arrears');
  if (part === null || prices.length === 0) return [];
  const cuts = addOn.steps.filter((step) => Temporal.Instant.compare(step.at, part.end) < 0);
  const stretches = cuts.flatMap(({ at: from, quantity }, index) => {
    const [start, end] = [later(from, part.start), cuts[index + 1]?.at ?? part.end];
    return Temporal.Instant.compare(start, end) < 0 ? [{ part: period(start, end), quantity }] : [];
  });
  const last = stretches.at(-1);
  const goesOn = at.equals(part.end) && ends === null && Temporal.Instant.compare(at, whole.end) < 0 && !(addOn.end?.at.equals(at) ?? false);
  return prices.flatMap((price) => {
    if (prorateUnit(price) !== 'none') return stretches.map((one) => feeOf(addOn, { kind: 'arrears', price, ...one, whole, at: lastOf(one.part) }));
    return last === undefined || goesOn ? [] : [feeOf(addOn, { kind: 'arrears', price, quantity: last.quantity, part, whole, at: lastOf(part) })];
  });
}

function lastOf({ end }: Period): Temporal.Instant {
  return end.subtract({ nanoseconds: 1 });
}

/** Walks through all that happened to the add-on since its whole period began: what was billed for the rest, and what each step made of it. */
function settled(addOn: AttachedAddOn, closed: ClosedTime): AddOnFee[] {
  const { whole, ends, at } = closed;
  const fees: AddOnFee[] = [];
  let billed = quantityAtOpening(addOn, whole.start);
  for (const [index, step] of addOn.steps.entries()) {
    if (!isWithin(step, whole.start, at)) continue;
    // Where nothing of the period is left that began here, what was set for its start was billed with it.
    const isNow = closed.closes !== null && isSettledHere(step, closed);
    if (index === 0 && isNow) fees.push(...oneTimeFees(addOn, { quantity: step.quantity, part: period(step.at, whole.end), whole }));
    if (!step.isProrated) continue;
    if (isNow) fees.push(...restFees(addOn, { billed, quantity: step.quantity, from: step.at, whole }));
    billed = step.quantity;
  }
  const { end } = addOn;
  if (end !== null && (isWithin(end, whole.start, at) || (end.stage !== undefined && end.at.equals(at)))) {
    if (billed !== null && end.isProrated && isSettledHere(end, closed)) fees.push(...restFees(addOn, { billed, quantity: null, from: end.at, whole }));
    billed = null;
  }
  const isCut = Temporal.Instant.compare(at, whole.end) < 0;
  if (ends?.returnsUnused === true && isCut && billed !== null) fees.push(...restFees(addOn, { billed, quantity: null, from: at, whole }));
  return fees;
}

/** What was made at the very instant of a boundary belongs to the period that begins there; what was set for it before, to the boundary. */
function isWithin(one: { at: Temporal.Instant; isImmediate: boolean }, from: Temporal.Instant, to: Temporal.Instant): boolean {
  const isAfterStart = Temporal.Instant.compare(one.at, from) > (one.isImmediate ? -1 : 0);
  return isAfterStart && Temporal.Instant.compare(one.at, to) < (one.isImmediate ? 0 : 1);
}

/** Whether it falls into the period that ends, or was set for the instant at which a change or an end cuts that short. */
function isSettledHere(one: AddOnEnd, { closes, whole, at, stage }: ClosedTime): boolean {
  if (one.stage !== undefined) return one.at.equals(at) && Temporal.Instant.compare(at, whole.end) < 0 && (stage === undefined || stage === one.stage);
  if (closes !== null && isWithin(one, closes.period.start, at) && !one.at.equals(at)) return true;
  return one.at.equals(at) && !one.isImmediate && Temporal.Instant.compare(at, whole.end) < 0;
}

/** The unused rest of what was billed, and the rest of what is billed instead. What is not prorated is owed whole by what begins, and stands otherwise. */
function restFees(addOn: AttachedAddOn, of: { billed: string | null; quantity: string | null; from: Temporal.Instant; whole: Period }): AddOnFee[] {
  const { billed, quantity, from, whole } = of;
  const rest = { kind: 'proration' as const, part: period(from, whole.end), whole, at: from };
  return recurring(addOn, 'in_advance').flatMap((price) => {
    if (billed !== null && prorateUnit(price) === 'none') return [];
    const unused = billed === null ? [] : [feeOf(addOn, { ...rest, price, quantity: billed, isReturned: true })];
    const owed = quantity === null ? [] : [feeOf(addOn, { ...rest, price, quantity })];
    return [...unused, ...owed];
  });
}

function oneTimeFees(addOn: AttachedAddOn, of: { quantity: string; part: Period; whole: Period }): AddOnFee[] {
  if (addOn.replaces !== undefined) return [];
  return addOn.prices.filter(({ type }) => type === 'one_time').map((price) => feeOf(addOn, { kind: 'one_time', price, ...of, whole: of.part, at: of.part.start }));
}

function recurring(addOn: AttachedAddOn, pay: 'in_advance' | 'in_arrears'): IdentifiedPrice[] {
  return addOn.prices.filter((price) => price.type === 'recurring' && payTime(price) === pay);
}

function feeOf(addOn: AttachedAddOn, fee: Omit<AddOnFee, 'ref' | 'isReturned'> & { quantity: string; isReturned?: boolean }): AddOnFee {
  const { quantity, isReturned = false, ...rest } = fee;
  const price = withAddOnQuantity(rest.price, quantity);
  const ref = `${rest.kind}:${price.id}:${addOn.id}:${rest.part.start.toString()}${isReturned ? `:unused:${quantity}` : ''}`;
  return { ...rest, price, isReturned, ref };
}
