import { z } from 'zod';
import { aggregations, decimalTextSchema, keySchema, metadataSchema, nameSchema } from '#domain';
import { instantInputSchema, instantSchema, listSchema, resourceSchema, versionQuery } from './resource.js';

const textMax = 500;

/** How a meter counts. What the paths and the filter mean is checked with the meter's meaning. */
export const countingFields = {
  event_type: z.string().min(1).max(256),
  aggregation: z.enum(aggregations).meta({
    description: 'time_weighted_sum makes unit-hours of a gauge: each event sets the value of its series (its subject and its value of every dimension in group_by) from its time on, 0 before the first.',
  }),
  value: z.string().max(5_000).nullable().optional().meta({ description: 'Path into data, such as $.bytes, or CEL over data, such as data.bytes / 1000.0; not for count.' }),
  percentile: decimalTextSchema.nullable().optional().meta({ description: 'From 0 to 100, such as "99.9"; only for percentile.' }),
  group_by: z.record(z.string().max(textMax), z.string().max(textMax)).optional(),
  filter: z.string().max(5_000).nullable().optional().meta({ description: 'CEL over data, such as data.status < 500.' }),
};

const naming = { name: nameSchema, unit: z.string().min(1).max(100).nullable().optional(), metadata: metadataSchema.optional() };
/** What users call it. */
export const namingFields = z.strictObject({ key: keySchema, ...naming });

export const meterCreateSchema = z.strictObject({ key: keySchema, ...naming, ...countingFields });

const effectiveAt = instantInputSchema.optional().meta({
  description: 'Of a change of how the meter counts: from which time of events on it counts so. Now by default, in business time; not before a time that is billed already.',
});

export const meterReplaceSchema = z.strictObject({ key: keySchema.optional(), ...naming, ...countingFields, effective_at: effectiveAt });
export const meterUpdateSchema = z.strictObject({ ...naming, ...countingFields, effective_at: effectiveAt }).partial();

const versionNumber = z.int().meta({ description: 'From 1; each change of how the meter counts makes the next.' });
/** How a meter counts, as it is answered. */
export const definitionFields = {
  event_type: z.string(),
  aggregation: z.string(),
  value: z.string().nullable(),
  percentile: z.string().nullable(),
  group_by: z.record(z.string(), z.string()),
  filter: z.string().nullable(),
};

export const meterSchema = resourceSchema('meter', {
  key: z.string(),
  name: z.string(),
  ...definitionFields,
  unit: z.string().nullable(),
  version: versionNumber.meta({ description: 'The latest version, which this is.' }),
  effective_at: instantSchema.nullable().meta({ description: 'From which time of events on this version counts; null for version 1, which counts from the beginning.' }),
  archived_at: instantSchema.nullable(),
});
export const meterListSchema = listSchema(meterSchema);

/** `GET /v1/meters/{id}/versions`, newest first, and `/versions/{version}`. */
export const meterVersionSchema = z.object({
  object: z.literal('meter_version'),
  meter: z.string().meta({ description: 'The meter’s id.' }),
  version: versionNumber,
  ...definitionFields,
  effective_at: instantSchema.nullable().meta({ description: 'From which time of events on it counts; null from the beginning.' }),
  effective_until: instantSchema.nullable().meta({ description: 'Where a later version takes over, exclusive; null where it goes on. Equal to effective_at where a later one took all of its time.' }),
  created_at: instantSchema,
});
export const meterVersionListSchema = listSchema(meterVersionSchema);

/** `GET /v1/meters/{id}/diff`. */
export const meterDiffQuerySchema = z.strictObject({
  from: versionQuery.optional().meta({ description: 'Default: the version before the latest.' }),
  to: versionQuery.optional().meta({ description: 'Default: the latest version.' }),
});

export const meterDiffSchema = z.object({
  object: z.literal('meter_diff'),
  meter: z.string().meta({ description: 'The meter’s id.' }),
  from: z.int(),
  to: z.int(),
  differences: z.array(z.object({
    pointer: z.string().meta({ description: 'Into the version.' }),
    kind: z.enum(['added', 'removed', 'changed']),
    from: z.unknown(),
    to: z.unknown(),
    text: z.string().meta({ description: 'The difference as a sentence.' }),
  })),
});

export type MeterReplace = z.infer<typeof meterReplaceSchema>;
export type MeterUpdate = z.infer<typeof meterUpdateSchema>;
export type MeterVersionBody = z.infer<typeof meterVersionSchema>;
export type MeterDiffQuery = z.infer<typeof meterDiffQuerySchema>;
export type MeterDiffBody = z.infer<typeof meterDiffSchema>;
export type MeterBody = z.infer<typeof meterSchema>;
