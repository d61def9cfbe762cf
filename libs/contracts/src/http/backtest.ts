import { z } from 'zod';
import { referenceSchema } from '#domain';
import { cheaperFields } from './cheaper-fields.js';
import { planCreateSchema } from './plan.js';
import { instantInputSchema, instantSchema } from './resource.js';

const customersMax = 1_000;

/** A plan that need not be stored: what makes a version of one. */
export const backtestedPlanSchema = planCreateSchema.partial({ key: true, name: true });

/** A stored plan's id or key, or a plan. Its faults are named one by one, each with its place. */
export const planOrReferenceSchema = z
  .union([referenceSchema, z.record(z.string(), z.unknown())])
  .superRefine((plan, context) => {
    if (typeof plan === 'string') return;
    const { error } = backtestedPlanSchema.safeParse(plan);
    // Pushed as they are: `addIssue` would make each one an issue of its own kind.
    for (const issue of error?.issues ?? []) context.issues.push(issue as (typeof context.issues)[number]);
  })
  .meta({ description: 'The id or key of a plan, or a plan as POST /v1/plans takes it; key and name may be left out.' });

export const versionOfPlanSchema = z.union([z.int().min(1), z.literal('draft')], { error: 'Give the number of a version, or "draft".' }).meta({ description: 'Of a stored plan, or "draft". Default: its latest.' });

/** `POST /v1/pricing/backtest`. */
export const backtestSchema = z.strictObject({
  plan: planOrReferenceSchema,
  version: versionOfPlanSchema.optional(),
  customers: z.array(referenceSchema).min(1).max(customersMax).optional().meta({ description: 'Default: all with a subscription in the range.' }),
  from: instantInputSchema,
  to: instantInputSchema.meta({ description: 'Not after now.' }),
});

const meanQuantity = z.string().meta({ description: 'What a customer used in a whole billing period of the range, on average; of parts of periods where none is whole.' });

const backtestBreakEvenSchema = z.object({
  current_plan: z.string().meta({ description: 'Key of the plan that customers are on.' }),
  current_version: z.int(),
  customers: z.int().meta({ description: 'How many are on it, with the same prices and quantities of their own, and on nothing else.' }),
  meter: z.string().meta({ description: 'The key of the meter that varies.' }),
  mean_quantity: meanQuantity,
  usage: z.record(z.string(), z.object({ quantity: meanQuantity })).meta({ description: 'By the key of each other meter: what stays. A meter of which nothing was used is left out.' }),
  quantities: z.record(z.string(), z.string()).meta({ description: 'By the key of a fee: the units that it is owed for, such as seats.' }),
  step: z.string().nullable().meta({ description: 'The quantities that are compared are its multiples.' }),
  to_quantity: z.string().nullable().meta({ description: 'Null has no end. Where packages or rounded units have steps without end, the most that a customer used in a period.' }),
  ...cheaperFields,
  not_compared: z.array(z.string()).meta({ description: 'Why the two can not be compared by one quantity, in sentences; empty where they are.' }),
}).meta({ id: 'BacktestBreakEven' });

const amount = z.string().meta({ description: 'In the plan\u2019s currency.' });

export const backtestBodySchema = z.object({
  object: z.literal('backtest'),
  currency: z.string(),
  from: instantSchema,
  to: instantSchema,
  complete_as_of: instantSchema.meta({ description: 'Every event acknowledged before it is counted.' }),
  periods: z.int().meta({ description: 'Periods that were rated under the plan.' }),
  total: z.object({
    plan: amount,
    compared: z.object({ plan: amount, current: amount, difference: amount }).meta({ description: 'Over the customers that have a present plan.' }),
  }),
  pay_less: z.int(),
  pay_more: z.int(),
  pay_the_same: z.int(),
  distribution: z
    .object({ minimum: amount, p25: amount, median: amount, p75: amount, p95: amount, maximum: amount })
    .nullable()
    .meta({ description: 'Amounts per customer under the plan, by nearest rank.' }),
  customers: z
    .array(z.object({
      customer: z.string(),
      customer_key: z.string().nullable(),
      plan: amount,
      current: amount.nullable(),
      current_plans: z.array(z.string()).meta({ description: 'Keys.' }),
      difference: amount.nullable(),
      prices: z.array(z.object({ price_key: z.string(), quantity: z.string(), amount })).meta({ description: 'What each price of the plan comes to.' }),
    }))
    .meta({ description: 'Who would save most comes first.' }),
  break_even: z.array(backtestBreakEvenSchema).meta({
    description: 'Where the plan (a) and each that customers are on (b) cost the same in a whole billing period, by each of their meters, as POST /v1/pricing/break-even answers. The plans of most customers come first.',
  }),
  break_even_left_out: z.int().meta({ description: 'At most 20 comparisons are made; how many more there would be.' }),
  skipped: z.array(z.object({ customer: z.string(), detail: z.string() })).meta({ description: 'Customers that pay in a currency which the plan has no models for.' }),
});

export type BacktestedPlan = z.infer<typeof backtestedPlanSchema>;
export type BacktestRequest = z.infer<typeof backtestSchema>;
export type BacktestBody = z.infer<typeof backtestBodySchema>;
