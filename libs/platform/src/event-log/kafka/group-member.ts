import { PartitionAssigners } from 'kafkajs';
import type { Cluster, Consumer, EachBatchPayload } from 'kafkajs';

import type { LogRecord, SubscribeOptions } from '../event-log.js';
import { commitNote } from './commit-note.js';
import type { ConsumerSettings } from './consumer-settings.js';
import { inTime } from './in-time.js';
import { openClient } from './kafka-client.js';
import type { KafkaConnection } from './kafka-client.js';
import { isMembershipOver } from './kafka-faults.js';
import { kafkaGroupOf } from './kafka-group.js';
import { toLogRecords } from './log-records.js';
import { PartitionReader } from './partition-reader.js';
import { Turns } from './turns.js';

/** The broker holds a fetch so long when there is nothing new. Also how long a member needs to notice that others joined, or to leave. */
const FETCH_WAIT_MS = 250;
const FETCH_BYTES_MAX = 8 * 1024 * 1024;
const PARTITION_FETCH_BYTES_MAX = 1024 * 1024;
/** What waits for the handlers, in all partitions together, and what one partition may hold of it whatever the size of its batches. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024;
const WAITING_RECORDS_MIN = 10_000;
/** How long the others of the group wait for this member to end its batches before they go on without it. */
const REBALANCE_TIMEOUT_MS = 60_000;
/** Ends before that, so that a hanging handler does not cost the membership too. */
const DRAIN_MAX_MS = 45_000;
const LEAVE_MAX_MS = 10_000;
/** A commit without an answer is as good as failed: the records come again. */
const COMMIT_MAX_MS = 30_000;
/** Longer than draining and joining take together. kafkajs can stop without a word, when a broker freezes in the middle of an answer. */
const SILENCE_MAX_MS = 150_000;

/**
 * One life in a consumer group, from joining to leaving or breaking. Fetched records go to one reader per partition, so a slow or
 * failing partition holds up no other, and heartbeats go on during long batches. A member that has broken is replaced by another.
 */
export class GroupMember {
  /** Resolves with the reason when it can't go on. */
  readonly broken: Promise<unknown>;
  private readonly reportBroken: (reason: unknown) => void;
  private readonly consumer: Consumer;
  private readonly turns: Turns;
  private readonly readers = new Map<number, PartitionReader>();
  /** Batches that were still at work when their partition was given away, by partition. The next reader begins after them. */
  private readonly leftovers = new Map<number, Promise<void>>();
  private heartbeat: () => Promise<void> = () => Promise.resolve();
  private readonly left = new AbortController();
  private signsOfLife = 0;

  constructor(
    private readonly options: SubscribeOptions,
    private readonly settings: ConsumerSettings,
    connection: KafkaConnection,
  ) {
    ({ promise: this.broken, resolve: this.reportBroken } = Promise.withResolvers<unknown>());
    this.turns = new Turns(settings.concurrencyMax);
    this.consumer = openClient(connection).consumer({
      groupId: kafkaGroupOf(options),
      allowAutoTopicCreation: false,
      sessionTimeout: settings.sessionTimeoutMs,
      heartbeatInterval: settings.heartbeatIntervalMs,
      rebalanceTimeout: REBALANCE_TIMEOUT_MS,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      maxBytes: FETCH_BYTES_MAX,
      maxBytesPerPartition: PARTITION_FETCH_BYTES_MAX,
      // What kafkajs cannot ride out breaks this member; the subscription makes another.
      retry: { restartOnFailure: () => Promise.resolve(false) },
      partitionAssigners: [
        (config) => {
          this.drainBeforeJoining(config.cluster);
          return PartitionAssigners.roundRobin(config);
        },
      ],
    });
    this.consumer.on('consumer.crash', ({ payload }) => this.reportBroken(payload.error));
    this.consumer.on('consumer.group_join', () => this.onJoined());
    this.consumer.on('consumer.fetch', () => (this.signsOfLife += 1));
  }

  /** Throws where the brokers can't be reached. Joining goes on in the background: it may have to wait for other members. */
  async join(): Promise<void> {
    try {
      await this.consumer.connect();
      await this.consumer.subscribe({ topics: [this.options.topic], fromBeginning: true });
    } catch (error) {
      await this.consumer.disconnect().catch(() => undefined); // It is of no more use either way.
      throw error;
    }
    const run = this.consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: (payload) => this.receive(payload) });
    run.catch((error: unknown) => this.reportBroken(error));
    void this.watch();
  }

  /** Lets the running batches end, commits them, and leaves the group. Heartbeats go on meanwhile. */
  async leave(): Promise<void> {
    this.left.abort();
    await Promise.all([...this.readers.values()].map((reader) => reader.finish()));
    await Promise.all(this.leftovers.values());
    // Only now: kafkajs drops commits without a word once it is stopping.
    const gone = this.consumer.disconnect().catch(() => undefined); // The broker gives up a member that is not heard of.
    await inTime(gone, { clock: this.settings.clock, maxMs: LEAVE_MAX_MS }).catch(() => undefined);
  }

  private async watch(): Promise<void> {
    const { clock } = this.settings;
    while (!this.left.signal.aborted) {
      const before = this.signsOfLife;
      await clock.sleep(SILENCE_MAX_MS, this.left.signal).catch(() => undefined); // Rejects only when it is left.
      if (this.signsOfLife === before) this.reportBroken(new Error(`Nothing was heard of the broker for ${SILENCE_MAX_MS} ms.`));
    }
  }

  /**
   * kafkajs has no hook before it joins again after a rebalance, and would give partitions away in the middle of their batches. But
   * each join begins by looking for the group's coordinator, and whoever makes the assigner is given the cluster that looks.
   */
  private drainBeforeJoining(cluster: Cluster): void {
    const findGroupCoordinator = cluster.findGroupCoordinator.bind(cluster);
    cluster.findGroupCoordinator = async (group) => {
      await this.drain();
      return findGroupCoordinator(group);
    };
  }

  /** The running batches end and are committed under the old membership, which the broker still accepts while it waits for the members. */
  private async drain(): Promise<void> {
    const { clock, heartbeatIntervalMs } = this.settings;
    let isOver = false;
    const drained = Promise.all([...this.readers.values()].map((reader) => reader.finish()));
    const deadlineMs = clock.now().epochMilliseconds + DRAIN_MAX_MS;
    while (!isOver && clock.now().epochMilliseconds < deadlineMs) {
      isOver = await inTime(drained, { clock, maxMs: heartbeatIntervalMs }).then(() => true, () => false);
      // Answered with "rebalancing", and counted as a sign of life all the same.
      if (!isOver) await this.heartbeat().catch(() => undefined);
    }
  }

  private onJoined(): void {
    for (const [partition, reader] of this.readers) {
      const before = this.leftovers.get(partition);
      const leftover = Promise.all([before, reader.abandon()]).then(() => {
        if (this.leftovers.get(partition) === leftover) this.leftovers.delete(partition);
      });
      this.leftovers.set(partition, leftover);
    }
    this.readers.clear();
    // Whatever was paused for a full queue has an empty one now.
    this.consumer.resume([{ topic: this.options.topic }]);
  }

  private async receive({ batch, resolveOffset, heartbeat, isStale }: EachBatchPayload): Promise<void> {
    this.heartbeat = heartbeat;
    if (this.left.signal.aborted || isStale()) return;
    const reader = this.readers.get(batch.partition) ?? this.addReader(batch.partition);
    reader.offer(toLogRecords(batch.messages), this.leftovers.get(batch.partition));
    resolveOffset(batch.lastOffset()); // Fetched, which is not committed.
    if (this.isFull(reader)) this.consumer.pause([{ topic: this.options.topic, partitions: [batch.partition] }]);
  }

  private addReader(partition: number): PartitionReader {
    const { topic, group, batchSizeMax, handle } = this.options;
    const report = (error: unknown): void => this.settings.onError(error, { topic, group, partition });
    const reader: PartitionReader = new PartitionReader(
      { ...this.settings, batchSizeMax },
      {
        handle: (records: readonly LogRecord[]) => handle({ topic, partition, records }),
        commit: async (next, nextAppendedAt) => {
          const commit = this.consumer.commitOffsets([{ topic, partition, offset: next.toString(), metadata: commitNote(nextAppendedAt) }]);
          await inTime(commit, { clock: this.settings.clock, maxMs: COMMIT_MAX_MS });
        },
        onHandlerError: report,
        onCommitError: (error) => {
          report(error);
          if (!isMembershipOver(error)) this.reportBroken(error);
        },
        onRoom: () => {
          if (!this.isFull(reader) && !this.left.signal.aborted) this.consumer.resume([{ topic, partitions: [partition] }]);
        },
      },
      this.turns,
    );
    this.readers.set(partition, reader);
    return reader;
  }

  /** One batch is at work and one stands ready behind it; of small batches more, so that no handler waits for a fetch. */
  private isFull({ queue }: PartitionReader): boolean {
    const recordsMax = Math.max(2 * this.options.batchSizeMax, WAITING_RECORDS_MIN);
    const bytesMax = Math.max(PARTITION_FETCH_BYTES_MAX, WAITING_BYTES_MAX / this.readers.size);
    return queue.length >= recordsMax || queue.bytes >= bytesMax;
  }
}
