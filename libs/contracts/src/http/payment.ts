import { z } from 'zod';
import { decimalTextSchema, metadataSchema } from '#domain';
import { instantInputSchema, instantSchema, listSchema, resourceSchema } from './resource.js';

const referenceMax = 200;

/** `POST /v1/invoices/{id}/payments`: money that came another way than through the payment provider. */
export const paymentCreateSchema = z.strictObject({
  amount: decimalTextSchema.optional().meta({ description: 'Major units. Default: all that remains.' }),
  method: z.enum(['bank_transfer', 'check', 'cash', 'other']).optional().meta({ description: 'Default: bank_transfer.' }),
  reference: z.string().min(1).max(referenceMax).optional().meta({ description: 'What the payment is known by: the text of the transfer, the number of the check.' }),
  paid_at: instantInputSchema.optional().meta({ description: 'When the money came, in business time; not before the invoice was issued and not in the future. Default: now.' }),
  metadata: metadataSchema.optional(),
});

export const paymentSchema = resourceSchema('payment', {
  invoice: z.string(),
  provider: z.string().meta({ description: 'manual for what was written down by hand.' }),
  status: z.enum(['pending', 'succeeded', 'failed']),
  amount: z.string(),
  currency: z.string(),
  method: z.string().nullable(),
  reference: z.string().nullable(),
  paid_at: instantSchema.meta({ description: 'Of a try that has not succeeded: when it was made.' }),
  failure: z.object({ code: z.string(), detail: z.string() }).nullable(),
});
export const paymentListSchema = listSchema(paymentSchema);

export type PaymentCreate = z.infer<typeof paymentCreateSchema>;
export type PaymentBody = z.infer<typeof paymentSchema>;
