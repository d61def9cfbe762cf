import { z } from 'zod';
import { countingFields, namingFields } from './meter.js';
import { queryInstantSchema } from './query-instant.js';

/** `POST /v1/meters/try`: the body that would make the meter, of which only what decides the quantity is looked at, and a range. */
export const meterTrialSchema = z.strictObject({
  ...countingFields,
  ...namingFields.partial().shape,
  from: queryInstantSchema.optional().meta({ description: 'Seven days before "to", unless it is given.' }),
  to: queryInstantSchema.optional().meta({ description: 'Right behind the newest event of the type, unless it is given. A trial covers 31 days at most.' }),
});

export type MeterTrialInput = z.infer<typeof meterTrialSchema>;

export const meterTrialAnswerSchema = z.object({
  object: z.literal('meter_trial'),
  from: z.string(),
  to: z.string(),
  events: z.object({
    seen: z.int().meta({ description: 'Events of the type in the range.' }),
    passed: z.int().meta({ description: 'How many of them pass the filter.' }),
    counted: z.int().meta({ description: 'How many of those bring a value.' }),
  }),
  value: z.string().nullable().meta({ description: 'What the meter would answer for the whole range; null where it has no value of nothing.' }),
  groups: z.array(z.object({ group: z.record(z.string(), z.string()), value: z.string() })).meta({ description: 'The 100 groups of the greatest value.' }),
  groups_total: z.int(),
  samples: z
    .array(
      z.object({
        source: z.string(),
        id: z.string(),
        subject: z.string(),
        time: z.string(),
        counted: z.boolean(),
        value: z.string().nullable().meta({ description: 'What the event brings; null where it is not counted.' }),
        group: z.record(z.string(), z.string()),
        reason: z.object({ code: z.string(), detail: z.string() }).nullable().meta({ description: 'Why it is not counted.' }),
      }),
    )
    .meta({ description: 'The newest 50 events of the range.' }),
  fresh_as_of: z.string().meta({ description: 'Every event acknowledged before this instant is in the answer.' }),
});

export type MeterTrialBody = z.infer<typeof meterTrialAnswerSchema>;
