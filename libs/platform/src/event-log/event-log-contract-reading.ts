import { expect } from 'vitest';

import type { EventLog, LogBatch, LogRecord, Subscription } from './event-log.js';

const DEADLINE_MS = 20_000;
let named = 0;

/** Two keys that lie in different partitions of a topic that has two, whatever the adapter's way of choosing. */
export async function keysOfBothPartitions(log: EventLog): Promise<readonly [string, string]> {
  const keys = Array.from({ length: 64 }, (_, nth) => `key-${nth}`);
  const places = await log.append(await freshTopic(log, 2), keys.map((key) => ({ key, value: '{}' })));
  const [first, second] = [0, 1].map((partition) => keys[places.findIndex((place) => place.partition === partition)]);
  if (first === undefined || second === undefined) throw new Error('Sixty-four keys must reach both partitions.');
  return [first, second];
}

export async function freshTopic(log: EventLog, partitions: number): Promise<string> {
  named += 1;
  const name = `contract-${process.pid}-${named}`;
  await log.ensureTopic({ name, partitions });
  return name;
}

export interface Collected {
  readonly batches: LogBatch[];
  readonly subscription: Promise<Subscription>;
  records(): LogRecord[];
  /** Place and value of each record. */
  placed(): [string, string][];
}

export function collect(log: EventLog, { topic, group }: { readonly topic: string; readonly group: string }): Collected {
  const batches: LogBatch[] = [];
  const atWork = new Set<number>();
  const handle = async (batch: LogBatch): Promise<void> => {
    expect(atWork.has(batch.partition)).toBe(false);
    expect(batch.records.length).toBeGreaterThan(0);
    expect(batch.topic).toBe(topic);
    atWork.add(batch.partition);
    await new Promise((resolve) => setImmediate(resolve));
    atWork.delete(batch.partition);
    batches.push(batch);
  };
  const subscription = log.subscribe({ topic, group, batchSizeMax: 100, handle });
  return {
    batches,
    subscription,
    records: () => batches.flatMap(({ records }) => records),
    placed: () => batches.flatMap(({ partition, records }) => records.map(({ position, value }): [string, string] => [`${partition}/${position}`, value])),
  };
}

/** Each partition's records came as 0, 1, 2 … and their times never run backwards. */
export function expectGapless(batches: readonly LogBatch[]): void {
  const next = new Map<number, bigint>();
  const latest = new Map<number, bigint>();
  for (const { partition, records } of batches) {
    for (const { position, appendedAt } of records) {
      expect(position).toBe(next.get(partition) ?? 0n);
      expect(appendedAt.epochNanoseconds).toBeGreaterThanOrEqual(latest.get(partition) ?? 0n);
      next.set(partition, position + 1n);
      latest.set(partition, appendedAt.epochNanoseconds);
    }
  }
}

export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Waited in vain: ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export interface Gate {
  readonly wasEntered: Promise<void>;
  readonly opened: Promise<void>;
  entered(): void;
  open(): void;
}

export function gateway(): Gate {
  const entering = Promise.withResolvers<void>();
  const opening = Promise.withResolvers<void>();
  return { wasEntered: entering.promise, opened: opening.promise, entered: () => entering.resolve(), open: () => opening.resolve() };
}
