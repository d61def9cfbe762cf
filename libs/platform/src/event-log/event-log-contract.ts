import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { collect, expectGapless, freshTopic, gateway, keysOfBothPartitions, until } from './event-log-contract-reading.js';
import type { EventLog, LogBatch, LogRecord } from './event-log.js';

/** What an adapter's spec brings along: ways to open logs over one store, and to disturb them. */
export interface EventLogFixture {
  /** Opens one more log over the same store, as another process would have it. */
  open(): Promise<EventLog>;
  /** Takes a place in the log for a record that others see only when `settle` resolves. Left out where a store has no such state. */
  appendLate?(topic: string, record: { readonly key: string; readonly value: string }): Promise<{ settle(): Promise<void> }>;
  /** Cuts the log's running subscriptions off from the store, as if their process had been killed. */
  cutOff(log: EventLog): Promise<void>;
  close(): Promise<void>;
}

/** What every adapter of the event log keeps. Two lines per adapter run it. */
export function eventLogContract(name: string, start: () => Promise<EventLogFixture>): void {
  describe(`EventLog: ${name}`, () => {
    let fixture: EventLogFixture;
    const opened: EventLog[] = [];
    const open = async (): Promise<EventLog> => {
      const log = await fixture.open();
      opened.push(log);
      return log;
    };
    beforeAll(async () => {
      fixture = await start();
    });
    afterAll(async () => {
      await Promise.all(opened.map((log) => log.close()));
      await fixture.close();
    });
    const context: ContractContext = { open, fixture: () => fixture };
    appending(context);
    appendingTogether(context);
    consuming(context);
    progress(context);
    members(context);
  });
}

interface ContractContext {
  readonly open: () => Promise<EventLog>;
  readonly fixture: () => EventLogFixture;
}

function appending({ open }: ContractContext): void {
  it('gives back what it acknowledged, in order per key, once per group', async () => {
    const log = await open();
    const topic = await freshTopic(log, 4);
    const groups = [collect(log, { topic, group: 'first' }), collect(log, { topic, group: 'second' })];
    const keys = ['a', 'b', 'ключ', '🔑', 'e'];
    const acknowledged = new Map<string, string>();
    const appendInOrder = async (key: string): Promise<void> => {
      for (let nth = 0; nth < 20; nth += 1) {
        const records = [0, 1, 2].map((part) => ({ key, value: JSON.stringify({ v: 1, nth: nth * 3 + part, text: `${key} "\\\n\u2028` }) }));
        const positions = await log.append(topic, records);
        for (const [index, { partition, position }] of positions.entries()) {
          acknowledged.set(`${partition}/${position}`, records[index]?.value ?? '');
        }
      }
    };
    await Promise.all(keys.map(appendInOrder));

    expect(acknowledged.size).toBe(300); // 5 keys * 20 appends * 3 records, each with a place of its own.
    for (const group of groups) {
      await until(() => group.records().length >= 300, 'every record is delivered');
      expect(new Map(group.placed())).toEqual(acknowledged);
      expect(group.records()).toHaveLength(300);
      expectGapless(group.batches);
      for (const key of keys) {
        const ofKey = group.records().filter((record) => record.key === key);
        expect(ofKey.map(({ value }) => (JSON.parse(value) as { nth: number }).nth)).toEqual(Array.from({ length: 60 }, (_, nth) => nth));
      }
    }
  });

  it('takes nothing for an append of nothing', async () => {
    const log = await open();
    const topic = await freshTopic(log, 1);
    expect(await log.append(topic, [])).toEqual([]);
    expect(await log.append(topic, [{ key: 'k', value: '{}' }])).toEqual([{ partition: 0, position: 0n }]);
  });

  it('keeps the number of partitions of a topic that exists', async () => {
    const log = await open();
    const topic = await freshTopic(log, 2);
    await log.ensureTopic({ name: topic, partitions: 7 });
    const positions = await log.append(topic, Array.from({ length: 64 }, (_, nth) => ({ key: `k${nth}`, value: '{}' })));
    expect(new Set(positions.map(({ partition }) => partition))).toEqual(new Set([0, 1]));
  });

  it('refuses a topic that does not exist', async () => {
    const log = await open();
    await expect(log.append('contract-missing', [{ key: 'k', value: '{}' }])).rejects.toMatchObject({ name: 'Fault', retryable: true });
  });

  it('writes what it has taken before it closes', async () => {
    const log = await open();
    const topic = await freshTopic(log, 2);
    await log.append(topic, [{ key: 'k', value: '{}' }]);
    const appends = Array.from({ length: 10 }, (_, nth) => log.append(topic, [{ key: `k${nth}`, value: '{}' }]));
    await log.close();
    expect((await Promise.all(appends)).flat()).toHaveLength(10);
    await expect(log.append(topic, [{ key: 'k', value: '{}' }])).rejects.toMatchObject({ name: 'Fault' });
  });
}

function appendingTogether({ open, fixture }: ContractContext): void {
  it('lets no call suffer from what another one appends', async () => {
    const log = await open();
    const topic = await freshTopic(log, 2);
    const calls = ['{"n":1}', '\u0000', '{"n":2}', 'a lone surrogate \ud800', '{"n":3}'].map((value) => log.append(topic, [{ key: 'before', value: '{"n":0}' }, { key: 'k', value }]));
    const outcomes = await Promise.allSettled(calls);
    expect([outcomes[0], outcomes[2], outcomes[4]].map((outcome) => outcome?.status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
    const reader = collect(log, { topic, group: 'g' });
    const taken = outcomes.filter(({ status }) => status === 'fulfilled').length;
    // All or nothing: an odd count would be half a call.
    await until(() => reader.records().length >= taken * 2, 'what was taken is delivered');
    expect(await log.lag({ topic, group: 'g-other' })).toBe(BigInt(taken * 2));
  });

  it('loses nothing of two writers with sixteen appends at a time each', async () => {
    const [one, other, reading] = [await open(), await open(), await open()];
    const topic = await freshTopic(one, 3);
    const reader = collect(reading, { topic, group: 'g' });
    const write = async (log: EventLog, writer: string): Promise<void> => {
      for (let nth = 0; nth < 20; nth += 1) {
        await log.append(topic, [0, 1, 2, 3, 4].map((part) => ({ key: `${writer}-${nth}-${part}`, value: `{"part":${part}}` })));
      }
    };
    const writers = [one, other].flatMap((log, index) => Array.from({ length: 16 }, (_, nth) => write(log, `${index}-${nth}`)));
    await Promise.all(writers);
    await until(() => reader.records().length >= 3200, 'every record is delivered'); // 2 * 16 writers * 20 appends * 5 records
    expect(new Set(reader.records().map(({ key }) => key)).size).toBe(3200);
    expect(reader.records()).toHaveLength(3200);
    expectGapless(reader.batches);
  });

  it('never skips a record whose append ends late', async ({ skip }) => {
    const { appendLate } = fixture();
    if (appendLate === undefined) return skip('The store has no appends that end late.');
    const [log, other] = [await open(), await open()];
    const topic = await freshTopic(log, 2);
    const keys = await keysOfBothPartitions(log);
    const reader = collect(log, { topic, group: 'g' });
    const early = await log.append(topic, keys.map((key) => ({ key, value: '"early"' })));
    const late = await appendLate(topic, { key: keys[0], value: '"late"' });
    const before = (await log.completeAsOf({ topic, group: 'g' })).epochNanoseconds;
    // The other partition goes on; the held one can take a record behind the late one only.
    const meanwhile = [log.append(topic, [{ key: keys[0], value: '"behind"' }]), other.append(topic, [{ key: keys[1], value: '"meanwhile"' }])];
    await until(() => reader.records().some(({ value }) => value === '"meanwhile"'), 'the other partition goes on');
    expect(reader.records().some(({ value }) => value === '"late"')).toBe(false);
    const whileHeld = await log.completeAsOf({ topic, group: 'g' });
    await late.settle();
    await Promise.all(meanwhile);
    await until(() => reader.records().length >= 5, 'the late record and what waited behind it are delivered');
    expectGapless(reader.batches);
    const lateRecord = reader.records().find(({ value }) => value === '"late"');
    expect(early).toHaveLength(2);
    // While it was held, nobody was told that all before some later instant is complete.
    expect(whileHeld.epochNanoseconds).toBeLessThanOrEqual(lateRecord?.appendedAt.epochNanoseconds ?? 0n);
    expect(before).toBeLessThanOrEqual(lateRecord?.appendedAt.epochNanoseconds ?? 0n);
  });
}

function consuming({ open }: ContractContext): void {
  it('gives a batch again when its handler failed, and nothing after it before', async () => {
    const log = await open();
    const topic = await freshTopic(log, 2);
    const [failing, fine] = await keysOfBothPartitions(log);
    const attempts: string[] = [];
    const seen: LogBatch[] = [];
    await log.subscribe({
      topic,
      group: 'g',
      batchSizeMax: 2,
      handle: async (batch) => {
        if (batch.records[0]?.key === failing) attempts.push(batch.records[0].value);
        if (batch.records[0]?.key === failing && attempts.length <= 3) throw new Error('The handler refuses on purpose.');
        seen.push(batch);
      },
    });
    await log.append(topic, ['0', '1', '2'].map((value) => ({ key: failing, value })));
    await log.append(topic, ['0', '1', '2'].map((value) => ({ key: fine, value })));
    await until(() => seen.flatMap(({ records }) => records).length >= 6, 'all is handled in the end');
    expect(attempts.slice(0, 4)).toEqual(['0', '0', '0', '0']);
    expectGapless(seen);
    await until(async () => (await log.lag({ topic, group: 'g' })) === 0n, 'all is committed');
    expect(seen.every(({ records }) => records.length <= 2)).toBe(true);
  });

  it('begins at the earliest record for a new group', async () => {
    const log = await open();
    const topic = await freshTopic(log, 2);
    await log.append(topic, Array.from({ length: 50 }, (_, nth) => ({ key: `k${nth}`, value: `${nth}` })));
    const old = collect(log, { topic, group: 'old' });
    await until(() => old.records().length >= 50, 'the old group has read all');
    const fresh = collect(log, { topic, group: 'new' });
    await until(() => fresh.records().length >= 50, 'the new group reads all too');
    expectGapless(fresh.batches);
    expect(old.records()).toHaveLength(50);
  });

  it('finishes the running batch and commits it before it closes', async () => {
    const log = await open();
    const topic = await freshTopic(log, 1);
    const gate = gateway();
    const handled: string[] = [];
    const subscription = await log.subscribe({
      topic,
      group: 'g',
      batchSizeMax: 2,
      handle: async ({ records }) => {
        gate.entered();
        await gate.opened;
        handled.push(...records.map(({ value }) => value));
      },
    });
    await log.append(topic, ['0', '1', '2', '3'].map((value) => ({ key: 'k', value })));
    await gate.wasEntered;
    const closed = subscription.close();
    expect(await Promise.race([closed.then(() => 'closed'), log.lag({ topic, group: 'g' }).then(() => 'still draining')])).toBe('still draining');
    gate.open();
    await closed;
    expect(handled).toEqual(['0', '1']);
    expect(await log.lag({ topic, group: 'g' })).toBe(2n);
    const next = collect(log, { topic, group: 'g' });
    await until(() => next.records().length >= 2, 'the next member goes on behind it');
    expect(next.records().map(({ value }) => value)).toEqual(['2', '3']);
  });
}

function progress({ open }: ContractContext): void {
  it('is complete as of now when idle, else as of the oldest record that is not handled', async () => {
    const log = await open();
    const topic = await freshTopic(log, 2);
    const keys = await keysOfBothPartitions(log);
    const gate = gateway();
    const appended: LogRecord[] = [];
    const idle = await log.completeAsOf({ topic, group: 'g' });
    await log.subscribe({
      topic,
      group: 'g',
      batchSizeMax: 1,
      handle: async ({ records }) => {
        appended.push(...records);
        if (records[0]?.value !== '"held"') return;
        gate.entered();
        await gate.opened;
      },
    });
    await log.append(topic, [{ key: keys[0], value: '"held"' }]);
    await log.append(topic, [{ key: keys[0], value: '"behind it"' }]);
    await log.append(topic, [{ key: keys[1], value: '"other"' }]);
    await gate.wasEntered;
    await until(async () => (await log.lag({ topic, group: 'g' })) === 2n, 'only the held partition is behind');

    const held = appended.find(({ value }) => value === '"held"');
    expect((await log.completeAsOf({ topic, group: 'g' })).toString()).toBe(held?.appendedAt.toString());
    const lags = await log.lagByPartition({ topic, group: 'g' });
    expect(lags.map(({ partition, records, oldestAt }) => [partition, records, oldestAt?.toString() ?? null])).toEqual([[0, 2n, held?.appendedAt.toString()], [1, 0n, null]]);
    expect(Temporal.Instant.compare(idle, held?.appendedAt ?? idle)).toBe(-1);
    expect([...(await log.nextPositions({ topic, group: 'g' }))]).toEqual([[0, held?.position], [1, 1n]]);

    gate.open();
    await until(async () => (await log.lag({ topic, group: 'g' })) === 0n, 'all is handled');
    expect([...(await log.nextPositions({ topic, group: 'g' }))]).toEqual([[0, 2n], [1, 1n]]);
    const done = await log.completeAsOf({ topic, group: 'g' });
    for (const { appendedAt } of appended) expect(Temporal.Instant.compare(done, appendedAt)).toBe(1);
    expect(Math.abs(done.until(Temporal.Now.instant()).total('seconds'))).toBeLessThan(5);
    expect(Temporal.Instant.compare(await log.completeAsOf({ topic, group: 'g' }), done)).toBeGreaterThanOrEqual(0);
  });

  it('answers whoever only asks whether it is there', async () => {
    await expect((await open()).check()).resolves.toBeUndefined();
  });

  it('counts everything as unhandled for a group that never was', async () => {
    const log = await open();
    const topic = await freshTopic(log, 2);
    expect(await log.lag({ topic, group: 'never' })).toBe(0n);
    expect(await log.lagByPartition({ topic, group: 'never' })).toEqual([{ partition: 0, records: 0n, oldestAt: null }, { partition: 1, records: 0n, oldestAt: null }]);
    const earliest = await log.completeAsOf({ topic, group: 'never' });
    await log.append(topic, [{ key: 'a', value: '1' }, { key: 'b', value: '2' }, { key: 'c', value: '3' }]);
    expect(await log.lag({ topic, group: 'never' })).toBe(3n);
    expect([...(await log.nextPositions({ topic, group: 'never' }))]).toEqual([[0, 0n], [1, 0n]]);
    const first = await log.completeAsOf({ topic, group: 'never' });
    expect(Temporal.Instant.compare(first, earliest)).toBe(1);
    await log.append(topic, [{ key: 'a', value: '4' }]);
    expect((await log.completeAsOf({ topic, group: 'never' })).toString()).toBe(first.toString());
  });
}

function members({ open, fixture }: ContractContext): void {
  it('shares the partitions between two members without double work', async () => {
    const [one, other] = [await open(), await open()];
    const topic = await freshTopic(one, 4);
    const [first, second] = [collect(one, { topic, group: 'g' }), collect(other, { topic, group: 'g' })];
    const bothWork = (): boolean => first.records().length > 0 && second.records().length > 0;
    for (let round = 0; round < 100 && !bothWork(); round += 1) {
      await one.append(topic, Array.from({ length: 32 }, (_, nth) => ({ key: `${round}-${nth}`, value: '"settling"' })));
      await until(async () => (await one.lag({ topic, group: 'g' })) === 0n, 'the round is handled');
      await new Promise((resolve) => setTimeout(resolve, 50)); // Shares are settled within a bound, not at once.
    }
    expect(bothWork()).toBe(true);

    const keys = Array.from({ length: 400 }, (_, nth) => `key-${nth}`);
    await Promise.all(keys.map((key) => other.append(topic, [{ key, value: '"counted"' }])));
    const counted = (): LogRecord[] => [...first.records(), ...second.records()].filter(({ value }) => value === '"counted"');
    await until(() => counted().length >= 400, 'every record is delivered');
    await until(async () => (await one.lag({ topic, group: 'g' })) === 0n, 'all is committed');
    expect(counted().map(({ key }) => key).sort()).toEqual([...keys].sort());
    expect(first.records().some(({ value }) => value === '"counted"') && second.records().some(({ value }) => value === '"counted"')).toBe(true);
  });

  it('hands the partitions of a member that was killed to another', async () => {
    const [victim, heir] = [await open(), await open()];
    const topic = await freshTopic(victim, 2);
    const keys = await keysOfBothPartitions(victim);
    const gate = gateway();
    const zombie: LogBatch[] = [];
    await victim.subscribe({
      topic,
      group: 'g',
      batchSizeMax: 10,
      handle: async (batch) => {
        gate.entered();
        await gate.opened;
        zombie.push(batch);
      },
    });
    await victim.append(topic, keys.map((key) => ({ key, value: '"first"' })));
    await gate.wasEntered;
    const inherited = collect(heir, { topic, group: 'g' });
    await fixture().cutOff(victim);
    await until(() => inherited.records().length >= 2, 'the heir gets the batches that the victim holds');
    await until(async () => (await heir.lag({ topic, group: 'g' })) === 0n, 'the heir commits');

    // The victim wakes up and ends its batches: too late to move any offset.
    await heir.append(topic, keys.map((key) => ({ key, value: '"second"' })));
    gate.open();
    await until(async () => (await heir.lag({ topic, group: 'g' })) === 0n, 'the group goes on');
    const handled = [...inherited.batches, ...zombie].flatMap(({ records }) => records);
    expect(handled.filter(({ value }) => value === '"second"').map(({ key }) => key).sort()).toEqual([...keys].sort());
  });
}
