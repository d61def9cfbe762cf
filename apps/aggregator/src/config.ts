import { z } from 'zod';

/** What the aggregator takes from the environment: when a changed hour is recomputed. */
export const aggregatorConfigSchema = z
  .object({
    /** An hour is recomputed once no event has come for it for this long, … */
    ROLLUP_QUIET_MS: z.coerce.number().int().min(0).max(3_600_000).default(5_000),
    /** … or once its first event has waited this long. */
    ROLLUP_WAIT_MAX_MS: z.coerce.number().int().min(0).max(3_600_000).default(60_000),
    /** The folder of exported files; one for all aggregators. The process decides where it is not named. */
    EXPORT_DIR: z.string().min(1).optional(),
    EXPORT_RETENTION_DAYS: z.coerce.number().int().min(1).max(365).default(7),
  })
  .refine((config) => config.ROLLUP_QUIET_MS <= config.ROLLUP_WAIT_MAX_MS, { path: ['ROLLUP_WAIT_MAX_MS'], message: 'Give at least ROLLUP_QUIET_MS.' });

export type AggregatorConfig = z.output<typeof aggregatorConfigSchema>;
