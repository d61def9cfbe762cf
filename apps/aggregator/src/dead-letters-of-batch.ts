import { hash } from 'node:crypto';
import type { DeadLetterRecord } from '#contracts';
import type { Decision } from '#domain';
import { fromStoredData, payloadKey, type IndexedCopy } from '#persistence';
import type { IncomingCopy, PoisonRecord } from './decode-usage-batch.js';

export type JudgedIncoming = Decision<IncomingCopy, IndexedCopy>;

const payloadLengthMax = 65_536;

/**
 * The letter of a copy that contradicts the counted one. Its id follows from the place in the log, and its receipt is the
 * copy's, so a letter written twice is one. `countedData` has what counted events came with, by `payloadKey`: an amendment
 * changes what is counted, not what was said first.
 */
export function conflictLetter({ copy, counted }: JudgedIncoming, countedData: ReadonlyMap<string, string>): DeadLetterRecord {
  const data = counted === null ? undefined : 'data' in counted ? fromStoredData(counted.data) : countedData.get(payloadKey(counted));
  return {
    v: 1,
    id: letterId(copy.partition, copy.position),
    organization: copy.organizationId,
    kind: 'identity_conflict',
    code: 'identity_conflict',
    detail: 'An event with this source and id, but another type, subject, time or data, was counted before. This one was not.',
    errors: [],
    received_at: copy.receivedAt,
    payload: payloadOf(copy, fromStoredData(copy.data)),
    counted_payload: counted === null ? null : payloadOf(counted, data ?? 'null'),
    event_source: copy.source,
    event_id: copy.id,
  };
}

/** The letter of a record that could not be read or stored. The organization is what its key begins with, where the record names none. */
export function poisonLetter({ record, reason }: PoisonRecord, partition: number): DeadLetterRecord {
  return {
    v: 1,
    id: letterId(partition, record.position),
    organization: organizationOf(record.value) ?? record.key.split('/')[0] ?? '',
    kind: 'poison',
    code: 'poison',
    detail: `The record could not be handled: ${reason}`.slice(0, 1_000),
    errors: [],
    received_at: record.appendedAt.toString({ fractionalSecondDigits: 6 }),
    payload: record.value.slice(0, payloadLengthMax),
    counted_payload: null,
    event_source: null,
    event_id: null,
  };
}

/** The event as it could be posted, numbers in their own digits. */
function payloadOf(event: Pick<IndexedCopy, 'id' | 'source' | 'type' | 'subject' | 'time' | 'timeGiven'>, data: string): string {
  const { id, source, type, subject, time } = event;
  const head = JSON.stringify({ id, source, type, subject, ...(event.timeGiven ? { time } : {}) });
  return `${head.slice(0, -1)},"data":${data}}`.slice(0, payloadLengthMax);
}

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

function letterId(partition: number, position: bigint): string {
  const digest = hash('sha256', `usage-event/${partition}/${position}`, 'buffer');
  return `dl_${[...digest.subarray(0, 26)].map((byte) => alphabet.charAt(byte & 31)).join('')}`;
}

function organizationOf(text: string): string | null {
  try {
    const value = JSON.parse(text) as { organization?: unknown } | null;
    return typeof value?.organization === 'string' ? value.organization : null;
  } catch {
    return null;
  }
}
