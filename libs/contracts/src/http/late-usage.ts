import { z } from 'zod';
import { instantSchema, listSchema } from './resource.js';

const amount = z.string().meta({ description: "Major units with exactly the currency's digits.", examples: ['12.50'] });
const reference = z.string().min(1).max(200);
const group = z.record(z.string(), z.string());

export const lateUsageListQuery = {
  customer: reference.optional(),
  subscription: reference.optional(),
  state: z.enum(['open', 'settled']).optional().meta({ description: 'open: something is still to be settled.' }),
};

const amounts = {
  invoiced: amount.meta({ description: 'On documents so far: the invoice of the period and earlier adjustments.' }),
  absorbed: amount.meta({ description: 'Dropped by the policy so far.' }),
  rated: amount.meta({ description: 'What all usage of the period comes to, by the plan version that it was closed with.' }),
  difference: amount.meta({ description: 'rated - invoiced - absorbed: still to be settled; negative is owed to the customer.' }),
};

/** A closed period whose usage changed after its invoice was issued. */
const lateUsageSchema = z.object({
  id: z.string(),
  object: z.literal('late_usage'),
  customer: z.string(),
  subscription: z.string(),
  plan: z.string(),
  plan_version: z.int(),
  period: z.object({ start: instantSchema, end: instantSchema }),
  currency: z.string(),
  state: z.enum(['open', 'settled']),
  ...amounts,
  policy: z.object({ policy: z.enum(['next_invoice', 'absorb']), absorb_below: z.string().optional() }),
  will_bill: amount.meta({ description: 'Of the difference, what a document will bear.' }),
  will_absorb: amount.meta({ description: 'Of the difference, what the policy will drop; negative where dropped usage has gone again.' }),
  lines: z.array(z.object({ price: z.string(), price_key: z.string(), group, quantity: z.string(), ...amounts })),
  settlements: z.array(z.object({
    price: z.string(),
    price_key: z.string(),
    group,
    quantity: z.string(),
    amount,
    absorbed: amount,
    invoice: z.string().nullable().meta({ description: 'Null where nothing of it is on a document.' }),
    invoice_number: z.string().nullable(),
    line: z.string().nullable(),
    complete_as_of: instantSchema.meta({ description: 'What was acknowledged before this instant, and after that of the settlement before it, was settled here.' }),
    settled_at: instantSchema,
  })),
  complete_as_of: instantSchema.meta({ description: 'Every event acknowledged before this instant is in it.' }),
});

export const lateUsageListSchema = listSchema(lateUsageSchema);
export type LateUsageBody = z.infer<typeof lateUsageSchema>;
