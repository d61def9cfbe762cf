import { Kafka, logLevel } from 'kafkajs';
import type { Cluster, KafkaConfig } from 'kafkajs';

import { letQueuesRest } from './resting-queues.js';

/** How to reach the brokers. */
export type KafkaConnection = Pick<KafkaConfig, 'ssl' | 'sasl' | 'socketFactory'> & {
  /** host:port of some brokers; the others are learnt from them. */
  readonly brokers: readonly string[];
  /** Seen by the brokers as the name of this client. */
  readonly clientId: string;
};

const CONNECTION_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** 0.1 + 0.2 + 0.4 + 0.8 + 1 s. Longer outages are ridden out by whoever asked, not by one request. */
const RETRY = { initialRetryTime: 100, factor: 0.2, multiplier: 2, maxRetryTime: 1_000, retries: 5 };

/**
 * A client with memory of its own. kafkajs keeps committed offsets per client and group, so two consumers of one group must
 * never come from the same client. It is silent: what it would print reaches the caller as an error.
 */
export function openClient({ brokers, ...connection }: KafkaConnection): Kafka {
  letQueuesRest();
  return new Kafka({
    ...connection,
    brokers: [...brokers],
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: RETRY,
    logLevel: logLevel.NOTHING,
  });
}

/** A cluster by itself, to read single records by. kafkajs hands it out to partition assigners only; this consumer never joins its group. */
export function clusterOf(client: Kafka): Cluster {
  let cluster: Cluster | undefined;
  client.consumer({
    groupId: 'never-joined',
    allowAutoTopicCreation: false,
    partitionAssigners: [
      (config) => {
        cluster = config.cluster;
        return NO_ASSIGNER;
      },
    ],
  });
  if (cluster === undefined) throw new Error('kafkajs hands its cluster to each assigner when the consumer is made.');
  return cluster;
}

const NO_ASSIGNER = {
  name: 'none',
  version: 0,
  assign: (): never => {
    throw new Error('This consumer joins no group.');
  },
  protocol: (): never => {
    throw new Error('This consumer joins no group.');
  },
};

/** Something that is connected at its first use, and again at the next one where that failed. */
export class Connected<T extends { connect(): Promise<void>; disconnect(): Promise<void> }> {
  private connecting: Promise<T> | undefined;

  constructor(private readonly make: () => T) {}

  get(): Promise<T> {
    this.connecting ??= this.connect();
    return this.connecting;
  }

  /** Ends the connection; the next use makes another one. */
  async drop(): Promise<void> {
    const connecting = this.connecting;
    this.connecting = undefined;
    await connecting?.then((each) => each.disconnect()).catch(() => undefined); // It is of no more use either way.
  }

  private async connect(): Promise<T> {
    const each = this.make();
    try {
      await each.connect();
      return each;
    } catch (error) {
      this.connecting = undefined;
      await each.disconnect().catch(() => undefined);
      throw error;
    }
  }
}
