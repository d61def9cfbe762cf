import { z } from 'zod';

/** What the ingest app reads from the environment. */
export const ingestConfigSchema = z.object({
  /** Bytes of request bodies held at once, from their first byte to their answer; above it requests get 503. */
  INGEST_BODY_BYTES_MAX: z.coerce.number().int().min(16 * 1_024 * 1_024, 'Give at least 16777216, room for one whole request.').default(64 * 1_024 * 1_024),
});

export type IngestConfig = z.infer<typeof ingestConfigSchema>;
