import type { Pool } from 'pg';

import { assert } from '../errors/assert.js';
import type { PartitionLag } from './event-log.js';
import { appendClasses } from './advisory-keys.js';
import { lastRecordSql } from './postgres-event-log-schema.js';
import { faultOfPostgres } from './postgres-faults.js';
import type { Topic } from './postgres-topics.js';

/**
 * The time before which no append can come to light any more that is not visible yet: now, or the start of the oldest
 * append in flight. Marks tell their start in ms modulo 2^32; one that began after now() counts as now.
 */
const SETTLED_SQL = `
SELECT (extract(epoch FROM now()) * 1000000)::bigint AS now_us, array_agg(l.objid::bigint) FILTER (WHERE l.objid IS NOT NULL) AS marks
FROM (SELECT 1) AS one LEFT JOIN pg_locks l
  ON l.locktype = 'advisory' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.classid = (($1::bigint + 4294967296) % 4294967296)::oid AND l.objsubid = 2 AND l.granted`;

/** Each partition with the first position that the group has not handled. */
const PARTITIONS = `
FROM event_log.partitions p
LEFT JOIN event_log.offsets o ON o.topic_id = p.topic_id AND o.partition = p.partition AND o.group_name = $2
CROSS JOIN LATERAL (SELECT greatest(coalesce(o.next_position, 0), p.first_position) AS position) AS next`;

const FIRST_UNHANDLED = `(
  SELECT r.appended_at FROM event_log.records r
  WHERE r.topic_id = p.topic_id AND r.partition = p.partition AND r.position >= next.position ORDER BY r.position LIMIT 1)`;

const OLDEST_UNHANDLED_SQL = `
SELECT (extract(epoch FROM min(u.appended_at)) * 1000000)::bigint AS oldest_us
${PARTITIONS}
CROSS JOIN LATERAL ${FIRST_UNHANDLED} AS u
WHERE p.topic_id = $1`;

const LAG_SQL = `
SELECT p.partition, greatest(coalesce(l.position + 1 - next.position, 0), 0)::text AS records, (extract(epoch FROM u.appended_at) * 1000000)::bigint AS oldest_us
${PARTITIONS}
LEFT JOIN LATERAL ${lastRecordSql('p.topic_id')} AS l ON true
LEFT JOIN LATERAL ${FIRST_UNHANDLED} AS u ON true
WHERE p.topic_id = $1 ORDER BY p.partition`;

const NEXT_SQL = `SELECT p.partition, next.position::text AS next ${PARTITIONS} WHERE p.topic_id = $1 ORDER BY p.partition`;

const WRAP_MS = 2n ** 32n;

// All of these are asked all the time and stand still, so the server keeps their plans: planning costs more than the answer.

/** See `EventLog.completeAsOf`. */
export async function completeAsOf(pool: Pool, topic: Topic, group: string): Promise<Temporal.Instant> {
  try {
    // Two statements on purpose: the records must be read after the marks. Whatever took its time before now() has either
    // shown its mark by then, or is visible to the second statement.
    const settled = await pool.query<{ now_us: string; marks: string[] | null }>({ name: 'event_log_settled', text: SETTLED_SQL, values: [appendClasses(topic.name).mark] });
    const oldest = await pool.query<{ oldest_us: string | null }>({ name: 'event_log_oldest_unhandled', text: OLDEST_UNHANDLED_SQL, values: [topic.id, group] });
    const [time, unhandled] = [settled.rows[0], oldest.rows[0]];
    assert(time !== undefined && unhandled !== undefined, 'An aggregate gives one row.');
    const nowUs = BigInt(time.now_us);
    const bounds = [nowUs, ...(time.marks ?? []).map((mark) => startOfMarkUs({ mark: BigInt(mark), nowUs }))];
    if (unhandled.oldest_us !== null) bounds.push(BigInt(unhandled.oldest_us));
    return Temporal.Instant.fromEpochNanoseconds(bounds.reduce((a, b) => (b < a ? b : a)) * 1000n);
  } catch (error) {
    throw faultOfPostgres(error);
  }
}

/** See `EventLog.lagByPartition`. */
export async function lagByPartition(pool: Pool, topic: Topic, group: string): Promise<PartitionLag[]> {
  try {
    const { rows } = await pool.query<{ partition: number; records: string; oldest_us: string | null }>({ name: 'event_log_lag', text: LAG_SQL, values: [topic.id, group] });
    return rows.map(({ partition, records, oldest_us: oldestUs }) => ({
      partition, records: BigInt(records), oldestAt: oldestUs === null ? null : Temporal.Instant.fromEpochNanoseconds(BigInt(oldestUs) * 1000n),
    }));
  } catch (error) {
    throw faultOfPostgres(error);
  }
}

/** See `EventLog.nextPositions`. */
export async function nextPositions(pool: Pool, topic: Topic, group: string): Promise<ReadonlyMap<number, bigint>> {
  try {
    const { rows } = await pool.query<{ partition: number; next: string }>({ name: 'event_log_next', text: NEXT_SQL, values: [topic.id, group] });
    return new Map(rows.map(({ partition, next }) => [partition, BigInt(next)]));
  } catch (error) {
    throw faultOfPostgres(error);
  }
}

function startOfMarkUs({ mark, nowUs }: { readonly mark: bigint; readonly nowUs: bigint }): bigint {
  const nowMs = nowUs / 1000n;
  const startedMs = mark + WRAP_MS / 2n; // The mark is stored as a signed number.
  const ageMs = BigInt.asIntN(32, nowMs - startedMs);
  return ageMs <= 0n ? nowUs : (nowMs - ageMs) * 1000n;
}
