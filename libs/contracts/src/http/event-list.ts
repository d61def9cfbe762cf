import { z } from 'zod';
import { filtersOf } from './filtered-query.js';
import { queryInstantSchema } from './query-instant.js';

const text = z.string().min(1).max(1_024);

const eventStates = ['counted', 'duplicate', 'conflict', 'voided', 'not_counted'] as const;

/** `GET /v1/events`, beside what every list takes; `data[path]=text` may be added for each path, several times too. */
export const eventListFields = {
  type: text.optional(),
  subject: text.optional(),
  customer: text.optional().meta({ description: 'Id or key: events of its subjects, while they were its own.' }),
  source: text.optional(),
  id: text.optional(),
  state: z.enum(eventStates).optional().meta({ description: 'counted and not_counted need from and to, at most 31 days apart.' }),
  meter: text.optional().meta({ description: 'Id or key: events that this meter counts. Needs from and to, at most 31 days apart.' }),
  from: queryInstantSchema.optional(),
  to: queryInstantSchema.optional(),
};

/** What data is searched for: path, with or without the leading `$.`, to the texts that are let through. */
export function eventDataFilters(query: Readonly<Record<string, unknown>>): Record<string, readonly string[]> {
  return filtersOf(query, 'data');
}

export const eventReasonSchema = z.object({
  meter: z.string().nullable().meta({ description: 'The meter’s key; null where it is about the event as a whole.' }),
  code: z.enum(['value_missing', 'value_no_decimal', 'value_out_of_range', 'value_unknown', 'filtered_out', 'no_meter', 'no_customer']),
  detail: z.string(),
});

export const listedCorrectionSchema = z.object({
  kind: z.enum(['amendment', 'void']),
  data: z.record(z.string(), z.unknown()).nullable().meta({ description: 'What an amendment asked for; null for a void.' }),
  reason: z.string().nullable(),
  made_by: z.string().meta({ description: 'The credential that asked for it.' }),
  received_at: z.string(),
});

/** `GET /v1/events/corrections`, beside what every list takes. */
export const correctionListFields = {
  kind: listedCorrectionSchema.shape.kind.optional(),
  source: text.optional(),
  id: text.optional().meta({ description: 'The event’s.' }),
};

export const correctionListSchema = z.object({
  data: z.array(
    z.object({
      id: z.string().meta({ description: 'The correction’s place in the list.' }),
      object: z.literal('event_correction'),
      ...listedCorrectionSchema.shape,
      event_source: z.string(),
      event_id: z.string(),
      created_at: z.string(),
      metadata: z.record(z.string(), z.string()),
    }),
  ),
  has_more: z.boolean(),
});

export type CorrectionListBody = z.infer<typeof correctionListSchema>;

export const listedEventSchema = z.object({
  id: z.string(),
  object: z.literal('event'),
  source: z.string(),
  type: z.string(),
  subject: z.string(),
  customer: z.string().nullable().meta({ description: 'The id of the customer that the subject belonged to at the event’s time.' }),
  time: z.string(),
  received_at: z.string(),
  created_at: z.string(),
  data: z.record(z.string(), z.unknown()).meta({ description: 'As it counts now; of a voided event, as it counted last.' }),
  original_data: z.record(z.string(), z.unknown()).nullable().meta({ description: 'What the event came with, where an amendment changed it; else null.' }),
  corrections: z.array(listedCorrectionSchema).meta({ description: 'Of an amended or voided event: what was asked for its identity, in the order in which it took effect.' }),
  state: z.enum(eventStates),
  meters: z.array(z.string()).meta({ description: 'Keys of the meters that count the event.' }),
  reasons: z.array(eventReasonSchema).meta({ description: 'Why other meters do not count it, and what else is worth knowing.' }),
  cursor: z.string().meta({ description: 'The event’s place in the list, for starting_after and ending_before.' }),
  metadata: z.record(z.string(), z.string()),
});

export const eventListSchema = z.object({ data: z.array(listedEventSchema), has_more: z.boolean() });

export type EventListBody = z.infer<typeof eventListSchema>;

/** `GET /v1/events/live`. */
export const liveEventsQuerySchema = z.strictObject({
  type: eventListFields.type,
  subject: eventListFields.subject,
  customer: eventListFields.customer,
  source: eventListFields.source,
});

export type LiveEventsQuery = z.infer<typeof liveEventsQuerySchema>;
