/** Says after a batch whose usage changed, so that open periods are rated again. Keyed by organization. */
export interface UsageChangedRecord {
  readonly v: 1;
  readonly organization: string;
  readonly event_types: readonly string[];
  /** Null where there are more than `usageChangedSubjectsMax`: then every subject may have changed. */
  readonly subjects: readonly string[] | null;
  /** The earliest event time of the batch, RFC 3339. */
  readonly earliest: string;
}

export const usageChangedSubjectsMax = 1_000;

export function decodeUsageChangedRecord(text: string): UsageChangedRecord {
  const value = JSON.parse(text) as Partial<UsageChangedRecord> | null;
  if (value === null || typeof value !== 'object' || value.v !== 1 || typeof value.organization !== 'string') {
    throw new TypeError('The record is no usage change of version 1.');
  }
  return value as UsageChangedRecord;
}
