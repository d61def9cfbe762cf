import { z } from 'zod';
import {
  checkedSchema, entitlementFaults, entitlementResets, entitlementSchema, isCurrency, isInterval, keySchema, lateUsageSchema, metadataSchema, nameSchema, priceFaults, priceSchema, referenceSchema, repeatedFeatureFaults,
} from '#domain';
import { flagQuerySchema, instantInputSchema, instantSchema, listSchema, resourceSchema, versionQuery } from './resource.js';

const pricesMax = 200;
const entitlementsMax = 500;
const trialDaysMax = 3_650;

/** A price with its meaning checked here too, so that one answer names the faults of all prices, whatever else is wrong. */
const checkedPriceSchema = checkedSchema(priceSchema, (price) => priceFaults(price, ''));

const entitlementsSchema = checkedSchema(
  z.array(checkedSchema(entitlementSchema, (entitlement) => entitlementFaults(entitlement, ''))).max(entitlementsMax),
  (entitlements) => repeatedFeatureFaults(entitlements, ''),
);

export const pricesSchema = z
  .array(checkedPriceSchema)
  .max(pricesMax)
  .superRefine((prices, context) => {
    const seen = new Set<string>();
    for (const [index, { key }] of prices.entries()) {
      if (seen.has(key)) context.addIssue({ code: 'custom', path: [index, 'key'], message: 'Another price here has this key; choose a different one.', params: { code: 'duplicate_key' } });
      seen.add(key);
    }
  });

export const pricedCurrencySchema = z.string().refine(isCurrency, { message: 'This must be an ISO 4217 currency in capitals, such as "USD".', params: { code: 'unknown_currency' } });

export const billingPeriodSchema = z.string().refine(isInterval, {
  message: 'This must be a whole number of days, weeks, months or years as an ISO 8601 duration, such as "P1M", and at most ten years.',
  params: { code: 'invalid_interval' },
});

/** What makes a version: a change of it makes a new one, on which only new subscriptions are. */
const terms = {
  currency: pricedCurrencySchema,
  billing_period: billingPeriodSchema,
  trial_days: z.int().min(0).max(trialDaysMax).optional(),
  prices: pricesSchema,
  entitlements: entitlementsSchema.optional().meta({ description: 'What the plan lets its customers use, each feature once.' }),
  late_usage: lateUsageSchema.optional().meta({
    description: 'Usage that is counted after its invoice was issued: billed on the next one (default), or absorbed; absorb_below drops small positive amounts. What is owed to the customer is always returned.',
  }),
};

const naming = { name: nameSchema, product: referenceSchema.nullable().optional(), metadata: metadataSchema.optional() };

export const planCreateSchema = z.strictObject({ key: keySchema, ...naming, ...terms });
export const planReplaceSchema = z.strictObject({ key: keySchema.optional(), ...naming, ...terms });
export const planUpdateSchema = z.strictObject({ ...naming, ...terms }).partial();

export const storedPricesSchema = z.array(priceSchema.extend({ id: z.string() }).meta({ id: 'PlanPrice' }));

/** As a version keeps it: nothing is left to a default. */
const planEntitlementSchema = z.object({
  feature: z.string().meta({ description: 'Key.' }),
  type: z.enum(['boolean', 'static', 'metered']),
  value: z.union([z.string(), z.boolean()]).optional(),
  limit: z.string().nullable().optional(),
  reset: z.enum(entitlementResets).optional(),
  enforcement: z.enum(['hard', 'soft']).optional(),
  rate_limit: z.object({ limit: z.int(), per_seconds: z.int() }).optional(),
}).meta({ id: 'PlanEntitlement' });

const termsShape = {
  currency: z.string(),
  billing_period: z.string(),
  trial_days: z.int(),
  prices: storedPricesSchema,
  entitlements: z.array(planEntitlementSchema),
  late_usage: z.object({ policy: z.enum(['next_invoice', 'absorb']), absorb_below: z.string().optional() }),
};

const versionShape = { version: z.int(), ...termsShape };

export const planSchema = resourceSchema('plan', {
  key: z.string(),
  name: z.string(),
  product: z.string().nullable().meta({ description: 'Id.' }),
  product_key: z.string().nullable(),
  ...versionShape,
  status: z.enum(['draft', 'published']).meta({ description: 'draft: nothing is published yet, and version is 0.' }),
  latest_version: z.int(),
  archived_at: instantSchema.nullable(),
});
export const planListSchema = listSchema(planSchema);

/** `PUT /v1/plans/{id}/draft`. */
export const planDraftInputSchema = z.strictObject({ key: keySchema.optional(), ...naming, name: nameSchema.optional(), ...terms });

export const planDraftSchema = z.object({
  object: z.literal('plan_draft'),
  plan: z.string().meta({ description: 'Id.' }),
  key: z.string(),
  name: z.string(),
  product: z.string().nullable().meta({ description: 'Id.' }),
  product_key: z.string().nullable(),
  ...termsShape,
  latest_version: z.int().meta({ description: 'The version that is published; 0 where none is.' }),
  metadata: z.record(z.string(), z.string()),
  archived_at: instantSchema.nullable(),
  created_at: instantSchema,
  updated_at: instantSchema,
});

export type PlanDraftInput = z.infer<typeof planDraftInputSchema>;
export type PlanDraftBody = z.infer<typeof planDraftSchema>;

/** `GET /v1/plans/{id}/versions`, newest first. */
export const planVersionSchema = z.object({ object: z.literal('plan_version'), plan: z.string(), ...versionShape, created_at: instantSchema }).meta({ id: 'PlanVersion' });
export const planVersionListSchema = listSchema(planVersionSchema);

/** `GET /v1/plans/{id}`: the latest version unless one is named. */
export const planVersionQuerySchema = z.strictObject({ version: versionQuery.optional() });
export const archivedQuery = { include_archived: flagQuerySchema.optional() };

/** `GET /v1/plans/{id}/diff`. */
export const planDiffQuerySchema = z.strictObject({
  from: versionQuery.optional().meta({ description: 'Default: the version before the latest.' }),
  to: z.union([versionQuery, z.literal('draft')], { error: 'Give the number of a version, or "draft".' }).optional().meta({ description: 'Default: the latest version.' }),
});

export const planDiffSchema = z.object({
  object: z.literal('plan_diff'),
  plan: z.string().meta({ description: 'Id.' }),
  from: z.int(),
  to: z.union([z.int(), z.literal('draft')]),
  differences: z.array(z.object({
    pointer: z.string().meta({ description: 'Into the terms; a price stands under its key, an entitlement under its feature.' }),
    price_key: z.string().nullable(),
    kind: z.enum(['added', 'removed', 'changed']),
    from: z.unknown(),
    to: z.unknown(),
    text: z.string().meta({ description: 'The difference as a sentence.' }),
  })),
});

/** `POST /v1/plans/{id}/raise`. */
export const planRaiseSchema = z.strictObject({
  percent: z.union([z.string().max(50), z.number()], { error: 'Give a percentage as a decimal, such as "3.5".' }),
  prices: z.array(keySchema).min(1).max(pricesMax).optional().meta({ description: 'Keys of the prices that rise. Default: all.' }),
  digits: z.int().min(0).max(18).optional().meta({ description: 'Digits after the point that raised amounts keep, half away from zero. Default: all.' }),
});

export type PlanRaise = z.infer<typeof planRaiseSchema>;
export type PlanDiffBody = z.infer<typeof planDiffSchema>;

/** `POST /v1/plans/{id}/migrate`. */
export const planMigrateSchema = z.strictObject({
  to_version: z.int().min(1),
  when: z.union([z.enum(['now', 'period_end']), instantInputSchema], { error: 'Give "now", "period_end", or an RFC 3339 instant at or after which each subscription changes where a period of its ends.' }),
  prorate: z.boolean().optional().meta({ default: true, description: 'Of a migration now: gives the unused rest of fees in advance back, and asks for the rest of the new ones.' }),
});

export const planMigrationSchema = z.object({
  object: z.literal('plan_migration'),
  plan: z.string().meta({ description: 'Id.' }),
  to_version: z.int(),
  when: z.string(),
  migrated: z.int().meta({ description: 'Subscriptions that were changed, or would be.' }),
  unchanged: z.int().meta({ description: 'Subscriptions that are on the version already.' }),
  skipped_count: z.int(),
  skipped: z.array(z.object({ subscription: z.string(), detail: z.string() })).meta({ description: 'The first hundred that can\u2019t be on the version, and why.' }),
});

export type PlanMigrate = z.infer<typeof planMigrateSchema>;
export type PlanMigrationBody = z.infer<typeof planMigrationSchema>;
export type PlanReplace = z.infer<typeof planReplaceSchema>;
export type PlanUpdate = z.infer<typeof planUpdateSchema>;
export type PlanBody = z.infer<typeof planSchema>;
export type PlanVersionBody = z.infer<typeof planVersionSchema>;
