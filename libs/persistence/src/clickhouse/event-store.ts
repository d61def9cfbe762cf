import { subjectBucket, type CorrectionKind, type Verdict } from '#domain';
import type { ClickHouse } from './clickhouse.js';
import { timeText, timeTextOf } from './sql-builder.js';

/** A copy of an event as it came out of the log, ready to be stored. */
export interface StoredCopy {
  readonly organizationId: string;
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  /** RFC 3339, UTC, six digits. */
  readonly time: string;
  readonly timeGiven: boolean;
  readonly receivedAt: string;
  readonly appendedAt: Temporal.Instant;
  readonly payloadHash: string;
  readonly partition: number;
  readonly position: bigint;
  /** Stored form of data. */
  readonly data: string;
  /** 64 bits of the identity's hash. */
  readonly identityHash: bigint;
}

/** A counted event, whatever became of it. */
export interface CountedEvent extends Omit<StoredCopy, 'identityHash'> {
  /** Stored form of the data that it came with; `data` is what it has now. */
  readonly originalData: string;
}

/** What corrections make of a counted event. */
export interface EventOverride {
  readonly event: CountedEvent;
  readonly kind: CorrectionKind;
  /** Of the correction that decides. */
  readonly position: bigint;
  /** Stored form of an amendment's data; null where the event has its own. */
  readonly amendedData: string | null;
}

export interface JudgedCopy {
  readonly copy: StoredCopy;
  readonly verdict: Verdict;
  /** How long its identity has to be recognised, in seconds from its receipt. */
  readonly keepSeconds: number;
}

const eventColumns = [
  'organization_id', 'event_type', 'bucket', 'subject', 'time', 'source', 'id', 'payload_hash', 'time_given', 'received_at', 'appended_at',
  'partition', 'position', 'data', 'original_data', 'version', 'is_deleted',
];
const copyColumns = [
  'organization_id', 'identity', 'partition', 'position', 'verdict', 'event_type', 'subject', 'source', 'id', 'time', 'time_given', 'received_at',
  'appended_at', 'payload_hash', 'data', 'keep_until',
];

/** An insert of more partitions than this makes too many small parts at once. */
const partitionsPerInsertMax = 50;

/**
 * Versions of a row: rank, then place in the log. Of equal copies the one that came first stays, so its version is the
 * greatest. Above all copies stand amendments, the last one highest; above those voids, the first one highest.
 */
const firstVersion = (1n << 62n) - 1n;
const amendmentRank = 1n << 62n;
const voidRank = 1n << 63n;

/** Writes what the log brought. Writing the same again changes nothing. */
export class EventStore {
  constructor(private readonly clickhouse: ClickHouse) {}

  /** The counted events, and what corrections make of these and earlier ones. */
  async insertEvents(copies: readonly StoredCopy[], overrides: readonly EventOverride[]): Promise<void> {
    await this.insert({ table: 'events', columns: eventColumns }, [
      ...copies.map((copy) => ({ partition: monthOf(copy), row: copyEventRow(copy) })),
      ...overrides.map((override) => ({ partition: monthOf(override.event), row: overrideRow(override) })),
    ]);
  }

  /** The verdict of each position; written after the events, so that an identity is known only once its event is there. */
  async insertCopies(judged: readonly JudgedCopy[]): Promise<void> {
    const keepUntil = keepUntilDay();
    await this.insert({ table: 'event_copies', columns: copyColumns }, judged.map((item) => ({ partition: item.copy.receivedAt.slice(0, 10), row: copyRow(item, keepUntil(item)) })));
  }

  private async insert(into: { table: string; columns: readonly string[] }, rows: readonly { partition: string; row: string }[]): Promise<void> {
    for (const chunk of chunksOfPartitions(rows)) await this.clickhouse.insert(into.table, into.columns, chunk);
  }
}

/** Rows in few inserts, each of at most `partitionsPerInsertMax` partitions. */
function chunksOfPartitions(rows: readonly { partition: string; row: string }[]): string[][] {
  const chunkOf = new Map<string, number>();
  const chunks: string[][] = [];
  for (const { partition, row } of rows) {
    const index = chunkOf.get(partition) ?? Math.floor(chunkOf.size / partitionsPerInsertMax);
    chunkOf.set(partition, index);
    (chunks[index] ??= []).push(row);
  }
  return chunks;
}

function monthOf(event: { readonly time: string }): string {
  return event.time.slice(0, 7);
}

function copyEventRow(copy: StoredCopy): string {
  return eventRow(copy, { data: copy.data, originalData: '', version: firstVersion - copy.position, isDeleted: false });
}

/** The key and the place in the log stay the event's own. A voided row keeps the data that it had. */
function overrideRow({ event, kind, position, amendedData }: EventOverride): string {
  return eventRow(event, {
    data: amendedData ?? event.originalData,
    originalData: amendedData === null ? '' : event.originalData,
    version: kind === 'void' ? voidRank + firstVersion - position : amendmentRank + position,
    isDeleted: kind === 'void',
  });
}

function eventRow(event: Omit<StoredCopy, 'identityHash' | 'data'>, state: { data: string; originalData: string; version: bigint; isDeleted: boolean }): string {
  const q = JSON.stringify;
  return (
    `[${q(event.organizationId)},${q(event.type)},${subjectBucket(event.subject)},${q(event.subject)},"${timeText(event.time)}",${q(event.source)},${q(event.id)},` +
    `${q(event.payloadHash)},${event.timeGiven},"${timeText(event.receivedAt)}","${timeTextOf(event.appendedAt)}",${event.partition},"${event.position}",${q(state.data)},` +
    `${q(state.originalData)},"${state.version}",${state.isDeleted ? 1 : 0}]`
  );
}

function copyRow({ copy, verdict }: JudgedCopy, keepUntil: string): string {
  const q = JSON.stringify;
  return (
    `[${q(copy.organizationId)},"${copy.identityHash}",${copy.partition},"${copy.position}","${verdict}",${q(copy.type)},${q(copy.subject)},${q(copy.source)},` +
    `${q(copy.id)},"${timeText(copy.time)}",${copy.timeGiven},"${timeText(copy.receivedAt)}","${timeTextOf(copy.appendedAt)}",${q(copy.payloadHash)},` +
    `${verdict === 'conflict' ? q(copy.data) : '""'},"${keepUntil}"]`
  );
}

/** The end of the day on which a copy's row may go; the same for all copies of a day and a window. */
function keepUntilDay(): (judged: JudgedCopy) => string {
  const known = new Map<string, string>();
  return ({ copy, keepSeconds }) => {
    const day = copy.receivedAt.slice(0, 10);
    const key = `${day} ${keepSeconds}`;
    const until = known.get(key) ?? timeTextOf(Temporal.Instant.from(`${day}T00:00:00Z`).add({ seconds: keepSeconds + daySeconds })).slice(0, 19);
    known.set(key, until);
    return until;
  };
}

const daySeconds = 86_400;
