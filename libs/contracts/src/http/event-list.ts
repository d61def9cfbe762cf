import { z } from 'zod';
import { queryInstantSchema } from './query-instant.js';

const text = z.string().min(1).max(1_024);

/** `GET /v1/events`, beside what every list takes. */
export const eventListFields = {
  type: text.optional(),
  subject: text.optional(),
  customer: text.optional().meta({ description: 'Id or key: events of its subjects, while they were its own.' }),
  source: text.optional(),
  id: text.optional(),
  from: queryInstantSchema.optional(),
  to: queryInstantSchema.optional(),
};

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
  state: z.enum(['counted', 'duplicate', 'conflict', 'voided', 'not_counted']),
  meters: z.array(z.string()).meta({ description: 'Keys of the meters that count the event.' }),
  reasons: z.array(eventReasonSchema).meta({ description: 'Why other meters do not count it, and what else is worth knowing.' }),
  cursor: z.string().meta({ description: 'The event’s place in the list, for starting_after and ending_before.' }),
  metadata: z.record(z.string(), z.string()),
});

export const eventListSchema = z.object({ data: z.array(listedEventSchema), has_more: z.boolean() });

export type EventListBody = z.infer<typeof eventListSchema>;
