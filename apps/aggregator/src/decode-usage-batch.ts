import { hash } from 'node:crypto';
import { decodeUsageEventRecord, RecordVersionUnknown, usageEventKey, type UsageEventRecord } from '#contracts';
import { scanInstant, type Copy } from '#domain';
import { toStoredData, type StoredCopy } from '#persistence';
import type { LogBatch, LogRecord } from '#platform';

/** A copy of an event as its record says, with what identity, bucket and hour follow from it. */
export type IncomingCopy = StoredCopy & Copy;

export interface PoisonRecord {
  readonly record: LogRecord;
  readonly reason: string;
}

export interface DecodedBatch {
  readonly copies: readonly IncomingCopy[];
  readonly poison: readonly PoisonRecord[];
}

/** Seconds since 1970 that the store can hold, far wider than what ingest takes. */
const secondsMax = 4_260_000_000;

/** Reads a batch's records. One that is no usage event harms no other; a version of the future stops the whole batch. */
export function decodeUsageBatch(batch: LogBatch): DecodedBatch {
  const copies: IncomingCopy[] = [];
  const poison: PoisonRecord[] = [];
  for (const record of batch.records) {
    try {
      copies.push(toCopy(decodeUsageEventRecord(record.value), { record, partition: batch.partition }));
    } catch (error) {
      if (error instanceof RecordVersionUnknown) throw error;
      poison.push({ record, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return { copies, poison };
}

function toCopy(event: UsageEventRecord, at: { record: LogRecord; partition: number }): IncomingCopy {
  const identity = usageEventKey(event);
  return {
    identity,
    identityHash: hash('sha256', identity, 'buffer').readBigUInt64BE(),
    organizationId: event.organization,
    source: event.source,
    id: event.id,
    type: event.type,
    subject: event.subject,
    time: checkedInstant(event.time),
    timeGiven: event.time_given,
    receivedAt: checkedInstant(event.received_at),
    appendedAt: at.record.appendedAt,
    payloadHash: event.payload_hash,
    partition: at.partition,
    position: at.record.position,
    data: toStoredData(event.data),
  };
}

function checkedInstant(text: string): string {
  const instant = scanInstant(text);
  if (instant === null || instant.text !== text || instant.seconds < 0 || instant.seconds > secondsMax) throw new RangeError('An instant of the record is not as records have it.');
  return text;
}
