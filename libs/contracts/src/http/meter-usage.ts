import { z } from 'zod';
import { aggregations } from '#domain';
import { queryInstantSchema } from './query-instant.js';

const reference = z.string().min(1).max(256);
const filterKey = /^filter\[([^\]]+)\]$/;

const usageFields = {
  from: queryInstantSchema,
  to: queryInstantSchema,
  customer: reference.optional().meta({ description: 'Id or key: only the usage of this customer’s subjects, while they were its own.' }),
  subject: reference.optional(),
  window: z.enum(['minute', 'hour', 'day', 'month']).optional().meta({ description: 'Without it there is one row for each group.' }),
  time_zone: z.string().min(1).max(100).optional().meta({ description: 'The zone that windows are aligned to; UTC by default.' }),
  group_by: z.string().min(1).max(1_000).optional().meta({ description: 'Dimensions of the meter, customer and subject, separated by commas.' }),
  fill: z.literal('zero').optional().meta({ description: 'Adds rows of zero for windows without usage, for counts and sums.' }),
};

/** `GET /v1/meters/{key}/usage`; `filter[dimension]=text` may be added for each dimension. */
export const meterUsageQuerySchema = z
  .object(usageFields)
  .catchall(z.string().max(65_536))
  .superRefine(
    (query, context) => {
      const keys = Object.keys(query).filter((key) => !Object.hasOwn(usageFields, key) && !filterKey.test(key));
      if (keys.length > 0) context.addIssue({ code: 'unrecognized_keys', keys, input: query });
    },
    { when: () => true }, // Also beside other faults: every one is named at once.
  );

export type MeterUsageQuery = z.infer<typeof meterUsageQuerySchema>;

/** The filters of a query, dimension to text. */
export function usageFilters(query: MeterUsageQuery): Record<string, string> {
  return Object.fromEntries(Object.entries(query).flatMap(([key, value]) => {
    const dimension = filterKey.exec(key)?.[1];
    return dimension !== undefined && typeof value === 'string' ? [[dimension, value]] : [];
  }));
}

export const meterUsageRowSchema = z.object({
  window_start: z.string(),
  window_end: z.string(),
  customer: z.string().nullable().optional().meta({ description: 'The customer’s id; null where the subject belonged to none. Only where it was grouped or filtered by.' }),
  subject: z.string().optional(),
  group: z.record(z.string(), z.string()),
  value: z.string(),
});

export const meterUsageSchema = z.object({
  data: z.array(meterUsageRowSchema),
  from: z.string(),
  to: z.string(),
  fresh_as_of: z.string().meta({ description: 'Every event acknowledged before this instant is in the answer.' }),
});

export type MeterUsageBody = z.infer<typeof meterUsageSchema>;

/** `GET /v1/customers/{id}/usage`. */
export const customerUsageQuerySchema = z.strictObject({ from: queryInstantSchema, to: queryInstantSchema });

export type CustomerUsageQuery = z.infer<typeof customerUsageQuerySchema>;

export const customerUsageSchema = z.object({
  data: z.array(
    z.object({
      meter: z.string().meta({ description: 'The meter’s id.' }),
      meter_key: z.string(),
      name: z.string(),
      aggregation: z.enum(aggregations),
      unit: z.string().nullable(),
      value: z.string().nullable().meta({ description: 'Null where the least, greatest, average or latest of nothing was asked for.' }),
    }),
  ),
  customer: z.string(),
  from: z.string(),
  to: z.string(),
  fresh_as_of: z.string(),
});

export type CustomerUsageBody = z.infer<typeof customerUsageSchema>;
