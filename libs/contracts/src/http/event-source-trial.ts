import { z } from 'zod';
import { keySchema, metadataSchema, nameSchema } from '#domain';
import { eventReasonSchema } from './event-list.js';
import { refusedEventSchema } from './event.js';
import { identityText, readingFields } from './event-source.js';
import { instantSchema } from './resource.js';

/** Bytes of a sample, inclusive. */
const sampleSizeMax = 1_024 * 1_024;
/** Entries of a sample, inclusive. */
export const sampleEventsMax = 100;

const { format, ...mappingFields } = readingFields;
const ownFields = { key: keySchema.optional(), name: nameSchema.optional(), ...mappingFields, metadata: metadataSchema.optional() };

/**
 * `POST /v1/event-sources/try`: the body that would make the event source, of which only what decides its events is
 * looked at, or the name of one that is there; and what a sender would post.
 */
export const eventSourceTrialSchema = z
  .strictObject({
    source_key: identityText.optional().meta({ description: 'Id or key of an event source that is there. It stands instead of key, name, source, mapping, defaults and metadata.' }),
    format: format.optional(),
    ...ownFields,
    body: z
      .string()
      .min(1)
      .refine((text) => new TextEncoder().encode(text).length <= sampleSizeMax, 'A sample has at most 1 MiB.')
      .meta({ description: 'The body of a request as the sender would write it: an object, an array or lines, of at most 100 entries and 1 MiB.' }),
  })
  .superRefine(
    (input: unknown, context) => {
      if (typeof input !== 'object' || input === null || Array.isArray(input)) return;
      const isGiven = (name: string): boolean => (input as Record<string, unknown>)[name] !== undefined;
      if (!isGiven('source_key') && !isGiven('format')) {
        context.addIssue({ code: 'custom', path: ['format'], message: 'Name a format, or an event source by source_key.', params: { code: 'missing_field' } });
      }
      for (const name of isGiven('source_key') ? Object.keys(ownFields).filter(isGiven) : []) {
        context.addIssue({ code: 'custom', path: [name], message: `The event source that source_key names has its own ${name}.` });
      }
    },
    { when: () => true }, // Also beside other faults: every one is named at once.
  );

const triedEventSchema = z.object({
  index: z.int().min(0).meta({ description: 'Position of the entry in the sample, from 0.' }),
  line: z.int().min(1).optional().meta({ description: 'Number of the line, where the sample has lines.' }),
  event: z
    .object({ id: z.string(), source: z.string(), type: z.string(), subject: z.string(), time: instantSchema, data: z.record(z.string(), z.unknown()) })
    .meta({ description: 'As POST /v1/events takes it.' }),
  time_given: z.boolean().meta({ description: 'Whether the entry says the time; else it is the receipt.' }),
  state: z.enum(['counted', 'not_counted', 'duplicate', 'conflict']).meta({ description: 'Among the events of the sample: a duplicate repeats an earlier one of its id, a conflict says something else under it. Neither counts.' }),
  meters: z
    .array(z.object({ meter: z.string().meta({ description: 'Its key.' }), value: z.string().meta({ description: 'What the event brings: a decimal, or for unique_count the text.' }), group: z.record(z.string(), z.string()) }))
    .meta({ description: 'Meters that would count the event.' }),
  reasons: z.array(eventReasonSchema).meta({ description: 'Why other meters of its type would not.' }),
});

export const eventSourceTrialAnswerSchema = z.object({
  object: z.literal('event_source_trial'),
  events: z.array(triedEventSchema),
  rejected: z.array(refusedEventSchema).meta({ description: 'Entries that would be refused.' }),
});

export type EventSourceTrialInput = z.infer<typeof eventSourceTrialSchema>;
export type EventSourceTrialBody = z.infer<typeof eventSourceTrialAnswerSchema>;
