import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import kafkajs from 'kafkajs';
import type { Admin, ISocketFactory } from 'kafkajs';
import { afterEach, expect, it } from 'vitest';
import { describeWith, kafkaBrokers } from '#testing';
import { systemClock } from '../../clock/clock.js';
import type { Clock } from '../../clock/clock.js';
import { eventLogContract } from '../event-log-contract.js';
import type { EventLogFixture } from '../event-log-contract.js';
import type { EventLog, LogBatch } from '../event-log.js';
import { openKafkaEventLog } from './kafka-event-log.js';
import type { KafkaEventLogOptions } from './kafka-event-log.js';

const quick = { sessionTimeoutMs: 6_000, heartbeatIntervalMs: 200, retryDelayMs: 20, onError: (): void => undefined };

describeWith('kafka', 'with a broker', () => {
  eventLogContract('kafka', startFixture);
});

describeWith('kafka', 'the Kafka event log', () => {
  const opened: EventLog[] = [];
  const open = async (options: Partial<KafkaEventLogOptions> = {}): Promise<EventLog> => {
    const log = openKafkaEventLog({ brokers: await kafkaBrokers(), clientId: 'spec', clock: systemClock, ...quick, ...options });
    opened.push(log);
    return log;
  };
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((log) => log.close()));
  });

  it('makes topics with their settings, and brings those of an existing one up to date', async () => {
    const topic = freshName();
    await (await open({ topics: { retentionMs: 3_600_000 } })).ensureTopic({ name: topic, partitions: 3 });
    const settings = { 'message.timestamp.type': 'LogAppendTime', 'cleanup.policy': 'delete', 'min.insync.replicas': '1', 'max.message.bytes': '16777216' };
    expect(await settingsOf(topic)).toMatchObject({ ...settings, 'retention.ms': '3600000' });
    await withAdmin((admin) =>
      admin.alterConfigs({
        validateOnly: false,
        resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configEntries: [{ name: 'message.timestamp.type', value: 'CreateTime' }, { name: 'segment.ms', value: '7200000' }] }],
      }),
    );
    await (await open({ topics: { retentionMs: 1_800_000 } })).ensureTopic({ name: topic, partitions: 1 });
    // Ours as in code, and what an operator has set besides is kept.
    expect(await settingsOf(topic)).toMatchObject({ ...settings, 'retention.ms': '1800000', 'segment.ms': '7200000' });
  });

  it('says when a topic cannot be kept as wanted', async () => {
    const log = await open({ topics: { replicationFactor: 3 } });
    await expect(log.ensureTopic({ name: freshName(), partitions: 1 })).rejects.toMatchObject({ name: 'Fault', code: 'log_refused', retryable: false });
  });

  it('stores U+0000 as it stands and refuses a lone surrogate, which has no UTF-8', async () => {
    const log = await open();
    const topic = await topicOn(log, 1);
    await log.append(topic, [{ key: 'k\0', value: '"a\0b"' }]);
    await expect(log.append(topic, [{ key: 'k', value: '\ud800' }])).rejects.toMatchObject({ code: 'log_refused', retryable: false });
    const { batches } = await read(log, { topic, count: 1 });
    expect(batches[0]?.records[0]).toMatchObject({ key: 'k\0', value: '"a\0b"' });
  });

  it('refuses what is larger than the broker takes, and lets its neighbours pass', async () => {
    const log = await open({ topics: { batchBytesMax: 10_000 } });
    const topic = await topicOn(log, 1);
    const outcomes = await Promise.allSettled(['"a"', `"${'x'.repeat(20_000)}"`, '"b"'].map((value) => log.append(topic, [{ key: 'k', value }])));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({ reason: { name: 'Fault', code: 'log_refused', retryable: false } });
    expect(await log.lag({ topic, group: 'g' })).toBe(2n);
  });

  it('says that it cannot take more, and that no broker is there', async () => {
    const log = await open({ bounds: { pendingRecordsMax: 2 } });
    const topic = await topicOn(log, 1);
    await log.append(topic, [{ key: 'k', value: '0' }]);
    const [first, second, third] = ['1', '2', '3'].map((value) => log.append(topic, [{ key: 'k', value }]));
    await expect(third).rejects.toMatchObject({ name: 'Fault', code: 'log_overloaded', retryable: true });
    expect([await first, await second].flat().map((place) => place?.position)).toEqual([1n, 2n]);

    const away = await open({ brokers: ['127.0.0.1:1'] });
    await expect(away.append(topic, [{ key: 'k', value: '0' }])).rejects.toMatchObject({ name: 'Fault', code: 'log_unavailable', retryable: true });
    await expect(away.subscribe({ topic, group: 'g', batchSizeMax: 1, handle: async () => undefined })).rejects.toMatchObject({ code: 'log_unavailable' });
  });

  it('fills batches up to their bound from a backlog, and bounds them by bytes', async () => {
    const log = await open({ batchBytesMax: 50_000 });
    const topic = await topicOn(log, 1);
    const value = JSON.stringify('x'.repeat(98)); // 100 characters, 101 with the key.
    for (let nth = 0; nth < 5; nth += 1) await log.append(topic, Array.from({ length: 400 }, () => ({ key: 'k', value })));
    const many = await read(log, { topic, count: 2_000, group: 'many' });
    expect(Math.max(...many.sizes())).toBe(495); // 50,000 / 101 = 495.05
    const few = await read(log, { topic, count: 2_000, group: 'few', batchSizeMax: 300 });
    expect(Math.max(...few.sizes())).toBe(300);
    expect(few.positions()).toEqual(Array.from({ length: 2_000 }, (_, position) => BigInt(position)));
  });

  it('keeps the membership while a batch takes longer than the session', async () => {
    const [one, other] = [await open(), await open()];
    const topic = await topicOn(one, 1);
    let attempts = 0;
    await one.subscribe({
      topic,
      group: 'g',
      batchSizeMax: 1,
      handle: async () => {
        attempts += 1;
        await systemClock.sleep(8_000); // The session is 6 s.
      },
    });
    await one.append(topic, [{ key: 'k', value: '0' }]);
    await until(() => attempts === 1);
    const standby = await read(other, { topic, count: 0 });
    await until(async () => (await one.lag({ topic, group: 'g' })) === 0n);
    expect([attempts, standby.positions()]).toEqual([1, []]);
  });

  it('ends and commits the running batches before it gives partitions away', async () => {
    const [one, other] = [await open(), await open()];
    const topic = await topicOn(one, 4);
    const gate = Promise.withResolvers<void>();
    const handled: string[] = [];
    let running = 0;
    await one.subscribe({
      topic,
      group: 'g',
      batchSizeMax: 10,
      handle: async ({ records }) => {
        running += 1;
        await gate.promise;
        handled.push(...records.map(({ key }) => key));
      },
    });
    const keys = Array.from({ length: 40 }, (_, nth) => `k${nth}`);
    await one.append(topic, keys.map((key) => ({ key, value: '0' })));
    await until(() => running === 4);
    const second = await read(other, { topic, count: 0 });
    await systemClock.sleep(1_500); // Several heartbeats: the first member knows of the second by now.
    expect(second.positions()).toEqual([]);
    gate.resolve();
    await until(async () => (await one.lag({ topic, group: 'g' })) === 0n);
    const all = [...handled, ...second.batches.flatMap(({ records }) => records.map(({ key }) => key))];
    expect(all.sort()).toEqual([...keys].sort());
    // The second member has its share from now on.
    await until(async () => {
      await one.append(topic, keys.map((key) => ({ key, value: '1' })));
      return second.positions().length > 0;
    });
  });

  it('does no harm when a member wakes up after its partitions went to another', async () => {
    const wire = new Wire();
    const [sleeper, heir] = [await open({ socketFactory: wire.socketFactory }), await open()];
    const topic = await topicOn(heir, 1);
    const gate = Promise.withResolvers<void>();
    let entered = false;
    await sleeper.subscribe({
      topic,
      group: 'g',
      batchSizeMax: 1,
      handle: async () => {
        entered = true;
        await gate.promise;
      },
    });
    await heir.append(topic, ['0', '1', '2'].map((value) => ({ key: 'k', value })));
    await until(() => entered);
    wire.freeze();
    const inherited = await read(heir, { topic, count: 3 });
    await until(async () => (await heir.lag({ topic, group: 'g' })) === 0n);
    wire.thaw();
    gate.resolve(); // Ends its batch of position 0, and would commit 1.
    await systemClock.sleep(1_500);
    expect(await heir.lag({ topic, group: 'g' })).toBe(0n);
    expect(inherited.positions()).toEqual([0n, 1n, 2n]);
  });

  it('never claims completeness beyond an unhandled record, though the clock here is behind the broker', async () => {
    const behind: Clock = { now: () => systemClock.now().subtract({ minutes: 5 }), sleep: systemClock.sleep };
    const log = await open({ clock: behind });
    const topic = await topicOn(log, 1);
    const before = behind.now();
    await log.append(topic, [{ key: 'k', value: '0' }]);
    const complete = await log.completeAsOf({ topic, group: 'g' });
    expect(Temporal.Instant.compare(complete, before)).toBeLessThanOrEqual(0);
    expect(complete.until(before).total('seconds')).toBeLessThan(1);
    await read(log, { topic, count: 1 });
    await until(async () => Temporal.Instant.compare(await log.completeAsOf({ topic, group: 'g' }), before) > 0);
  });
});

async function startFixture(): Promise<EventLogFixture> {
  const brokers = await kafkaBrokers();
  const wires = new WeakMap<EventLog, Wire>();
  let count = 0;
  return {
    open: async () => {
      const wire = new Wire();
      const log = openKafkaEventLog({ brokers, clientId: `log-${(count += 1)}`, clock: systemClock, socketFactory: wire.socketFactory, ...quick });
      wires.set(log, wire);
      return log;
    },
    cutOff: async (log) => wires.get(log)?.cut(),
    close: async () => undefined,
  };
}

/** The connections of one log: to be cut as if its process had been killed, or frozen as if it had been stopped. */
class Wire {
  private readonly sockets = new Set<Socket>();
  private readonly held: (() => void)[] = [];
  private isCut = false;
  private isFrozen = false;

  readonly socketFactory: ISocketFactory = ({ host, port, onConnect }) => {
    const socket = connect({ host, port: this.isCut ? 1 : port }, onConnect);
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
    socket.write = (...args: unknown[]): boolean => {
      if (!this.isFrozen) return write(...args);
      this.held.push(() => write(...args));
      return true;
    };
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    return socket;
  };

  cut(): void {
    this.isCut = true;
    for (const socket of this.sockets) socket.destroy(new Error('Cut.'));
  }

  freeze(): void {
    this.isFrozen = true;
    for (const socket of this.sockets) socket.pause();
  }

  thaw(): void {
    this.isFrozen = false;
    for (const socket of this.sockets) socket.resume();
    for (const write of this.held.splice(0)) write();
  }
}

interface Reading {
  readonly batches: readonly LogBatch[];
  positions(): bigint[];
  sizes(): number[];
}

/** Subscribes, and waits until so many records have come. */
async function read(log: EventLog, options: { readonly topic: string; readonly count: number; readonly group?: string; readonly batchSizeMax?: number }): Promise<Reading> {
  const batches: LogBatch[] = [];
  const { topic, group = 'g', batchSizeMax = 1_000 } = options;
  await log.subscribe({ topic, group, batchSizeMax, handle: async (batch) => void batches.push(batch) });
  const positions = (): bigint[] => batches.flatMap(({ records }) => records.map(({ position }) => position));
  await until(() => positions().length >= options.count);
  return { batches, positions, sizes: () => batches.map(({ records }) => records.length) };
}

function freshName(): string {
  return `kafka-spec-${randomBytes(6).toString('hex')}`;
}

async function topicOn(log: EventLog, partitions: number): Promise<string> {
  const name = freshName();
  await log.ensureTopic({ name, partitions });
  return name;
}

async function settingsOf(topic: string): Promise<Record<string, string>> {
  const { resources } = await withAdmin((admin) => admin.describeConfigs({ includeSynonyms: false, resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }] }));
  return Object.fromEntries((resources[0]?.configEntries ?? []).map(({ configName, configValue }) => [configName, configValue]));
}

async function withAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new kafkajs.Kafka({ brokers: [...(await kafkaBrokers())], logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  return work(admin).finally(() => admin.disconnect());
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  await expect.poll(condition, { timeout: 20_000, interval: 20 }).toBe(true);
}
