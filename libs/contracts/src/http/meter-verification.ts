import { z } from 'zod';
import { queryInstantSchema } from './query-instant.js';

/** `GET /v1/meters/{key}/verify`. */
export const meterVerificationQuerySchema = z.strictObject({
  from: queryInstantSchema.meta({ description: 'The hours that [from, to) touches are compared whole, at most 92 days.' }),
  to: queryInstantSchema,
});

export type MeterVerificationQuery = z.infer<typeof meterVerificationQuerySchema>;

const value = z.string().nullable();

export const rollupDifferenceSchema = z.object({
  window_start: z.string(),
  window_end: z.string(),
  subject: z.string(),
  group: z.record(z.string(), z.string()),
  raw_value: value.meta({ description: 'The hour’s value as its events say it; null without events.' }),
  rollup_value: value.meta({ description: 'The hour’s value as it is stored; null without events.' }),
  raw_events: z.string(),
  rollup_events: z.string(),
});

export const meterVerificationSchema = z.object({
  object: z.literal('meter_verification'),
  meter: z.string().meta({ description: 'The meter’s id.' }),
  from: z.string(),
  to: z.string(),
  equal: z.boolean().meta({ description: 'Whether nothing of what was compared differs.' }),
  rolled_up: z.boolean().meta({ description: 'False while a new meter’s past is being built: until then its usage is read from raw events, and there is nothing to compare.' }),
  compared: z.object({
    groups: z.string().meta({ description: 'Hours of a subject and group that have events, stored or in fact.' }),
    events: z.string().meta({ description: 'Events that the meter counts in them.' }),
    waiting: z.int().meta({ description: 'Hours of a 64th of all subjects that wait to be computed again. They are not compared: until then usage reads their raw events.' }),
  }),
  differences: z.array(rollupDifferenceSchema).meta({ description: 'By window, subject and group; at most 100.' }),
  has_more: z.boolean(),
  fresh_as_of: z.string().meta({ description: 'Every event acknowledged before this instant is among those compared.' }),
});

export type MeterVerificationBody = z.infer<typeof meterVerificationSchema>;
