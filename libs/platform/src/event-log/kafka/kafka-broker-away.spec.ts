import { afterEach, expect, it } from 'vitest';
import { describeWith, useOwnKafka } from '#testing';
import type { OwnKafkaBroker } from '#testing';
import { systemClock } from '../../clock/clock.js';
import { Fault } from '../../errors/fault.js';
import type { EventLog, LogRecord } from '../event-log.js';
import { openKafkaEventLog } from './kafka-event-log.js';

const { startOwnBroker } = useOwnKafka();
const WRITERS = 16;

describeWith('kafka-jars', 'the Kafka event log when its broker goes away', () => {
  const opened: EventLog[] = [];
  const open = (broker: OwnKafkaBroker): EventLog => {
    const log = openKafkaEventLog({ brokers: [broker.address], clientId: 'spec', clock: systemClock, onError: () => undefined, sessionTimeoutMs: 6_000 });
    opened.push(log);
    return log;
  };
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((log) => log.close()));
  });

  it('loses nothing acknowledged when the broker is killed, answers meanwhile, and goes on by itself after 10 s', { timeout: 360_000 }, async () => {
    const broker = await startOwnBroker();
    const log = open(broker);
    await log.ensureTopic({ name: 't', partitions: 3 });
    const records = new Map<string, LogRecord>();
    await log.subscribe({
      topic: 't',
      group: 'g',
      batchSizeMax: 100,
      handle: async (batch) => {
        for (const record of batch.records) records.set(`${batch.partition}/${record.position}`, record);
      },
    });
    const writing = startWriters(log);
    await until(() => writing.acknowledged.size > 500);
    broker.kill('SIGKILL');
    await until(() => writing.faults.length >= WRITERS); // Everyone has an answer, and it says: try again.
    await expect(log.check()).rejects.toMatchObject({ name: 'Fault', retryable: true });
    await systemClock.sleep(10_000);
    await broker.restart();
    const before = writing.acknowledged.size;
    await until(() => writing.acknowledged.size > before + 200); // Without anybody's help.
    await writing.stop();
    await expect(log.check()).resolves.toBeUndefined();

    for (const fault of writing.faults) expect(fault).toMatchObject({ name: 'Fault', retryable: true, code: expect.stringMatching(/^log_(?:unavailable|overloaded)$/) });
    expect(writing.slowestMs()).toBeLessThan(40_000);
    await until(async () => (await log.lag({ topic: 't', group: 'g' })) === 0n);
    const lost = [...writing.acknowledged].filter(([place, value]) => records.get(place)?.value !== value);
    expect(lost).toEqual([]);
  });

  it('answers in time while the broker is frozen, and goes on when it wakes', { timeout: 360_000 }, async () => {
    const broker = await startOwnBroker();
    const log = open(broker);
    await log.ensureTopic({ name: 't', partitions: 1 });
    const values: string[] = [];
    await log.subscribe({ topic: 't', group: 'g', batchSizeMax: 10, handle: async (batch) => void values.push(...batch.records.map(({ value }) => value)) });
    await log.append('t', [{ key: 'k', value: '"before"' }]);
    await until(() => values.length === 1);

    broker.kill('SIGSTOP');
    const startedMs = performance.now();
    await expect(log.append('t', [{ key: 'k', value: '"frozen"' }])).rejects.toMatchObject({ name: 'Fault', code: 'log_unavailable', retryable: true });
    await expect(log.completeAsOf({ topic: 't', group: 'g' })).rejects.toMatchObject({ name: 'Fault', retryable: true });
    expect(performance.now() - startedMs).toBeLessThan(40_000); // 10 s each at most, on a machine that has time for it.
    broker.kill('SIGCONT');

    await until(() => log.append('t', [{ key: 'k', value: '"after"' }]).then(() => true, () => false));
    await until(() => values.includes('"after"'));
    await until(async () => (await log.lag({ topic: 't', group: 'g' })) === 0n);
  });
});

interface Writing {
  /** Value by place. */
  readonly acknowledged: ReadonlyMap<string, string>;
  readonly faults: readonly unknown[];
  slowestMs(): number;
  stop(): Promise<void>;
}

function startWriters(log: EventLog): Writing {
  const acknowledged = new Map<string, string>();
  const faults: unknown[] = [];
  let [isOver, slowestMs] = [false, 0];
  const write = async (writer: number): Promise<void> => {
    for (let nth = 0; !isOver; nth += 1) {
      const value = JSON.stringify({ writer, nth });
      const startedMs = performance.now();
      try {
        const [place] = await log.append('t', [{ key: `${writer}-${nth}`, value }]);
        acknowledged.set(`${place?.partition}/${place?.position}`, value);
      } catch (error) {
        faults.push(error);
        if (!(error instanceof Fault)) return;
        await systemClock.sleep(200);
      }
      slowestMs = Math.max(slowestMs, performance.now() - startedMs);
    }
  };
  const writers = Array.from({ length: WRITERS }, (_, writer) => write(writer));
  const stop = async (): Promise<void> => {
    isOver = true;
    await Promise.all(writers);
  };
  return { acknowledged, faults, slowestMs: () => slowestMs, stop };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  await expect.poll(condition, { timeout: 120_000, interval: 50 }).toBe(true);
}
