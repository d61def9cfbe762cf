import type { Admin, Cluster, Producer } from 'kafkajs';

import type { Clock } from '../../clock/clock.js';
import { assert } from '../../errors/assert.js';
import { Fault } from '../../errors/fault.js';
import type { EventLog, LogPosition, NewLogRecord, PartitionLag, SubscribeOptions, Subscription } from '../event-log.js';
import type { GroupCommitBounds } from '../group-commit.js';
import { BrokerSkew } from './broker-skew.js';
import type { ConsumerSettings } from './consumer-settings.js';
import { inTime } from './in-time.js';
import { KafkaAppender } from './kafka-append.js';
import { clusterOf, Connected, openClient } from './kafka-client.js';
import type { KafkaConnection } from './kafka-client.js';
import { faultOfKafka } from './kafka-faults.js';
import { KafkaProgress } from './kafka-progress.js';
import { KafkaSubscription } from './kafka-subscription.js';
import { KafkaTopics } from './kafka-topics.js';
import type { TopicSettings } from './kafka-topics.js';

const QUESTION_RETRY_MS = 100;
/** A question that fails is put again for so long, and given up when no answer has come by the second bound. */
const QUESTION_TRIES_FOR_MS = 2_000;
const QUESTION_MAX_MS = 10_000;
const DISCONNECT_MAX_MS = 5_000;

const DEFAULT_BOUNDS: GroupCommitBounds = {
  flushRecordsMax: 5_000,
  flushBytesMax: 4 * 1024 * 1024,
  pendingRecordsMax: 50_000,
  pendingBytesMax: 64 * 1024 * 1024,
};

/** One broker, one replica. A cluster of three has replicationFactor 3 and minInSyncReplicas 2. */
const DEFAULT_TOPICS: TopicSettings = {
  replicationFactor: 1,
  minInSyncReplicas: 1,
  retentionMs: 7 * 86_400_000,
  batchBytesMax: 16 * 1024 * 1024,
};

const DEFAULT_SETTINGS = {
  sessionTimeoutMs: 15_000,
  heartbeatIntervalMs: 1_000,
  retryDelayMs: 100,
  retryDelayMaxMs: 10_000,
  concurrencyMax: 4,
  batchBytesMax: 16 * 1024 * 1024,
};

export type KafkaEventLogOptions = KafkaConnection & {
  readonly clock: Clock;
  readonly topics?: Partial<TopicSettings>;
  readonly bounds?: Partial<GroupCommitBounds>;
} & Pick<ConsumerSettings, 'onError'> &
  Partial<Omit<ConsumerSettings, 'clock' | 'onError'>>;

/** The event log on Kafka. Connects at the first use. */
export function openKafkaEventLog(options: KafkaEventLogOptions): EventLog {
  return new KafkaLog(options);
}

class KafkaLog implements EventLog {
  private readonly connection: KafkaConnection;
  private readonly settings: ConsumerSettings;
  private readonly bounds: GroupCommitBounds;
  private readonly producer: Connected<Producer>;
  private readonly admin: Connected<Admin>;
  private readonly cluster: Connected<Cluster>;
  private readonly topics: KafkaTopics;
  private readonly progress: KafkaProgress;
  private readonly skew: BrokerSkew;
  private readonly appenders = new Map<string, KafkaAppender>();
  private readonly subscriptions = new Set<KafkaSubscription>();
  /** Questions on their way, so that many who ask the same at once share one answer. */
  private readonly asked = new Map<string, Promise<Temporal.Instant>>();
  private closing: Promise<void> | undefined;

  constructor(options: KafkaEventLogOptions) {
    const { brokers, clientId, ssl, sasl, socketFactory, topics, bounds, ...settings } = options;
    this.connection = { brokers, clientId, ...(ssl === undefined ? {} : { ssl }), ...(sasl === undefined ? {} : { sasl }), ...(socketFactory === undefined ? {} : { socketFactory }) };
    this.settings = { ...DEFAULT_SETTINGS, ...settings };
    this.bounds = { ...DEFAULT_BOUNDS, ...bounds };
    const client = openClient(this.connection);
    this.producer = new Connected(() => client.producer({ allowAutoTopicCreation: false, createPartitioner: () => ({ message }) => message.partition ?? 0 }));
    this.admin = new Connected(() => client.admin());
    this.cluster = new Connected(() => clusterOf(client));
    const ask = <T>(question: (admin: Admin) => Promise<T>): Promise<T> => this.ask(question);
    this.topics = new KafkaTopics(ask, { ...DEFAULT_TOPICS, ...topics });
    this.skew = new BrokerSkew(options.clock);
    this.progress = new KafkaProgress({ ask, cluster: this.cluster, clock: options.clock, skew: this.skew });
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
    const { producer, bounds, skew } = this;
    const appender = this.appenders.get(topicName) ?? new KafkaAppender(topic, { producer, bounds, clock: this.settings.clock, skew });
    this.appenders.set(topicName, appender);
    return appender.append(records);
  }

  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    assert(Number.isInteger(options.batchSizeMax) && options.batchSizeMax >= 1, 'A batch holds at least one record.');
    this.refuseWhenClosed();
    await this.topics.find(options.topic);
    const subscription = new KafkaSubscription(options, this.settings, this.connection);
    await subscription.start();
    this.subscriptions.add(subscription);
    return {
      close: async () => {
        await subscription.close();
        this.subscriptions.delete(subscription);
      },
    };
  }

  completeAsOf({ topic, group }: { readonly topic: string; readonly group: string }): Promise<Temporal.Instant> {
    const question = `${group} ${topic}`;
    const onItsWay = this.asked.get(question);
    if (onItsWay !== undefined) return onItsWay;
    const answer = this.topics
      .find(topic)
      .then((found) => this.progress.completeAsOf(found, group))
      .finally(() => this.asked.delete(question));
    this.asked.set(question, answer);
    return answer;
  }

  async lag({ topic, group }: { readonly topic: string; readonly group: string }): Promise<bigint> {
    return this.progress.lag(await this.topics.find(topic), group);
  }

  async lagByPartition({ topic, group }: { readonly topic: string; readonly group: string }): Promise<readonly PartitionLag[]> {
    return this.progress.lagByPartition(await this.topics.find(topic), group);
  }

  async nextPositions({ topic, group }: { readonly topic: string; readonly group: string }): Promise<ReadonlyMap<number, bigint>> {
    return this.progress.nextPositions(await this.topics.find(topic), group);
  }

  async check(): Promise<void> {
    const answer = this.admin.get().then((admin) => admin.describeCluster());
    await inTime(answer, { clock: this.settings.clock, maxMs: QUESTION_MAX_MS }).catch((error: unknown) => {
      throw faultOfKafka(error);
    });
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    const closed = await Promise.allSettled([...this.subscriptions].map((subscription) => subscription.close()));
    await Promise.all([...this.appenders.values()].map((appender) => appender.drain()));
    const dropped = Promise.all([this.producer.drop(), this.admin.drop(), this.cluster.drop()]);
    await inTime(dropped, { clock: this.settings.clock, maxMs: DISCONNECT_MAX_MS }).catch(() => undefined); // They end with the process.
    const failed = closed.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  /** A coordinator that has just moved, or a topic that was just made, is known everywhere a moment later. */
  private async ask<T>(question: (admin: Admin) => Promise<T>): Promise<T> {
    const { clock } = this.settings;
    const answer = async (): Promise<T> => question(await this.admin.get());
    const triesUntilMs = clock.now().epochMilliseconds + QUESTION_TRIES_FOR_MS;
    for (let waitMs = QUESTION_RETRY_MS; ; waitMs *= 2) {
      try {
        return await inTime(answer(), { clock, maxMs: QUESTION_MAX_MS });
      } catch (error) {
        const fault = faultOfKafka(error);
        if (!fault.retryable || clock.now().epochMilliseconds >= triesUntilMs || this.closing !== undefined) throw fault;
        await clock.sleep(waitMs);
      }
    }
  }

  private refuseWhenClosed(): void {
    if (this.closing === undefined) return;
    throw new Fault({ code: 'log_unavailable', detail: 'The event log is being closed.', retryable: true });
  }
}
