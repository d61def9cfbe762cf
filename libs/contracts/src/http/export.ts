import { z } from 'zod';
import { metadataSchema } from '#domain';
import { instantInputSchema, instantSchema, listSchema, resourceSchema, timeZoneInputSchema } from './resource.js';

export const exportKinds = ['events', 'usage', 'rated_usage', 'invoices'] as const;
export const exportFormats = ['csv', 'parquet'] as const;

const reference = z.string().min(1).max(256);
const name = z.string().min(1).max(256);

const exportFields = {
  kind: z.enum(exportKinds, `Exports are offered of ${exportKinds.join(', ')}.`),
  format: z.enum(exportFormats, `Exports are offered as ${exportFormats.join(' and ')}.`),
  from: instantInputSchema,
  to: instantInputSchema.meta({ description: 'Exclusive, and at most 366 days after "from". Rated usage: days that start in the range, in the customer’s zone. Invoices: those issued in it, in business time.' }),
  customer: reference.optional().meta({ description: 'Id or key: only this customer’s; of events and usage, what its subjects did while they were its own.' }),
  type: name.optional().meta({ description: 'Events only: of this type.' }),
  meter: reference.optional().meta({ description: 'Usage only, and required there: id or key.' }),
  window: z.enum(['minute', 'hour', 'day', 'month']).optional().meta({ description: 'Usage only. Without it there is one row for each group.' }),
  time_zone: timeZoneInputSchema.optional().meta({ description: 'Usage only: the zone that windows are aligned to; UTC by default.' }),
  group_by: z.array(name.refine((text) => text.trim() === text && !text.includes(','), 'A dimension whose name has a comma, or a blank at an end, can not be asked for.')).max(20).optional().meta({ description: 'Usage only: dimensions of the meter, customer and subject.' }),
};

/** Which fields belong to one kind only. */
const fieldsOf = { events: ['type'], usage: ['meter', 'window', 'time_zone', 'group_by'] } as const;

export const exportCreateSchema = z.strictObject({ ...exportFields, metadata: metadataSchema.optional() }).superRefine((body, context) => {
  for (const [kind, fields] of Object.entries(fieldsOf)) {
    if (kind === body.kind) continue;
    for (const field of fields) {
      if (body[field] !== undefined) context.addIssue({ code: 'custom', path: [field], message: `${field} belongs to exports of ${kind}.`, params: { code: 'not_of_this_kind' } });
    }
  }
  if (body.kind === 'usage' && body.meter === undefined) context.addIssue({ code: 'custom', path: ['meter'], message: 'An export of usage is of one meter.', params: { code: 'missing_field' } });
});

export type ExportCreate = z.infer<typeof exportCreateSchema>;

export const exportSchema = resourceSchema('export', {
  kind: z.enum(exportKinds),
  format: z.enum(exportFormats),
  from: instantSchema,
  to: instantSchema,
  customer: z.string().nullable(),
  type: z.string().nullable(),
  meter: z.string().nullable(),
  window: z.string().nullable(),
  time_zone: z.string().nullable(),
  group_by: z.array(z.string()).nullable(),
  status: z.enum(['queued', 'running', 'done', 'failed']),
  rows: z.int().nullable().meta({ description: 'Null until it is done, as bytes, sha256 and fresh_as_of are.' }),
  bytes: z.int().nullable(),
  sha256: z.string().nullable().meta({ description: 'Of the file, in hexadecimal digits.' }),
  fresh_as_of: instantSchema.nullable().meta({ description: 'Every event acknowledged before this instant is in the file; of invoices, every one that was issued before it in system time.' }),
  error: z.object({ code: z.string(), detail: z.string() }).nullable().meta({ description: 'Why it failed.' }),
  finished_at: instantSchema.nullable(),
  expires_at: instantSchema.nullable().meta({ description: 'From then on the file is gone.' }),
});
export const exportListSchema = listSchema(exportSchema);

export type ExportBody = z.infer<typeof exportSchema>;
