import { z } from 'zod';
import { canonicalDecimal, decimal, entitlementResets, withinQuantityBounds } from '#domain';
import { filteredQuerySchema, filtersOf } from './filtered-query.js';
import { instantSchema } from './resource.js';

const quantitySchema = z
  .string()
  .max(300)
  .refine(isQuantity, 'Give a quantity of 0 or more as a decimal, such as "1" or "0.5", with at most 20 digits before and 18 after the point.')
  .meta({ default: '1', description: 'How much more would be used. 0 asks whether what is used so far is within the limit.' });

function isQuantity(text: string): boolean {
  const canonical = canonicalDecimal(text);
  return canonical !== null && withinQuantityBounds(canonical) && !decimal(canonical).isNegative();
}

/** `GET /v1/customers/{id}/access/{feature}`; `group[dimension]=text` may be added for each dimension. */
export const accessQuerySchema = filteredQuerySchema({ quantity: quantitySchema.optional() }, 'group');

export type AccessQuery = z.infer<typeof accessQuerySchema>;

/** What is known of the use that is asked about, dimension to its texts. */
export function accessGroup(query: AccessQuery): Record<string, readonly string[]> {
  return filtersOf(query, 'group');
}

const rateLimitSchema = z.object({ limit: z.int(), per_seconds: z.int() }).nullable().meta({ description: 'For the gateway to keep.' });

/** What a grant says and leaves, whoever asks. */
const grantShape = {
  type: z.enum(['boolean', 'static', 'metered']),
  value: z.union([z.string(), z.boolean()]).nullable().meta({ description: 'Of a static one.' }),
  limit: z.string().nullable().meta({ description: 'Of a metered one; null is no limit.' }),
  used: z.string().nullable().meta({ description: 'Of a metered one: since the last reset.' }),
  remaining: z.string().nullable().meta({ description: 'The limit less what was used, not below 0.' }),
  resets_at: instantSchema.nullable().meta({ description: 'When it begins to count anew; null where it never does while the subscription lasts.' }),
  reset: z.enum(entitlementResets).nullable(),
  enforcement: z.enum(['hard', 'soft']).nullable(),
  rate_limit: rateLimitSchema,
  subscription: z.string().meta({ description: 'Id of the one that grants it.' }),
  plan: z.string().meta({ description: 'Id.' }),
  plan_key: z.string(),
  plan_version: z.int(),
};

const freshAsOfSchema = instantSchema.nullable().meta({ description: 'Every event acknowledged before it is in what was used; null where nothing was measured.' });

/** `GET /v1/customers/{id}/entitlements`. */
const customerEntitlementSchema = z.object({
  object: z.literal('entitlement'),
  feature: z.string().meta({ description: 'Id.' }),
  feature_key: z.string(),
  name: z.string(),
  ...grantShape,
}).meta({ id: 'CustomerEntitlement' });

export const customerEntitlementListSchema = z.object({ data: z.array(customerEntitlementSchema), has_more: z.literal(false), customer: z.string().meta({ description: 'Id.' }), fresh_as_of: freshAsOfSchema });

export const accessSchema = z.object({
  object: z.literal('access'),
  customer: z.string().meta({ description: 'Id.' }),
  feature: z.string().meta({ description: 'Id.' }),
  feature_key: z.string(),
  quantity: z.string(),
  allowed: z.boolean(),
  code: z.enum(['quota_exceeded', 'no_entitlement', 'subscription_inactive']).nullable().meta({ description: 'Why it is not allowed.' }),
  limit: grantShape.limit,
  used: grantShape.used,
  remaining: grantShape.remaining,
  resets_at: grantShape.resets_at,
  marginal_amount: z.string().nullable().meta({ description: 'What the quantity would add to the rated amount of the open period, in major units and unrounded; before taxes and commitments.' }),
  marginal_unknown: z.enum(['depends_on_group', 'depends_on_event', 'depends_on_value', 'several_currencies', 'no_subscription']).nullable().meta({
    description: 'Why there is no marginal_amount: a price asks by dimensions that the request does not name (group[dimension]=), or by what the event itself says, or the meter\u2019s value is no sum of what is used.',
  }),
  currency: z.string().nullable(),
  ...z.object(grantShape).pick({ type: true, value: true, reset: true, enforcement: true, rate_limit: true, subscription: true, plan: true, plan_key: true, plan_version: true }).partial().shape,
  fresh_as_of: freshAsOfSchema,
}).meta({ id: 'Access' });

export type CustomerEntitlementBody = z.infer<typeof customerEntitlementSchema>;
export type CustomerEntitlementListBody = z.infer<typeof customerEntitlementListSchema>;
export type AccessBody = z.infer<typeof accessSchema>;
