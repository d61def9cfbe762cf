import { z } from 'zod';
import { keySchema, referenceSchema } from '../../catalog/key.js';
import { decimalTextSchema } from '../../catalog/model.js';
import type { RateablePrice } from '../../catalog/price.js';
import type { Aggregation } from '../../metering/meter.js';

const groupsMax = 500;
const metersMax = 200;

const groupShareSchema = z.strictObject({
  group: z.record(z.string().max(100), z.string().max(1_000)),
  share: decimalTextSchema.meta({ description: 'Of the quantity. All shares sum to 1.' }),
});

const mixFields = {
  event_value: decimalTextSchema.optional().meta({ description: 'What a single event brings; a percentage needs it.' }),
  groups: z.array(groupShareSchema).min(1).max(groupsMax).optional().meta({ description: 'In which shares the quantity lies in groups; a matrix and a price with group_by need it.' }),
};

/** What else is used, beside the meter that varies: so much, or so much for each unit of it. */
const besideUseSchema = z.strictObject({ quantity: decimalTextSchema.optional(), per_unit: decimalTextSchema.optional(), ...mixFields }).meta({ id: 'UseOfMeter' });

/** What varies, what stays, and between which quantities. Two plans or prices come beside it. */
export const breakEvenQuestionFields = {
  currency: z.string().max(10).meta({ description: 'What both are paid in.' }),
  meter: referenceSchema.optional().meta({ description: 'Id or key of the meter that varies. Default: the only one of both.' }),
  ...mixFields,
  usage: z.record(referenceSchema, besideUseSchema).refine((usage) => Object.keys(usage).length <= metersMax, `At most ${metersMax} meters can be named.`).optional()
    .meta({ description: 'By the id or key of each other meter: so much of it, or so much of it for each unit of the meter that varies. Default: nothing.' }),
  quantities: z.record(keySchema, decimalTextSchema).optional().meta({ description: 'By the key of a fee: the units that it is owed for, such as seats. Default: one.' }),
  step: decimalTextSchema.optional().meta({ description: 'Only multiples of it are compared. Default: event_value; 1 of a meter that counts; else the smallest quantity, 0.000000000000000001.' }),
  from_quantity: decimalTextSchema.optional().meta({ description: 'Inclusive. Default: 0.' }),
  to_quantity: decimalTextSchema.optional().meta({ description: 'Inclusive. Default: no end. Prices by whole units or packages need one.' }),
};

export type BesideUse = z.infer<typeof besideUseSchema>;
export type GroupShare = z.infer<typeof groupShareSchema>;

/** What a single event brings, and how the quantity lies in groups. */
export interface UsageMix {
  readonly event_value?: string | undefined;
  readonly groups?: readonly GroupShare[] | undefined;
}

/** One of two that are compared. */
export interface ComparedTerms {
  /** One-time prices are left out. */
  readonly prices: readonly RateablePrice[];
  /** Of a plan; null of a price by itself. */
  readonly plan: { readonly billingPeriod: string; readonly currency: string } | null;
  readonly pointer: string;
  /** Where a price stands in the request, by its place in the list. */
  readonly pointerOf: (index: number) => string;
}

export interface BreakEvenQuestion extends UsageMix {
  readonly a: ComparedTerms;
  readonly b: ComparedTerms;
  readonly currency: string;
  /** The key of the meter that varies; left out, the only one of both. */
  readonly meter?: string | undefined;
  /** Meters of which each event is a unit. */
  readonly countingMeters: ReadonlySet<string>;
  /** By the key of the meter, with the pointer at which it is said. */
  readonly usage: ReadonlyMap<string, BesideUse & { readonly pointer: string }>;
  /** By the key of a fee. */
  readonly quantities: ReadonlyMap<string, string>;
  readonly step?: string | undefined;
  readonly from_quantity?: string | undefined;
  readonly to_quantity?: string | undefined;
}

/** Fields that hold a decimal and may be sent as JSON numbers. */
export const breakEvenDecimalFields: ReadonlySet<string> = new Set(['event_value', 'share', 'per_unit', 'step', 'from_quantity', 'to_quantity']);

/** The keys of those of which each event is a unit. */
export function countingMeters(meters: readonly { readonly key: string; readonly aggregation: Aggregation }[]): ReadonlySet<string> {
  return new Set(meters.filter(({ aggregation }) => aggregation === 'count' || aggregation === 'unique_count').map(({ key }) => key));
}

/** The meters that usage prices of both are of; empty where none names one. */
export function metersCompared({ a, b }: Pick<BreakEvenQuestion, 'a' | 'b'>): string[] {
  const named = [...a.prices, ...b.prices].flatMap((price) => (price.type === 'usage' && price.meter !== undefined ? [price.meter] : []));
  return [...new Set(named)].sort();
}

/** The key of the meter that varies: the one that is named, or the only one. Null where none is. */
export function varyingMeter(question: BreakEvenQuestion): string | null {
  const meters = metersCompared(question);
  return question.meter ?? (meters.length === 1 ? (meters[0] ?? null) : null);
}
