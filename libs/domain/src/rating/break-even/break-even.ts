import type { CatalogFault } from '../../catalog/catalog-fault.js';
import { modelIn, type RateablePrice } from '../../catalog/price.js';
import { type Decimal, decimal, divide, ONE, toPlain, ZERO } from '../../money/decimal.js';
import type { Rounding } from '../../money/minor-units.js';
import { optionalDecimal, priceDecimal } from '../price-decimal.js';
import { breakEvenFaults, usageFaults } from './break-even-faults.js';
import { type BreakEvenQuestion, type UsageMix, varyingMeter } from './break-even-question.js';
import { cheaperRangesMax, compareCosts, type BreakEvenPoint, type CheaperRange, type CostComparison } from './compare-costs.js';
import type { PricedUse } from './priced-use.js';

export interface BreakEven {
  /** Null where no price names one. */
  readonly meter: string | null;
  readonly step: Decimal;
  readonly from: Decimal;
  readonly to: Decimal | null;
  readonly ranges: readonly CheaperRange[];
  readonly points: readonly BreakEvenPoint[];
}

export type BreakEvenAnswer = { readonly ok: true; readonly value: BreakEven } | { readonly ok: false; readonly faults: readonly CatalogFault[] };

/** Quantities have 18 digits after the point. */
const smallestStep = decimal('0.000000000000000001');

/** Where two plans or prices cost the same, and which is cheaper on each side. */
export function breakEven(question: BreakEvenQuestion, { rounding }: { rounding: Rounding }): BreakEvenAnswer {
  const own = breakEvenFaults(question);
  const faults = own.length > 0 ? own : usageFaults(question);
  if (faults.length > 0) return { ok: false, faults };
  const meter = varyingMeter(question);
  const counts = meter !== null && question.countingMeters.has(meter);
  const step = optionalDecimal(question.step ?? question.event_value) ?? (counts ? ONE : smallestStep);
  const [from, to] = [optionalDecimal(question.from_quantity) ?? ZERO, optionalDecimal(question.to_quantity)];
  const [a, b] = [usesOf(question.a.prices, { question, meter }), usesOf(question.b.prices, { question, meter })];
  const uneven = [...a, ...b].flatMap((use) => wholeEventFaults(use, { step, question }));
  if (uneven.length > 0) return { ok: false, faults: uneven };
  if (to !== null && to.divToInt(step).times(step).lt(from)) return { ok: false, faults: [{ pointer: '/step', code: 'invalid_range', detail: 'No multiple of the step lies between the two quantities; take a smaller step.' }] };
  const compared = compareCosts({ a, b, currency: question.currency, rounding, step, from, to });
  if (!compared.ok) return { ok: false, faults: [tooMuch[compared.lacking]] };
  return { ok: true, value: { meter, step, from, to, ranges: compared.ranges, points: compared.points } };
}

const tooMuch: Readonly<Record<Extract<CostComparison, { ok: false }>['lacking'], CatalogFault>> = {
  end: { pointer: '/to_quantity', code: 'missing_field', detail: 'A price by packages or rounded units has steps without an end; say until which quantity to compare.' },
  stretches: { pointer: '/to_quantity', code: 'too_many_steps', detail: 'Packages, rounded units and tiers make more than 10000 steps between the two quantities; compare fewer quantities or prices.' },
  ranges: { pointer: '/to_quantity', code: 'too_many_steps', detail: `The cheaper one changes more than ${cheaperRangesMax} times between the two quantities; compare fewer.` },
};

function usesOf(prices: readonly RateablePrice[], of: { question: BreakEvenQuestion; meter: string | null }): PricedUse[] {
  return prices.filter(({ type }) => type !== 'one_time').map((price) => useOf(price, of));
}

function useOf(price: RateablePrice, { question, meter }: { question: BreakEvenQuestion; meter: string | null }): PricedUse {
  if (price.type !== 'usage') {
    return { price, perUnit: null, fixed: optionalDecimal(question.quantities.get(price.key ?? '')), eventValue: null, groups: null };
  }
  if (price.meter === undefined || price.meter === meter) return { price, perUnit: ONE, fixed: null, ...mixOf(question) };
  const use = question.usage.get(price.meter);
  return { price, perUnit: optionalDecimal(use?.per_unit), fixed: optionalDecimal(use?.quantity), ...mixOf(use ?? {}) };
}

function mixOf({ event_value: value, groups }: UsageMix): Pick<PricedUse, 'eventValue' | 'groups'> {
  return { eventValue: optionalDecimal(value), groups: groups?.map(({ group, share }) => ({ group, share: priceDecimal(share) })) ?? null };
}

/** A price of single events needs quantities that are whole events. */
function wholeEventFaults(use: PricedUse, of: { step: Decimal; question: BreakEvenQuestion }): CatalogFault[] {
  const { step, question: { currency } } = of;
  const { price, perUnit, fixed, eventValue } = use;
  if (eventValue === null || modelIn(price, currency).type !== 'percentage') return [];
  const apart = perUnit === null ? (fixed ?? ZERO) : step.times(perUnit);
  if (apart.divToInt(eventValue).times(eventValue).eq(apart)) return [];
  const where = price.meter === undefined ? '' : ` of ${price.meter}`;
  if (perUnit === null) return [{ pointer: `${of.question.usage.get(price.meter ?? '')?.pointer ?? ''}/quantity`, code: 'number_out_of_range', detail: `The quantity${where} must be a multiple of its event_value.` }];
  return [{ pointer: '/step', code: 'number_out_of_range', detail: `Each step must bring whole events${where}: take a step that is a multiple of ${toPlain(divide(eventValue, perUnit))}.` }];
}
