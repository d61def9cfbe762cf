import { z } from 'zod';
import { keySchema, metadataSchema, nameSchema } from '#domain';
import { instantSchema, listSchema, resourceSchema } from './resource.js';

const content = {
  name: nameSchema,
  docs_url: z.url({ protocol: /^https?$/ }).max(2_000).nullable().optional(),
  version: z.string().min(1).max(100).nullable().optional(),
  metadata: metadataSchema.optional(),
};

export const productCreateSchema = z.strictObject({ key: keySchema, ...content });
/** `PUT /v1/products/{key}`: the key stands in the path and may stand in the body too. */
export const productReplaceSchema = z.strictObject({ key: keySchema.optional(), ...content });
export const productUpdateSchema = z.strictObject(content).partial();

export const productSchema = resourceSchema('product', {
  key: z.string(),
  name: z.string(),
  docs_url: z.string().nullable(),
  version: z.string().nullable(),
  archived_at: instantSchema.nullable(),
});
export const productListSchema = listSchema(productSchema);

export type ProductReplace = z.infer<typeof productReplaceSchema>;
export type ProductUpdate = z.infer<typeof productUpdateSchema>;
export type ProductBody = z.infer<typeof productSchema>;
