import { subjectBucket, type Verdict } from '#domain';
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

export interface JudgedCopy {
  readonly copy: StoredCopy;
  readonly verdict: Verdict;
  /** How long its identity has to be recognised, in seconds from its receipt. */
  readonly keepSeconds: number;
}

const eventColumns = [
  'organization_id', 'event_type', 'bucket', 'subject', 'time', 'source', 'id', 'payload_hash', 'time_given', 'received_at', 'appended_at',
  'partition', 'position', 'data', 'version', 'is_deleted',
];
const copyColumns = [
  'organization_id', 'identity', 'partition', 'position', 'verdict', 'event_type', 'subject', 'source', 'id', 'time', 'time_given', 'received_at',
  'appended_at', 'payload_hash', 'data', 'keep_until',
];

/** An insert of more partitions than this makes too many small parts at once. */
const partitionsPerInsertMax = 50;

/**
 * Versions of a row: of equal copies the one that came first in the log stays, so its version is the greatest. The
 * two highest bits are left for what overrides an event: amendments and voids.
 */
const firstVersion = (1n << 62n) - 1n;

/** Writes what the log brought. Writing the same again changes nothing. */
export class EventStore {
  constructor(private readonly clickhouse: ClickHouse) {}

  /** The counted events. */
  async insertEvents(copies: readonly StoredCopy[]): Promise<void> {
    await this.insert({ table: 'events', columns: eventColumns }, copies.map((copy) => ({ partition: copy.time.slice(0, 7), row: eventRow(copy) })));
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

function eventRow(copy: StoredCopy): string {
  const q = JSON.stringify;
  return (
    `[${q(copy.organizationId)},${q(copy.type)},${subjectBucket(copy.subject)},${q(copy.subject)},"${timeText(copy.time)}",${q(copy.source)},${q(copy.id)},` +
    `${q(copy.payloadHash)},${copy.timeGiven},"${timeText(copy.receivedAt)}","${timeTextOf(copy.appendedAt)}",${copy.partition},"${copy.position}",${q(copy.data)},` +
    `"${firstVersion - copy.position}",0]`
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
