import { z } from 'zod';
import type { ProrationUnit } from '../period/proration-fraction.js';
import { keySchema, nameSchema, referenceSchema } from './key.js';
import { decimalTextSchema, type Model, modelSchema } from './model.js';
import { rolloverSchema } from './rollover.js';
import { slaCreditSchema } from './sla-credit.js';

const groupKeysMax = 10;

const unitConversionSchema = z.strictObject({
  divide_by: decimalTextSchema,
  rounding: z.enum(['none', 'up', 'down', 'nearest']),
});

/** Off what the model asks: first the share, then the amount, never below 0. */
const discountSchema = z.strictObject({ percent: decimalTextSchema.optional(), amount: decimalTextSchema.optional() });

/** A price as it is sent and stored. Its semantic faults are found by `priceFaults`. */
export const priceSchema = z.strictObject({
  key: keySchema,
  name: nameSchema,
  type: z.enum(['recurring', 'usage', 'one_time']),
  /** Usage only. */
  meter: referenceSchema.optional(),
  pay: z.enum(['in_advance', 'in_arrears']).optional(),
  /** true is "second", false is "none". */
  prorate: z.union([z.enum(['none', 'day', 'second']), z.boolean()]).optional(),
  model: modelSchema,
  included_units: decimalTextSchema.optional(),
  /** Usage only: what a period leaves of its included units is there in the next one too. */
  rollover: rolloverSchema.optional(),
  unit_conversion: unitConversionSchema.optional(),
  /** ISO 8601, usage only: how long tiers and included units count on from one billing period to the next. Left out, each begins anew. */
  tier_period: z.string().max(10).optional(),
  discount: discountSchema.optional(),
  maximum_amount: decimalTextSchema.optional(),
  minimum_amount: decimalTextSchema.optional(),
  /** Usage only: a share of all that is asked, given back where the service was worse than agreed on. */
  sla_credit: slaCreditSchema.optional(),
  group_by: z.array(z.string().min(1).max(100)).max(groupKeysMax).optional(),
  /** Each hour or day of the customer's zone that has usage is priced by itself; included units are used up in time order. */
  bucket: z.enum(['hour', 'day']).optional(),
  /** CEL over data, as a meter's filter: usage events that pass it are not priced, failed calls for one. */
  exempt: z.string().min(1).max(2_000).optional(),
  /** The model of subscriptions in another currency than the plan's, by ISO 4217 code. */
  currencies: z.record(z.string(), modelSchema).optional(),
}).meta({ id: 'Price' });

export type Price = z.infer<typeof priceSchema>;
export type Discount = z.infer<typeof discountSchema>;
export type UnitConversion = z.infer<typeof unitConversionSchema>;

/** A price that is only tried out needs no name. */
export const simulatedPriceSchema = priceSchema.partial({ key: true, name: true }).meta({ id: 'SimulatedPrice' });

/** What rating needs of a price: a plan's price, or one that is only tried out. */
export type RateablePrice = z.infer<typeof simulatedPriceSchema>;

/** The meters that a price looks at, by id or key. */
export function metersOf(price: Pick<Price, 'meter' | 'sla_credit'>): string[] {
  return [price.meter, price.sla_credit?.meter, price.sla_credit?.per].filter((meter) => meter !== undefined);
}

/** How a partial period scales a price: recurring ones by the second unless they say otherwise, others not. */
export function prorateUnit(price: Pick<Price, 'type' | 'prorate'>): ProrationUnit | 'none' {
  if (price.prorate === undefined) return price.type === 'recurring' ? 'second' : 'none';
  if (typeof price.prorate === 'boolean') return price.prorate ? 'second' : 'none';
  return price.prorate;
}

/** When a price is owed: recurring ones in advance unless they say otherwise, usage always in arrears. */
export function payTime(price: Pick<Price, 'type' | 'pay'>): 'in_advance' | 'in_arrears' {
  if (price.type === 'usage') return 'in_arrears';
  return price.pay ?? 'in_advance';
}

/** The model that prices in a currency: its own, or else the one in the plan's currency. */
export function modelIn(price: Pick<Price, 'model' | 'currencies'>, currency: string): Model {
  const { currencies } = price;
  return currencies !== undefined && Object.hasOwn(currencies, currency) ? (currencies[currency] ?? price.model) : price.model;
}
