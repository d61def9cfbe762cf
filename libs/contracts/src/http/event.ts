import { z } from 'zod';
import { refusedEventCodes } from '../log/refused-event-fault.js';

/** Events of one request, inclusive. */
export const eventsMax = 10_000;
/** Bytes of a request's body after inflation, inclusive. */
export const eventsBodySizeMax = 10 * 1_024 * 1_024;

const identityText = z.string().min(1).max(256);

/** One event as it is posted. The ingest app checks it by hand, field by field, so that one faulty event harms no other. */
export const eventSchema = z
  .object({
    id: identityText.meta({ description: 'Unique within its source. At most 256 bytes of UTF-8, without U+0000.' }),
    source: identityText.optional().meta({ default: 'default', description: 'Who reports. Identity is (organization, source, id).' }),
    type: identityText.meta({ examples: ['api.request'] }),
    subject: identityText.meta({ description: 'Who or what caused the usage; need not be known yet.' }),
    time: z.string().optional().meta({ format: 'date-time', description: 'RFC 3339, from 2000 to an hour ahead, kept to the microsecond. Default: the receipt.' }),
    data: z.record(z.string(), z.unknown()).optional().meta({ description: 'At most 64 KiB and ten levels. Numbers keep their exact digits.' }),
  });

export const eventListBodySchema = z.array(eventSchema).max(eventsMax);

export const eventsBodySchema = z.union([eventSchema, eventListBodySchema, z.object({ events: eventListBodySchema })]);

export const cloudEventSchema = eventSchema
  .extend({ specversion: z.literal('1.0'), source: identityText, datacontenttype: z.string().optional(), data_base64: z.string().optional() });

const correctedFields = {
  id: identityText.meta({ description: 'The event’s own, as it was posted.' }),
  source: identityText.optional().meta({ default: 'default' }),
  reason: z.string().max(1_000).optional().meta({ description: 'Why, for whoever looks at the event later.' }),
};

const oneOrMany = <T extends z.ZodType>(schema: T) => z.union([schema, z.array(schema).max(eventsMax), z.object({ events: z.array(schema).max(eventsMax) })]);

/** `POST /v1/events/void`. Like events, they are checked one by one by hand. */
export const voidEventsBodySchema = oneOrMany(z.object(correctedFields));

/** `POST /v1/events/amend`. */
export const amendEventsBodySchema = oneOrMany(
  z.object({ ...correctedFields, data: z.record(z.string(), z.unknown()).meta({ description: 'Takes the place of the event’s data as a whole.' }) }),
);

export const refusedEventSchema = z
  .object({
    index: z.int().min(0).meta({ description: 'Position in the request, from 0.' }),
    line: z.int().min(1).optional().meta({ description: 'Number of the line, where the request has lines.' }),
    id: z.string().nullable(),
    code: z.enum(refusedEventCodes).meta({ description: 'The first fault.' }),
    detail: z.string(),
    errors: z.array(z.object({ pointer: z.string(), code: z.enum(refusedEventCodes), detail: z.string() })),
  });

/** The answer to every route that takes events. */
export const eventsAnswerSchema = z
  .object({ accepted: z.int().min(0), rejected: z.array(refusedEventSchema) });

export type RefusedEventBody = z.infer<typeof refusedEventSchema>;
export type EventsAnswerBody = z.infer<typeof eventsAnswerSchema>;

/** The `{format}` of `POST /v1/ingest/{format}`. */
export const ingestFormats = ['kong', 'apisix', 'nginx', 'envoy', 'aws-api-gateway', 'tyk', 'segment', 'combined'] as const;

export type IngestFormat = (typeof ingestFormats)[number];

const lineFields = {
  batch: z
    .string()
    .refine((name) => name !== '' && name.isWellFormed() && !name.includes('\0') && new TextEncoder().encode(name).length <= 250, 'Give a name of 1 to 250 bytes of UTF-8.')
    .optional()
    .meta({ description: 'Names the log, so that a line is identified by its number, however the log is cut.' }),
  first_line: z
    .string()
    .regex(/^[1-9]\d{0,14}$/, 'Give the number of the first line, from 1.')
    .optional()
    .meta({ default: '1' }),
};

const sourceField = {
  source_key: z.string().min(1).max(256).optional().meta({ description: 'Id or key of an event source, whose mapping is used and whose source the events have. It stands alone.' }),
};

interface LineQuery {
  readonly batch?: string | undefined;
  readonly first_line?: string | undefined;
  readonly subject?: string | undefined;
  readonly source_key?: string | undefined;
}

const firstLineNeedsBatch = (query: LineQuery): boolean => query.first_line === undefined || query.batch !== undefined;
const firstLineFault = { path: ['batch'], message: 'first_line needs batch.' };
const sourceStandsAlone = ({ source_key: sourceKey, batch, subject }: LineQuery): boolean => sourceKey === undefined || (batch === undefined && subject === undefined);
const sourceFault = { path: ['source_key'], message: 'An event source says itself what batch and subject would.' };

/** `POST /v1/ingest/{format}` for the formats that report HTTP requests. */
export const httpIngestQuerySchema = z
  .strictObject({
    ...lineFields,
    ...sourceField,
    subject: z.enum(['client', 'user']).optional().meta({ description: 'Takes the client address or the user as the subject, instead of what the format says.' }),
  })
  .refine(firstLineNeedsBatch, firstLineFault)
  .refine(sourceStandsAlone, sourceFault);

/** For those that do not. */
export const callIngestQuerySchema = z.strictObject({ ...lineFields, ...sourceField }).refine(firstLineNeedsBatch, firstLineFault).refine(sourceStandsAlone, sourceFault);

/** `POST /v1/events`. */
export const eventsQuerySchema = z.object(sourceField);
