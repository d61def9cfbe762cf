import { z } from 'zod';
import { lineAddOnSchema, lineItemSchema } from './invoice.js';
import { instantSchema } from './resource.js';

const change = z.enum(['counted', 'added', 'amended', 'removed']).meta({
  description: 'counted: with the period’s own invoice; added, amended or removed: after it, by a late event, an amendment, a void or a moved subject.',
});
const value = z.string().nullable().meta({ description: 'What the meter takes from it; "1" where events are counted, null where it does not count any more.' });

const documentSchema = z.object({
  change,
  value,
  invoice: z.string().nullable().meta({ description: 'Null where nothing of it stands on a document: it was absorbed, or changed no amount.' }),
  invoice_number: z.string().nullable(),
  line: z.string().nullable().meta({ description: 'The line that bears it, with all other events of the line.' }),
  amount: z.string().meta({ description: 'Of that line.' }),
  absorbed: z.string().meta({ description: 'What the plan’s policy dropped with it, of the whole line.' }),
  settled_at: instantSchema.nullable(),
});

const entrySchema = z.object({
  customer: z.string(),
  subscription: z.string(),
  plan: z.string(),
  plan_version: z.int(),
  price: z.string(),
  price_key: z.string(),
  add_on: lineAddOnSchema,
  group: lineItemSchema.shape.group,
  period: lineItemSchema.shape.period,
  currency: z.string(),
  state: z.enum(['billed', 'open', 'unknown']).meta({ description: 'open: what `pending` says is not on a document yet; unknown: the period was invoiced before the usage of lines was kept.' }),
  value,
  documents: z.array(documentSchema).meta({ description: 'In the order in which they were issued.' }),
  pending: z.object({ change, value, invoice: z.string().nullable().meta({ description: 'The draft that will bear it, where there is one; what is late goes on the next document of its subscription.' }) }).nullable(),
});

/** `GET /v1/events/{id}/billing`, beside the id. */
export const eventBillingQuerySchema = z.strictObject({ source: z.string().min(1).max(1_024).optional().meta({ default: 'default', description: 'The event’s source.' }) });

export const eventBillingSchema = z.object({
  object: z.literal('event_billing'),
  event_id: z.string(),
  event_source: z.string(),
  type: z.string(),
  subject: z.string(),
  time: instantSchema,
  data: z.array(entrySchema).meta({ description: 'One for each price and group whose line the event is or was a part of. A value of a time-weighted sum is told for the period in which it was set.' }),
  detail: z.string().meta({ description: 'In a sentence.' }),
});

export type EventBillingBody = z.infer<typeof eventBillingSchema>;
