import type { Meter } from '#domain';
import type { Attachment } from '../postgres/billing-api/customer-tables.js';

/** The first position of each partition of the log that does not count any more. Partitions that are not named had no records. */
export type LogCut = ReadonlyMap<number, bigint>;

/**
 * What usage is read by, so that it can be read again at any time: the events and corrections before a cut of the log, whose
 * subjects were whose, and how meters counted.
 */
export interface UsageBasis {
  /** Null reads what is there by now. */
  readonly cut: LogCut | null;
  /** All of the customers that are asked about. */
  readonly attachments: readonly Attachment[];
  /** Those that are asked about, at least. */
  readonly meters: readonly Meter[];
}
