import { z } from 'zod';
import { eventsAnswerSchema } from './event.js';
import { queryInstantSchema } from './query-instant.js';

const kinds = ['refused', 'identity_conflict', 'poison'] as const;
const states = ['open', 'replayed', 'discarded'] as const;
const readable = (lengthMax: number) =>
  z.string().min(1).max(lengthMax).refine((text) => text.isWellFormed() && !text.includes('\0'), 'A text holds neither U+0000 nor half of a surrogate pair.');
const idText = readable(256);

const rangeFields = {
  from: queryInstantSchema.optional().meta({ description: 'Receipt, inclusive.' }),
  to: queryInstantSchema.optional().meta({ description: 'Receipt, exclusive.' }),
};

/** `GET /v1/dead-letters`, beside what every list takes. */
export const deadLetterListFields = {
  kind: z.enum(kinds).optional(),
  code: readable(100).optional(),
  source: idText.optional().meta({ description: 'The source of the event.' }),
  state: z.enum(states).optional(),
  event_id: idText.optional().meta({ description: 'Only letters whose event’s id contains this text.' }),
  ...rangeFields,
};

/** A value of an event that was corrected before it was posted again. */
const changeSchema = z.object({
  pointer: z.string().meta({ description: 'RFC 6901, into what was sent.' }),
  from: z.unknown().optional().meta({ description: 'Left out where there was nothing.' }),
  to: z.unknown().optional().meta({ description: 'Left out where there is nothing any more.' }),
});

const replayedAsSchema = z.object({ source: z.string(), id: z.string() });

export const deadLetterSchema = z.object({
  id: z.string(),
  object: z.literal('dead_letter'),
  kind: z.enum(kinds),
  code: z.string(),
  detail: z.string(),
  errors: z.array(z.object({ pointer: z.string(), code: z.string(), detail: z.string() })),
  event_source: z.string().nullable(),
  event_id: z.string().nullable(),
  payload: z.string().meta({ description: 'What was sent, as text.' }),
  counted_payload: z.string().nullable().meta({ description: 'Of a conflict: the event that counts, as JSON text.' }),
  state: z.enum(states).meta({ description: 'Open until it was posted again with success, or put aside.' }),
  state_changed_at: z.string().nullable(),
  state_changed_by: z.string().nullable().meta({ description: 'The credential of whoever did it.' }),
  discard_reason: z.string().nullable(),
  replayed_as: replayedAsSchema.nullable().meta({ description: 'The identity under which it was posted again: the one to ask GET /v1/events for.' }),
  changes: z.array(changeSchema).meta({ description: 'What was corrected when it was posted again.' }),
  received_at: z.string(),
  created_at: z.string(),
  metadata: z.record(z.string(), z.string()),
});

export const deadLetterListSchema = z.object({ data: z.array(deadLetterSchema), has_more: z.boolean() });

export const deadLetterSummaryQuerySchema = z.strictObject(rangeFields);

export const deadLetterSummarySchema = z.object({
  data: z.array(
    z.object({
      kind: z.enum(kinds),
      code: z.string(),
      open: z.int(),
      replayed: z.int(),
      discarded: z.int(),
      oldest_open_at: z.string().nullable(),
      newest_open_at: z.string().nullable(),
    }),
  ),
  open: z.int().meta({ description: 'All that are open.' }),
});

/** `POST /v1/dead-letters/{id}/replay`; no body posts what was sent as it was. */
export const deadLetterReplaySchema = z.strictObject({
  event: z.record(z.string(), z.unknown()).meta({ description: 'The event as it should have been, whole, as POST /v1/events takes it. A conflict needs an id of its own.' }),
});

export const deadLetterReplayedSchema = eventsAnswerSchema.extend({
  replayed_as: replayedAsSchema.nullable(),
  changes: z.array(changeSchema),
});

const reason = readable(500).optional();

export const deadLetterDiscardSchema = z.strictObject({ reason });

export const deadLetterDiscardedSchema = z.object({ id: z.string(), state: z.literal('discarded') });

const lettersMax = 1_000;
const lettersDefault = 100;

/** Which open letters a call is about; the oldest first. */
const bulkFields = {
  code: deadLetterListFields.code,
  source: deadLetterListFields.source,
  ...rangeFields,
  limit: z.int().min(1).max(lettersMax).optional().meta({ default: lettersDefault }),
  starting_after: readable(200).optional().meta({ description: 'The `last` of the call before, to go on behind it.' }),
};

export const deadLettersReplaySchema = z.strictObject({
  kind: z.enum(['refused', 'poison']).optional().meta({ description: 'A conflict stays one however often it is posted; correct it by itself.' }),
  ...bulkFields,
});

export const deadLettersDiscardSchema = z.strictObject({ kind: z.enum(kinds).optional(), ...bulkFields, reason });

const pageFields = {
  has_more: z.boolean().meta({ description: 'Whether there are further letters behind `last`.' }),
  last: z.string().nullable().meta({ description: 'The last letter that was looked at.' }),
};

export const deadLettersReplayedSchema = z.object({
  replayed: z.int(),
  refused: z.array(z.object({ dead_letter: z.string(), code: z.string(), detail: z.string() })).meta({ description: 'Those that stay open, and why.' }),
  ...pageFields,
});

export const deadLettersDiscardedSchema = z.object({ discarded: z.int(), ...pageFields });

/** The limit of a call that names none. */
export const deadLettersPerCall = lettersDefault;

export type DeadLetterBody = z.infer<typeof deadLetterSchema>;
export type DeadLetterListBody = z.infer<typeof deadLetterListSchema>;
export type DeadLetterSummaryBody = z.infer<typeof deadLetterSummarySchema>;
export type DeadLetterReplayedBody = z.infer<typeof deadLetterReplayedSchema>;
export type DeadLettersReplay = z.infer<typeof deadLettersReplaySchema>;
export type DeadLettersReplayedBody = z.infer<typeof deadLettersReplayedSchema>;
export type DeadLettersDiscard = z.infer<typeof deadLettersDiscardSchema>;
export type DeadLettersDiscardedBody = z.infer<typeof deadLettersDiscardedSchema>;
