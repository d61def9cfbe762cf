/**
 * Corrects an event, in `tollway.usage-events` under the event's own key, so that the two meet in one partition, in order.
 * Kinds that a build of version 1 does not know have version 2: it stops at them, since skipping one would count wrong.
 */
export interface UsageCorrectionRecord {
  readonly v: 2;
  readonly kind: 'amendment' | 'void';
  readonly organization: string;
  readonly source: string;
  readonly id: string;
  /** The data that the event is to have, as `UsageEventRecord.data`; null for a void. */
  readonly data: string | null;
  readonly reason: string | null;
  /** The credential that asked for it. */
  readonly made_by: string;
  /** Receipt in system time, RFC 3339, six digits. */
  readonly received_at: string;
  /** Event time, in the form of `received_at`, before which hours are sealed; null where raw events are kept for ever. */
  readonly sealed_before: string | null;
}

export function encodeUsageCorrectionRecord(record: UsageCorrectionRecord): string {
  return JSON.stringify(record);
}

/** Throws TypeError for what is no such record of version 2. */
export function checkUsageCorrectionRecord(value: Partial<UsageCorrectionRecord>): UsageCorrectionRecord {
  for (const field of textFields) {
    if (typeof value[field] !== 'string') throw new TypeError(`The record's ${field} is no text.`);
  }
  for (const field of ['reason', 'sealed_before'] as const) {
    if (value[field] !== null && typeof value[field] !== 'string') throw new TypeError(`The record's ${field} is neither text nor null.`);
  }
  if (value.kind === 'amendment' ? typeof value.data !== 'string' : value.kind !== 'void' || value.data !== null) throw new TypeError('The record is no correction of an event.');
  return value as UsageCorrectionRecord;
}

const textFields = ['organization', 'source', 'id', 'made_by', 'received_at'] as const;
