import type { Percentage } from '../catalog/model.js';
import { modelIn, type RateablePrice } from '../catalog/price.js';
import type { BucketUnit } from '../period/bucket-periods.js';

/** What rating has to know of a usage price's events, beside the meter that counts them. */
export interface PriceReading {
  /** The dimensions by which quantities are told apart. */
  readonly groupBy: readonly string[];
  /** The model that charges event by event, in the order of their time, source and id; null for the others. */
  readonly percentage: Percentage | null;
  /** The path into data at which events say what they cost; null where they don't. */
  readonly statedPath: string | null;
  /** The filter of events that are not priced; null where all are. */
  readonly exempt: string | null;
  /** What quantities are cut into in time; null where a period is one. */
  readonly bucket: BucketUnit | null;
}

/** What a price reads of its meter in a currency. */
export function readingOf(price: Pick<RateablePrice, 'model' | 'currencies' | 'group_by' | 'exempt' | 'bucket'>, currency: string): PriceReading {
  const model = modelIn(price, currency);
  return {
    groupBy: model.type === 'matrix' ? model.dimensions : (price.group_by ?? []),
    percentage: model.type === 'percentage' ? model : null,
    statedPath: model.type === 'dynamic' ? model.amount : null,
    exempt: price.exempt ?? null,
    bucket: price.bucket ?? null,
  };
}
