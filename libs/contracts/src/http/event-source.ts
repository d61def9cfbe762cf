import { z } from 'zod';
import { keySchema, mappingTimeUnits, metadataSchema, nameSchema, type EventMapping } from '#domain';
import { ingestFormats } from './event.js';
import { queryInstantSchema } from './query-instant.js';
import { instantSchema, listSchema, resourceSchema } from './resource.js';

/** Formats whose entries a mapping reads: those of gateways that write JSON, and JSON of any kind. */
export const eventSourceFormats = ['json', ...ingestFormats.filter((format) => format !== 'combined')] as const;

export type EventSourceFormat = (typeof eventSourceFormats)[number];

const pathSchema = z.string().min(1).max(500);
const pathsSchema = z.union([pathSchema, z.array(pathSchema).min(1).max(5)]);
const pathsField = (what: string) => pathsSchema.nullable().optional().meta({ description: `Path or paths to the ${what}, such as $.account.id; the first that leads to a text or a number counts. Without it the format decides.` });
export const identityText = z.string().min(1).max(256).refine((text) => text.isWellFormed() && !text.includes('\0') && new TextEncoder().encode(text).length <= 256, 'Give 1 to 256 bytes of UTF-8 without U+0000.');

const mappingSchema = z.strictObject({
  id: pathsField('id'),
  subject: pathsField('subject'),
  type: pathsField('type'),
  time: pathsField('time'),
  time_unit: z.enum(mappingTimeUnits).optional().meta({ default: 'rfc3339' }),
  data: z.record(z.string().min(1).max(100), pathSchema).refine((members) => Object.keys(members).length <= 50, 'At most 50 members are named.').nullable().optional().meta({
    description: 'Members of data and the paths to them, beside those that the format gives. For json the whole entry is the data where none are named.',
  }),
});
const defaultsSchema = z.strictObject({ subject: identityText.optional(), type: identityText.optional() });

/** How its entries become events. */
export const readingFields = {
  format: z.enum(eventSourceFormats).meta({ description: 'How an entry is read where the mapping names nothing; json takes any JSON object and reads nothing by itself.' }),
  source: identityText.optional().meta({ description: 'The source of its events. Default: the key.' }),
  mapping: mappingSchema.optional(),
  defaults: defaultsSchema.optional().meta({ description: 'Taken where no path leads to anything.' }),
};
const content = { name: nameSchema, ...readingFields, metadata: metadataSchema.optional() };

export const eventSourceCreateSchema = z.strictObject({ key: keySchema, ...content });
export const eventSourceReplaceSchema = z.strictObject({ key: keySchema.optional(), ...content });
/** How entries become events is replaced as a whole: parts of a mapping can't be judged alone. */
export const eventSourceUpdateSchema = z.strictObject({ name: nameSchema, metadata: metadataSchema.optional() }).partial();

/** The mapping that a body says. */
export function eventMappingOf({ mapping = {}, defaults = {} }: Pick<EventSourceReplace, 'mapping' | 'defaults'>): EventMapping {
  return {
    id: pathsOf(mapping.id), subject: pathsOf(mapping.subject), type: pathsOf(mapping.type), time: pathsOf(mapping.time),
    timeUnit: mapping.time_unit ?? 'rfc3339',
    data: mapping.data ?? null,
    defaults,
  };
}

function pathsOf(paths: string | readonly string[] | null | undefined): readonly string[] | null {
  return typeof paths === 'string' ? [paths] : (paths ?? null);
}

const pathsSchemaOut = z.array(z.string()).nullable();

export const eventSourceSchema = resourceSchema('event_source', {
  key: z.string(),
  name: z.string(),
  format: z.enum(eventSourceFormats),
  source: z.string(),
  mapping: z.object({
    id: pathsSchemaOut, subject: pathsSchemaOut, type: pathsSchemaOut, time: pathsSchemaOut, time_unit: z.enum(mappingTimeUnits), data: z.record(z.string(), z.string()).nullable(),
  }),
  defaults: z.object({ subject: z.string().optional(), type: z.string().optional() }),
  archived_at: instantSchema.nullable(),
});
export const eventSourceListSchema = listSchema(eventSourceSchema);

export type EventSourceReplace = z.infer<typeof eventSourceReplaceSchema>;
export type EventSourceUpdate = z.infer<typeof eventSourceUpdateSchema>;
export type EventSourceBody = z.infer<typeof eventSourceSchema>;

/** `GET /v1/event-sources/{id}/stats`. */
export const eventSourceStatsQuerySchema = z.strictObject({ from: queryInstantSchema, to: queryInstantSchema });

const countSchema = z.int().min(0);
export const eventSourceStatsSchema = z.object({
  data: z.array(z.object({ hour: instantSchema, received: countSchema, refused: countSchema, duplicates: countSchema, conflicts: countSchema })),
  from: instantSchema,
  to: instantSchema,
});

export type EventSourceStatsQuery = z.infer<typeof eventSourceStatsQuerySchema>;
export type EventSourceStatsBody = z.infer<typeof eventSourceStatsSchema>;
