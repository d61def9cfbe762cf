import type { Pool } from 'pg';

import { assert } from '../errors/assert.js';
import { Fault } from '../errors/fault.js';
import { appendMarkClass } from './advisory-keys.js';
import type { LogPosition, NewLogRecord } from './event-log.js';
import { GroupCommit } from './group-commit.js';
import type { Call, GroupCommitBounds } from './group-commit.js';
import { partitionOfKey } from './partition-of-key.js';
import { SEGMENT_DAYS_AHEAD } from './postgres-event-log-schema.js';
import { faultOfPostgres, sqlStateOf } from './postgres-faults.js';
import type { Topic } from './postgres-topics.js';

/** "no partition of relation found for row": today's segment does not exist. */
const CHECK_VIOLATION = '23514';

/**
 * One round trip and one transaction: mark the time at which the append began, lock the heads in the order of their
 * numbers, take the time, move the heads, write the records.
 * mark: shared advisory lock (topic, start in ms modulo 2^32), held to the end of the transaction: completeAsOf reads from
 * it how far back an append may reach that has taken its time and is not visible yet.
 * stamp: the clock is read when all heads are locked, so that in each partition time runs as positions do.
 */
export const APPEND_SQL = `
WITH mark AS MATERIALIZED (
  SELECT pg_advisory_xact_lock_shared($2::int, ((floor(extract(epoch FROM now()) * 1000)::bigint % 4294967296) - 2147483648)::int)
), locked AS MATERIALIZED (
  SELECT h.partition, h.next_position, h.appended_at
  FROM event_log.heads h CROSS JOIN mark
  WHERE h.topic_id = $1 AND h.partition = ANY($3::int[])
  ORDER BY h.partition
  FOR UPDATE OF h
), stamp AS MATERIALIZED (
  SELECT clock_timestamp() AS at FROM (SELECT count(*) FROM locked) AS all_locked
), moved AS (
  UPDATE event_log.heads h
  SET next_position = l.next_position + w.records, appended_at = greatest(l.appended_at, s.at)
  FROM locked l JOIN unnest($3::int[], $4::int[]) AS w(partition, records) ON w.partition = l.partition CROSS JOIN stamp s
  WHERE h.topic_id = $1 AND h.partition = l.partition
  RETURNING h.partition, l.next_position AS first_position, h.appended_at
), written AS (
  INSERT INTO event_log.records (topic_id, partition, position, key, value, appended_at)
  SELECT $1, m.partition, m.first_position + r.nth, r.key, r.value, m.appended_at
  FROM unnest($5::int[], $6::int[], $7::text[], $8::text[]) AS r(partition, nth, key, value)
  JOIN moved m ON m.partition = r.partition
)
SELECT partition, first_position FROM moved`;

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
    assert(firstPositions.size === layout.counts.size, 'Each partition that is written to must have a head.');
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
  const counts = [...layout.counts];
  return [
    topic.id,
    appendMarkClass(topic.name),
    counts.map(([partition]) => partition),
    counts.map(([, records]) => records),
    layout.partitions,
    layout.nths,
    layout.keys,
    layout.values,
  ];
}

/** Postgres stores no U+0000, and a lone surrogate would silently come back as another character. */
function refuseUnstorable(text: string): void {
  if (!text.includes('\0') && text.isWellFormed()) return;
  throw new Fault({ code: 'log_refused', detail: 'A record with U+0000 or a lone surrogate cannot be stored.', retryable: false });
}
