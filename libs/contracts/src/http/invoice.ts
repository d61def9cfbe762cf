import { z } from 'zod';
import { invoiceStatuses, lineKinds } from '#domain';
import { instantInputSchema, instantSchema, listSchema, resourceSchema } from './resource.js';
import { traceSchema } from './simulation.js';

const amount = z.string().meta({ description: "Major units with exactly the currency's digits.", examples: ['12.50'] });
const reference = z.string().min(1).max(200);

export const invoiceListQuery = {
  customer: reference.optional(),
  subscription: reference.optional(),
  status: z.enum(invoiceStatuses).optional(),
  from: instantInputSchema.optional().meta({ description: 'Issued at or after; of a draft, made at or after. Business time.' }),
  to: instantInputSchema.optional().meta({ description: 'Issued, or made, before.' }),
};

export const upcomingInvoiceQuerySchema = z.strictObject({
  subscription: reference.optional().meta({ description: 'Of the customer. Default: the one that is billed next.' }),
});

const periodSchema = z.object({ start: instantSchema, end: instantSchema.meta({ description: 'Exclusive.' }) });

export const lineAddOnSchema = z.object({
  id: z.string(),
  key: z.string(),
  version: z.int().meta({ description: 'The one that the subscription had.' }),
}).nullable().meta({ description: 'The add-on that the line comes from; null for the plan’s, and for what comes from no price.' });

export const lineItemSchema = z.object({
  id: z.string(),
  price: z.string().nullable().meta({ description: 'Id of the price; null where the line comes from none.' }),
  price_key: z.string().nullable(),
  add_on: lineAddOnSchema,
  kind: z.enum(lineKinds),
  description: z.string(),
  quantity: z.string().nullable(),
  amount,
  unrounded_amount: z.string().nullable(),
  group: z.record(z.string(), z.string()),
  period: periodSchema,
  trace: traceSchema,
  usage: z.object({
    events: z.string().meta({ description: 'How many events it is made of.' }),
    digest: z.string().meta({ description: 'SHA-256 over their sources, ids and payload hashes; the receipt has it hour by hour.' }),
  }).nullable().meta({ description: 'Of lines of usage and adjustments on issued invoices; else null. Of an adjustment, all events of its period by then.' }),
}).meta({ id: 'LineItem' });

const content = {
  number: z.string().nullable().meta({ description: 'Null until issued. Without gaps in an organization.' }),
  customer: z.string(),
  subscription: z.string(),
  status: z.enum(invoiceStatuses),
  waiting_for_usage: z.boolean().meta({ description: 'A draft that is issued once the grace period is over and every event is counted.' }),
  currency: z.string(),
  collection: z.enum(['automatic', 'send_invoice']),
  period: periodSchema.meta({ description: 'Of the arrears; of the advance where there is none.' }),
  lines: z.array(lineItemSchema),
  subtotal: amount,
  discount: amount,
  tax: amount,
  credits_applied: amount,
  total: amount,
  amount_due: amount,
  amount_paid: amount,
  amount_remaining: amount,
  issued_at: instantSchema.nullable(),
  due_at: instantSchema.nullable(),
};

export const invoiceSchema = resourceSchema('invoice', {
  ...content,
  paid_at: instantSchema.nullable(),
  voided_at: instantSchema.nullable(),
  marked_uncollectible_at: instantSchema.nullable(),
  stripe: z.object({ invoice: z.string().nullable(), status: z.string().nullable(), pushed_at: instantSchema.nullable() }),
  payment: z.object({
    provider: z.string().nullable(),
    status: z.enum(['none', 'pending', 'failed', 'succeeded', 'unknown', 'refused']),
    failure: z.object({ code: z.string(), detail: z.string() }).nullable(),
  }),
});

export const invoiceListSchema = listSchema(invoiceSchema);

export const upcomingInvoiceSchema = z.object({
  object: z.literal('upcoming_invoice'),
  id: z.null(),
  ...content,
  number: z.null(),
  closes_at: instantSchema.meta({ description: 'When the invoice will be made.' }),
});

export type InvoiceBody = z.infer<typeof invoiceSchema>;
export type LineItemBody = z.infer<typeof lineItemSchema>;
export type UpcomingInvoiceBody = z.infer<typeof upcomingInvoiceSchema>;
export type UpcomingInvoiceQuery = z.infer<typeof upcomingInvoiceQuerySchema>;
