import { z } from 'zod';
import { referenceSchema } from './key.js';

const whole = z.int().min(1).max(1_000_000_000);

/** What a plan lets a customer use. `value` belongs to static ones, `limit` to metered ones; null is no limit. */
export const entitlementSchema = z.strictObject({
  feature: referenceSchema,
  type: z.enum(['boolean', 'static', 'metered']),
  value: z.union([z.string().max(1_000), z.number(), z.boolean()]).optional(),
  limit: z.union([z.string().max(300), z.number()]).nullable().optional(),
  reset: z.enum(['billing_period', 'day', 'month', 'never']).optional(),
  enforcement: z.enum(['hard', 'soft']).optional(),
  rate_limit: z.strictObject({ limit: whole, per_seconds: whole }).optional(),
});

export type Entitlement = z.infer<typeof entitlementSchema>;
