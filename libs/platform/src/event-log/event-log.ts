/** One record to append. `key` decides the partition: equal keys meet in one partition, in the order of their appends. */
export interface NewLogRecord {
  readonly key: string;
  /** JSON text with a field `v`, the record's version. */
  readonly value: string;
}

/** A record as it stands in the log. `position` counts from 0 without gaps within its partition, which may begin later: old records go. */
export interface LogRecord {
  readonly position: bigint;
  readonly key: string;
  readonly value: string;
  /** When the log took it, in system time. */
  readonly appendedAt: Temporal.Instant;
}

/** Consecutive records of one partition, never empty. */
export interface LogBatch {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly LogRecord[];
}

/** Where a record was put. */
export interface LogPosition {
  readonly partition: number;
  readonly position: bigint;
}

/** How far a group is behind in one partition. */
export interface PartitionLag {
  readonly partition: number;
  /** Appended and not yet committed by the group. */
  readonly records: bigint;
  /** When the oldest of them was appended; null where there is none. */
  readonly oldestAt: Temporal.Instant | null;
}

export interface Subscription {
  /** Lets the running batches finish, commits them and takes no more. */
  close(): Promise<void>;
}

export interface SubscribeOptions {
  readonly topic: string;
  /** Members of one group share the partitions; each group sees every record. A new group begins at the earliest record. */
  readonly group: string;
  readonly batchSizeMax: number;
  /**
   * Handles one batch; its offset is committed after the promise resolves. When it rejects, the same records come
   * again (perhaps cut differently). Batches of one partition never run at the same time.
   */
  readonly handle: (batch: LogBatch) => Promise<void>;
}

/**
 * The log of what happened. Every adapter keeps exactly this:
 * an append that resolved survives kill -9 of any process; a record is delivered at least once to each group, in order
 * within its partition, and never skipped, also when its transaction commits late.
 */
export interface EventLog {
  /** Creates the topic where it is missing. Safe to repeat. The number of partitions of an existing topic is kept. */
  ensureTopic(topic: { readonly name: string; readonly partitions: number }): Promise<void>;
  /**
   * All of them are durable once it resolves. Positions stand in the order of `records`. Throws a retryable Fault when the log
   * can't take more (`log_overloaded`: nothing was written) or is away (`log_unavailable`: all, none, or on Kafka some may have
   * been written all the same), and one that is not retryable where a record cannot be stored (`log_refused`).
   */
  append(topic: string, records: readonly NewLogRecord[]): Promise<readonly LogPosition[]>;
  subscribe(options: SubscribeOptions): Promise<Subscription>;
  /**
   * The instant before which every acknowledged record of the topic has been handled and committed by the group:
   * now, where it has consumed everything; else the append time of the oldest record that it has not.
   */
  completeAsOf(options: { readonly topic: string; readonly group: string }): Promise<Temporal.Instant>;
  /** Records appended and not yet committed by the group. */
  lag(options: { readonly topic: string; readonly group: string }): Promise<bigint>;
  /** The same by partition, with the age of what waits; every partition of the topic is there. */
  lagByPartition(options: { readonly topic: string; readonly group: string }): Promise<readonly PartitionLag[]>;
  /**
   * For each partition of the topic the first position that the group has not committed: every record before it has been handled.
   * One that never began stands at its earliest record.
   */
  nextPositions(options: { readonly topic: string; readonly group: string }): Promise<ReadonlyMap<number, bigint>>;
  /** Resolves where the log answers at all, and throws a Fault where it is away. */
  check(): Promise<void>;
  close(): Promise<void>;
}
