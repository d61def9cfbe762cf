import { z } from 'zod';

/** `GET /v1/dead-letters`, beside what every list takes. */
export const deadLetterListFields = {
  kind: z.enum(['refused', 'identity_conflict', 'poison']).optional(),
  code: z.string().min(1).max(100).optional(),
};

export const deadLetterSchema = z.object({
  id: z.string(),
  object: z.literal('dead_letter'),
  kind: z.enum(['refused', 'identity_conflict', 'poison']),
  code: z.string(),
  detail: z.string(),
  errors: z.array(z.object({ pointer: z.string(), code: z.string(), detail: z.string() })),
  event_source: z.string().nullable(),
  event_id: z.string().nullable(),
  payload: z.string().meta({ description: 'What was sent, as text.' }),
  counted_payload: z.string().nullable().meta({ description: 'Of a conflict: the event that counts, as JSON text.' }),
  received_at: z.string(),
  created_at: z.string(),
  metadata: z.record(z.string(), z.string()),
});

export const deadLetterListSchema = z.object({ data: z.array(deadLetterSchema), has_more: z.boolean() });

export type DeadLetterBody = z.infer<typeof deadLetterSchema>;
export type DeadLetterListBody = z.infer<typeof deadLetterListSchema>;
