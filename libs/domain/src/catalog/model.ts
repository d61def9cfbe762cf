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

/** A half-open band (from, up_to]; null is open. The unit amount is per unit in it, the flat amount once any quantity falls in it. */
const tierSchema = z.strictObject({
  up_to: decimalTextSchema.nullable(),
  unit_amount: decimalTextSchema,
  flat_amount: decimalTextSchema.optional(),
});

const tiersSchema = z.array(tierSchema).min(1, 'At least one tier is needed.').max(tiersMax, `At most ${tiersMax} tiers are allowed.`);

/** How a quantity becomes an amount. Amounts are in major units of the plan's currency. */
export const modelSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('flat'), amount: decimalTextSchema }),
  z.strictObject({ type: z.literal('per_unit'), unit_amount: decimalTextSchema }),
  z.strictObject({ type: z.literal('package'), package_size: decimalTextSchema, package_amount: decimalTextSchema }),
  z.strictObject({ type: z.literal('graduated'), tiers: tiersSchema }),
  z.strictObject({ type: z.literal('volume'), tiers: tiersSchema }),
]);

export type Model = z.infer<typeof modelSchema>;
export type ModelTier = z.infer<typeof tierSchema>;
