import type { CatalogFault } from '../../catalog/catalog-fault.js';
import { decimalFaults, soundDecimal } from '../../catalog/decimal-faults.js';
import { currencyFaults } from '../../catalog/plan-faults.js';
import { modelIn, type RateablePrice } from '../../catalog/price.js';
import { ONE, sumOf, ZERO } from '../../money/decimal.js';
import { type BesideUse, type BreakEvenQuestion, type ComparedTerms, type GroupShare, metersCompared, type UsageMix, varyingMeter } from './break-even-question.js';

/** Everything wrong with a question whose prices are sound each by itself. */
export function breakEvenFaults(question: BreakEvenQuestion): CatalogFault[] {
  return [
    ...currencyFaults(question.currency),
    ...[question.a, question.b].flatMap((side) => modelFaults(side, question.currency)),
    ...periodFaults(question),
    ...meterFaults(question),
    ...decimalFaults({ text: question.event_value, pointer: '/event_value', kind: 'quantity', aboveZero: true }),
    ...groupFaults(question.groups, '/groups'),
    ...[...question.usage].flatMap(([meter, use]) => besideFaults(use, { meter, question })),
    ...quantityFaults(question),
    ...rangeFaults(question),
  ];
}

/** What each usage price needs to know of its usage, and does not; once the question is sound by itself. */
export function usageFaults(question: BreakEvenQuestion): CatalogFault[] {
  const varying = varyingMeter(question);
  return [question.a, question.b].flatMap((side) => side.prices.flatMap((price, index) => {
    if (price.type !== 'usage') return [];
    const isVarying = price.meter === undefined || price.meter === varying;
    const use = isVarying ? { ...question, pointer: '' } : question.usage.get(price.meter ?? '');
    return use === undefined ? [] : priceFaults(price, { use, at: use.pointer, pointer: side.pointerOf(index), question });
  }));
}

function priceFaults(price: RateablePrice, of: { use: UsageMix; at: string; pointer: string; question: BreakEvenQuestion }): CatalogFault[] {
  const { use, at, pointer, question } = of;
  const model = modelIn(price, question.currency);
  const named = price.key === undefined ? 'The price' : `The price "${price.key}"`;
  if (price.bucket !== undefined) return [{ pointer, code: 'not_allowed', detail: `${named} rates each ${price.bucket} by itself, so what it asks depends on when, and not on one quantity. Compare it by a backtest.` }];
  if (model.type === 'dynamic') return [{ pointer, code: 'not_allowed', detail: `${named} asks what the events say, whatever their quantity. Compare it by a backtest.` }];
  const dimensions = model.type === 'matrix' ? model.dimensions : (price.group_by ?? []);
  if (dimensions.length > 0 && use.groups === undefined) return [{ pointer: `${at}/groups`, code: 'missing_field', detail: `${named} tells ${dimensions.join(', ')} apart; say in which shares the quantity lies in their values.` }];
  if (model.type === 'percentage' && use.event_value === undefined) return [{ pointer: `${at}/event_value`, code: 'missing_field', detail: `${named} charges each event by itself; say what a single event brings.` }];
  return [];
}

function modelFaults({ prices, plan, pointer }: ComparedTerms, currency: string): CatalogFault[] {
  if (plan === null || plan.currency === currency) return [];
  const lacking = prices.filter((price) => price.currencies === undefined || !Object.hasOwn(price.currencies, currency)).map(({ key }) => key);
  if (lacking.length === 0) return [];
  return [{ pointer, code: 'currency_mismatch', detail: `The plan is priced in ${plan.currency}, and its prices ${lacking.join(', ')} have no model in ${currency}: add it to their currencies, or compare in ${plan.currency}.` }];
}

function periodFaults({ a, b }: BreakEvenQuestion): CatalogFault[] {
  if (a.plan === null || b.plan === null || a.plan.billingPeriod === b.plan.billingPeriod) return [];
  return [{ pointer: b.pointer, code: 'not_allowed', detail: `One is billed each ${a.plan.billingPeriod} and the other each ${b.plan.billingPeriod}; compare plans of one billing period.` }];
}

function meterFaults(question: BreakEvenQuestion): CatalogFault[] {
  const usagePrices = [...question.a.prices, ...question.b.prices].filter(({ type }) => type === 'usage');
  if (usagePrices.length === 0) return [{ pointer: question.a.pointer, code: 'missing_field', detail: 'Neither has a usage price, so no quantity changes what they cost.' }];
  const meters = metersCompared(question);
  const hasUnnamed = usagePrices.some(({ meter }) => meter === undefined);
  if (question.meter === undefined && meters.length > 1) return [{ pointer: '/meter', code: 'missing_field', detail: `They are of several meters, ${meters.join(', ')}; say which one varies.` }];
  if (question.meter !== undefined && !meters.includes(question.meter) && !hasUnnamed) return [{ pointer: '/meter', code: 'unknown_meter', detail: `Neither has a price of this meter; name one of ${meters.join(', ')}.` }];
  return [];
}

function groupFaults(groups: readonly GroupShare[] | undefined, pointer: string): CatalogFault[] {
  if (groups === undefined) return [];
  const faults = groups.flatMap(({ share }, index) => decimalFaults({ text: share, pointer: `${pointer}/${index}/share`, kind: 'quantity', aboveZero: true }));
  if (faults.length > 0) return faults;
  const sum = sumOf(groups, ({ share }) => soundDecimal({ text: share, kind: 'quantity' }) ?? ZERO);
  return sum.eq(ONE) ? [] : [{ pointer, code: 'number_out_of_range', detail: `The shares must sum to 1, and they sum to ${sum.toFixed()}.` }];
}

function besideFaults(use: BesideUse & { readonly pointer: string }, of: { meter: string; question: BreakEvenQuestion }): CatalogFault[] {
  const { meter, question } = of;
  const { pointer } = use;
  if (!metersCompared(question).includes(meter)) return [{ pointer, code: 'unknown_meter', detail: 'Neither has a price of this meter; leave it out.' }];
  if (meter === varyingMeter(question)) return [{ pointer, code: 'not_allowed', detail: 'This is the meter that varies; give its event_value and groups beside "meter".' }];
  const isOne = (use.quantity === undefined) !== (use.per_unit === undefined);
  return [
    ...(isOne ? [] : [{ pointer, code: 'missing_field' as const, detail: 'Give either a quantity that stays, or per_unit: so much for each unit of the meter that varies.' }]),
    ...decimalFaults({ text: use.quantity, pointer: `${pointer}/quantity`, kind: 'quantity' }),
    ...decimalFaults({ text: use.per_unit, pointer: `${pointer}/per_unit`, kind: 'quantity', aboveZero: true }),
    ...decimalFaults({ text: use.event_value, pointer: `${pointer}/event_value`, kind: 'quantity', aboveZero: true }),
    ...groupFaults(use.groups, `${pointer}/groups`),
  ];
}

function quantityFaults({ a, b, quantities }: BreakEvenQuestion): CatalogFault[] {
  const fees = [...a.prices, ...b.prices].filter(({ type }) => type === 'recurring').map(({ key }) => key);
  return [...quantities].flatMap(([key, quantity]) => {
    const pointer = `/quantities/${key}`;
    if (!fees.includes(key)) return [{ pointer, code: 'unknown_price' as const, detail: 'Neither has a fee with this key.' }];
    return decimalFaults({ text: quantity, pointer, kind: 'quantity' });
  });
}

function rangeFaults({ step, from_quantity: fromText, to_quantity: toText }: BreakEvenQuestion): CatalogFault[] {
  const faults = [
    ...decimalFaults({ text: step, pointer: '/step', kind: 'quantity', aboveZero: true }),
    ...decimalFaults({ text: fromText, pointer: '/from_quantity', kind: 'quantity' }),
    ...decimalFaults({ text: toText, pointer: '/to_quantity', kind: 'quantity' }),
  ];
  const from = soundDecimal({ text: fromText, kind: 'quantity' }) ?? ZERO;
  const to = soundDecimal({ text: toText, kind: 'quantity' });
  if (faults.length === 0 && to?.lt(from) === true) faults.push({ pointer: '/to_quantity', code: 'invalid_range', detail: '"to_quantity" must not be below "from_quantity".' });
  return faults;
}
