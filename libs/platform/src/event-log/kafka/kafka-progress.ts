import type { Cluster } from 'kafkajs';

import type { Clock } from '../../clock/clock.js';
import { assert } from '../../errors/assert.js';
import type { PartitionLag } from '../event-log.js';
import type { BrokerSkew } from './broker-skew.js';
import { appendedAtOf } from './commit-note.js';
import type { Connected } from './kafka-client.js';
import { kafkaGroupOf } from './kafka-group.js';
import type { Ask, Topic } from './kafka-topics.js';

/** Asks for the first batch only: the broker sends one, whatever its size. */
const ONE_BATCH_BYTES = 1;
const FETCH_WAIT_MS = 500;

interface PartitionProgress {
  readonly partition: number;
  /** The first position that the group has not handled. */
  readonly next: bigint;
  /** The position behind the last acknowledged record. */
  readonly end: bigint;
  /** When the record at `next` was appended, where the group's reader has noted it. */
  readonly nextAppendedMs: number | undefined;
}

/** Records of one written batch: by the broker's clock all of them were appended at once. */
interface WrittenBatch {
  readonly first: bigint;
  readonly last: bigint;
  readonly appendedMs: number;
}

interface FetchedPartition {
  readonly partition: number;
  readonly messages: readonly { readonly offset: string; readonly timestamp: string }[];
}

export interface ProgressParts {
  readonly ask: Ask;
  readonly cluster: Connected<Cluster>;
  readonly clock: Clock;
  readonly skew: BrokerSkew;
}

/** How far groups have come. Answers come from the brokers alone, so any process can ask about any group. */
export class KafkaProgress {
  /** The written batch last looked at, by topic and partition. A group that is behind stays in one batch for a while. */
  private readonly lookedAt = new Map<string, WrittenBatch>();

  constructor(private readonly parts: ProgressParts) {}

  /** See `EventLog.completeAsOf`. */
  async completeAsOf(topic: Topic, group: string): Promise<Temporal.Instant> {
    const { clock, skew } = this.parts;
    // Read before the ends of the partitions: what was acknowledged by now lies before those ends.
    const askedAt = clock.now();
    const behind = (await this.read(topic, group)).filter(({ next, end }) => next < end);
    if (behind.length === 0) return askedAt;
    const oldest = await this.oldestMs(topic, behind);
    const oldestAt = Temporal.Instant.fromEpochMilliseconds(Math.min(...oldest) - skew.holdBackMs());
    return Temporal.Instant.compare(oldestAt, askedAt) < 0 ? oldestAt : askedAt;
  }

  /** See `EventLog.lag`. */
  async lag(topic: Topic, group: string): Promise<bigint> {
    const partitions = await this.read(topic, group);
    return partitions.reduce((sum, { next, end }) => (next < end ? sum + end - next : sum), 0n);
  }

  /** See `EventLog.lagByPartition`. */
  async lagByPartition(topic: Topic, group: string): Promise<PartitionLag[]> {
    const partitions = (await this.read(topic, group)).toSorted((a, b) => a.partition - b.partition);
    const behind = partitions.filter(({ next, end }) => next < end);
    const oldest = await this.oldestMs(topic, behind);
    const oldestAt = new Map(behind.map(({ partition }, index) => [partition, Temporal.Instant.fromEpochMilliseconds(oldest[index] as number)]));
    return partitions.map(({ partition, next, end }) => ({ partition, records: next < end ? end - next : 0n, oldestAt: oldestAt.get(partition) ?? null }));
  }

  /** See `EventLog.nextPositions`. */
  async nextPositions(topic: Topic, group: string): Promise<ReadonlyMap<number, bigint>> {
    return new Map((await this.read(topic, group)).toSorted((a, b) => a.partition - b.partition).map(({ partition, next }) => [partition, next]));
  }

  /** When the first unhandled record of each was appended, by the broker's clock. */
  private async oldestMs(topic: Topic, behind: readonly PartitionProgress[]): Promise<number[]> {
    const oldest = await Promise.all(behind.map((each) => this.appendedMs(topic, each)));
    for (const appendedMs of oldest) this.parts.skew.observe(appendedMs);
    return oldest;
  }

  /** The ends first: what is committed is read later, so an answer never claims too much. */
  private async read(topic: Topic, group: string): Promise<PartitionProgress[]> {
    const bounds = await this.parts.ask((admin) => admin.fetchTopicOffsets(topic.name));
    const committed = await this.parts.ask((admin) => admin.fetchOffsets({ groupId: kafkaGroupOf({ group, topic: topic.name }), topics: [topic.name] }));
    const commits = new Map(committed.flatMap(({ partitions }) => partitions).map((each) => [each.partition, each]));
    return bounds.map(({ partition, low, high }) => {
      const commit = commits.get(partition);
      const [next, first] = [BigInt(commit?.offset ?? -1), BigInt(low)];
      // Nothing committed, or what is committed is past its retention: then the group goes on with the earliest record.
      if (next < first) return { partition, next: first, end: BigInt(high), nextAppendedMs: undefined };
      return { partition, next, end: BigInt(high), nextAppendedMs: appendedAtOf(commit?.metadata ?? null) };
    });
  }

  private async appendedMs(topic: Topic, { partition, next, nextAppendedMs }: PartitionProgress): Promise<number> {
    if (nextAppendedMs !== undefined) return nextAppendedMs;
    const place = `${topic.name}/${partition}`;
    const known = this.lookedAt.get(place);
    if (known !== undefined && known.first <= next && next <= known.last) return known.appendedMs;
    const batch = await this.parts.ask(() => this.fetchBatch(topic, { partition, next }));
    this.lookedAt.set(place, batch);
    return batch.appendedMs;
  }

  private async fetchBatch(topic: Topic, { partition, next }: Pick<PartitionProgress, 'partition' | 'next'>): Promise<WrittenBatch> {
    const cluster = await this.parts.cluster.get();
    await cluster.addTargetTopic(topic.name);
    await cluster.refreshMetadataIfNecessary();
    const [leader] = Object.keys(cluster.findLeaderForPartitions(topic.name, [partition]));
    assert(leader !== undefined, 'A partition that has records has a leader.');
    const broker = await cluster.findBroker({ nodeId: leader });
    const answer = (await broker.fetch({
      maxWaitTime: FETCH_WAIT_MS,
      minBytes: 1,
      maxBytes: ONE_BATCH_BYTES,
      topics: [{ topic: topic.name, partitions: [{ partition, fetchOffset: next.toString(), maxBytes: ONE_BATCH_BYTES }] }],
    })) as { readonly responses: readonly { readonly partitions: readonly FetchedPartition[] }[] };
    const messages = answer.responses.flatMap(({ partitions }) => partitions).flatMap((fetched) => fetched.messages);
    const at = messages.find(({ offset }) => BigInt(offset) >= next);
    if (at === undefined) throw new Error(`Partition ${partition} of '${topic.name}' gave no record at ${next}.`);
    const together = messages.filter(({ timestamp }) => timestamp === at.timestamp);
    return { first: next, last: BigInt(together.at(-1)?.offset ?? at.offset), appendedMs: Number(at.timestamp) };
  }
}
