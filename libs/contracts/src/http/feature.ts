import { z } from 'zod';
import { keySchema, metadataSchema, nameSchema, referenceSchema } from '#domain';
import { instantSchema, listSchema, resourceSchema } from './resource.js';

const content = { name: nameSchema, meter: referenceSchema.nullable().optional(), metadata: metadataSchema.optional() };

export const featureCreateSchema = z.strictObject({ key: keySchema, ...content });
export const featureReplaceSchema = z.strictObject({ key: keySchema.optional(), ...content });
export const featureUpdateSchema = z.strictObject(content).partial();

export const featureSchema = resourceSchema('feature', {
  key: z.string(),
  name: z.string(),
  meter: z.string().nullable().meta({ description: 'Id.' }),
  meter_key: z.string().nullable(),
  archived_at: instantSchema.nullable(),
});
export const featureListSchema = listSchema(featureSchema);

export type FeatureReplace = z.infer<typeof featureReplaceSchema>;
export type FeatureUpdate = z.infer<typeof featureUpdateSchema>;
export type FeatureBody = z.infer<typeof featureSchema>;
