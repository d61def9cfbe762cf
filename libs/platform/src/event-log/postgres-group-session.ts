import { Client } from 'pg';
import type { ClientConfig, QueryConfig, QueryResult, QueryResultRow } from 'pg';

import { assert } from '../errors/assert.js';
import { advisoryKey } from './advisory-keys.js';
import type { LogRecord } from './event-log.js';
import type { Topic } from './postgres-topics.js';

/** A query that takes longer means that the connection is as good as dead. */
const QUERY_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Times come as UTC text. A lost offset only means that a batch comes again, so a commit need not wait for the disk.
 * Plans are made for big tables, also when they are made while those are empty.
 * Keep-alives (of no meaning on a Unix socket) free the claims of a machine that vanished after 25 s.
 */
const SESSION_SETTINGS = `
SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET synchronous_commit = off; SET enable_seqscan = off;
SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3`;

/** The right to consume one partition, and how far that has come. */
export interface Lease {
  readonly partition: number;
  /** As stored; what the next commit compares with. */
  committed: bigint;
  /** The next position to read. Above `committed` only where old segments were dropped. */
  position: bigint;
  /** The append time of the last record committed: later ones are not older, so older segments need no look. */
  appendedFloor: string;
}

export interface GroupMember {
  readonly topic: Topic;
  readonly group: string;
}

const READ_SQL = `
SELECT position, key, value, appended_at::text FROM (
  SELECT *, sum(octet_length(value)) OVER (ORDER BY position ROWS UNBOUNDED PRECEDING) AS bytes FROM (
    SELECT position, key, value, appended_at FROM event_log.records
    WHERE topic_id = $1 AND partition = $2 AND position >= $3 AND appended_at >= $4
    ORDER BY position LIMIT $5) AS window_of_records) AS counted
WHERE bytes <= $6 OR position = $3
ORDER BY position`;

/**
 * One connection that a member of a group consumes by. Its partitions are claimed by session-level advisory locks, and
 * reads and commits go through the same session: when it ends, the server gives the partitions to others, and nothing
 * can be committed by it any more. So a late commit of a member that was thought dead cannot exist; the compare-and-set
 * on the offset is the second bolt.
 */
export class GroupSession {
  readonly leases = new Map<number, Lease>();
  private readonly client: Client;
  private isOver = false;
  private lastQuery: Promise<void> = Promise.resolve();

  private constructor(
    private readonly member: GroupMember,
    config: ClientConfig,
  ) {
    this.client = new Client({ ...config, query_timeout: QUERY_TIMEOUT_MS, connectionTimeoutMillis: CONNECT_TIMEOUT_MS, keepAlive: true });
    // Without a listener a connection that breaks would end the process.
    this.client.on('error', () => (this.isOver = true));
    this.client.on('end', () => (this.isOver = true));
  }

  /** Connects, makes the group known (from then on old segments wait for it) and counts as a member. */
  static async open(member: GroupMember, config: ClientConfig): Promise<GroupSession> {
    const session = new GroupSession(member, config);
    try {
      await session.client.connect();
      await session.query(SESSION_SETTINGS);
      await session.query(
        `INSERT INTO event_log.offsets (topic_id, group_name, partition) SELECT $1, $2, generate_series(0, $3::int - 1) ON CONFLICT DO NOTHING`,
        [member.topic.id, member.group, member.topic.partitions],
      );
      await session.query('SELECT pg_advisory_lock_shared($1)', [session.membershipKey()]);
      return session;
    } catch (error) {
      session.abandon();
      throw error;
    }
  }

  get over(): boolean {
    return this.isOver;
  }

  /** How many partitions are this member's share, counted over all living members. Shares differ by one at most and sum to all. */
  async share(): Promise<number> {
    const key = BigInt.asUintN(64, BigInt(this.membershipKey()));
    const { rows } = await this.query<{ members: number; rank: number }>({
      name: 'event_log_members',
      text: `SELECT count(*)::int AS members, (count(*) FILTER (WHERE pid < pg_backend_pid()))::int AS rank FROM pg_locks
        WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND classid = $1::oid AND objid = $2::oid AND objsubid = 1 AND granted`,
      values: [(key >> 32n).toString(), (key & 0xffffffffn).toString()],
    });
    const { members, rank } = rows[0] ?? { members: 0, rank: 0 };
    assert(members > 0, 'A member of a group must see itself.');
    const { partitions } = this.member.topic;
    return Math.floor(partitions / members) + (rank < partitions % members ? 1 : 0);
  }

  /** Takes the partition unless another member has it. */
  async claim(partition: number): Promise<boolean> {
    const { rows } = await this.query<{ claimed: boolean }>('SELECT pg_try_advisory_lock($1) AS claimed', [this.claimKey(partition)]);
    if (rows[0]?.claimed !== true) return false;
    // Read after the claim: whoever held the partition before can commit no more.
    const found = await this.query<{ committed: string; position: string }>(
      `SELECT o.next_position AS committed, greatest(o.next_position, p.first_position) AS position
       FROM event_log.offsets o JOIN event_log.partitions p USING (topic_id, partition)
       WHERE o.topic_id = $1 AND o.group_name = $2 AND o.partition = $3`,
      [this.member.topic.id, this.member.group, partition],
    );
    const offset = found.rows[0];
    assert(offset !== undefined, 'A group has an offset in each partition of its topic.');
    const lease = { partition, committed: BigInt(offset.committed), position: BigInt(offset.position), appendedFloor: '-infinity' };
    this.leases.set(partition, lease);
    return true;
  }

  async release(lease: Lease): Promise<void> {
    this.leases.delete(lease.partition);
    await this.query('SELECT pg_advisory_unlock($1)', [this.claimKey(lease.partition)]);
  }

  /** Those of the leases whose partition has records to read. */
  async withNews(leases: readonly Lease[]): Promise<Lease[]> {
    if (leases.length === 0) return [];
    const { rows } = await this.query<{ partition: number }>({
      name: 'event_log_news',
      text: `SELECT w.partition FROM unnest($2::int[], $3::bigint[], $4::timestamptz[]) AS w(partition, position, floor) CROSS JOIN LATERAL (
        SELECT FROM event_log.records r WHERE r.topic_id = $1 AND r.partition = w.partition AND r.position >= w.position AND r.appended_at >= w.floor
        ORDER BY r.position LIMIT 1) AS next`,
      values: [this.member.topic.id, ...columns(leases)],
    });
    const news = new Set(rows.map(({ partition }) => partition));
    return leases.filter(({ partition }) => news.has(partition));
  }

  /** The next records, at most `recordsMax` and, beyond the first one, `bytesMax`. */
  async read(lease: Lease, bounds: { readonly recordsMax: number; readonly bytesMax: number }): Promise<LogRecord[]> {
    const { rows } = await this.query<{ position: string; key: string; value: string; appended_at: string }>({
      name: 'event_log_read',
      text: READ_SQL,
      values: [this.member.topic.id, lease.partition, lease.position, lease.appendedFloor, bounds.recordsMax, bounds.bytesMax],
    });
    let text = '';
    let appendedAt = Temporal.Instant.fromEpochMilliseconds(0);
    const records = rows.map(({ position, key, value, appended_at: appended }) => {
      if (appended !== text) {
        // The records of one append share their time: most rows need no parsing.
        text = appended;
        appendedAt = Temporal.Instant.from(appended);
      }
      return { position: BigInt(position), key, value, appendedAt };
    });
    for (const [index, { position }] of records.entries()) {
      assert(position === lease.position + BigInt(index), 'Positions of a partition must follow each other without a gap.');
    }
    return records;
  }

  /** Stores that everything up to and with `last` is handled. */
  async commit(lease: Lease, last: LogRecord): Promise<void> {
    const next = last.position + 1n;
    const { rowCount } = await this.query({
      name: 'event_log_commit',
      text: `UPDATE event_log.offsets SET next_position = $4, seen_at = now()
        WHERE topic_id = $1 AND group_name = $2 AND partition = $3 AND next_position = $5`,
      values: [this.member.topic.id, this.member.group, lease.partition, next, lease.committed],
    });
    if (rowCount !== 1) throw new Error(`The offset of partition ${lease.partition} was moved by someone else.`);
    lease.committed = next;
    lease.position = next;
    lease.appendedFloor = last.appendedAt.toString();
  }

  /** Tells maintenance that the group lives, also where nothing is to be committed. */
  async touch(): Promise<void> {
    await this.query(
      `UPDATE event_log.offsets SET seen_at = now() WHERE topic_id = $1 AND group_name = $2 AND seen_at < now() - interval '1 hour'`,
      [this.member.topic.id, this.member.group],
    );
  }

  /** Ends the connection; the server then gives up all claims. */
  async close(): Promise<void> {
    this.isOver = true;
    await this.client.end();
  }

  /** Ends a connection that failed, without waiting for it. */
  abandon(): void {
    this.isOver = true;
    this.leases.clear();
    this.client.end().catch(() => undefined); // It is broken already.
  }

  /** One query at a time: batches of several partitions share the connection. */
  private async query<R extends QueryResultRow>(query: QueryConfig | string, values?: unknown[]): Promise<QueryResult<R>> {
    const before = this.lastQuery;
    const { promise: done, resolve } = Promise.withResolvers<void>();
    this.lastQuery = done;
    await before;
    try {
      return await this.client.query<R>(query, values);
    } finally {
      resolve();
    }
  }

  private membershipKey(): string {
    return advisoryKey('member', this.member.group, this.member.topic.name).toString();
  }

  private claimKey(partition: number): string {
    return advisoryKey('claim', this.member.group, this.member.topic.name, partition).toString();
  }
}

function columns(leases: readonly Lease[]): unknown[][] {
  return [leases.map(({ partition }) => partition), leases.map(({ position }) => position), leases.map(({ appendedFloor }) => appendedFloor)];
}
