import type pg from 'pg';

/** A record as it stands in the Postgres log. */
export interface LogRow {
  readonly partition: number;
  readonly position: string;
  readonly key: string;
  readonly value: string;
  /** Equal for rows of one transaction. */
  readonly commit: string;
}

interface Wanted {
  readonly topic: string;
  /** How the events' ids begin. */
  readonly prefix: string;
}

const fromTopic = `FROM event_log.records r JOIN event_log.topics t ON t.id = r.topic_id WHERE t.name = $1 AND r.key LIKE '%/' || $2 || '-%'`;

export async function readTopicRows(pool: pg.Pool, { topic, prefix }: Wanted): Promise<LogRow[]> {
  const { rows } = await pool.query<LogRow>(`SELECT r.partition, r.position, r.key, r.value, r.xmin::text AS commit ${fromTopic} ORDER BY r.appended_at, r.partition, r.position`, [topic, prefix]);
  return rows;
}

/** How many rows there are and what they hold, in any order. */
export async function digestOfTopic(pool: pg.Pool, { topic, prefix }: Wanted): Promise<string> {
  const { rows } = await pool.query<{ digest: string }>(`SELECT count(*) || ' ' || sum(hashtextextended(r.key || r.value, 0)::numeric) AS digest ${fromTopic}`, [topic, prefix]);
  return rows[0]?.digest ?? '';
}
