/**
 * Stands in `tollway.dead-letters` behind the letter itself, under the same key: that somebody posted what it holds once
 * more, or put it aside. Version 2 of the topic's records.
 */
export interface DeadLetterStateRecord {
  readonly v: 2;
  readonly kind: 'state';
  /** The letter's. */
  readonly id: string;
  readonly organization: string;
  readonly received_at: string;
  readonly state: 'replayed' | 'discarded';
  /** RFC 3339, six digits, system time. */
  readonly changed_at: string;
  /** The credential of whoever did it. */
  readonly changed_by: string;
  readonly reason: string | null;
  /** The identity under which it was posted again. */
  readonly event_source: string | null;
  readonly event_id: string | null;
  /** What was corrected; values as JSON text, null where there is none. */
  readonly changes: readonly { readonly pointer: string; readonly from: string | null; readonly to: string | null }[];
}

export function encodeDeadLetterStateRecord(record: DeadLetterStateRecord): string {
  return JSON.stringify(record);
}
