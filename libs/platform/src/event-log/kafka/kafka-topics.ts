import kafkajs from 'kafkajs';
import type { Admin, ConfigEntries } from 'kafkajs';

import { assert } from '../../errors/assert.js';
import { Fault } from '../../errors/fault.js';
import { isTopicUnknown } from './kafka-faults.js';

// Node finds only some of kafkajs' names by itself.
const { ConfigResourceTypes, ConfigSource } = kafkajs;

const PARTITIONS_MAX = 1024;

export interface Topic {
  readonly name: string;
  readonly partitions: number;
}

/** How every topic of the log is kept. */
export interface TopicSettings {
  readonly replicationFactor: number;
  /** How many replicas must have a record before it counts as written. With 3 replicas, 2 survive the loss of a machine. */
  readonly minInSyncReplicas: number;
  /** How long records are kept, whoever has read them or not. */
  readonly retentionMs: number;
  /** The largest group of records that is written at once to one partition. */
  readonly batchBytesMax: number;
}

/** Runs a question to the brokers again while they are busy, and tells failures as Faults. */
export type Ask = <T>(question: (admin: Admin) => Promise<T>) => Promise<T>;

/** The topics of the log, as code. Partition counts never change, so each is read once. */
export class KafkaTopics {
  private readonly known = new Map<string, Topic>();

  constructor(
    private readonly ask: Ask,
    private readonly settings: TopicSettings,
  ) {}

  /** Throws a retryable Fault where the topic does not exist (yet). */
  async find(name: string): Promise<Topic> {
    const topic = this.known.get(name) ?? (await this.load(name));
    if (topic === undefined) {
      throw new Fault({ code: 'topic_unknown', detail: `The event log has no topic '${name}'.`, retryable: true });
    }
    return topic;
  }

  async ensure(wanted: Topic): Promise<void> {
    assert(wanted.name.length > 0, 'A topic needs a name.');
    assert(
      Number.isInteger(wanted.partitions) && wanted.partitions >= 1 && wanted.partitions <= PARTITIONS_MAX,
      `A topic has between 1 and ${PARTITIONS_MAX} partitions.`,
    );
    const created = await this.ask((admin) => admin.createTopics({ topics: [this.definition(wanted)], waitForLeaders: true }));
    if (!created) await this.ask((admin) => this.alignSettings(admin, wanted.name));
  }

  private definition({ name, partitions }: Topic) {
    const configEntries = Object.entries(this.configs()).map(([key, value]) => ({ name: key, value }));
    return { topic: name, numPartitions: partitions, replicationFactor: this.settings.replicationFactor, configEntries };
  }

  private configs(): Record<string, string> {
    return {
      // Times are the broker's own, taken when the record is appended; a producer's clock has no say.
      'message.timestamp.type': 'LogAppendTime',
      'cleanup.policy': 'delete',
      'retention.ms': String(this.settings.retentionMs),
      'min.insync.replicas': String(this.settings.minInSyncReplicas),
      'max.message.bytes': String(this.settings.batchBytesMax),
    };
  }

  /** Brings an existing topic to these settings. What else was set on it is kept: the request replaces all that is set. */
  private async alignSettings(admin: Admin, name: string): Promise<void> {
    const described = await admin.describeConfigs({ resources: [{ type: ConfigResourceTypes.TOPIC, name }], includeSynonyms: false });
    const entries = described.resources[0]?.configEntries ?? [];
    const wanted = this.configs();
    if (Object.entries(wanted).every(([key, value]) => valueOf(entries, key) === value)) return;
    const kept = entries.filter(({ configSource }) => configSource === ConfigSource.TOPIC_CONFIG).map(({ configName, configValue }) => [configName, configValue]);
    const configEntries = Object.entries({ ...Object.fromEntries(kept), ...wanted }).map(([key, value]) => ({ name: key, value: String(value) }));
    await admin.alterConfigs({ validateOnly: false, resources: [{ type: ConfigResourceTypes.TOPIC, name, configEntries }] });
  }

  private async load(name: string): Promise<Topic | undefined> {
    const found = await this.ask(async (admin) => {
      try {
        return (await admin.fetchTopicMetadata({ topics: [name] })).topics[0];
      } catch (error) {
        if (isTopicUnknown(error)) return undefined;
        throw error;
      }
    });
    if (found === undefined) return undefined;
    const topic = { name, partitions: found.partitions.length };
    this.known.set(name, topic);
    return topic;
  }
}

function valueOf(entries: readonly ConfigEntries[], name: string): string | undefined {
  return entries.find(({ configName }) => configName === name)?.configValue;
}
