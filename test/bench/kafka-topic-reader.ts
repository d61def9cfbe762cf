import { createHash } from 'node:crypto';
import { Kafka, logLevel, type Consumer } from 'kafkajs';
import { letQueuesRest } from '#platform';
import { until } from './running-product.ts';

/** A record as it stands on Kafka. */
export interface KafkaRow {
  readonly partition: number;
  readonly key: string;
  readonly value: string;
}

/** Reads topics of a broker between the timed runs, and stands still meanwhile. */
export class KafkaTopicReader {
  private rows = new Map<string, KafkaRow[]>();
  private readonly topics: readonly string[];
  private readonly consumer: Consumer;

  private constructor(consumer: Consumer, topics: readonly string[]) {
    this.consumer = consumer;
    this.topics = topics;
  }

  static async open(broker: string, topics: readonly string[]): Promise<KafkaTopicReader> {
    letQueuesRest();
    const consumer = new Kafka({ brokers: [broker], clientId: 'bench-reader', logLevel: logLevel.NOTHING }).consumer({ groupId: 'bench-reader' });
    const reader = new KafkaTopicReader(consumer, topics);
    await consumer.connect();
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    const joined = new Promise((resolve) => consumer.on('consumer.group_join', resolve));
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ topic, partition, message }) => reader.add(topic, { partition, key: message.key?.toString() ?? '', value: message.value?.toString() ?? '' }),
    });
    await joined;
    reader.pause();
    return reader;
  }

  /** Everything that came to the topic since the last call, once it is so many. */
  async take(topic: string, count: number): Promise<KafkaRow[]> {
    this.consumer.resume(this.topics.map((name) => ({ topic: name })));
    await until(`${count} records of ${topic} are read`, async () => (this.rows.get(topic)?.length ?? 0) >= count);
    this.pause();
    const rows = this.rows.get(topic) ?? [];
    this.rows.delete(topic);
    return rows;
  }

  close(): Promise<void> {
    return this.consumer.disconnect();
  }

  private pause(): void {
    this.consumer.pause(this.topics.map((topic) => ({ topic })));
  }

  private add(topic: string, row: KafkaRow): void {
    const known = this.rows.get(topic);
    if (known === undefined) this.rows.set(topic, [row]);
    else known.push(row);
  }
}

/** How many rows there are and what they hold, in any order. */
export function digestOfRows(rows: readonly KafkaRow[]): string {
  const sum = rows.reduce((total, { partition, key, value }) => total + createHash('sha256').update(`${partition}/${key}/${value}`).digest().readBigUInt64BE(), 0n);
  return `${rows.length} ${sum}`;
}
