import { assert } from '../assert.js';
import { earlier, later, type Period } from '../period/period.js';
import type { IdentifiedPrice } from '../rating/rate-fee.js';
import type { BillingPeriod } from './billing-schedule.js';
import { takesQuantity } from './subscribed-prices.js';

/** From an instant on a subscription has an add-on so many times. */
export interface AddOnStep {
  readonly at: Temporal.Instant;
  /** Units that its fees are owed for, as a plain decimal. */
  readonly quantity: string;
  /** Made at its own instant: a period that begins there was billed already. Otherwise it was set for a boundary before. */
  readonly isImmediate: boolean;
  /** Whether fees in advance are settled for the rest of the period; otherwise it counts for them from the next period on. */
  readonly isProrated: boolean;
}

/** From an instant on a subscription has an add-on no more. */
export interface AddOnEnd extends Omit<AddOnStep, 'quantity'> {
  /** That of the change, made at its own instant, which ended it: the change's boundary settles it. Left out of all other ends, and of those that are older. */
  readonly stage?: number | undefined;
}

/** An add-on as one subscription has it: prices of their own time, beside those of the plan. */
export interface AttachedAddOn {
  readonly id: string;
  /** Those of one version of the add-on; their names say whose they are. */
  readonly prices: readonly IdentifiedPrice[];
  /** Ascending; the first begins it. */
  readonly steps: readonly AddOnStep[];
  /** Null while none is set. */
  readonly end: AddOnEnd | null;
  /** The id of that whose place it takes: another version of the same add-on, with which all that is owed once was owed. */
  readonly replaces?: string | undefined;
}

export function addOnStart({ steps }: Pick<AttachedAddOn, 'steps'>): Temporal.Instant {
  const [first] = steps;
  assert(first !== undefined, 'An add-on begins with its first step.');
  return first.at;
}

/** The add-on that a line of one of the subscription's documents comes from: the line's ref names it. Null for lines of the plan, and for those of no price. */
export function addOnOfLine<A extends Pick<AttachedAddOn, 'id' | 'prices'>>(line: { readonly ref: string; readonly priceId: string | null }, addOns: readonly A[]): A | null {
  return addOns.find(({ id, prices }) => (line.ref.includes(`:${id}/`) || line.ref.includes(`:${id}:`)) && prices.some((price) => price.id === line.priceId)) ?? null;
}

/** The part of a range in which a subscription has the add-on; null where there is none. */
export function addOnPart(addOn: Pick<AttachedAddOn, 'steps' | 'end'>, range: Period): Period | null {
  const start = later(addOnStart(addOn), range.start);
  const end = addOn.end === null ? range.end : earlier(addOn.end.at, range.end);
  return Temporal.Instant.compare(start, end) < 0 ? { start, end } : null;
}

/** The prices of those add-ons that a subscription has in some part of a range. */
export function addOnPricesIn(addOns: readonly AttachedAddOn[], range: Period): IdentifiedPrice[] {
  return addOns.flatMap((addOn) => (addOnPart(addOn, range) === null ? [] : addOn.prices));
}

/** How many of it were billed where a whole period began: null where it was not there. What was made at that very instant came after it. */
export function quantityAtOpening(addOn: AttachedAddOn, at: Temporal.Instant): string | null {
  const isBy = (one: { at: Temporal.Instant; isImmediate: boolean }): boolean => Temporal.Instant.compare(one.at, at) < (one.isImmediate ? 0 : 1);
  if (addOn.end !== null && isBy(addOn.end)) return null;
  return addOn.steps.findLast(isBy)?.quantity ?? null;
}

/** A price with the units that its fee is owed for. */
export function withAddOnQuantity(price: IdentifiedPrice, quantity: string): IdentifiedPrice {
  return takesQuantity(price) ? { ...price, billedQuantity: quantity } : price;
}

/** Whether a period's fees in advance are owed where it begins, and not settled there: any but one that an immediate change began after its whole was billed. */
export function opensWhole({ begunBy, period, whole, owesAdvance }: Pick<BillingPeriod, 'begunBy' | 'period' | 'whole' | 'owesAdvance'>): boolean {
  return begunBy === null || !begunBy.isImmediate || (!begunBy.isProrated && owesAdvance && period.start.equals(whole.start));
}
