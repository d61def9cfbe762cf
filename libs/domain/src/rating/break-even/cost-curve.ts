import type { Curve, Model, Percentage } from '../../catalog/model.js';
import { modelIn, type RateablePrice, type UnitConversion } from '../../catalog/price.js';
import { assert } from '../../assert.js';
import { type Decimal, ONE, ZERO } from '../../money/decimal.js';
import { addRatios, compareRatios, divideRatios, multiplyRatios, type Ratio, ratio, ratioOf, ratioOne, ratioZero, subtractRatios } from '../../money/ratio.js';
import { chargeAlike } from '../charge-events.js';
import { type GroupUsage, poolUsage, type UsagePool } from '../pool-usage.js';
import { optionalDecimal, priceDecimal } from '../price-decimal.js';
import { rateExactly } from '../rate-exactly.js';
import { percentTiersOf, type Tier, tiersOf } from '../tier.js';
import { noNote } from '../trace.js';
import { level, limitStretch, type Line, raiseStretch, scaleLine, shiftLine, splitAt, type Stretch, type StretchBudget, stepsOf, sumCurves } from './stretch.js';
import { isFixed, type PricedUse, usageAt } from './priced-use.js';

export interface CurveDomain {
  /** The quantity between two grid points. */
  readonly step: Decimal;
  readonly from: bigint;
  readonly to: bigint | null;
  readonly budget: StretchBudget;
}

/** What a price asks at each quantity of the meter that varies: exact, with quotients as fractions. */
export function costCurve(use: PricedUse, currency: string, domain: CurveDomain): readonly Stretch[] {
  const { from, to } = domain;
  const exactly = (quantity: Decimal): Ratio => ratioOf(rateExactly({ price: use.price, currency, usage: usageAt(use, { quantity, currency }), note: noNote }).amount);
  if (isFixed(use)) return [{ from, to, line: level(exactly(ZERO)) }];
  // Without any usage no group and no cell has any either.
  const atNothing = from === 0n ? [{ from, to: from, line: level(exactly(ZERO)) }] : [];
  const first = from === 0n ? 1n : from;
  if (to !== null && to < first) return atNothing;
  const above = { ...domain, from: first };
  const shares = poolUsage({ type: use.price.type, group_by: use.price.group_by, model: modelIn(use.price, currency) }, sharesOf(use));
  const asked = sumCurves(shares.map((pool) => poolCurve(pool, { use, domain: above })), above);
  return [...atNothing, ...asked.flatMap((stretch) => boundStretch(stretch, use.price))];
}

/** The share of each group in a quantity of 1. */
function sharesOf({ groups }: PricedUse): GroupUsage[] {
  return groups === null ? [{ group: {}, quantity: ONE }] : groups.map(({ group, share }) => ({ group, quantity: share }));
}

function poolCurve(pool: UsagePool, { use, domain }: { use: PricedUse; domain: CurveDomain }): Stretch[] {
  const { from, to, step, budget } = domain;
  const slope = ratioOf(pool.quantity.times(use.perUnit ?? ONE).times(step));
  const metered: Stretch = { from, to, line: { slope, base: ratioZero } };
  if (pool.model === null) return [{ ...metered, line: level(ratioZero) }];
  if (pool.model.type === 'percentage') return chargedCurve(metered, { model: pool.model, eventValue: use.eventValue });
  const included = optionalDecimal(use.price.included_units);
  const sold = soldCurve(metered, use.price.unit_conversion, budget);
  const charged = included === null ? sold : sold.flatMap((stretch) => lessStretch(stretch, ratioOf(included)));
  const { model } = pool;
  return charged.flatMap((stretch) => askedFor(stretch, model, budget));
}

/** Less so much, but not below 0. */
function lessStretch(stretch: Stretch, off: Ratio): Stretch[] {
  return raiseStretch({ ...stretch, line: shiftLine(stretch.line, { n: -off.n, d: off.d }) }, ratioZero);
}

function soldCurve(metered: Stretch, conversion: UnitConversion | undefined, budget: StretchBudget): Stretch[] {
  if (conversion === undefined) return [metered];
  const converted = { ...metered, line: scaleLine(metered.line, divideRatios(ratioOne, ratioOf(priceDecimal(conversion.divide_by)))) };
  switch (conversion.rounding) {
    case 'none':
      return [converted];
    case 'nearest': // A half goes up.
      return stepsOf({ ...converted, line: shiftLine(converted.line, ratio(1n, 2n)) }, { rounding: 'down', budget });
    case 'up':
    case 'down':
      return stepsOf(converted, { rounding: conversion.rounding, budget });
  }
}

/** What a model asks along a stretch of the quantity that it prices. */
function askedFor(stretch: Stretch, model: Exclude<Model, { type: 'matrix' | 'percentage' }>, budget: StretchBudget): Stretch[] {
  switch (model.type) {
    case 'flat':
      return [{ ...stretch, line: level(ratioOf(priceDecimal(model.amount))) }];
    case 'per_unit':
      return [{ ...stretch, line: scaleLine(stretch.line, ratioOf(priceDecimal(model.unit_amount))) }];
    case 'package': {
      const packages = { ...stretch, line: scaleLine(stretch.line, divideRatios(ratioOne, ratioOf(priceDecimal(model.package_size)))) };
      return stepsOf(packages, { rounding: 'up', budget }).map((step) => ({ ...step, line: scaleLine(step.line, ratioOf(priceDecimal(model.package_amount))) }));
    }
    case 'graduated':
      return graduatedCurve(stretch, tiersOf(model.tiers));
    case 'graduated_percentage':
      return graduatedCurve(stretch, percentTiersOf(model.tiers));
    case 'volume':
      return byTier(stretch, tiersOf(model.tiers), (inTier, tier) => tierCurve(inTier, tier));
    case 'stairstep':
      return byTier(stretch, stairTiers(model), (inTier, tier) => [{ ...inTier, line: level(ratioOf(tier.flatAmount)) }]);
    case 'dynamic':
      assert(false, 'What events state is no function of a quantity; it is refused before.');
  }
}

function stairTiers({ tiers }: Extract<Curve, { type: 'stairstep' }>): Tier[] {
  return tiers.map((tier) => ({ upTo: optionalDecimal(tier.up_to ?? undefined), unitAmount: ZERO, flatAmount: priceDecimal(tier.amount) }));
}

/** Each part of a stretch by the tier that its whole quantity falls in. */
function byTier(stretch: Stretch, tiers: readonly Tier[], ask: (inTier: Stretch, tier: Tier) => Stretch[]): Stretch[] {
  const asked: Stretch[] = [];
  let rest: Stretch | null = stretch;
  for (const tier of tiers) {
    if (rest === null) break;
    const { upTo, above }: ReturnType<typeof splitAt> = tier.upTo === null ? { upTo: rest, above: null } : splitAt(rest, ratioOf(tier.upTo));
    if (upTo !== null) asked.push(...ask(upTo, tier));
    rest = above;
  }
  return asked;
}

function graduatedCurve(stretch: Stretch, tiers: readonly Tier[]): Stretch[] {
  let from = ratioZero; // Exclusive.
  let before = ratioZero;
  const filled = tiers.map((tier) => {
    const terms = { from, before };
    if (tier.upTo !== null) {
      const upTo = ratioOf(tier.upTo);
      before = addRatios(before, fullTier(tier, subtractRatios(upTo, from)));
      from = upTo;
    }
    return { ...tier, ...terms };
  });
  return byTier(stretch, filled, (inTier, tier) => {
    const terms = filled.find((one) => one === tier);
    assert(terms !== undefined, 'A tier is one of the model’s.');
    const within = { ...inTier, line: shiftLine(inTier.line, { n: -terms.from.n, d: terms.from.d }) };
    return tierCurve(within, tier).map((part) => ({ ...part, line: shiftLine(part.line, terms.before) }));
  });
}

function tierCurve(inTier: Stretch, tier: Tier): Stretch[] {
  const asked = { ...inTier, line: shiftLine(scaleLine(inTier.line, ratioOf(tier.unitAmount)), ratioOf(tier.flatAmount)) };
  const maximum = tier.maximumAmount ?? null;
  return maximum === null ? [asked] : limitStretch(asked, ratioOf(maximum));
}

function fullTier(tier: Tier, quantity: Ratio): Ratio {
  const asked = addRatios(multiplyRatios(quantity, ratioOf(tier.unitAmount)), ratioOf(tier.flatAmount));
  const maximum = tier.maximumAmount ?? null;
  return maximum !== null && compareRatios(asked, ratioOf(maximum)) > 0n ? ratioOf(maximum) : asked;
}

/** Events of one value each: some are free, the next may be free in part, and all that follow cost the same. */
function chargedCurve(metered: Stretch, { model, eventValue }: { model: Percentage; eventValue: Decimal | null }): Stretch[] {
  assert(eventValue !== null, 'A percentage without the value of an event is refused before.');
  const alike = chargeAlike(eventValue, model);
  const events: Line = scaleLine(metered.line, divideRatios(ratioOne, ratioOf(eventValue)));
  const free = ratio(alike.freeEvents);
  const [nothing, each] = [level(ratioZero), ratioOf(alike.each)];
  const { upTo, above } = splitAt({ ...metered, line: events }, free);
  const afterFirst = subtractRatios(ratioOf(alike.first), multiplyRatios(each, addRatios(free, ratioOne)));
  return [
    ...(upTo === null ? [] : [{ ...upTo, line: nothing }]),
    ...(above === null ? [] : [{ ...above, line: shiftLine(scaleLine(events, each), afterFirst) }]),
  ];
}

/** Discount, maximum and minimum of the sum. */
function boundStretch(stretch: Stretch, { discount, maximum_amount: maximum, minimum_amount: minimum }: RateablePrice): Stretch[] {
  const percent = ratioOf(optionalDecimal(discount?.percent) ?? ZERO);
  const left = divideRatios(subtractRatios(ratio(100n), percent), ratio(100n));
  const asked = { ...stretch, line: scaleLine(stretch.line, left) };
  const off = optionalDecimal(discount?.amount);
  const discounted = off === null ? [asked] : lessStretch(asked, ratioOf(off));
  const limited = maximum === undefined ? discounted : discounted.flatMap((part) => limitStretch(part, ratioOf(priceDecimal(maximum))));
  return minimum === undefined ? limited : limited.flatMap((part) => raiseStretch(part, ratioOf(priceDecimal(minimum))));
}
