import { GroupCommit, type Call } from '#platform';
import type { ClickHouse } from './clickhouse.js';
import { TabRows } from './tab-rows.js';

/** An insert of more partitions than this makes too many small parts at once. */
const partitionsPerInsertMax = 50;
const rowsPerGroupMax = 50_000;
const bytesPerGroupMax = 64 * 1024 * 1024;

interface Chunk {
  readonly partitions: Set<string>;
  readonly rows: TabRows;
}

/** Rows for few inserts, each of at most `partitionsPerInsertMax` partitions of the table. */
export class PartitionedRows {
  readonly chunks: Chunk[] = [];
  private readonly chunkOf = new Map<string, TabRows>();

  /** Where the rows of a partition go. */
  of(partition: string): TabRows {
    const known = this.chunkOf.get(partition);
    if (known !== undefined) return known;
    if (this.chunkOf.size % partitionsPerInsertMax === 0) this.chunks.push({ partitions: new Set(), rows: new TabRows() });
    const chunk = this.chunks.at(-1) as Chunk; // The first partition made one.
    chunk.partitions.add(partition);
    this.chunkOf.set(partition, chunk.rows);
    return chunk.rows;
  }
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
  async insert(rows: PartitionedRows): Promise<void> {
    for (const { partitions, rows: chunk } of rows.chunks) {
      const blocks = chunk.blocks();
      await this.group.write({ records: chunk.rows, bytes: blocks.reduce((sum, { length }) => sum + length, 0), partitions, blocks });
    }
  }

  private async flush(calls: readonly InsertCall[]): Promise<void[]> {
    for (const together of withinPartitions(calls)) await this.clickhouse.insertTabs(this.into.table, this.into.columns, together.flatMap(({ blocks }) => blocks));
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
