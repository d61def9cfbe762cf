import { z } from 'zod';
import { aggregations } from '#domain';
import { filteredQuerySchema, filtersOf, oneOrMore } from './filtered-query.js';
import { queryInstantSchema } from './query-instant.js';

const reference = z.string().min(1).max(256);

const groupsMax = 1_000;
const groupsSentence = `Give a whole number from 1 to ${groupsMax}.`;

const usageFields = {
  from: queryInstantSchema,
  to: queryInstantSchema,
  customer: oneOrMore(reference).optional().meta({ description: 'Id or key: only the usage of this customer’s subjects, while they were its own. May be given several times.' }),
  subject: oneOrMore(reference).optional().meta({ description: 'May be given several times.' }),
  window: z.enum(['minute', 'hour', 'day', 'month']).optional().meta({ description: 'Without it there is one row for each group.' }),
  time_zone: z.string().min(1).max(100).optional().meta({ description: 'The zone that windows are aligned to; UTC by default.' }),
  group_by: z.string().min(1).max(1_000).optional().meta({ description: 'Dimensions of the meter, customer and subject, separated by commas.' }),
  order: z.enum(['window', 'value', '-value']).optional().meta({
    description: 'Rows are sorted by window. Within each, groups stand by their names (window), or by their value over the whole of [from, to): the least (value) or the greatest (-value) first, equal ones by their names. '
      + 'So a group has the same place in every window.',
  }),
  limit: z.string().regex(/^\d{1,4}$/, groupsSentence).refine((text) => Number(text) >= 1 && Number(text) <= groupsMax, groupsSentence).optional().meta({
    description: 'Shows the first groups in that order (-value, unless another is asked for), the same ones in every window. For counts, sums and time-weighted sums the rest is one row more in each window, marked other, so that the rows still add up. Needs group_by.',
  }),
  fill: z.literal('zero').optional().meta({ description: 'Adds rows of zero for windows without usage, for counts, numbers of different values, sums and time-weighted sums.' }),
};

/** `GET /v1/meters/{key}/usage`; `filter[dimension]=text` may be added for each dimension, several times too. */
export const meterUsageQuerySchema = filteredQuerySchema(usageFields, 'filter');

export type MeterUsageQuery = z.infer<typeof meterUsageQuerySchema>;

/** The filters of a query, dimension to the texts that are let through. */
export function usageFilters(query: MeterUsageQuery): Record<string, readonly string[]> {
  return filtersOf(query, 'filter');
}

export const meterUsageRowSchema = z.object({
  window_start: z.string(),
  window_end: z.string(),
  customer: z.string().nullable().optional().meta({ description: 'The customer’s id; null where the subject belonged to none. Only where it was grouped or filtered by.' }),
  subject: z.string().optional(),
  group: z.record(z.string(), z.string()),
  other: z.literal(true).optional().meta({ description: 'Marks the row of all groups that the limit leaves out; its group is empty.' }),
  value: z.string(),
});

export const meterUsageSchema = z.object({
  data: z.array(meterUsageRowSchema),
  from: z.string(),
  to: z.string(),
  groups_total: z.int().optional().meta({ description: 'With a limit: how many groups there are, shown or not.' }),
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
      value: z.string().nullable().meta({ description: 'Null where the least, greatest, average, latest or a percentile of nothing was asked for.' }),
    }),
  ),
  customer: z.string(),
  from: z.string(),
  to: z.string(),
  fresh_as_of: z.string(),
});

export type CustomerUsageBody = z.infer<typeof customerUsageSchema>;
