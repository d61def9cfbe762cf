import type { DeadLetterStateRecord } from './dead-letter-state-record.js';
import type { RefusedEventFault } from './refused-event-fault.js';

/**
 * What stands in `tollway.dead-letters`: an event that was refused at ingest (`refused`), a copy whose payload differs
 * from the counted one (`identity_conflict`), or a log record that could not be handled (`poison`).
 */
export interface DeadLetterRecord {
  readonly v: 1;
  /** `dl_…` */
  readonly id: string;
  readonly organization: string;
  readonly kind: 'refused' | 'identity_conflict' | 'poison';
  readonly code: string;
  readonly detail: string;
  readonly errors: readonly RefusedEventFault[];
  /** RFC 3339, six digits, system time. */
  readonly received_at: string;
  /** What was sent, as JSON text where it was JSON; cut at 64 KiB. */
  readonly payload: string;
  /** Of a conflict: the counted event as JSON text. */
  readonly counted_payload: string | null;
  readonly event_source: string | null;
  readonly event_id: string | null;
}

export function encodeDeadLetterRecord(record: DeadLetterRecord): string {
  return JSON.stringify(record);
}

/** A letter, or what became of one. Throws where the text is neither. */
export function decodeDeadLetterRecord(text: string): DeadLetterRecord | DeadLetterStateRecord {
  const value = JSON.parse(text) as Partial<DeadLetterRecord | DeadLetterStateRecord> | null;
  if (value === null || typeof value !== 'object' || (value.v !== 1 && value.v !== 2)) throw new TypeError('The record is no dead letter of a known version.');
  if (typeof value.id !== 'string' || typeof value.organization !== 'string') throw new TypeError('The dead letter names no organization.');
  return value as DeadLetterRecord | DeadLetterStateRecord;
}
