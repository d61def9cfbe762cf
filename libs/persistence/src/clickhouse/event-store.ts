import type { CorrectionKind } from '#domain';
import type { ClickHouse } from './clickhouse.js';
import { copyColumns, copyOnlyColumns, correctedColumns, eventColumns, eventOnlyColumns, sharedColumns, type CorrectedRow } from './event-columns.js';
import { chunksByPartition, GroupedInserts, type ChunkBlocks } from './grouped-inserts.js';
import { nativeBlock, type NativeColumn } from './native-block.js';
import type { CountedEvent, JudgedCopy, StoredCopy } from './stored-copy.js';

/** What corrections make of a counted event. */
export interface EventOverride {
  readonly event: CountedEvent;
  readonly kind: CorrectionKind;
  /** Of the correction that decides. */
  readonly position: bigint;
  /** Stored form of an amendment's data; null where the event has its own. */
  readonly amendedData: string | null;
}

/**
 * Versions of a row: rank, then place in the log. Of equal copies the one that came first stays, so its version is the
 * greatest. Above all copies stand amendments, the last one highest; above those voids, the first one highest.
 */
const firstVersion = (1n << 62n) - 1n;
const amendmentRank = 1n << 62n;
const voidRank = 1n << 63n;

/** Whether a row of events stands for what a correction made of it. */
export const isCorrectionSql = `version >= toUInt64('${amendmentRank}')`;
/** The position of the correction that decides such a row. */
export const correctionPositionSql = `if(version >= toUInt64('${voidRank}'), toUInt64('${voidRank + firstVersion}') - version, version - toUInt64('${amendmentRank}'))`;

/** What a batch of the log came to. */
export interface JudgedBatch {
  /** In log order. */
  readonly judged: readonly JudgedCopy[];
  /** What corrections make of counted events, these and earlier ones. */
  readonly overrides: readonly EventOverride[];
  /** How long an organization's identities have to be recognised, in seconds from their receipt. */
  readonly keepSecondsOf: (organizationId: string) => number;
}

/** Writes what the log brought. Writing the same again changes nothing. */
export class EventStore {
  private readonly events: GroupedInserts;
  private readonly copies: GroupedInserts;

  constructor(clickhouse: ClickHouse) {
    this.events = new GroupedInserts(clickhouse, { table: 'events', columns: eventColumns });
    this.copies = new GroupedInserts(clickhouse, { table: 'event_copies', columns: copyColumns });
  }

  /** The events, then the verdict of each position, so that an identity is known only once its event is there. */
  async insert({ judged, overrides, keepSecondsOf }: JudgedBatch): Promise<void> {
    const counted = judged.filter(({ verdict }) => verdict === 'counted').map(({ copy }) => copy);
    const columnsOf = columnsOnce();
    await this.events.insert(eventChunks(counted, columnsOf));
    await this.events.insert(overrideChunks(overrides));
    await this.copies.insert(copyChunks(judged, { keepSecondsOf, columnsOf }));
  }
}

type ColumnsOf = (copies: readonly StoredCopy[]) => readonly NativeColumn[];

/** Nearly always all copies are counted, within one partition of each table: then both inserts send the very same columns. */
function columnsOnce(): ColumnsOf {
  let last: { readonly copies: readonly StoredCopy[]; readonly columns: readonly NativeColumn[] } | null = null;
  return (copies) => {
    const known = last;
    if (known !== null && known.copies.length === copies.length && copies.every((copy, nth) => copy === known.copies[nth])) return known.columns;
    const columns = sharedColumns(copies);
    last = { copies, columns };
    return columns;
  };
}

function* eventChunks(counted: readonly StoredCopy[], columnsOf: ColumnsOf): Generator<ChunkBlocks> {
  for (const { partitions, rows } of chunksByPartition(counted, monthOf)) {
    yield { partitions, rows: rows.length, blocks: nativeBlock(rows.length, [...columnsOf(rows), ...eventOnlyColumns(rows, ({ position }) => firstVersion - position)]) };
  }
}

function* overrideChunks(overrides: readonly EventOverride[]): Generator<ChunkBlocks> {
  for (const { partitions, rows } of chunksByPartition(overrides.map(toCorrectedRow), monthOf)) {
    yield { partitions, rows: rows.length, blocks: nativeBlock(rows.length, [...sharedColumns(rows), ...correctedColumns(rows)]) };
  }
}

function* copyChunks(judged: readonly JudgedCopy[], { keepSecondsOf, columnsOf }: { readonly keepSecondsOf: JudgedBatch['keepSecondsOf']; readonly columnsOf: ColumnsOf }): Generator<ChunkBlocks> {
  for (const { partitions, rows } of chunksByPartition(judged, ({ copy }) => copy.receivedAt.slice(0, 10))) {
    yield { partitions, rows: rows.length, blocks: nativeBlock(rows.length, [...columnsOf(rows.map(({ copy }) => copy)), ...copyOnlyColumns(rows, keepSecondsOf)]) };
  }
}

function monthOf(event: { readonly time: string }): string {
  return event.time.slice(0, 7);
}

/** The key and the place in the log stay the event's own. A voided row keeps the data that it had. */
function toCorrectedRow({ event, kind, position, amendedData }: EventOverride): CorrectedRow {
  return {
    ...event,
    data: amendedData ?? event.originalData,
    originalData: amendedData === null ? '' : event.originalData,
    version: kind === 'void' ? voidRank + firstVersion - position : amendmentRank + position,
    isDeleted: kind === 'void',
  };
}
