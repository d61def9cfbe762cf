import type { Aggregation } from '../metering/meter.js';
import type { CatalogFault } from './catalog-fault.js';
import type { Model } from './model.js';
import type { RateablePrice } from './price.js';

interface PricedMeter {
  readonly key: string;
  readonly aggregation: Aggregation;
  /** Dimension to path. */
  readonly groupBy: Readonly<Record<string, string>>;
}

/** What is wrong with a price in view of the meter that it names: dimensions that the meter lacks, and a percentage of what is no sum. */
export function meteredPriceFaults(price: RateablePrice, at: { readonly meter: PricedMeter; readonly pointer: string }): CatalogFault[] {
  const { meter, pointer } = at;
  const models: [string, Model][] = [
    [`${pointer}/model`, price.model],
    ...Object.entries(price.currencies ?? {}).map(([currency, model]): [string, Model] => [`${pointer}/currencies/${currency}`, model]),
  ];
  const dimensions = Object.keys(meter.groupBy);
  const mend = dimensions.length === 0 ? 'it has none, so make a meter that has it' : `use one of ${dimensions.join(', ')}, or make a meter that has it`;
  const unknown = (names: readonly string[], list: { pointer: string; code: 'unknown_group' | 'unknown_dimension' }): CatalogFault[] =>
    names.flatMap((name, index) =>
      Object.hasOwn(meter.groupBy, name) ? [] : [{ pointer: `${list.pointer}/${index}`, code: list.code, detail: `The meter has no such dimension in its group_by; ${mend}.` }],
    );
  return [
    ...unknown(price.group_by ?? [], { pointer: `${pointer}/group_by`, code: 'unknown_group' }),
    ...models.flatMap(([place, model]) => (model.type === 'matrix' ? unknown(model.dimensions, { pointer: `${place}/dimensions`, code: 'unknown_dimension' }) : [])),
    ...models.flatMap(([place, model]) => (model.type === 'percentage' && meter.aggregation !== 'sum' ? [noSum(place, meter)] : [])),
  ];
}

function noSum(place: string, meter: PricedMeter): CatalogFault {
  const detail = `A percentage is taken of the values that a meter sums, and "${meter.key}" is a ${meter.aggregation}; name a meter with the aggregation sum, or choose another model.`;
  return { pointer: `${place}/type`, code: 'meter_not_sum', detail };
}
