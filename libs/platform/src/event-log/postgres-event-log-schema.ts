import { escapeIdentifier } from 'pg';
import type { ClientBase } from 'pg';

/** Serialises migrations that start at the same time. Any number, as long as nothing else uses it. */
const MIGRATION_LOCK = 5_470_220_917_443_101n;
/** Segments that stand ready beside today's: maintenance may be away for days before an append has to create its own. */
export const SEGMENT_DAYS_AHEAD = 3;

const TABLES = `
CREATE SCHEMA IF NOT EXISTS event_log;

CREATE TABLE IF NOT EXISTS event_log.topics (
  id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE,
  partitions integer NOT NULL CHECK (partitions BETWEEN 1 AND 1024)
);

-- Where each partition begins: 0, or behind the last segment that was dropped. Where it ends, its records tell. (A counter
-- that every append updates would leave a dead row each time, and appends would crawl while a long transaction, such as
-- a backup, keeps them from being cleaned away.)
CREATE TABLE IF NOT EXISTS event_log.partitions (
  topic_id smallint NOT NULL,
  partition integer NOT NULL,
  first_position bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (topic_id, partition)
);

CREATE TABLE IF NOT EXISTS event_log.records (
  topic_id smallint NOT NULL,
  partition integer NOT NULL,
  position bigint NOT NULL,
  key text NOT NULL,
  value text NOT NULL,
  appended_at timestamptz NOT NULL
) PARTITION BY RANGE (appended_at);

-- What each group has handled: everything below next_position.
CREATE TABLE IF NOT EXISTS event_log.offsets (
  topic_id smallint NOT NULL,
  group_name text NOT NULL,
  partition integer NOT NULL,
  next_position bigint NOT NULL DEFAULT 0,
  seen_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (topic_id, group_name, partition)
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
`;

/**
 * The last record of partition p.partition of topic `topicId`, as a lateral subquery. In a partition time never runs
 * backwards, so that a look at the segments since yesterday is enough where they hold any of its records.
 */
export function lastRecordSql(topicId: string): string {
  const last = (bound: string): string => `(SELECT r.position, r.appended_at FROM event_log.records r
    WHERE r.topic_id = ${topicId} AND r.partition = p.partition ${bound} ORDER BY r.position DESC LIMIT 1)`;
  return `(${last("AND r.appended_at >= now() - interval '1 day'")} UNION ALL ${last('')} LIMIT 1)`;
}

/**
 * Appends in one transaction, with one round trip. Partitions are locked in the order of their numbers until the commit:
 * whoever comes second waits and then sees what the first one wrote (each statement of a volatile function has a
 * snapshot of its own), so that positions have no gaps and the order of commits is the order of positions.
 * Before that, the start of the transaction is marked by a shared advisory lock (topic, ms modulo 2^32): completeAsOf
 * reads from it how far back an append may reach that has taken its time and is not visible yet.
 * The clock is read under the locks, and never goes back below the last record's time.
 */
const APPEND = `
CREATE OR REPLACE FUNCTION event_log.append(
  for_topic smallint, mark_class integer, lock_class integer, in_partitions integer[],
  of_partitions integer[], nths integer[], keys text[], texts text[]
) RETURNS TABLE (to_partition integer, from_position bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  each_partition integer;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(mark_class, ((floor(extract(epoch FROM now()) * 1000)::bigint % 4294967296) - 2147483648)::integer);
  FOREACH each_partition IN ARRAY in_partitions LOOP
    PERFORM pg_advisory_xact_lock(lock_class, each_partition);
  END LOOP;
  RETURN QUERY
  WITH ends AS MATERIALIZED (
    SELECT p.partition, coalesce(l.position + 1, p.first_position) AS next_position, greatest(l.appended_at, clock_timestamp()) AS stamp
    FROM event_log.partitions p LEFT JOIN LATERAL ${lastRecordSql('for_topic')} AS l ON true
    WHERE p.topic_id = for_topic AND p.partition = ANY(in_partitions)
  ), written AS (
    INSERT INTO event_log.records (topic_id, partition, position, key, value, appended_at)
    SELECT for_topic, e.partition, e.next_position + n.nth, n.key, n.value, e.stamp
    FROM unnest(of_partitions, nths, keys, texts) AS n(partition, nth, key, value) JOIN ends e ON e.partition = n.partition
  )
  SELECT e.partition, e.next_position FROM ends e;
END $$;
`;

/** Creates the daily segments (UTC) from yesterday on. Runs as the owner, so that the roles that append need no right to create tables. */
const CREATE_SEGMENTS = `
CREATE OR REPLACE FUNCTION event_log.create_segments(days_ahead integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  today date := (clock_timestamp() AT TIME ZONE 'UTC')::date;
  day date;
  segment text;
  created integer := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(${MIGRATION_LOCK});
  FOR nth IN -1 .. days_ahead LOOP
    day := today + nth;
    segment := 'records_' || to_char(day, 'YYYYMMDD');
    CONTINUE WHEN to_regclass('event_log.' || segment) IS NOT NULL;
    -- Created apart and then attached: creating it as a partition at once would lock the whole log against everyone.
    EXECUTE format('CREATE TABLE event_log.%I (LIKE event_log.records, PRIMARY KEY (topic_id, partition, position))', segment);
    EXECUTE format('ALTER TABLE event_log.records ATTACH PARTITION event_log.%I FOR VALUES FROM (%L) TO (%L)',
      segment, day || ' 00:00:00+00', (day + 1) || ' 00:00:00+00');
    created := created + 1;
  END LOOP;
  RETURN created;
END $$;
`;

/** Drops the oldest segment when it is old enough and every known group has passed it. Gives its name, or null. */
const DROP_OLDEST_SEGMENT = `
CREATE OR REPLACE FUNCTION event_log.drop_oldest_segment(retention_days integer) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' AS $$
DECLARE
  segment text;
  is_held boolean;
  topic_ids smallint[];
  partitions integer[];
  tops bigint[];
BEGIN
  IF retention_days < 1 THEN RAISE EXCEPTION 'The retention must be at least one day.'; END IF;
  SELECT min(c.relname::text) INTO segment
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'event_log.records'::regclass;
  IF segment IS NULL
    OR to_date(right(segment, 8), 'YYYYMMDD') + 1 + retention_days > (clock_timestamp() AT TIME ZONE 'UTC')::date
  THEN RETURN NULL; END IF;

  EXECUTE format('SELECT array_agg(p.topic_id), array_agg(p.partition), array_agg(s.top)
    FROM event_log.partitions p CROSS JOIN LATERAL (
      SELECT max(position) AS top FROM event_log.%I r WHERE r.topic_id = p.topic_id AND r.partition = p.partition) s
    WHERE s.top IS NOT NULL', segment) INTO topic_ids, partitions, tops;
  SELECT EXISTS (
    SELECT FROM unnest(topic_ids, partitions, tops) AS t(topic_id, partition, top)
    JOIN event_log.offsets o ON o.topic_id = t.topic_id AND o.partition = t.partition AND o.next_position <= t.top) INTO is_held;
  IF is_held THEN RETURN NULL; END IF;

  EXECUTE format('DROP TABLE event_log.%I', segment);
  UPDATE event_log.partitions p SET first_position = greatest(p.first_position, t.top + 1)
    FROM unnest(topic_ids, partitions, tops) AS t(topic_id, partition, top)
    WHERE p.topic_id = t.topic_id AND p.partition = t.partition;
  RETURN segment;
END $$;
`;

const FORGET_GROUPS = `
CREATE OR REPLACE FUNCTION event_log.forget_groups(unseen_days integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  forgotten integer;
BEGIN
  IF unseen_days < 1 THEN RAISE EXCEPTION 'A group must be unseen for at least one day.'; END IF;
  WITH gone AS (
    DELETE FROM event_log.offsets o WHERE NOT EXISTS (
      SELECT FROM event_log.offsets s WHERE s.topic_id = o.topic_id AND s.group_name = o.group_name
        AND s.seen_at >= now() - make_interval(days => unseen_days))
    RETURNING o.topic_id, o.group_name)
  SELECT count(DISTINCT (topic_id, group_name)) INTO forgotten FROM gone;
  RETURN forgotten;
END $$;
`;

const FUNCTIONS = ['append(smallint, integer, integer, integer[], integer[], integer[], text[], text[])', 'create_segments(integer)', 'drop_oldest_segment(integer)', 'forget_groups(integer)'];

/** Everything the Postgres event log needs in a database, in order. Each statement may be run again. */
export const eventLogMigration: readonly string[] = [
  TABLES,
  APPEND,
  CREATE_SEGMENTS,
  DROP_OLDEST_SEGMENT,
  FORGET_GROUPS,
  ...FUNCTIONS.map((name) => `REVOKE ALL ON FUNCTION event_log.${name} FROM PUBLIC`),
  `SELECT event_log.create_segments(${SEGMENT_DAYS_AHEAD})`,
];

/** Creates or upgrades the schema `event_log` in one transaction, as a role that may create schemas. Safe to repeat and to run in two processes at once. */
export async function migrateEventLog(client: Pick<ClientBase, 'query'>): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`);
    for (const statement of eventLogMigration) await client.query(statement);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

/**
 * The GRANT statements for the roles of the apps. Writers append, create topics and maintain; readers subscribe.
 * An app that does both is named in both. Safe to repeat; the roles must exist.
 */
export function eventLogGrants(roles: { readonly writers: readonly string[]; readonly readers: readonly string[] }): string[] {
  return [
    ...grant(roles.writers, [
      'USAGE ON SCHEMA event_log',
      'SELECT, INSERT ON event_log.topics',
      'SELECT, INSERT ON event_log.partitions',
      'SELECT ON event_log.offsets, event_log.records',
      ...FUNCTIONS.map((name) => `EXECUTE ON FUNCTION event_log.${name}`),
    ]),
    ...grant(roles.readers, [
      'USAGE ON SCHEMA event_log',
      'SELECT ON event_log.topics, event_log.partitions, event_log.records',
      'SELECT, INSERT, UPDATE ON event_log.offsets',
    ]),
  ];
}

function grant(roles: readonly string[], rights: readonly string[]): string[] {
  if (roles.length === 0) return [];
  const to = roles.map(escapeIdentifier).join(', ');
  return rights.map((right) => `GRANT ${right} TO ${to}`);
}
