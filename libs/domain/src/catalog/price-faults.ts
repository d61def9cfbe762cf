import { parseFilter } from '../metering/parse-expression.js';
import { isCurrency } from '../money/currency.js';
import type { CatalogFault } from './catalog-fault.js';
import { decimalFaults, soundDecimal } from './decimal-faults.js';
import type { Model } from './model.js';
import { modelFaults } from './model-faults.js';
import { prorateUnit, type RateablePrice } from './price.js';
import { rolloverFaults } from './rollover.js';
import { slaCreditFaults } from './sla-credit.js';
import { tierPeriodFaults } from './tier-period.js';

/** Everything wrong with a price whose shape is right. `meterOptional` is for a price that is only tried out. */
export function priceFaults(price: RateablePrice, pointer: string, options: { meterOptional?: boolean } = {}): CatalogFault[] {
  return [
    ...modelsFaults(price, pointer),
    ...decimalFaults({ text: price.included_units, pointer: `${pointer}/included_units`, kind: 'quantity' }),
    ...decimalFaults({ text: price.unit_conversion?.divide_by, pointer: `${pointer}/unit_conversion/divide_by`, kind: 'quantity', aboveZero: true }),
    ...discountFaults(price, pointer),
    ...boundsFaults(price, pointer),
    ...meterFaults(price, pointer, options.meterOptional ?? false),
    ...payFaults(price, pointer),
    ...groupFaults(price, pointer),
    ...exemptFaults(price, pointer),
    ...bucketFaults(price, pointer),
    ...rolloverFaults(price.rollover, { isUsage: price.type === 'usage', includesUnits: price.included_units !== undefined || refuses(price, 'included_units'), pointer: `${pointer}/rollover` }),
    ...slaCreditFaults(price.sla_credit, { isUsage: price.type === 'usage', needsMeter: options.meterOptional !== true, pointer: `${pointer}/sla_credit` }),
    ...tierPeriodFaults(price.tier_period, { isUsage: price.type === 'usage', hasBuckets: price.bucket !== undefined, rollsOver: price.rollover !== undefined, pointer: `${pointer}/tier_period` }),
  ];
}

/** The price's own model and those of other currencies, each with what it allows beside it. */
function modelsFaults(price: RateablePrice, pointer: string): CatalogFault[] {
  const inCurrencies = Object.entries(price.currencies ?? {}).flatMap(([currency, model]) => {
    const at = `${pointer}/currencies/${currency.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const unknown = isCurrency(currency) ? [] : [{ pointer: at, code: 'unknown_currency' as const, detail: 'This must be an ISO 4217 currency in capitals, such as "EUR".' }];
    return [...unknown, ...modelFaults(model, at), ...usageOnlyFaults(price, { model, pointer: at })];
  });
  const models = [price.model, ...Object.values(price.currencies ?? {})];
  return [
    ...modelFaults(price.model, `${pointer}/model`),
    ...usageOnlyFaults(price, { model: price.model, pointer: `${pointer}/model` }),
    ...inCurrencies,
    ...besidesFaults(price, { models, pointer }),
  ];
}

function usageOnlyFaults(price: RateablePrice, at: { model: Model; pointer: string }): CatalogFault[] {
  if (price.type === 'usage' || besides[at.model.type] === undefined) return [];
  const detail = `Only usage has events and groups that a ${at.model.type} model could price; choose another model or set type to "usage".`;
  return [{ pointer: `${at.pointer}/type`, code: 'not_allowed', detail }];
}

type SideField = 'included_units' | 'rollover' | 'tier_period' | 'unit_conversion' | 'group_by' | 'bucket';

/** What a model that looks into the usage refuses beside it, and why. */
const besides: Partial<Record<Model['type'], { readonly fields: readonly SideField[]; readonly why: string }>> = {
  percentage: { fields: ['included_units', 'rollover', 'tier_period', 'unit_conversion', 'group_by', 'bucket'], why: 'A percentage is taken of each event by itself; remove this field' },
  dynamic: { fields: ['included_units', 'rollover', 'tier_period', 'unit_conversion', 'group_by', 'bucket'], why: 'A dynamic price is what the events say, whatever their quantity; remove this field' },
  matrix: { fields: ['included_units', 'rollover', 'group_by'], why: 'A matrix pools usage by its cells; remove this field' },
};

function refuses(price: RateablePrice, field: SideField): boolean {
  return [price.model, ...Object.values(price.currencies ?? {})].some(({ type }) => besides[type]?.fields.includes(field) === true);
}

function besidesFaults(price: RateablePrice, at: { models: readonly Model[]; pointer: string }): CatalogFault[] {
  const refused = new Map<SideField, string>();
  for (const { type } of at.models) {
    for (const field of besides[type]?.fields ?? []) refused.set(field, besides[type]?.why ?? '');
  }
  return [...refused].flatMap(([field, why]) =>
    price[field] === undefined ? [] : [{ pointer: `${at.pointer}/${field}`, code: 'not_allowed' as const, detail: `${why}.` }],
  );
}

function discountFaults({ discount }: RateablePrice, pointer: string): CatalogFault[] {
  if (discount === undefined) return [];
  const at = `${pointer}/discount`;
  if (discount.percent === undefined && discount.amount === undefined) {
    return [{ pointer: at, code: 'missing_field', detail: 'A discount takes off a percent, an amount, or both; give one of them or remove it.' }];
  }
  const percent = soundDecimal({ text: discount.percent, kind: 'amount' });
  const tooMuch = percent?.gt(100) === true ? [{ pointer: `${at}/percent`, code: 'number_out_of_range' as const, detail: 'At most 100 percent can be taken off; lower it.' }] : [];
  return [
    ...decimalFaults({ text: discount.percent, pointer: `${at}/percent`, kind: 'amount' }),
    ...tooMuch,
    ...decimalFaults({ text: discount.amount, pointer: `${at}/amount`, kind: 'amount' }),
  ];
}

function boundsFaults(price: RateablePrice, pointer: string): CatalogFault[] {
  const faults = [
    ...decimalFaults({ text: price.minimum_amount, pointer: `${pointer}/minimum_amount`, kind: 'amount' }),
    ...decimalFaults({ text: price.maximum_amount, pointer: `${pointer}/maximum_amount`, kind: 'amount' }),
  ];
  const minimum = soundDecimal({ text: price.minimum_amount, kind: 'amount' });
  const maximum = soundDecimal({ text: price.maximum_amount, kind: 'amount' });
  if (minimum !== null && maximum !== null && minimum.gt(maximum)) {
    faults.push({
      pointer: `${pointer}/minimum_amount`,
      code: 'minimum_above_maximum',
      detail: 'The minimum is what is paid at least and the maximum what is paid at most; lower the one or raise the other.',
    });
  }
  return faults;
}

function meterFaults(price: RateablePrice, pointer: string, meterOptional: boolean): CatalogFault[] {
  const at = `${pointer}/meter`;
  if (price.type === 'usage') {
    if (price.meter !== undefined || meterOptional) return [];
    return [{ pointer: at, code: 'missing_field', detail: 'A usage price needs the meter that counts its quantity.' }];
  }
  if (price.meter === undefined) return [];
  return [{ pointer: at, code: 'not_allowed', detail: 'Only a usage price has a meter; remove it or set type to "usage".' }];
}

function payFaults(price: RateablePrice, pointer: string): CatalogFault[] {
  const faults: CatalogFault[] = [];
  if (price.type === 'usage' && price.pay === 'in_advance') {
    faults.push({ pointer: `${pointer}/pay`, code: 'not_allowed', detail: 'Usage is known only afterwards, so it is paid in_arrears; remove pay.' });
  }
  if (price.type === 'one_time' && price.pay === 'in_arrears') {
    faults.push({ pointer: `${pointer}/pay`, code: 'not_allowed', detail: 'A one-time price is owed when the subscription starts; remove pay.' });
  }
  if (price.type === 'one_time' && prorateUnit(price) !== 'none') {
    faults.push({ pointer: `${pointer}/prorate`, code: 'not_allowed', detail: 'A one-time price belongs to no period and is never prorated; remove prorate.' });
  }
  return faults;
}

function bucketFaults({ type, bucket }: RateablePrice, pointer: string): CatalogFault[] {
  if (bucket === undefined || type === 'usage') return [];
  return [{ pointer: `${pointer}/bucket`, code: 'not_allowed', detail: 'Only usage lies in hours and days; remove bucket or set type to "usage".' }];
}

function exemptFaults({ type, exempt }: RateablePrice, pointer: string): CatalogFault[] {
  if (exempt === undefined) return [];
  const at = `${pointer}/exempt`;
  if (type !== 'usage') return [{ pointer: at, code: 'not_allowed', detail: 'Only usage has events that could be exempt; remove exempt or set type to "usage".' }];
  const filter = parseFilter(exempt);
  return filter.ok ? [] : [{ pointer: at, code: 'invalid_filter', detail: filter.detail }];
}

function groupFaults(price: RateablePrice, pointer: string): CatalogFault[] {
  const groupBy = price.group_by ?? [];
  if (price.type !== 'usage' && groupBy.length > 0) {
    return [{ pointer: `${pointer}/group_by`, code: 'not_allowed', detail: 'Only usage has groups; remove group_by or set type to "usage".' }];
  }
  return groupBy.flatMap((group, index) =>
    groupBy.indexOf(group) === index
      ? []
      : [{ pointer: `${pointer}/group_by/${index}`, code: 'duplicate_group' as const, detail: 'Each group may be named once; remove this one.' }],
  );
}
