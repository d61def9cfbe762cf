import { assert } from '../assert.js';
import type { Percentage } from '../catalog/model.js';
import { Decimal, decimalOf, ZERO } from '../money/decimal.js';
import { optionalDecimal, priceDecimal } from './price-decimal.js';

/** What a percentage asks for a period's events so far. Given the next events it goes on where it stands. */
export interface ChargedEvents {
  /** The sum of all values, those that cost nothing too. */
  readonly quantity: Decimal;
  readonly freeEvents: number;
  readonly freeValue: Decimal;
  /** Whether an event was charged, which ends both allowances for the rest of the period. */
  readonly hasCharged: boolean;
  readonly chargedEvents: number;
  /** What the rate was taken of. */
  readonly chargedValue: Decimal;
  /** Major units, unrounded. */
  readonly amount: Decimal;
}

export const noEventsYet: ChargedEvents = {
  quantity: ZERO, freeEvents: 0, freeValue: ZERO, hasCharged: false, chargedEvents: 0, chargedValue: ZERO, amount: ZERO,
};

/** A model's decimals; null is not given. */
interface Terms {
  readonly rate: Decimal;
  readonly fixed: Decimal;
  readonly freeEvents: number | null;
  readonly freeValue: Decimal | null;
  readonly minimum: Decimal | null;
  readonly maximum: Decimal | null;
}

/**
 * Charges the values of events in the order of their time, source and id. An event is free while, with it, no allowance is exceeded;
 * the first that is not ends both, and if only the value ran out, what is left of it is taken off that event. Events that
 * are not positive cost nothing and use no allowance. Any cut of the events into calls gives the same.
 */
export function chargeEvents(before: ChargedEvents, values: Iterable<Decimal>, model: Percentage): ChargedEvents {
  const terms = termsOf(model);
  const state = { ...before };
  for (const value of values) {
    state.quantity = state.quantity.plus(value);
    if (!value.gt(0)) continue;
    if (isFree(value, state, terms)) {
      state.freeEvents += 1;
      state.freeValue = state.freeValue.plus(value);
      continue;
    }
    const charged = value.minus(restOfAllowance(state, terms));
    assert(charged.gt(0), 'An event that is not free exceeds what is left of the allowance.');
    state.hasCharged = true;
    state.chargedEvents += 1;
    state.chargedValue = state.chargedValue.plus(charged);
    state.amount = state.amount.plus(costOf(charged, terms));
  }
  return state;
}

/** What events of one value each are charged: so many are free, the next costs `first`, since some of it may be free too, and all after it `each`. */
export interface AlikeCharges {
  readonly freeEvents: bigint;
  readonly first: Decimal;
  readonly each: Decimal;
}

/** The value is above 0. */
export function chargeAlike(value: Decimal, model: Percentage): AlikeCharges {
  const terms = termsOf(model);
  const bounds = [terms.freeEvents === null ? null : BigInt(terms.freeEvents), terms.freeValue === null ? null : BigInt(terms.freeValue.divToInt(value).toFixed())].filter((bound) => bound !== null);
  const freeEvents = bounds.length === 0 ? 0n : bounds.reduce((least, bound) => (bound < least ? bound : least));
  const spared = restOfAllowance({ ...noEventsYet, freeEvents: Number(freeEvents), freeValue: value.times(decimalOf(freeEvents)) }, terms);
  return { freeEvents, first: costOf(value.minus(spared), terms), each: costOf(value, terms) };
}

/** What so many events of one value each are charged, without going through them. */
export function chargeEvenly(value: Decimal, { count, model }: { count: bigint; model: Percentage }): ChargedEvents {
  const { freeEvents: allowed, first, each } = chargeAlike(value, model);
  const free = count < allowed ? count : allowed;
  const charged = count - free;
  const freeValue = value.times(decimalOf(free));
  const quantity = value.times(decimalOf(count));
  const spared = restOfAllowance({ ...noEventsYet, freeEvents: Number(free), freeValue }, termsOf(model));
  return {
    quantity, freeEvents: Number(free), freeValue, hasCharged: charged > 0n, chargedEvents: Number(charged),
    chargedValue: charged === 0n ? ZERO : quantity.minus(freeValue).minus(spared),
    amount: charged === 0n ? ZERO : first.plus(each.times(decimalOf(charged - 1n))),
  };
}

function isFree(value: Decimal, state: ChargedEvents, terms: Terms): boolean {
  if (state.hasCharged || (terms.freeEvents === null && terms.freeValue === null)) return false;
  return !runsOutOfEvents(state, terms) && (terms.freeValue === null || state.freeValue.plus(value).lte(terms.freeValue));
}

/** What the first charged event is spared: the unused value, if only that ran out. */
function restOfAllowance(state: ChargedEvents, terms: Terms): Decimal {
  if (state.hasCharged || terms.freeValue === null || runsOutOfEvents(state, terms)) return ZERO;
  return terms.freeValue.minus(state.freeValue);
}

function runsOutOfEvents(state: ChargedEvents, terms: Terms): boolean {
  return terms.freeEvents !== null && state.freeEvents + 1 > terms.freeEvents;
}

function costOf(charged: Decimal, { rate, fixed, minimum, maximum }: Terms): Decimal {
  const cost = charged.times(rate).times('0.01').plus(fixed);
  const raised = minimum === null ? cost : Decimal.max(cost, minimum);
  return maximum === null ? raised : Decimal.min(raised, maximum);
}

function termsOf(model: Percentage): Terms {
  return {
    rate: priceDecimal(model.rate),
    fixed: given(model.fixed_amount) ?? ZERO,
    freeEvents: model.free_events === undefined || model.free_events === null || model.free_events === 0 ? null : model.free_events,
    freeValue: given(model.free_amount),
    minimum: given(model.minimum_per_event),
    maximum: given(model.maximum_per_event),
  };
}

/** Null, absent and 0 are not given. */
function given(text: string | null | undefined): Decimal | null {
  const value = optionalDecimal(text ?? undefined);
  return value?.isZero() === true ? null : value;
}
