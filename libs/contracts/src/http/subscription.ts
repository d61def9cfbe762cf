import { z } from 'zod';
import { keySchema, lineKinds, metadataSchema, minimumCommitmentSchema, priceOverrideSchema, referenceSchema, subscriptionStatuses } from '#domain';
import { subscriptionAddOnSchema } from './add-on.js';
import { lineAddOnSchema } from './invoice.js';
import { flagQuerySchema, instantInputSchema, instantSchema, listSchema, resourceSchema } from './resource.js';

const trialDaysMax = 3_650;
const daysUntilDueMax = 365;

const termsMax = 200;

/** What a subscription has beside its plan. */
const terms = {
  quantities: z
    .record(keySchema, z.union([z.string().max(300), z.int().min(0)], { error: 'Give a decimal as text, such as "2.5", or a whole number.' }))
    .refine((quantities) => Object.keys(quantities).length <= termsMax, { message: `Give at most ${termsMax} quantities.`, params: { code: 'too_many' } })
    .optional()
    .meta({ description: 'Units that a fee is owed for, by the price\u2019s key: {"seats": "5"}. One where none are given.' }),
  overrides: z.array(priceOverrideSchema).max(termsMax).optional().meta({ description: 'Prices that this subscription has otherwise than its plan: the fields given replace the plan\u2019s.' }),
};

const commitmentWords = 'What the subscription\u2019s fees and usage shall come to at least; what lacks is asked for at the end. Part of a period or year commits to its share. What is owed once does not count.';

const phasesMax = 24;
const phasePeriodsMax = 1_200;

/** Other terms for some periods. What a phase leaves out is as in the terms that hold after the last one. */
const phaseSchema = z.strictObject({
  periods: z.int().min(1).max(phasePeriodsMax).meta({ description: 'Billing periods that it lasts. A stub, and the rest of a period that a change begins midway, is one.' }),
  plan: referenceSchema.optional(),
  version: z.int().min(1).optional(),
  ...terms,
  minimum_commitment: minimumCommitmentSchema.nullable().optional(),
});
const phasesSchema = z.array(phaseSchema).max(phasesMax).optional();
const phasesWords = 'Other terms for some periods each, one after the other; after the last the terms beside this hold: 50 % off for three months is [{"periods": 3, "overrides": [{"price": "base", "discount": {"percent": "50"}}]}].';

/** `POST /v1/subscriptions`. */
export const subscriptionCreateSchema = z.strictObject({
  customer: referenceSchema,
  plan: referenceSchema,
  version: z.int().min(1).optional(),
  start_at: instantInputSchema.optional(),
  billing_anchor: instantInputSchema.optional(),
  trial_days: z.int().min(0).max(trialDaysMax).optional(),
  ...terms,
  minimum_commitment: minimumCommitmentSchema.nullable().optional().meta({ description: commitmentWords }),
  phases: phasesSchema.meta({ description: phasesWords }),
  collection: z.enum(['automatic', 'send_invoice']).optional(),
  days_until_due: z.int().min(0).max(daysUntilDueMax).optional(),
  metadata: metadataSchema.optional(),
}).superRefine((subscription, context) => {
  if (subscription.days_until_due !== undefined && subscription.collection !== 'send_invoice') {
    context.addIssue({ code: 'custom', path: ['days_until_due'], message: 'Only an invoice that is sent is due later; set collection to "send_invoice".', params: { code: 'not_allowed' } });
  }
});

/** `PATCH /v1/subscriptions/{id}`. */
export const subscriptionUpdateSchema = z.strictObject({ metadata: metadataSchema }).partial();

/** `POST /v1/subscriptions/{id}/cancel`. */
export const subscriptionCancelSchema = z.strictObject({ when: z.enum(['now', 'period_end']), prorate: z.boolean().optional() });

/** `POST /v1/subscriptions/{id}/change`. */
export const subscriptionChangeSchema = z.strictObject({
  plan: referenceSchema.optional().meta({ description: 'Default: the plan that it is on.' }),
  version: z.int().min(1).optional().meta({ description: 'Default: the plan\u2019s latest; the present one where no plan is named.' }),
  ...terms,
  minimum_commitment: minimumCommitmentSchema.nullable().optional().meta({ description: `${commitmentWords} Default: what there is; null takes it away.` }),
  phases: phasesSchema.meta({ description: `${phasesWords} Where phases lie ahead, a change has to give those that are to follow it, or an empty list.` }),
  when: z.enum(['now', 'period_end']),
  prorate: z.boolean().optional().meta({ default: true, description: 'Of a change now: gives the unused rest of fees in advance back, and asks for the rest of the new ones. Otherwise the new ones begin with the next period.' }),
});

const commitmentSchema = minimumCommitmentSchema.required();
const periodSchema = z.object({ start: instantSchema, end: instantSchema });

const subscriptionShape = {
  customer: z.string().meta({ description: 'Id.' }),
  customer_key: z.string().nullable(),
  plan: z.string().meta({ description: 'Id.' }),
  plan_key: z.string(),
  version: z.int(),
  quantities: z.record(z.string(), z.string()),
  overrides: z.array(priceOverrideSchema),
  minimum_commitment: commitmentSchema.nullable(),
  changes: z
    .array(z.object({
      at: instantSchema,
      plan: z.string().meta({ description: 'Id.' }),
      plan_key: z.string(),
      version: z.int(),
      prorate: z.boolean(),
      phase: z.boolean().meta({ description: 'It begins a phase, or what holds after the last one.' }),
      quantities: z.record(z.string(), z.string()),
      overrides: z.array(priceOverrideSchema),
      minimum_commitment: commitmentSchema.nullable(),
    }).meta({ id: 'SubscriptionChange' }))
    .meta({ description: 'What changed since it was made, or will, oldest first. The last may lie ahead.' }),
  add_ons: z.array(subscriptionAddOnSchema).meta({ description: 'Those that it has or will have; what it had is listed at /add-ons.' }),
  status: z.enum(subscriptionStatuses),
  start_at: instantSchema,
  billing_anchor: instantSchema,
  trial_days: z.int(),
  trial_end_at: instantSchema.nullable(),
  current_period: periodSchema.nullable().meta({ description: 'The billing period that business time is in.' }),
  currency: z.string(),
  time_zone: z.string(),
  collection: z.enum(['automatic', 'send_invoice']),
  days_until_due: z.int().nullable(),
  cancel_at: instantSchema.nullable().meta({ description: 'When it ends, or ended.' }),
  cancel_prorate: z.boolean(),
  canceled_at: instantSchema.nullable().meta({ description: 'When the cancellation was asked for.' }),
};

export const subscriptionSchema = resourceSchema('subscription', subscriptionShape);
export const subscriptionListSchema = listSchema(subscriptionSchema);

/** What the act would lead to; nothing is kept. */
export const subscriptionPreviewSchema = z.object({
  object: z.literal('subscription_preview'),
  subscription: subscriptionSchema.omit({ id: true, created_at: true }).extend({ id: z.string().nullable() }),
  periods: z.array(periodSchema).meta({ description: 'Every elapsed period and the current or first one; for a cancellation or a change the one that it ends.' }),
  invoice: z
    .object({
      period: periodSchema.nullable(),
      currency: z.string(),
      lines: z.array(z.object({ price: z.string().nullable(), price_key: z.string().nullable(), add_on: lineAddOnSchema, kind: z.enum(lineKinds), description: z.string(), quantity: z.string().nullable(), amount: z.string(), period: periodSchema })),
      subtotal: z.string(),
      total: z.string(),
      not_included: z.array(z.object({ code: z.enum(['usage', 'late_usage', 'carried_over']), detail: z.string() })).meta({ description: 'What stands on the document beside these lines, and is not known before.' }),
    })
    .nullable()
    .meta({ description: 'The fees that the act invoices, and what lacks to a minimum commitment where it closes one.' }),
});

export const subscriptionListQuery = {
  customer: z.string().max(200).optional(),
  plan: z.string().max(200).optional(),
  status: z.enum(subscriptionStatuses).optional(),
};
export const previewQuerySchema = z.strictObject({ preview: flagQuerySchema.optional() });

export type SubscriptionCreate = z.infer<typeof subscriptionCreateSchema>;
export type SubscriptionChange = z.infer<typeof subscriptionChangeSchema>;
export type SubscriptionCancel = z.infer<typeof subscriptionCancelSchema>;
export type SubscriptionUpdate = z.infer<typeof subscriptionUpdateSchema>;
export type SubscriptionBody = z.infer<typeof subscriptionSchema>;
export type SubscriptionPreviewBody = z.infer<typeof subscriptionPreviewSchema>;
