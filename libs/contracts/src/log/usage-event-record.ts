/**
 * A copy of an event in `tollway.usage-events`. Its key is `usageEventKey`, so that all copies of an event meet in one partition.
 * `data` is JSON text in canonical form: keys sorted bytewise, numbers in shortest plain decimals of the sender's own digits.
 */
export interface UsageEventRecord {
  readonly v: 1;
  readonly kind: 'event';
  readonly organization: string;
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  /** RFC 3339, UTC, exactly six digits after the second. */
  readonly time: string;
  /** Whether the sender gave the time; without it, `time` is the receipt in business time. */
  readonly time_given: boolean;
  /** Receipt in system time, RFC 3339, six digits. */
  readonly received_at: string;
  readonly data: string;
  /** SHA-256 in hex over what makes a copy equal: type, subject, the client's time (if given) and data. */
  readonly payload_hash: string;
}

/** Equal for all copies of one event: identity is (organization, source, id) alone. The length of the source keeps the parts apart. */
export function usageEventKey(identity: { organization: string; source: string; id: string }): string {
  return `${identity.organization}/${identity.source.length}/${identity.source}/${identity.id}`;
}

export function encodeUsageEventRecord(record: UsageEventRecord): string {
  return JSON.stringify(record);
}

/** Throws TypeError for what is no such record of version 1. */
export function checkUsageEventRecord(value: Partial<UsageEventRecord>): UsageEventRecord {
  for (const field of textFields) {
    if (typeof value[field] !== 'string') throw new TypeError(`The record's ${field} is no text.`);
  }
  if (value.kind !== 'event' || typeof value.time_given !== 'boolean') throw new TypeError('The record is no usage event.');
  return value as UsageEventRecord;
}

const textFields = ['organization', 'source', 'id', 'type', 'subject', 'time', 'received_at', 'data', 'payload_hash'] as const;
