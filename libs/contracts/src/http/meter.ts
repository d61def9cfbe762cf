import { z } from 'zod';
import { aggregations, decimalTextSchema, keySchema, metadataSchema, nameSchema } from '#domain';
import { instantSchema, listSchema, resourceSchema } from './resource.js';

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
export const meterReplaceSchema = z.strictObject({ key: keySchema.optional(), ...naming, ...countingFields });
/** How a meter counts is fixed, since invoices were made from it. */
export const meterUpdateSchema = z.strictObject(naming).partial();

export const meterSchema = resourceSchema('meter', {
  key: z.string(),
  name: z.string(),
  event_type: z.string(),
  aggregation: z.string(),
  value: z.string().nullable(),
  percentile: z.string().nullable(),
  group_by: z.record(z.string(), z.string()),
  filter: z.string().nullable(),
  unit: z.string().nullable(),
  archived_at: instantSchema.nullable(),
});
export const meterListSchema = listSchema(meterSchema);

export type MeterReplace = z.infer<typeof meterReplaceSchema>;
export type MeterUpdate = z.infer<typeof meterUpdateSchema>;
export type MeterBody = z.infer<typeof meterSchema>;
