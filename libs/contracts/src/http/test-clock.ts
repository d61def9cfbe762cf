import { z } from 'zod';
import { instantInputSchema, instantSchema } from './resource.js';

/** `POST /v1/test-clock`. */
export const testClockSetSchema = z.strictObject({ now: instantInputSchema });

/** `POST /v1/test-clock/advance`. */
export const testClockAdvanceSchema = z.strictObject({ to: instantInputSchema });

export const testClockSchema = z.object({
  object: z.literal('test_clock'),
  now: instantSchema.meta({ description: 'Business time; system time until the clock is set or advanced.' }),
  status: z.enum(['ready', 'advancing']),
  target: instantSchema.nullable().meta({ description: 'Where it advances to.' }),
});

export const testClockAdvancedSchema = z.object({
  object: z.literal('test_clock'),
  now: instantSchema,
  status: z.literal('ready'),
  ran: z.int().meta({ description: 'How much that was due was done.' }),
});

export type TestClockBody = z.infer<typeof testClockSchema>;
export type TestClockAdvancedBody = z.infer<typeof testClockAdvancedSchema>;
