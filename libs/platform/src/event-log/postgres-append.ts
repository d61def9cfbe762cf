import type { Pool } from 'pg';

import { assert } from '../errors/assert.js';
import { Fault } from '../errors/fault.js';
import { appendClasses } from './advisory-keys.js';
import type { LogPosition, NewLogRecord } from './event-log.js';
import { GroupCommit } from './group-commit.js';
import type { Call, GroupCommitBounds } from './group-commit.js';
import { partitionOfKey } from './partition-of-key.js';
import { binaryIntegerArray, binaryTextArray } from './postgres-binary-array.js';
import { SEGMENT_DAYS_AHEAD } from './postgres-event-log-schema.js';
import { faultOfPostgres, sqlStateOf } from './postgres-faults.js';
import type { Topic } from './postgres-topics.js';

/** "no partition of relation found for row": today's segment does not exist. */
const CHECK_VIOLATION = '23514';

const APPEND_SQL = 'SELECT to_partition, from_position FROM event_log.append($1, $2, $3, $4, $5, $6, $7, $8)';

interface AppendCall extends Call {
  readonly entries: readonly NewLogRecord[];
}

/** Takes the appends to one topic and writes them in groups. */
export class PostgresAppender {
  private readonly group: GroupCommit<AppendCall, readonly LogPosition[]>;

  constructor(
    private readonly pool: Pool,
    private readonly topic: Topic,
    options: { readonly bounds: GroupCommitBounds; readonly onAppended: () => void },
  ) {
    this.group = new GroupCommit<AppendCall, readonly LogPosition[]>(async (calls) => {
      const written = await this.write(calls);
      options.onAppended();
      return written;
    }, options.bounds);
  }

  async append(entries: readonly NewLogRecord[]): Promise<readonly LogPosition[]> {
    if (entries.length === 0) return [];
    let bytes = 0;
    for (const { key, value } of entries) {
      refuseUnstorable(key);
      refuseUnstorable(value);
      bytes += key.length + value.length;
    }
    return this.group.write({ entries, records: entries.length, bytes });
  }

  drain(): Promise<void> {
    return this.group.drain();
  }

  private async write(calls: readonly AppendCall[]): Promise<LogPosition[][]> {
    const layout = layOut(calls, this.topic.partitions);
    const firstPositions = await this.insert(appendParameters(this.topic, layout));
    assert(firstPositions.size === layout.counts.size, 'Each partition that is written to must exist.');
    let nth = 0;
    return calls.map(({ entries }) =>
      entries.map(() => {
        const partition = layout.partitions[nth] as number;
        const position = (firstPositions.get(partition) as bigint) + BigInt(layout.nths[nth] as number);
        nth += 1;
        return { partition, position };
      }),
    );
  }

  private async insert(values: unknown[]): Promise<Map<number, bigint>> {
    try {
      return await this.insertOnce(values);
    } catch (error) {
      if (sqlStateOf(error) !== CHECK_VIOLATION) throw faultOfPostgres(error);
    }
    // The segment of today is missing: maintenance has not run for long, or the clock has jumped.
    try {
      await this.pool.query('SELECT event_log.create_segments($1)', [SEGMENT_DAYS_AHEAD]);
      return await this.insertOnce(values);
    } catch (error) {
      throw faultOfPostgres(error);
    }
  }

  private async insertOnce(values: unknown[]): Promise<Map<number, bigint>> {
    const { rows } = await this.pool.query<[number, string]>({ name: 'event_log_append', text: APPEND_SQL, values, rowMode: 'array' });
    return new Map(rows.map(([partition, position]) => [partition, BigInt(position)]));
  }
}

interface Layout {
  readonly counts: ReadonlyMap<number, number>;
  readonly partitions: readonly number[];
  /** How manyth of this write in its partition, from 0. */
  readonly nths: readonly number[];
  readonly keys: readonly string[];
  readonly values: readonly string[];
}

function layOut(calls: readonly AppendCall[], partitionCount: number): Layout {
  const counts = new Map<number, number>();
  const layout = { counts, partitions: [] as number[], nths: [] as number[], keys: [] as string[], values: [] as string[] };
  for (const { entries } of calls) {
    for (const { key, value } of entries) {
      const partition = partitionOfKey(key, partitionCount);
      const nth = counts.get(partition) ?? 0;
      counts.set(partition, nth + 1);
      layout.partitions.push(partition);
      layout.nths.push(nth);
      layout.keys.push(key);
      layout.values.push(value);
    }
  }
  return layout;
}

function appendParameters(topic: Topic, layout: Layout): unknown[] {
  const { mark, lock } = appendClasses(topic.name);
  const sorted = [...layout.counts.keys()].sort((a, b) => a - b); // Locked in this order by everyone, so that no two wait for each other.
  return [
    topic.id, mark, lock, binaryIntegerArray(sorted), binaryIntegerArray(layout.partitions), binaryIntegerArray(layout.nths), binaryTextArray(layout.keys), binaryTextArray(layout.values),
  ];
}

/** Postgres stores no U+0000, and a lone surrogate would silently come back as another character. */
function refuseUnstorable(text: string): void {
  if (!text.includes('\0') && text.isWellFormed()) return;
  throw new Fault({ code: 'log_refused', detail: 'A record with U+0000 or a lone surrogate cannot be stored.', retryable: false });
}
