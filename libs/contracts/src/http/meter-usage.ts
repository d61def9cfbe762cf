import { z } from 'zod';
import { aggregations } from '#domain';

/** An instant with at most nine digits after the second, which is what is understood further in. */
const instant = z.iso.datetime({ offset: true, error: 'Give an instant as RFC 3339 writes it, such as 2026-11-01T00:00:00Z.' }).max(40, 'Give at most nine digits after the second.');
const reference = z.string().min(1).max(256);
const filterKey = /^filter\[([^\]]+)\]$/;

const usageFields = {
  from: instant,
  to: instant,
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
  .check((context) => {
    for (const key of Object.keys(context.value)) {
      if (key in usageFields || filterKey.test(key)) continue;
      context.issues.push({ code: 'custom', path: [key], message: 'This parameter is not known here.', input: key });
    }
  });

export type MeterUsageQuery = z.infer<typeof meterUsageQuerySchema>;

/** The filters of a query, dimension to text. */
export function usageFilters(query: MeterUsageQuery): Record<string, string> {
  const filters: Record<string, string> = {};
  for (const [key, value] of Object.entries(query)) {
    const dimension = filterKey.exec(key)?.[1];
    if (dimension !== undefined && typeof value === 'string') filters[dimension] = value;
  }
  return filters;
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
export const customerUsageQuerySchema = z.strictObject({ from: instant, to: instant });

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
