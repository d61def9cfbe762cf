import { z } from 'zod';

/**
 * A decimal on the wire. The syntax and the bounds are checked with the price's meaning (`priceFaults`), so that all
 * faults of its numbers are named in one answer.
 */
export const decimalTextSchema = z
  .string()
  .max(300, 'A decimal has at most 300 characters.')
  .meta({ pattern: '^-?\\d+(\\.\\d+)?([eE][+-]?\\d+)?$', examples: ['12.50', '0.0004'] });

const tiersMax = 200;
const cellsMax = 500;
const dimensionsMax = 10;
const freeEventsMax = 1_000_000_000;
const dimensionLengthMax = 100;
const valueLengthMax = 1_000;

/** Half-open bands (from, up_to]; null is open. */
function tiersSchema<Shape extends z.ZodRawShape>(id: string, shape: Shape) {
  const tier = z.strictObject({ up_to: decimalTextSchema.nullable(), ...shape }).meta({ id });
  return z.array(tier).min(1, 'At least one tier is needed.').max(tiersMax, `At most ${tiersMax} tiers are allowed.`);
}

/** The flat amount is owed once any quantity falls in the tier; the maximum is what the whole tier asks at most. */
const tierAmounts = { flat_amount: decimalTextSchema.optional(), maximum_amount: decimalTextSchema.optional() };
const unitTiersSchema = tiersSchema('UnitTier', { unit_amount: decimalTextSchema, ...tierAmounts });

/** What prices a quantity by itself, whatever events it was made of. */
const curves = [
  z.strictObject({ type: z.literal('flat'), amount: decimalTextSchema }).meta({ id: 'FlatModel' }),
  z.strictObject({ type: z.literal('per_unit'), unit_amount: decimalTextSchema }).meta({ id: 'PerUnitModel' }),
  z.strictObject({ type: z.literal('package'), package_size: decimalTextSchema, package_amount: decimalTextSchema }).meta({ id: 'PackageModel' }),
  z.strictObject({ type: z.literal('graduated'), tiers: unitTiersSchema }).meta({ id: 'GraduatedModel' }),
  z.strictObject({ type: z.literal('volume'), tiers: unitTiersSchema }).meta({ id: 'VolumeModel' }),
  z.strictObject({ type: z.literal('stairstep'), tiers: tiersSchema('StairstepTier', { amount: decimalTextSchema }) }).meta({ id: 'StairstepModel' }),
  z.strictObject({ type: z.literal('graduated_percentage'), tiers: tiersSchema('PercentageTier', { rate: decimalTextSchema, ...tierAmounts }) }).meta({ id: 'GraduatedPercentageModel' }),
] as const;

const curveSchema = z.discriminatedUnion('type', [...curves]).meta({ id: 'Curve' });

/** A share of each event's value. Null, absent and 0 alike are no allowance and no bound. */
const percentageSchema = z.strictObject({
  type: z.literal('percentage'),
  rate: decimalTextSchema,
  fixed_amount: decimalTextSchema.nullable().optional(),
  free_events: z.int().min(0).max(freeEventsMax).nullable().optional(),
  free_amount: decimalTextSchema.nullable().optional(),
  minimum_per_event: decimalTextSchema.nullable().optional(),
  maximum_per_event: decimalTextSchema.nullable().optional(),
}).meta({ id: 'PercentageModel' });

const cellSchema = z.strictObject({ when: z.record(z.string().min(1).max(dimensionLengthMax), z.string().max(valueLengthMax)), model: curveSchema }).meta({ id: 'MatrixCell' });

/** A curve for each combination of group values. */
const matrixSchema = z.strictObject({
  type: z.literal('matrix'),
  dimensions: z.array(z.string().min(1).max(dimensionLengthMax)).min(1, 'A matrix needs at least one dimension.').max(dimensionsMax),
  cells: z.array(cellSchema).max(cellsMax, `At most ${cellsMax} cells are allowed.`),
  default: curveSchema.nullable().optional(),
}).meta({ id: 'MatrixModel' });

/** The events say what they cost: the amount is a path into their data. */
const dynamicSchema = z.strictObject({ type: z.literal('dynamic'), amount: z.string().min(1).max(500), multiplier: decimalTextSchema.optional() }).meta({ id: 'DynamicModel' });

/** How usage becomes an amount. Amounts are in major units of the plan's currency, rates in percent. */
export const modelSchema = z.discriminatedUnion('type', [...curves, percentageSchema, matrixSchema, dynamicSchema]).meta({ id: 'Model' });

export type Model = z.infer<typeof modelSchema>;
export type Curve = z.infer<typeof curveSchema>;
export type Percentage = z.infer<typeof percentageSchema>;
export type Matrix = z.infer<typeof matrixSchema>;
export type Dynamic = z.infer<typeof dynamicSchema>;
