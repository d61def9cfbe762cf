import { z } from 'zod';
import { lineItemSchema } from './invoice.js';
import { definitionFields } from './meter.js';
import { instantSchema } from './resource.js';

const count = z.string().meta({ description: 'A whole number.', examples: ['251'] });
const digest = z.string().meta({ description: 'SHA-256 in hexadecimal. The guide to receipts says over what.' });
const period = lineItemSchema.shape.period;

const hourSchema = z.object({
  hour: instantSchema.meta({ description: 'The beginning of an hour in UTC.' }),
  events: count,
  value: z.string().nullable().meta({ description: 'What the meter makes of the hour’s events; null of a time-weighted sum, whose values last from hour to hour.' }),
  digest,
});

const receiptUsageSchema = z.object({
  meter: z.object({
    id: z.string(),
    key: z.string(),
    ...definitionFields,
    versions: z.array(z.object({ version: z.int(), ...definitionFields, from: instantSchema, to: instantSchema }))
      .meta({ description: 'How it counted in the line’s period, stretch by stretch: from inclusive, to exclusive. Together they are the period.' }),
  }).meta({ description: 'By its latest version when the line was made; `versions` has those that counted its events.' }),
  exempt: z.string().nullable().meta({ description: 'The price’s filter of events that are left out.' }),
  period,
  cut: z.array(z.object({ partition: z.int(), before: z.string() })).meta({ description: 'Of each partition of the log, the first position that came too late for the line.' }),
  subjects: z.array(z.object({ subject: z.string(), from: instantSchema.nullable(), to: instantSchema.nullable() })).meta({ description: 'Whose usage it is, as it was known then; null is from ever, and for ever. At most 1,000.' }),
  subjects_total: z.int(),
  events: count.meta({ description: 'That are there now.' }),
  digest: digest.meta({ description: 'Of the events that are there now.' }),
  hours: z.array(hourSchema).meta({ description: 'Each hour with events of the line.' }),
  changes: z.object({ added: count, removed: count, amended: count }).nullable().meta({ description: 'Of an adjustment: what is different from what was settled before.' }),
});

/** `GET /v1/invoices/{id}/lines/{line}/receipt`. */
export const receiptSchema = z.object({
  object: z.literal('receipt'),
  invoice: z.string(),
  invoice_number: z.string().nullable(),
  currency: z.string(),
  line: lineItemSchema,
  plan: z.string().nullable().meta({ description: 'The plan that the subscription was on, whose own price it is or beside which it had the line’s add-on; null where no usage stands behind it.' }),
  plan_version: z.int().nullable(),
  intact: z.boolean().nullable().meta({ description: 'Whether the events that are there now have the count and the digest that were stored with the line; null where no events stand behind it.' }),
  usage: receiptUsageSchema.nullable(),
  detail: z.string().meta({ description: 'In a sentence.' }),
});

/** `GET /v1/invoices/{id}/lines/{line}/events`. */
export const lineEventListSchema = z.object({
  data: z.array(z.object({
    id: z.string(),
    object: z.literal('line_event'),
    source: z.string(),
    type: z.string(),
    subject: z.string(),
    time: instantSchema,
    received_at: instantSchema,
    data: z.record(z.string(), z.unknown()).meta({ description: 'As it counted for the line, amended or not.' }),
    value: z.string().meta({ description: 'What the meter took from it; "1" where events are counted.' }),
    payload_hash: z.string().meta({ description: 'Of what the event came with.' }),
    change: z.enum(['added', 'removed', 'amended']).nullable().meta({ description: 'Of an adjustment’s events, which are those that are different from what was settled before.' }),
    cursor: z.string(),
  })),
  has_more: z.boolean(),
});

/** `GET /v1/invoices/{id}/verify`. */
export const invoiceVerificationSchema = z.object({
  object: z.literal('invoice_verification'),
  invoice: z.string(),
  invoice_number: z.string().nullable(),
  equal: z.boolean().meta({ description: 'Whether nothing of what was checked differs.' }),
  checked: z.array(z.string()).meta({ description: 'Ids of the lines that were made again.' }),
  unchecked: z.array(z.object({ line: z.string(), detail: z.string() })),
  differences: z.array(z.object({
    line: z.string().nullable().meta({ description: 'Null where it is of the document, or of a line that it lacks.' }),
    field: z.enum(['line', 'quantity', 'unrounded_amount', 'amount', 'events', 'digest', 'subtotal', 'total', 'amount_due']),
    stored: z.string().nullable(),
    computed: z.string().nullable(),
    detail: z.string(),
  })),
});

export type ReceiptBody = z.infer<typeof receiptSchema>;
export type LineEventListBody = z.infer<typeof lineEventListSchema>;
export type InvoiceVerificationBody = z.infer<typeof invoiceVerificationSchema>;
