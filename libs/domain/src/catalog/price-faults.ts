import type { CatalogFault } from './catalog-fault.js';
import { decimalFaults, soundDecimal } from './decimal-faults.js';
import { modelFaults } from './model-faults.js';
import { prorateUnit, type RateablePrice } from './price.js';

/** Everything wrong with a price whose shape is right. `meterOptional` is for a price that is only tried out. */
export function priceFaults(price: RateablePrice, pointer: string, options: { meterOptional?: boolean } = {}): CatalogFault[] {
  return [
    ...modelFaults(price.model, `${pointer}/model`),
    ...decimalFaults({ text: price.included_units, pointer: `${pointer}/included_units`, kind: 'quantity' }),
    ...decimalFaults({ text: price.unit_conversion?.divide_by, pointer: `${pointer}/unit_conversion/divide_by`, kind: 'quantity', aboveZero: true }),
    ...boundsFaults(price, pointer),
    ...meterFaults(price, pointer, options.meterOptional ?? false),
    ...payFaults(price, pointer),
    ...groupFaults(price, pointer),
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
