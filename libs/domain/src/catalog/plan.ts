import { z } from 'zod';
import { entitlementSchema } from './entitlement.js';
import { keySchema, metadataSchema, nameSchema, referenceSchema } from './key.js';
import { lateUsageSchema } from './late-usage.js';
import { priceSchema } from './price.js';

const pricesMax = 200;
const entitlementsMax = 500;
const trialDaysMax = 3_650;

/** A plan as it is sent. A stored version of it never changes. */
export const planInputSchema = z.strictObject({
  key: keySchema,
  name: nameSchema,
  product: referenceSchema.optional(),
  /** ISO 4217. */
  currency: z.string().max(10),
  /** ISO 8601 duration of one part: P1M. */
  billing_period: z.string().max(10),
  trial_days: z.int().min(0).max(trialDaysMax).optional(),
  prices: z.array(priceSchema).max(pricesMax),
  entitlements: z.array(entitlementSchema).max(entitlementsMax).optional(),
  late_usage: lateUsageSchema.optional(),
  public: z.boolean().optional(),
  metadata: metadataSchema.optional(),
});

export type Plan = z.infer<typeof planInputSchema>;
