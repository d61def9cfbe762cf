import { Pool } from 'pg';
import type { ClientConfig } from 'pg';

import type { Clock } from '../clock/clock.js';
import { AssertionFailed, assert } from '../errors/assert.js';
import { Fault } from '../errors/fault.js';
import type { EventLog, LogPosition, NewLogRecord, PartitionLag, SubscribeOptions, Subscription } from './event-log.js';
import type { GroupCommitBounds } from './group-commit.js';
import { PostgresAppender } from './postgres-append.js';
import { SEGMENT_DAYS_AHEAD } from './postgres-event-log-schema.js';
import { faultOfPostgres } from './postgres-faults.js';
import { completeAsOf, lagByPartition, nextPositions } from './postgres-progress.js';
import { PostgresSubscription } from './postgres-subscription.js';
import type { ConsumerSettings } from './postgres-subscription.js';
import { PostgresTopics } from './postgres-topics.js';
import type { Topic } from './postgres-topics.js';

const POOL_MAX = 4;
const SEGMENTS_DROPPED_MAX = 100;
const DEFAULT_RETENTION_DAYS = 7;

const DEFAULT_BOUNDS: GroupCommitBounds = {
  flushRecordsMax: 5_000,
  flushBytesMax: 4 * 1024 * 1024,
  pendingRecordsMax: 50_000,
  pendingBytesMax: 64 * 1024 * 1024,
};

const DEFAULT_SETTINGS = {
  pollIntervalMs: 50,
  claimIntervalMs: 500,
  retryDelayMs: 100,
  retryDelayMaxMs: 10_000,
  concurrencyMax: 4,
  batchBytesMax: 16 * 1024 * 1024,
  onError: (error: unknown, { topic, group }: { topic: string; group: string }) => {
    process.emitWarning(error instanceof Error ? error : String(error), { detail: `Consuming topic '${topic}' as group '${group}'.` });
  },
};

/**
 * Where the log is: a pool that the caller closes, or a connection string for a pool of the log's own. Appends and
 * questions use the pool; each subscription opens one connection more, with the pool's settings but outside of it.
 */
type Source = { readonly pool: Pool } | { readonly connectionString: string };

export type PostgresEventLogOptions = Source & {
  readonly clock: Clock;
  readonly bounds?: Partial<GroupCommitBounds>;
  /** Seen by the server as the name of the log's own connections. */
  readonly applicationName?: string;
} & Partial<Omit<ConsumerSettings, 'clock'>>;

export interface MaintainOptions {
  /** Days after which a segment may go, once every known group has passed it. At least 1. */
  readonly retentionDays?: number;
  /** Groups without a living member for so many days no longer hold segments back. Never, if not given. */
  readonly forgetGroupsAfterDays?: number;
}

export interface PostgresEventLog extends EventLog {
  /** Creates the segments of the coming days and drops old ones. To be called at start and a few times a day; safe in several processes at once. */
  maintain(options?: MaintainOptions): Promise<{ readonly created: number; readonly dropped: readonly string[]; readonly forgotten: number }>;
}

/** The event log on Postgres. Its tables are made by `migrateEventLog` (or the statements of `eventLogMigration`). */
export function openPostgresEventLog(options: PostgresEventLogOptions): PostgresEventLog {
  return new PostgresLog(options);
}

class PostgresLog implements PostgresEventLog {
  private readonly pool: Pool;
  private readonly ownsPool: boolean;
  private readonly connection: ClientConfig;
  private readonly settings: ConsumerSettings;
  private readonly bounds: GroupCommitBounds;
  private readonly topics: PostgresTopics;
  private readonly appenders = new Map<string, PostgresAppender>();
  private readonly subscriptions = new Map<PostgresSubscription, string>();
  private closing: Promise<void> | undefined;

  constructor(options: PostgresEventLogOptions) {
    const { bounds, applicationName = 'event-log', ...given } = options;
    this.ownsPool = !('pool' in options);
    this.pool = 'pool' in options ? options.pool : openPool({ connectionString: options.connectionString, applicationName });
    // The pool hides its password from copies.
    const { password } = this.pool.options;
    this.connection = { ...this.pool.options, ...(password === undefined ? {} : { password }), application_name: applicationName };
    this.settings = { ...DEFAULT_SETTINGS, ...given };
    this.bounds = { ...DEFAULT_BOUNDS, ...bounds };
    this.topics = new PostgresTopics(this.pool);
  }

  ensureTopic(topic: { readonly name: string; readonly partitions: number }): Promise<void> {
    return this.topics.ensure(topic);
  }

  async append(topicName: string, records: readonly NewLogRecord[]): Promise<readonly LogPosition[]> {
    this.refuseWhenClosed();
    const known = this.appenders.get(topicName);
    if (known !== undefined) return known.append(records);
    const topic = await this.topics.find(topicName);
    this.refuseWhenClosed();
    return this.appenderOf(topic).append(records);
  }

  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    assert(Number.isInteger(options.batchSizeMax) && options.batchSizeMax >= 1, 'A batch holds at least one record.');
    this.refuseWhenClosed();
    const topic = await this.topics.find(options.topic);
    const subscription = new PostgresSubscription(topic, options, { connection: this.connection, settings: this.settings });
    await subscription.start();
    this.subscriptions.set(subscription, topic.name);
    return {
      close: async () => {
        await subscription.close();
        this.subscriptions.delete(subscription);
      },
    };
  }

  async completeAsOf({ topic, group }: { readonly topic: string; readonly group: string }): Promise<Temporal.Instant> {
    return completeAsOf(this.pool, await this.topics.find(topic), group);
  }

  async lag({ topic, group }: { readonly topic: string; readonly group: string }): Promise<bigint> {
    return (await this.lagByPartition({ topic, group })).reduce((sum, { records }) => sum + records, 0n);
  }

  async lagByPartition({ topic, group }: { readonly topic: string; readonly group: string }): Promise<readonly PartitionLag[]> {
    return lagByPartition(this.pool, await this.topics.find(topic), group);
  }

  async nextPositions({ topic, group }: { readonly topic: string; readonly group: string }): Promise<ReadonlyMap<number, bigint>> {
    return nextPositions(this.pool, await this.topics.find(topic), group);
  }

  async check(): Promise<void> {
    await this.pool.query('SELECT 1').catch((error: unknown) => {
      throw faultOfPostgres(error);
    });
  }

  async maintain(options: MaintainOptions = {}): Promise<{ created: number; dropped: string[]; forgotten: number }> {
    const { retentionDays = DEFAULT_RETENTION_DAYS, forgetGroupsAfterDays } = options;
    try {
      const created = await this.call<number>('SELECT event_log.create_segments($1) AS result', SEGMENT_DAYS_AHEAD);
      const forgotten =
        forgetGroupsAfterDays === undefined ? 0 : await this.call<number>('SELECT event_log.forget_groups($1) AS result', forgetGroupsAfterDays);
      const dropped: string[] = [];
      // One transaction per segment, so that the log is never locked for long.
      while (dropped.length < SEGMENTS_DROPPED_MAX) {
        const segment = await this.call<string | null>('SELECT event_log.drop_oldest_segment($1) AS result', retentionDays);
        if (segment === null) break;
        dropped.push(segment);
      }
      return { created, dropped, forgotten };
    } catch (error) {
      throw faultOfPostgres(error);
    }
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    const closed = await Promise.allSettled([...this.subscriptions.keys()].map((subscription) => subscription.close()));
    await Promise.all([...this.appenders.values()].map((appender) => appender.drain()));
    if (this.ownsPool) await this.pool.end();
    const failed = closed.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  private async call<T>(sql: string, value: number): Promise<T> {
    const { rows } = await this.pool.query<{ result: T }>(sql, [value]);
    const row = rows[0];
    if (row === undefined) throw new AssertionFailed('A function gives one row.');
    return row.result;
  }

  private appenderOf(topic: Topic): PostgresAppender {
    const known = this.appenders.get(topic.name);
    if (known !== undefined) return known;
    const onAppended = (): void => {
      for (const [subscription, name] of this.subscriptions) if (name === topic.name) subscription.wake();
    };
    const appender = new PostgresAppender(this.pool, topic, { bounds: this.bounds, onAppended });
    this.appenders.set(topic.name, appender);
    return appender;
  }

  private refuseWhenClosed(): void {
    if (this.closing === undefined) return;
    throw new Fault({ code: 'log_unavailable', detail: 'The event log is being closed.', retryable: true });
  }
}

function openPool({ connectionString, applicationName }: { readonly connectionString: string; readonly applicationName: string }): Pool {
  const pool = new Pool({ connectionString, max: POOL_MAX, application_name: applicationName });
  // An idle connection that breaks is replaced at the next query; without a listener it would end the process.
  pool.on('error', () => undefined);
  return pool;
}
