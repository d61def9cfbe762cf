import { decodeUsageRecord, RecordVersionUnknown, usageEventKey, type UsageCorrectionRecord, type UsageEventRecord } from '#contracts';
import { secondsOfText, type Copy } from '#domain';
import { identityHashOf, identityHashOfKey, toStoredData, type StoredCopy, type StoredCorrection } from '#persistence';
import type { LogBatch, LogRecord } from '#platform';

/** A copy of an event as its record says, with what identity, bucket and hour follow from it. */
export type IncomingCopy = StoredCopy & Copy;

/** What a record says should become of its event. */
export interface IncomingCorrection extends StoredCorrection {
  readonly identity: string;
}

export interface PoisonRecord {
  readonly record: LogRecord;
  readonly reason: string;
}

export interface DecodedBatch {
  readonly copies: readonly IncomingCopy[];
  readonly corrections: readonly IncomingCorrection[];
  readonly poison: readonly PoisonRecord[];
}

/** Seconds since 1970 that the store can hold, far wider than what ingest takes. */
const secondsMax = 4_260_000_000;

/** Reads a batch's records. One that can not be read harms no other; a version of the future stops the whole batch. */
export function decodeUsageBatch(batch: LogBatch): DecodedBatch {
  const copies: IncomingCopy[] = [];
  const corrections: IncomingCorrection[] = [];
  const poison: PoisonRecord[] = [];
  const once = { organization: oneOfEqual(), source: oneOfEqual(), type: oneOfEqual(), instant: oneOfEqual(checkedInstant) };
  for (const record of batch.records) {
    try {
      const said = decodeUsageRecord(record.value);
      const at = { record, partition: batch.partition };
      if (said.kind === 'event') copies.push(toCopy(said, at, once));
      else corrections.push(toCorrection(said, at));
    } catch (error) {
      if (error instanceof RecordVersionUnknown) throw error;
      poison.push({ record, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return { copies, corrections, poison };
}

interface RecordPlace {
  readonly record: LogRecord;
  readonly partition: number;
}

/** What neighbours have in common is kept once: a batch is thousands of copies, and each text would live as long as the batch. */
interface Once {
  readonly organization: (text: string) => string;
  readonly source: (text: string) => string;
  readonly type: (text: string) => string;
  readonly instant: (text: string) => string;
}

function toCopy(event: UsageEventRecord, at: RecordPlace, once: Once): IncomingCopy {
  const key = usageEventKey(event);
  const identity = key === at.record.key ? at.record.key : key; // Nearly always; the record has it already.
  return {
    identity,
    identityHash: identityHashOfKey(identity),
    organizationId: once.organization(event.organization),
    source: once.source(event.source),
    id: event.id,
    type: once.type(event.type),
    subject: event.subject,
    time: checkedInstant(event.time),
    timeGiven: event.time_given,
    receivedAt: once.instant(event.received_at),
    appendedAt: at.record.appendedAt,
    payloadHash: event.payload_hash,
    partition: at.partition,
    position: at.record.position,
    data: toStoredData(event.data),
  };
}

function toCorrection(correction: UsageCorrectionRecord, at: RecordPlace): IncomingCorrection {
  return {
    identity: usageEventKey(correction),
    identityHash: identityHashOf(correction),
    organizationId: correction.organization,
    source: correction.source,
    id: correction.id,
    kind: correction.kind,
    data: correction.data === null ? null : toStoredData(correction.data),
    reason: correction.reason,
    madeBy: correction.made_by,
    receivedAt: checkedInstant(correction.received_at),
    sealedBefore: correction.sealed_before === null ? null : checkedInstant(correction.sealed_before),
    appendedAt: at.record.appendedAt,
    partition: at.partition,
    position: at.record.position,
  };
}

function checkedInstant(text: string): string {
  const seconds = secondsOfText(text);
  if (seconds === null || seconds < 0 || seconds > secondsMax) throw new RangeError('An instant of the record is not as records have it.');
  return text;
}

/** The last text in place of one that is equal to it, checked once: events of one request have one receipt. */
function oneOfEqual(check: (text: string) => string = (text) => text): (text: string) => string {
  let last: string | null = null;
  return (text) => (text === last ? last : (last = check(text)));
}
