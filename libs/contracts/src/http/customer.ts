import { z } from 'zod';
import { keySchema, metadataSchema, nameSchema } from '#domain';
import { addressSchema, currencyInputSchema, flagQuerySchema, instantInputSchema, instantSchema, listSchema, resourceSchema, timeZoneInputSchema } from './resource.js';

const subjectBytesMax = 256;
const subjectsMax = 1_000;

export const subjectSchema = z
  .string()
  .min(1, 'A subject has at least one character.')
  .refine((text) => new TextEncoder().encode(text).length <= subjectBytesMax, `A subject has at most ${subjectBytesMax} bytes of UTF-8.`)
  .refine((text) => text.isWellFormed() && !text.includes('\0'), 'A subject holds neither U+0000 nor half of a surrogate pair.');

const content = {
  name: nameSchema,
  email: z.email('This must be an e-mail address.').max(320).nullable().optional(),
  currency: currencyInputSchema.nullable().optional(),
  time_zone: timeZoneInputSchema.optional(),
  address: addressSchema.nullable().optional(),
  tax_id: z.string().min(1).max(100).nullable().optional(),
  purchase_order: z.string().min(1).max(100).nullable().optional(),
  metadata: metadataSchema.optional(),
};

const subjects = z.array(subjectSchema).max(subjectsMax).optional();

export const customerCreateSchema = z.strictObject({ key: keySchema.optional(), ...content, subjects });
/** `PUT /v1/customers/{key}`. Where subjects are given, they become all that the customer has from now on; else they stay. */
export const customerReplaceSchema = z.strictObject({ key: keySchema.optional(), ...content, subjects });
export const customerUpdateSchema = z.strictObject(content).partial();

export const customerSchema = resourceSchema('customer', {
  key: z.string().nullable(),
  name: z.string(),
  email: z.string().nullable(),
  currency: z.string().nullable(),
  time_zone: z.string(),
  address: addressSchema.nullable(),
  tax_id: z.string().nullable(),
  purchase_order: z.string().nullable(),
  subjects: z.array(z.string()).meta({ description: 'Those that it has now.' }),
  archived_at: instantSchema.nullable(),
});
export const customerListSchema = listSchema(customerSchema);

/** `POST /v1/customers/{id}/subjects`. */
export const subjectAttachSchema = z.strictObject({ subject: subjectSchema, effective_at: instantInputSchema.optional() });

export const attachmentSchema = z.object({
  object: z.literal('customer_subject'),
  customer: z.string().meta({ description: 'Id.' }),
  subject: z.string(),
  from: instantSchema.nullable().meta({ description: 'Inclusive; null is from its first event on.' }),
  to: instantSchema.nullable().meta({ description: 'Exclusive; null is until further notice.' }),
});
export const attachmentListSchema = listSchema(attachmentSchema);

export const customerListQuery = { include_archived: flagQuerySchema.optional(), subject: z.string().max(1_000).optional() };

export type CustomerReplace = z.infer<typeof customerReplaceSchema>;
export type CustomerUpdate = z.infer<typeof customerUpdateSchema>;
export type CustomerBody = z.infer<typeof customerSchema>;
export type SubjectAttach = z.infer<typeof subjectAttachSchema>;
export type AttachmentBody = z.infer<typeof attachmentSchema>;
