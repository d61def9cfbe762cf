import { z } from 'zod';
import { metadataSchema, nameSchema } from '#domain';
import { scopes } from '../scopes.js';
import { instantInputSchema, instantSchema, listSchema, resourceSchema } from './resource.js';

/** `POST /v1/api-keys`. Without scopes it has all that its maker has, but `platform`. */
export const apiKeyCreateSchema = z.strictObject({
  name: nameSchema,
  scopes: z.array(z.enum(scopes)).min(1).max(scopes.length).optional(),
  expires_at: instantInputSchema.nullable().optional(),
  metadata: metadataSchema.optional(),
});

export const apiKeyUpdateSchema = z.strictObject({ name: nameSchema, metadata: metadataSchema }).partial();

export const apiKeySchema = resourceSchema('api_key', {
  name: z.string(),
  hint: z.string().meta({ description: 'The first and last characters of the secret.' }),
  scopes: z.array(z.enum(scopes)),
  expires_at: instantSchema.nullable(),
  last_used_at: instantSchema.nullable().meta({ description: 'To the minute.' }),
  revoked_at: instantSchema.nullable(),
});

export const apiKeyListSchema = listSchema(apiKeySchema);
export const apiKeyCreatedSchema = apiKeySchema.extend({ secret: z.string().meta({ description: 'Shown this once.' }) });

export type ApiKeyCreate = z.infer<typeof apiKeyCreateSchema>;
export type ApiKeyUpdate = z.infer<typeof apiKeyUpdateSchema>;
export type ApiKeyBody = z.infer<typeof apiKeySchema>;
