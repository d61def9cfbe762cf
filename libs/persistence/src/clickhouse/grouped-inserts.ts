import { GroupCommit, type Call } from '#platform';
import type { ClickHouse } from './clickhouse.js';

/** An insert of more partitions than this makes too many small parts at once. */
const partitionsPerInsertMax = 50;
const rowsPerGroupMax = 50_000;
const bytesPerGroupMax = 64 * 1024 * 1024;

/** Rows of few partitions of a table. */
export interface RowChunk<Row> {
  readonly partitions: ReadonlySet<string>;
  readonly rows: readonly Row[];
}

/** The rows in their order, cut so that each chunk has at most `partitionsPerInsertMax` partitions; one partition is in one chunk. */
export function chunksByPartition<Row>(rows: readonly Row[], partitionOf: (row: Row) => string): RowChunk<Row>[] {
  const chunks: { readonly partitions: Set<string>; readonly rows: Row[] }[] = [];
  const chunkOf = new Map<string, Row[]>();
  for (const row of rows) {
    const partition = partitionOf(row);
    let chunk = chunkOf.get(partition);
    if (chunk === undefined) {
      if (chunkOf.size % partitionsPerInsertMax === 0) chunks.push({ partitions: new Set(), rows: [] });
      const last = chunks.at(-1) as (typeof chunks)[number]; // The first partition made one.
      last.partitions.add(partition);
      chunkOf.set(partition, (chunk = last.rows));
    }
    chunk.push(row);
  }
  return chunks;
}

/** A chunk of rows as blocks of Native. */
export interface ChunkBlocks {
  readonly partitions: ReadonlySet<string>;
  readonly rows: number;
  readonly blocks: readonly Buffer[];
}

interface InsertCall extends Call {
  readonly partitions: ReadonlySet<string>;
  readonly blocks: readonly Buffer[];
}

/**
 * Inserts into one table for callers that write at the same time, such as the batches of several partitions of the log. While one insert
 * runs, the rows of all others wait for the next: an insert costs as much as some thousand rows, and each makes a part that has to be
 * merged. Nobody waits where nothing runs. What is refused is tried again by each caller alone.
 */
export class GroupedInserts {
  private readonly group: GroupCommit<InsertCall, void>;

  constructor(
    private readonly clickhouse: ClickHouse,
    private readonly into: { readonly table: string; readonly columns: readonly string[] },
  ) {
    const bounds = { flushRecordsMax: rowsPerGroupMax, flushBytesMax: bytesPerGroupMax, pendingRecordsMax: Infinity, pendingBytesMax: Infinity };
    this.group = new GroupCommit((calls) => this.flush(calls), bounds);
  }

  /** Written to disk when it resolves. */
  async insert(chunks: Iterable<ChunkBlocks>): Promise<void> {
    for (const { partitions, rows, blocks } of chunks) {
      await this.group.write({ records: rows, bytes: blocks.reduce((sum, { length }) => sum + length, 0), partitions, blocks });
    }
  }

  private async flush(calls: readonly InsertCall[]): Promise<void[]> {
    for (const together of withinPartitions(calls)) await this.clickhouse.insertBlocks(this.into.table, this.into.columns, together.flatMap(({ blocks }) => blocks));
    return calls.map(() => undefined);
  }
}

/** Neighbours that have few enough partitions between them. */
function withinPartitions(calls: readonly InsertCall[]): InsertCall[][] {
  const groups: InsertCall[][] = [];
  let partitions = new Set<string>();
  for (const call of calls) {
    const all = partitions.union(call.partitions);
    if (groups.length === 0 || all.size > partitionsPerInsertMax) groups.push([]);
    partitions = groups.at(-1)?.length === 0 ? new Set(call.partitions) : all;
    groups.at(-1)?.push(call);
  }
  return groups;
}
