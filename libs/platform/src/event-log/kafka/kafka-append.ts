import type { Producer, RecordMetadata } from 'kafkajs';

import type { Clock } from '../../clock/clock.js';
import { assert } from '../../errors/assert.js';
import { Fault } from '../../errors/fault.js';
import type { LogPosition, NewLogRecord } from '../event-log.js';
import { GroupCommit } from '../group-commit.js';
import type { Call, GroupCommitBounds } from '../group-commit.js';
import { partitionOfKey } from '../partition-of-key.js';
import type { BrokerSkew } from './broker-skew.js';
import { GroupedMessages } from './grouped-messages.js';
import { inTime } from './in-time.js';
import type { Connected } from './kafka-client.js';
import { faultOfKafka } from './kafka-faults.js';
import type { Topic } from './kafka-topics.js';

/** Every in-sync replica, of which the topic demands `min.insync.replicas`. */
const ACKS_ALL = -1;
/** What the broker may wait for its replicas. */
const REPLICAS_TIMEOUT_MS = 5_000;
/** What a caller waits at most for its flush. The write may still succeed later: then the caller's next try is a copy. */
const FLUSH_TIMEOUT_MS = 10_000;
/** After a flush that failed, those that waited behind it fail with it, and so do new ones for so long. */
const AWAY_MS = 1_000;

interface AppendCall extends Call {
  readonly entries: readonly NewLogRecord[];
}

export interface AppenderOptions {
  readonly producer: Connected<Producer>;
  readonly bounds: GroupCommitBounds;
  readonly clock: Clock;
  readonly skew: BrokerSkew;
}

/** Takes the appends to one topic and sends them in groups. */
export class KafkaAppender {
  private readonly group: GroupCommit<AppendCall, readonly LogPosition[]>;
  private awayUntilMs = 0;

  constructor(
    private readonly topic: Topic,
    private readonly options: AppenderOptions,
  ) {
    this.group = new GroupCommit<AppendCall, readonly LogPosition[]>((calls) => this.flush(calls), options.bounds);
  }

  async append(entries: readonly NewLogRecord[]): Promise<readonly LogPosition[]> {
    if (entries.length === 0) return [];
    let bytes = 0;
    for (const { key, value } of entries) {
      refuseUnstorable(key);
      refuseUnstorable(value);
      bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
    }
    return this.group.write({ entries, records: entries.length, bytes });
  }

  drain(): Promise<void> {
    return this.group.drain();
  }

  private async flush(calls: readonly AppendCall[]): Promise<LogPosition[][]> {
    const { clock } = this.options;
    if (clock.now().epochMilliseconds < this.awayUntilMs) {
      throw new Fault({ code: 'log_unavailable', detail: 'The event log did not answer a moment ago.', retryable: true });
    }
    try {
      return await inTime(this.send(calls), { clock, maxMs: FLUSH_TIMEOUT_MS });
    } catch (error) {
      const fault = faultOfKafka(error);
      if (fault.retryable) this.awayUntilMs = clock.now().epochMilliseconds + AWAY_MS;
      throw fault;
    }
  }

  /**
   * One produce request per broker. It is not idempotent: a request whose answer is lost is sent again, and the records may
   * stand twice. Copies are told apart by what the records say.
   */
  private async send(calls: readonly AppendCall[]): Promise<LogPosition[][]> {
    const { partitions, used, messages } = layOut(calls, this.topic.partitions);
    const producer = await this.options.producer.get();
    const written = await producer.send({ topic: this.topic.name, acks: ACKS_ALL, timeout: REPLICAS_TIMEOUT_MS, messages });
    const nextPositions = firstPositions(written);
    assert(nextPositions.size === used.size, 'Each partition that is written to must be acknowledged.');
    for (const { logAppendTime } of written) this.options.skew.observe(Number(logAppendTime ?? -1));
    let nth = 0;
    return calls.map(({ entries }) =>
      entries.map(() => {
        const partition = partitions[nth] as number;
        const position = nextPositions.get(partition) as bigint;
        nextPositions.set(partition, position + 1n);
        nth += 1;
        return { partition, position };
      }),
    );
  }
}

interface Layout {
  readonly partitions: readonly number[];
  readonly used: ReadonlySet<number>;
  readonly messages: GroupedMessages;
}

function layOut(calls: readonly AppendCall[], partitionCount: number): Layout {
  const partitions: number[] = [];
  const messages = new GroupedMessages();
  for (const { entries } of calls) {
    for (const { key, value } of entries) {
      const partition = partitionOfKey(key, partitionCount);
      partitions.push(partition);
      messages.add({ key, value, partition });
    }
  }
  return { partitions, used: new Set(partitions), messages };
}

function firstPositions(written: readonly RecordMetadata[]): Map<number, bigint> {
  return new Map(written.map(({ partition, baseOffset }) => [partition, BigInt(baseOffset ?? -1)]));
}

/** A lone surrogate has no UTF-8 and would silently come back as another character. */
function refuseUnstorable(text: string): void {
  if (text.isWellFormed()) return;
  throw new Fault({ code: 'log_refused', detail: 'A record with a lone surrogate cannot be stored.', retryable: false });
}
