import { z } from 'zod';
import { keySchema, metadataSchema, nameSchema, referenceSchema } from '#domain';
import { billingPeriodSchema, pricedCurrencySchema, pricesSchema, storedPricesSchema } from './plan.js';
import { flagQuerySchema, instantSchema, listSchema, resourceSchema, versionQuery } from './resource.js';

const namedMax = 100;
const quantitySchema = z.union([z.string().max(300), z.int().min(0)], { error: 'Give a decimal as text, such as "2.5", or a whole number.' });

/** What makes a version: a change of it makes a new one, and subscriptions stay on theirs. */
const terms = {
  currency: pricedCurrencySchema,
  billing_period: billingPeriodSchema.optional().meta({ default: 'P1M', description: 'What its recurring fees are for. It fits plans that are billed so.' }),
  prices: pricesSchema,
  plans: z.array(referenceSchema).min(1).max(namedMax).nullable().optional().meta({ description: 'The plans that it may be added to. Default: all with its currency and billing_period.' }),
  requires: z.array(referenceSchema).max(namedMax).optional().meta({ description: 'Other add-ons that a subscription must have too.' }),
  max_quantity: quantitySchema.nullable().optional().meta({ description: 'How many of it a subscription may have at most. Default: no bound.' }),
};

const naming = { name: nameSchema, product: referenceSchema.nullable().optional(), metadata: metadataSchema.optional() };

export const addOnCreateSchema = z.strictObject({ key: keySchema, ...naming, ...terms });
export const addOnReplaceSchema = z.strictObject({ key: keySchema.optional(), ...naming, ...terms });
export const addOnUpdateSchema = z.strictObject({ ...naming, ...terms }).partial();

const versionShape = {
  version: z.int(),
  currency: z.string(),
  billing_period: z.string(),
  prices: storedPricesSchema,
  plans: z.array(z.string()).nullable().meta({ description: 'Keys.' }),
  requires: z.array(z.string()).meta({ description: 'Keys.' }),
  max_quantity: z.string().nullable(),
};

export const addOnSchema = resourceSchema('add_on', {
  key: z.string(),
  name: z.string(),
  product: z.string().nullable().meta({ description: 'Id.' }),
  product_key: z.string().nullable(),
  ...versionShape,
  latest_version: z.int(),
  archived_at: instantSchema.nullable(),
});
export const addOnListSchema = listSchema(addOnSchema);

/** `GET /v1/add-ons/{id}/versions`, newest first. */
export const addOnVersionSchema = z.object({ object: z.literal('add_on_version'), add_on: z.string(), ...versionShape, created_at: instantSchema }).meta({ id: 'AddOnVersion' });
export const addOnVersionListSchema = listSchema(addOnVersionSchema);
export const addOnVersionQuerySchema = z.strictObject({ version: versionQuery.optional() });

const whenSchema = z.enum(['now', 'period_end']);
const prorateSchema = z.boolean().optional();

/** `POST /v1/subscriptions/{id}/add-ons`. */
export const subscriptionAddOnCreateSchema = z.strictObject({
  add_on: referenceSchema,
  version: z.int().min(1).optional().meta({ description: 'Default: the latest.' }),
  quantity: quantitySchema.optional().meta({ default: '1', description: 'Units that its fees are owed for, where they are priced by units.' }),
  when: whenSchema.optional().meta({ default: 'now', description: 'In a trial, and before the start, it begins with the first period.' }),
  prorate: prorateSchema.meta({ default: true, description: 'Of now: asks for its fees in advance for the rest of the period; otherwise they begin with the next.' }),
});

/** `POST /v1/subscriptions/{id}/add-ons/{add_on}`. */
export const subscriptionAddOnChangeSchema = z.strictObject({
  version: z.int().min(1).optional().meta({ description: 'Another version of it, from the end of the period on; what has not begun begins with it. Default: the one that it has.' }),
  quantity: quantitySchema.optional().meta({ description: 'Default: the one that it has. Give this, a version, or both.' }),
  when: whenSchema,
  prorate: prorateSchema.meta({ default: true, description: 'Of now: gives the unused rest of its fees in advance back, and asks for the rest at the new quantity.' }),
}).superRefine(({ version, quantity }, context) => {
  if (version === undefined && quantity === undefined) context.addIssue({ code: 'custom', path: ['quantity'], params: { code: 'missing_field' }, message: 'Give a quantity, a version, or both.' });
});

/** `POST /v1/subscriptions/{id}/add-ons/{add_on}/remove`. */
export const subscriptionAddOnRemoveSchema = z.strictObject({
  when: whenSchema,
  prorate: prorateSchema.meta({ default: true, description: 'Of now: gives the unused rest of its fees in advance back.' }),
});

export const subscriptionAddOnSchema = z.object({
  id: z.string(),
  object: z.literal('subscription_add_on'),
  add_on: z.string().meta({ description: 'Id.' }),
  add_on_key: z.string(),
  version: z.int(),
  name: z.string(),
  quantity: z.string().meta({ description: 'The present one; the first, where it is still to begin.' }),
  steps: z.array(z.object({ at: instantSchema, quantity: z.string(), prorate: z.boolean() })).meta({ description: 'When it began, or will, and each other quantity since. The last may lie ahead.' }),
  status: z.enum(['scheduled', 'active', 'ended']),
  start_at: instantSchema,
  end_at: instantSchema.nullable(),
  ended_by: z.enum(['removal', 'change', 'version']).nullable().meta({ description: 'change: the subscription goes to a plan that the add-on does not fit; version: another version of it takes its place.' }),
}).meta({ id: 'SubscriptionAddOn' });
export const subscriptionAddOnListSchema = listSchema(subscriptionAddOnSchema);

export const includeEndedQuery = z.strictObject({ include_ended: flagQuerySchema.optional() });

export type AddOnReplace = z.infer<typeof addOnReplaceSchema>;
export type AddOnUpdate = z.infer<typeof addOnUpdateSchema>;
export type AddOnBody = z.infer<typeof addOnSchema>;
export type AddOnVersionBody = z.infer<typeof addOnVersionSchema>;
export type SubscriptionAddOnBody = z.infer<typeof subscriptionAddOnSchema>;
