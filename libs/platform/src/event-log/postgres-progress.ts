import type { Pool } from 'pg';

import { assert } from '../errors/assert.js';
import { appendMarkClass } from './advisory-keys.js';
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

const UNHANDLED = `
FROM event_log.heads h
LEFT JOIN event_log.offsets o ON o.topic_id = h.topic_id AND o.partition = h.partition AND o.group_name = $2
CROSS JOIN LATERAL (SELECT greatest(coalesce(o.next_position, 0), h.first_position) AS position) AS next`;

const OLDEST_UNHANDLED_SQL = `
SELECT (extract(epoch FROM min(r.appended_at)) * 1000000)::bigint AS oldest_us, count(*) AS behind, count(r.appended_at) AS found
${UNHANDLED}
LEFT JOIN LATERAL (
  SELECT appended_at FROM event_log.records r
  WHERE r.topic_id = h.topic_id AND r.partition = h.partition AND r.position >= next.position ORDER BY r.position LIMIT 1) AS r ON true
WHERE h.topic_id = $1 AND h.next_position > next.position`;

const LAG_SQL = `SELECT coalesce(sum(h.next_position - next.position), 0)::text AS lag ${UNHANDLED} WHERE h.topic_id = $1`;

const WRAP_MS = 2n ** 32n;

/** See `EventLog.completeAsOf`. */
export async function completeAsOf(pool: Pool, topic: Topic, group: string): Promise<Temporal.Instant> {
  try {
    // Two statements on purpose: the heads must be read after the marks. Whatever took its time before now() has either
    // shown its mark by then, or is visible to the second statement.
    const settled = await pool.query<{ now_us: string; marks: string[] | null }>(SETTLED_SQL, [appendMarkClass(topic.name)]);
    const oldest = await pool.query<{ oldest_us: string | null; behind: string; found: string }>(OLDEST_UNHANDLED_SQL, [topic.id, group]);
    const [time, unhandled] = [settled.rows[0], oldest.rows[0]];
    assert(time !== undefined && unhandled !== undefined, 'An aggregate gives one row.');
    assert(unhandled.behind === unhandled.found, 'A partition that is behind must have a record to handle.');
    const nowUs = BigInt(time.now_us);
    const bounds = [nowUs, ...(time.marks ?? []).map((mark) => startOfMarkUs(BigInt(mark), nowUs))];
    if (unhandled.oldest_us !== null) bounds.push(BigInt(unhandled.oldest_us));
    return Temporal.Instant.fromEpochNanoseconds(bounds.reduce((a, b) => (b < a ? b : a)) * 1000n);
  } catch (error) {
    throw faultOfPostgres(error);
  }
}

/** See `EventLog.lag`. */
export async function lag(pool: Pool, topic: Topic, group: string): Promise<bigint> {
  try {
    const { rows } = await pool.query<{ lag: string }>(LAG_SQL, [topic.id, group]);
    return BigInt(rows[0]?.lag ?? 0);
  } catch (error) {
    throw faultOfPostgres(error);
  }
}

function startOfMarkUs(mark: bigint, nowUs: bigint): bigint {
  const nowMs = nowUs / 1000n;
  const startedMs = mark + WRAP_MS / 2n; // The mark is stored as a signed number.
  const ageMs = BigInt.asIntN(32, nowMs - startedMs);
  return ageMs <= 0n ? nowUs : (nowMs - ageMs) * 1000n;
}
