import { z } from 'zod';

const instant = z.iso.datetime({ offset: true });

/** `GET /v1/rated-usage`. */
export const ratedUsageQuerySchema = z.strictObject({
  from: instant,
  to: instant,
  customer: z.string().min(1).max(200).optional(),
  plan: z.string().min(1).max(200).optional(),
  price: z.string().min(1).max(200).optional(),
  currency: z.string().regex(/^[A-Z]{3}$/, 'Give an ISO 4217 code such as USD.').optional(),
  group_by: z
    .string()
    .regex(/^(?:customer|plan|price|day)(?:,(?:customer|plan|price|day))*$/, 'Name some of customer, plan, price and day, separated by commas.')
    .optional(),
});

export const ratedUsageRowSchema = z.object({
  customer: z.string().optional(),
  customer_key: z.string().nullable().optional(),
  plan: z.string().optional(),
  plan_key: z.string().optional(),
  price: z.string().nullable().optional().meta({ description: 'Id; null for what lacked to a minimum commitment.' }),
  price_key: z.string().nullable().optional(),
  day: z.string().optional().meta({ description: 'The local day of the customer, YYYY-MM-DD.' }),
  quantity: z.string(),
  amount: z.string().meta({ description: 'Posted amount in major units with the digits of the currency.' }),
  currency: z.string(),
  state: z.enum(['open', 'closed', 'adjustment']).meta({
    description: 'adjustment: usage that was counted after its invoice was issued, on the last day of the period whose invoice bears it. Days of a closed period never change.',
  }),
  adjusts: z.object({ start: z.string(), end: z.string() }).optional().meta({ description: 'The period whose usage it is.' }),
});

export const ratedUsageSchema = z.object({
  data: z.array(ratedUsageRowSchema),
  total: z.record(z.string(), z.string()).meta({ description: 'The sum of the rows in each currency.' }),
  complete_as_of: z.string().meta({ description: 'Every event acknowledged before this instant is in the answer.' }),
});

export type RatedUsageQuery = z.infer<typeof ratedUsageQuerySchema>;
export type RatedUsageBody = z.infer<typeof ratedUsageSchema>;
