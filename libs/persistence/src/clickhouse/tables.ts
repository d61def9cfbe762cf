/** What counts each event once, by identity. A later version of a row wins; equal copies have one key. */
const events = `
  CREATE TABLE IF NOT EXISTS events (
    organization_id LowCardinality(String),
    event_type LowCardinality(String),
    bucket UInt8,
    subject String,
    time DateTime64(6, 'UTC'),
    source LowCardinality(String),
    id String,
    payload_hash String CODEC(ZSTD(1)),
    time_given Bool,
    received_at DateTime64(6, 'UTC'),
    appended_at DateTime64(6, 'UTC'),
    partition UInt16,
    position UInt64,
    data String CODEC(ZSTD(1)),
    version UInt64,
    is_deleted UInt8,
    INDEX id_index id TYPE bloom_filter(0.01) GRANULARITY 4
  ) ENGINE = ReplacingMergeTree(version, is_deleted)
  PARTITION BY toYYYYMM(time)
  ORDER BY (organization_id, event_type, bucket, subject, time, source, id, payload_hash)
  SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`;

/** One row per log position. The counted ones are the index of identities; conflicts keep the data that they brought. */
const eventCopies = `
  CREATE TABLE IF NOT EXISTS event_copies (
    organization_id LowCardinality(String),
    identity UInt64,
    partition UInt16,
    position UInt64,
    verdict Enum8('counted' = 1, 'duplicate' = 2, 'conflict' = 3),
    event_type LowCardinality(String),
    subject String,
    source LowCardinality(String),
    id String,
    time DateTime64(6, 'UTC'),
    time_given Bool,
    received_at DateTime64(6, 'UTC'),
    appended_at DateTime64(6, 'UTC'),
    payload_hash String CODEC(ZSTD(1)),
    data String CODEC(ZSTD(1)),
    keep_until DateTime('UTC'),
    INDEX verdict_index verdict TYPE set(3) GRANULARITY 1,
    INDEX id_index id TYPE bloom_filter(0.01) GRANULARITY 4
  ) ENGINE = ReplacingMergeTree
  PARTITION BY toYYYYMMDD(received_at)
  ORDER BY (organization_id, identity, partition, position)
  TTL keep_until
  SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1, index_granularity = 2048`;

/**
 * One row per log position that corrects an event: who asked for it, when, why, and what for. Kept for ever, as the trail of
 * what was changed by hand; what it did to its event stands in `events`.
 */
const eventCorrections = `
  CREATE TABLE IF NOT EXISTS event_corrections (
    organization_id LowCardinality(String),
    identity UInt64,
    partition UInt16,
    position UInt64,
    kind Enum8('amendment' = 1, 'void' = 2),
    source LowCardinality(String),
    id String,
    data String CODEC(ZSTD(1)),
    reason Nullable(String),
    made_by LowCardinality(String),
    received_at DateTime64(6, 'UTC'),
    appended_at DateTime64(6, 'UTC'),
    sealed_before Nullable(DateTime64(6, 'UTC'))
  ) ENGINE = ReplacingMergeTree
  PARTITION BY toYYYYMM(received_at)
  ORDER BY (organization_id, identity, partition, position)
  SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`;

/** What each meter counted of a subject and group in an hour, as exact states. Rewritten whole, never added to. */
const usageRollups = `
  CREATE TABLE IF NOT EXISTS usage_rollups (
    organization_id LowCardinality(String),
    meter_id LowCardinality(String),
    bucket UInt8,
    subject String,
    hour DateTime('UTC'),
    group_values Array(String),
    count UInt64,
    sum Decimal(76, 18),
    min Decimal(76, 18),
    max Decimal(76, 18),
    latest Tuple(time DateTime64(6, 'UTC'), appended_at DateTime64(6, 'UTC'), position UInt64, partition UInt16, value Decimal(76, 18)),
    uniq AggregateFunction(uniqExact, String),
    generation UInt64
  ) ENGINE = ReplacingMergeTree(generation)
  PARTITION BY toYYYYMM(hour)
  ORDER BY (organization_id, meter_id, bucket, subject, hour, group_values)
  SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`;

/** Sorted values with how often each occurred, for percentiles. Rollups made before have none, and are of meters that need none. */
const rollupDistribution = `
  ALTER TABLE usage_rollups ADD COLUMN IF NOT EXISTS distribution Tuple(values Array(Decimal(76, 18)), counts Array(UInt64)) AFTER uniq`;

/** What gauges did in the hour, for time-weighted sums. Rollups made before have none, and are of meters that need none. */
const rollupGauge = `
  ALTER TABLE usage_rollups ADD COLUMN IF NOT EXISTS
    gauge Tuple(first DateTime64(6, 'UTC'), last DateTime64(6, 'UTC'), value Decimal(76, 18), area Decimal(76, 18)) AFTER distribution`;

const deadLetters = `
  CREATE TABLE IF NOT EXISTS dead_letters (
    organization_id LowCardinality(String),
    received_at DateTime64(6, 'UTC'),
    id String,
    kind LowCardinality(String),
    code LowCardinality(String),
    detail String,
    errors String,
    payload String CODEC(ZSTD(1)),
    counted_payload Nullable(String) CODEC(ZSTD(1)),
    event_source Nullable(String),
    event_id Nullable(String)
  ) ENGINE = ReplacingMergeTree
  PARTITION BY toYYYYMM(received_at)
  ORDER BY (organization_id, received_at, id)
  SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`;

/** What became of dead letters: the last change in the log, but what was replayed stays so. In the order of the letters. */
const deadLetterStates = `
  CREATE TABLE IF NOT EXISTS dead_letter_states (
    organization_id LowCardinality(String),
    received_at DateTime64(6, 'UTC'),
    id String,
    state Enum8('replayed' = 1, 'discarded' = 2),
    changed_at DateTime64(6, 'UTC'),
    changed_by String,
    reason Nullable(String),
    event_source Nullable(String),
    event_id Nullable(String),
    changes String CODEC(ZSTD(1)),
    version UInt64
  ) ENGINE = ReplacingMergeTree(version)
  PARTITION BY toYYYYMM(received_at)
  ORDER BY (organization_id, received_at, id)
  SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`;

/** Who follows the log live asks for what lies behind a position: only young parts have any. */
const copiesByPosition = 'ALTER TABLE event_copies ADD INDEX IF NOT EXISTS position_index position TYPE minmax GRANULARITY 1';

/**
 * The steps that make the tables, in order. A step once released is never edited: a change is a new step, and each
 * can run again without harm.
 */
export const clickHouseSteps: readonly { readonly name: string; readonly sql: string }[] = [
  { name: '0001-events', sql: events },
  { name: '0002-event-copies', sql: eventCopies },
  { name: '0003-usage-rollups', sql: usageRollups },
  { name: '0004-dead-letters', sql: deadLetters },
  // The data that an amended event came with; empty where it still has it. Its own row goes when rows are merged.
  { name: '0010-original-data', sql: `ALTER TABLE events ADD COLUMN IF NOT EXISTS original_data String CODEC(ZSTD(1))` },
  { name: '0011-event-corrections', sql: eventCorrections },
  { name: '0020-rollup-distribution', sql: rollupDistribution },
  { name: '0030-dead-letter-states', sql: deadLetterStates },
  { name: '0031-copies-by-position', sql: copiesByPosition },
  { name: '0055-rollup-gauge', sql: rollupGauge },
];
