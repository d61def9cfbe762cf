import { describe, expect, it } from 'vitest';
import { appendedAtOf, commitNote } from './commit-note.js';
import { BrokerSkew } from './broker-skew.js';
import { PartitionReader } from './partition-reader.js';
import { RecordQueue } from './record-queue.js';
import { Turns } from './turns.js';
import type { Clock } from '../../clock/clock.js';
import type { LogRecord } from '../event-log.js';

const T0 = Temporal.Instant.from('2026-03-01T00:00:00Z');

describe('PartitionReader', () => {
  it('hands out bounded batches and commits each with the time of the record behind it', async () => {
    const { reader, log } = makeReader({ batchSizeMax: 2 });
    reader.offer(records(0, 5));
    await settled();
    expect(log).toEqual(['handle 0,1', 'commit 2 @2', 'handle 2,3', 'commit 4 @4', 'handle 4', 'commit 5']);
    expect([reader.queue.length, reader.queue.bytes]).toEqual([0, 0]);
  });

  it('brings a failed batch again with what came behind it, after waits that double up to their bound', async () => {
    const { reader, log, slept } = makeReader({ batchSizeMax: 3, failures: 5 });
    reader.offer(records(0, 1));
    reader.offer(records(1, 1));
    await settled();
    expect(log.filter((line) => line.startsWith('commit'))).toEqual(['commit 2']);
    expect(log.filter((line) => line === 'handle 0,1')).toHaveLength(6); // 5 failures and the one that works
    expect(slept).toEqual([100, 200, 400, 800, 1_000]); // 1,600 is above the bound
  });

  it('ends and commits the running batch when it is to finish, and starts no other', async () => {
    const gate = Promise.withResolvers<void>();
    const { reader, log } = makeReader({ batchSizeMax: 1, gate: gate.promise });
    reader.offer(records(0, 3));
    await settled();
    const finished = reader.finish();
    gate.resolve();
    await finished;
    reader.offer(records(3, 1));
    await settled();
    expect(log).toEqual(['handle 0', 'commit 1 @1']);
  });

  it('commits nothing after its partition was given away', async () => {
    const gate = Promise.withResolvers<void>();
    const { reader, log } = makeReader({ batchSizeMax: 1, gate: gate.promise });
    reader.offer(records(0, 3));
    await settled();
    const abandoned = reader.abandon();
    gate.resolve();
    await abandoned;
    expect(log).toEqual(['handle 0']);
  });

  it('ends for good where a commit fails', async () => {
    const { reader, log } = makeReader({ batchSizeMax: 1, commitFails: true });
    reader.offer(records(0, 3));
    await settled();
    reader.offer(records(3, 1));
    await settled();
    expect(log).toEqual(['handle 0', 'commit 1 @1', 'commit failed']);
  });

  it('begins only when what ran before it has ended', async () => {
    const before = Promise.withResolvers<void>();
    const { reader, log } = makeReader({ batchSizeMax: 1 });
    reader.offer(records(0, 1), before.promise);
    await settled();
    expect(log).toEqual([]);
    before.resolve();
    await settled();
    expect(log).toEqual(['handle 0', 'commit 1']);
  });
});

describe('RecordQueue', () => {
  it('keeps order, length and bytes over many drops', () => {
    const queue = new RecordQueue();
    let [pushed, dropped] = [0, 0];
    while (dropped < 5_000) {
      queue.push(records(pushed, 700));
      pushed += 700;
      const batch = queue.first({ recordsMax: 500, bytesMax: 1_000_000 });
      expect(batch.map(({ position }) => position)).toEqual(Array.from({ length: 500 }, (_, nth) => BigInt(dropped + nth)));
      queue.drop(500);
      dropped += 500;
      expect(queue.length).toBe(pushed - dropped);
      expect(queue.bytes).toBe((pushed - dropped) * 2); // A key and a value of one character each.
      expect(queue.at(0)?.position).toBe(BigInt(dropped));
    }
  });

  it('ends a batch before it grows above its bytes, and gives the first record whatever its size', () => {
    const queue = new RecordQueue();
    queue.push(records(0, 10)); // 2 bytes each
    const sizeFor = (bytesMax: number): number => queue.first({ recordsMax: 10, bytesMax }).length;
    expect([sizeFor(1), sizeFor(2), sizeFor(5), sizeFor(6), sizeFor(100)]).toEqual([1, 1, 2, 3, 10]);
  });
});

describe('Turns', () => {
  it('lets so many run at once and the others in their order', async () => {
    const turns = new Turns(2);
    const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
    const begun: number[] = [];
    const work = gates.map((gate, nth) =>
      turns.take(async () => {
        begun.push(nth);
        await gate.promise;
        if (nth === 1) throw new Error('A failure frees its turn too.');
      }),
    );
    const outcomes = Promise.allSettled(work);
    await settled();
    expect(begun).toEqual([0, 1]);
    gates[1]?.resolve();
    await settled();
    expect(begun).toEqual([0, 1, 2]);
    for (const gate of gates) gate.resolve();
    expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    expect(begun).toEqual([0, 1, 2, 3]);
  });
});

describe('BrokerSkew', () => {
  it.each([
    ['a time in the past proves nothing', [-5], 0, 0],
    ['a time of now proves nothing', [0], 0, 0],
    ['a time in the future is held back with a margin', [40], 0, 140], // 40 + 100
    ['the largest counts', [40, 70, 10], 0, 170], // 70 + 100
    ['it is forgotten after ten minutes', [40], 600_000, 0],
  ])('%s', (_name, aheads, laterMs, holdBackMs) => {
    let now = T0;
    const skew = new BrokerSkew({ now: () => now, sleep: () => Promise.resolve() });
    for (const ahead of aheads) skew.observe(now.epochMilliseconds + ahead);
    now = now.add({ milliseconds: laterMs });
    expect(skew.holdBackMs()).toBe(holdBackMs);
  });
});

describe('commitNote', () => {
  it('tells when the next record was appended, and nothing where that is not known', () => {
    expect(appendedAtOf(commitNote(T0))).toBe(T0.epochMilliseconds);
    expect(commitNote(undefined)).toBeNull();
    expect([null, '', 'some other tool', 'next-appended-at=soon'].map(appendedAtOf)).toEqual([undefined, undefined, undefined, undefined]);
  });
});

interface Made {
  readonly reader: PartitionReader;
  /** What the reader asked for, in order. */
  readonly log: string[];
  readonly slept: number[];
}

function makeReader(options: { readonly batchSizeMax: number; readonly failures?: number; readonly gate?: Promise<void>; readonly commitFails?: boolean }): Made {
  const log: string[] = [];
  const slept: number[] = [];
  let failuresLeft = options.failures ?? 0;
  const clock: Clock = { now: () => T0, sleep: async (durationMs) => void slept.push(durationMs) };
  const reader = new PartitionReader(
    { clock, batchSizeMax: options.batchSizeMax, batchBytesMax: 1_000, retryDelayMs: 100, retryDelayMaxMs: 1_000 },
    {
      handle: async (batch) => {
        log.push(`handle ${batch.map(({ position }) => position).join()}`);
        await options.gate;
        if (failuresLeft-- > 0) throw new Error('Not yet.');
      },
      commit: async (next, nextAppendedAt) => {
        log.push(`commit ${next}${nextAppendedAt === undefined ? '' : ` @${nextAppendedAt.epochMilliseconds - T0.epochMilliseconds}`}`);
        if (options.commitFails === true) throw new Error('Someone else has it.');
      },
      onHandlerError: () => undefined,
      onCommitError: () => log.push('commit failed'),
      onRoom: () => undefined,
    },
    new Turns(1),
  );
  return { reader, log, slept };
}

/** Each with its position as its time, in ms after the start. */
function records(from: number, count: number): LogRecord[] {
  return Array.from({ length: count }, (_, nth) => ({ position: BigInt(from + nth), key: 'k', value: 'v', appendedAt: T0.add({ milliseconds: from + nth }) }));
}

/** Everything that is ready to run has run. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
