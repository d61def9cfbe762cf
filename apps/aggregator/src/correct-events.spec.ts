import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useClickHouse, usePostgres } from '#testing';
import { AggregatorFixture, batchOf, type TestCorrection, type TestEvent } from './aggregator-fixture.js';

// Goal: what voids and amendments do to usage and to the list, whenever they come. Method: the real consumer, an organization and a
// partition for each case; sums are checked from raw events, from rollups, and after everything was delivered once more.

usePostgres();
useClickHouse();
let fixture: AggregatorFixture;
let cases = 0;

beforeAll(async () => {
  fixture = await AggregatorFixture.start();
});
afterAll(() => fixture.close());

type Told = TestEvent | TestCorrection;

class Case {
  private readonly log: Told[] = [];
  private constructor(readonly organization: string, readonly partition: number) {}

  static async start(options: { dedupeWindowSeconds?: number } = {}): Promise<Case> {
    cases += 1;
    const organization = `org_${cases}`;
    await fixture.addOrganizations([organization], options.dedupeWindowSeconds);
    await fixture.addMeter({ organizationId: organization, key: 'total', aggregation: 'sum', valuePath: '$.n' });
    await fixture.addMeter({ organizationId: organization, key: 'calls' });
    await fixture.build.execute();
    return new Case(organization, cases);
  }

  async tell(...told: readonly Told[]): Promise<void> {
    const position = this.log.length;
    this.log.push(...told.map((each) => ({ organization: this.organization, ...each })));
    await fixture.deliver(this.log.slice(position), { partition: this.partition, position });
  }

  /** Everything once more, by a process that has forgotten all, in batches of so many. */
  async again(size: number): Promise<void> {
    fixture.restart();
    for (let position = 0; position < this.log.length; position += size) {
      await fixture.deliver(this.log.slice(position, position + size), { partition: this.partition, position });
    }
  }

  /** Number and sum of all usage; the same raw, rolled up and delivered again. */
  async usage(): Promise<string> {
    const raw = await this.ask();
    while ((await fixture.recompute().execute()) > 0);
    expect(await this.ask(), 'from rollups').toBe(raw);
    await this.again(2);
    expect(await this.ask(), 'delivered again').toBe(raw);
    return raw;
  }

  private async ask(): Promise<string> {
    const range = { from: '2026-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z' };
    const answers = await Promise.all(['calls', 'total'].map((meter) => fixture.ask(meter, range, this.organization) as Promise<string[]>));
    return answers.map(([row = '. 0']) => row.split(' ')[1]).join(' ');
  }

  async list(): Promise<string[]> {
    return (await this.events()).map(({ id, state, data, originalData, corrections }) => [id, state, data, originalData ?? '-', ...corrections.map(({ kind }) => kind)].join(' ')).toSorted();
  }

  async events() {
    const page = { limit: 100, startingAfter: null, endingBefore: null };
    const listed = await fixture.listEvents.execute(this.organization, { page, type: null, subject: null, customer: null, source: null, id: null, state: null, meter: null, data: {}, from: null, to: null });
    if (!listed.ok) throw new Error(listed.detail);
    return listed.value.events;
  }
}

const time = '2026-11-01T10:00:00Z';
const event = (id: string, n: number, change: Partial<TestEvent> = {}): TestEvent => ({ id, time, data: `{"n":${n}}`, ...change });
const amend = (id: string, n: number): TestCorrection => ({ id, amend: `{"n":${n}}` });
const take = (id: string): TestCorrection => ({ id, void: true });

describe('a void', () => {
  it.each<[string, Told[][]]>([
    ['after its event', [[event('1', 5), event('2', 7)], [take('1')]]],
    ['in the same batch', [[event('1', 5), take('1'), event('2', 7)]]],
    ['before its event', [[take('1')], [event('1', 5), event('2', 7)]]],
    ['before its event in the same batch', [[take('1'), event('1', 5), event('2', 7)]]],
    ['twice', [[event('1', 5), take('1')], [event('2', 7)], [take('1')]]],
    ['and equal copies after it', [[event('1', 5)], [take('1')], [event('1', 5), event('2', 7)], [event('1', 5)]]],
    ['and amendments around it', [[amend('1', 1), event('1', 5), amend('1', 2)], [event('2', 7), take('1'), amend('1', 3)], [amend('1', 4)]]],
  ])('%s leaves the other event', async (_, batches) => {
    const story = await Case.start();
    for (const batch of batches) await story.tell(...batch);
    expect(await story.usage()).toBe('1 7');
    expect((await story.list()).filter((line) => !line.includes('duplicate')).map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual(['1 voided', '2 counted']);
  });

  it('takes the event out of the rollups that had it, and of no other hour', async () => {
    const story = await Case.start();
    await story.tell(event('1', 5), event('2', 7, { time: '2026-11-01T12:00:00Z' }));
    while ((await fixture.recompute().execute()) > 0);
    await story.tell(take('1'));
    expect(await fixture.ask('total', { window: 'hour' }, story.organization)).toEqual(['2026-11-01T12:00:00Z 7']);
    while ((await fixture.recompute().execute()) > 0);
    expect(await fixture.ask('total', { window: 'hour' }, story.organization)).toEqual(['2026-11-01T12:00:00Z 7']);
  });

  it('finds an event whose identity was forgotten long ago, and no later copy revives it', async () => {
    const story = await Case.start({ dedupeWindowSeconds: 60 });
    await story.tell(event('1', 5), event('2', 7));
    await fixture.parts.clickhouse.command({ sql: `DELETE FROM event_copies WHERE organization_id = '${story.organization}'` });
    fixture.restart();
    await story.tell({ ...take('1'), receivedAt: '2027-11-20T00:00:00Z' });
    await story.tell(event('1', 5, { receivedAt: '2028-11-20T00:00:00Z' }));
    expect(await story.usage()).toBe('1 7');
  });

  it('may be one of many in a batch, with ids as long as they may be', async () => {
    const story = await Case.start();
    const ids = Array.from({ length: 2_000 }, (_, index) => String(index).padStart(256, 'x'));
    await story.tell(...ids.slice(1).map((id) => ({ id, void: true as const })));
    fixture.restart();
    await story.tell(...ids.map((id) => ({ id, time: '2026-11-01T00:00:00Z', data: '{"n":1}' })));
    expect(await fixture.ask('calls', {}, story.organization)).toEqual(['2026-11-01T00:00:00Z 1']);
  });

  it('stays when rows are merged', async () => {
    const story = await Case.start();
    await story.tell(event('1', 5), event('2', 7), event('3', 9));
    await story.tell(take('1'), amend('2', 1));
    await story.tell(event('1', 5));
    await fixture.parts.clickhouse.command({ sql: 'OPTIMIZE TABLE events FINAL' });
    expect(await story.usage()).toBe('2 10'); // 1 + 9
    expect(await story.list()).toEqual(['1 duplicate {"n":5} -', '1 voided {"n":5} - void', '2 counted {"n":1} {"n":7} amendment', '3 counted {"n":9} -']);
  });
});

describe('an amendment', () => {
  it.each<[string, Told[][]]>([
    ['after its event', [[event('1', 5)], [amend('1', 3)]]],
    ['the last of several', [[event('1', 5), amend('1', 4)], [amend('1', 9), amend('1', 3)]]],
    ['before its event', [[amend('1', 3)], [event('1', 5)]]],
    ['before and after it', [[amend('1', 4)], [event('1', 5), amend('1', 3)]]],
    ['and equal copies around it', [[event('1', 5), amend('1', 3), event('1', 5)], [event('1', 5)]]],
  ])('%s counts', async (_, batches) => {
    const story = await Case.start();
    for (const batch of batches) await story.tell(...batch);
    expect(await story.usage()).toBe('1 3');
    expect((await story.list()).find((line) => line.includes('counted'))).toMatch(/^1 counted \{"n":3\} \{"n":5\} amendment/);
  });

  it('keeps all digits, and may make an event count or not', async () => {
    const story = await Case.start();
    await story.tell(event('1', 5), { id: '2', time, data: '{}' }, event('3', 1));
    await story.tell({ id: '1', amend: '{"n":12345678901234567890.000000000000000001}' }, amend('2', 4), { id: '3', amend: '{"n":"none"}' });
    expect(await story.usage()).toBe('3 12345678901234567894.000000000000000001'); // The count takes no value.
    expect(await story.list()).toEqual([
      '1 counted {"n":12345678901234567890.000000000000000001} {"n":5} amendment', '2 counted {"n":4} {} amendment', '3 counted {"n":"none"} {"n":1} amendment',
    ]);
  });

  it('changes nothing in what copies are compared with, and conflicts show what was said first', async () => {
    const story = await Case.start();
    await story.tell(event('1', 5), amend('1', 3));
    await story.tell(event('1', 3), event('1', 5));
    await story.tell(take('1'));
    await story.tell(event('1', 3));
    expect(await story.usage()).toBe('0 0');
    expect((await story.list()).map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual(['1 conflict', '1 conflict', '1 duplicate', '1 voided']);
    await fixture.readDeadLetters();
    const all = { organizationId: story.organization, kinds: null, code: null, source: null, state: null, eventId: null, from: null, to: null };
    const { letters } = await fixture.readLetters.list(all, { limit: 100, startingAfter: null, endingBefore: null });
    expect(letters.map(({ letter }) => [(JSON.parse(letter.payload) as TestEvent).data, (JSON.parse(letter.counted_payload ?? '') as TestEvent).data])).toEqual([[{ n: 3 }, { n: 5 }], [{ n: 3 }, { n: 5 }]]);
  });

  it('is shown with who asked for it, when and why, and what the event came with', async () => {
    const story = await Case.start();
    await story.tell(event('1', 5));
    await story.tell({ ...amend('1', 3), reason: 'counted twice', receivedAt: '2026-11-21T08:00:00.000001Z' }, { ...take('1'), receivedAt: '2026-11-22T08:00:00Z' });
    expect(await story.events()).toMatchObject([{
      id: '1', state: 'voided', meters: [], reasons: [], data: '{"n":3}', originalData: '{"n":5}', time: '2026-11-01T10:00:00.000000Z', receivedAt: '2026-11-20T00:00:00.000000Z',
      corrections: [
        { kind: 'amendment', data: '{"n":3}', reason: 'counted twice', madeBy: 'key_corrector', receivedAt: '2026-11-21T08:00:00.000001Z' },
        { kind: 'void', data: null, reason: null, madeBy: 'key_corrector', receivedAt: '2026-11-22T08:00:00.000000Z' },
      ],
    }]);
  });
});

describe('a correction of an event that has not come', () => {
  const received = (receivedAt: string): Partial<TestEvent> => ({ receivedAt });

  it('waits as long as the dedupe window, to the microsecond', async () => {
    const story = await Case.start({ dedupeWindowSeconds: 60 });
    await story.tell({ ...take('1'), ...received('2099-11-20T00:00:00Z') }, { ...take('2'), ...received('2099-11-20T00:00:00Z') });
    await story.tell(event('1', 5, received('2099-11-20T00:01:00Z')), event('2', 7, received('2099-11-20T00:01:00.000001Z')));
    expect(await story.usage()).toBe('1 7');
  });

  it('is of its source’s event only', async () => {
    const story = await Case.start();
    await story.tell(take('1'), { ...take('2'), source: 'gw' });
    await story.tell(event('1', 5, { source: 'gw' }), event('2', 7, { source: 'gw' }), event('2', 9));
    expect(await story.usage()).toBe('2 14'); // 5 + 9
  });

  it('is kept apart from other organizations', async () => {
    const [one, two] = [await Case.start(), await Case.start()];
    await one.tell(event('1', 5));
    await two.tell(event('1', 7));
    await one.tell(take('1'));
    expect([await one.usage(), await two.usage()]).toEqual(['0 0', '1 7']);
  });
});

describe('an identity that is used again after its window', () => {
  it('has two events, each with the corrections that follow it', async () => {
    const story = await Case.start({ dedupeWindowSeconds: 60 });
    const late = { receivedAt: '2027-11-20T00:00:00Z' };
    await story.tell(event('1', 5), take('1'));
    await story.tell(event('1', 7, late));
    expect(await story.usage()).toBe('1 7');
    await story.tell({ ...amend('1', 8), ...late });
    expect(await story.usage()).toBe('1 8');
  });
});

describe('a sealed hour', () => {
  it('does not change any more; the correction is kept', async () => {
    const story = await Case.start();
    await story.tell(event('1', 5, { time: '2026-11-01T09:59:59.999999Z' }), event('2', 7));
    await story.tell({ ...take('1'), sealedBefore: time }, { ...take('2'), sealedBefore: time });
    expect(await story.usage()).toBe('1 5');
  });
});

describe('usage that changed', () => {
  it('is told of the events that were corrected', async () => {
    const story = await Case.start();
    await story.tell(event('1', 5, { subject: 'far', time: '2026-09-01T00:00:00Z' }));
    await story.tell(event('2', 7, { subject: 'near' }), take('1'));
    const told: { subjects: string[]; earliest: string }[] = [];
    const subscription = await fixture.parts.log.subscribe({
      topic: 'tollway.usage-changed', group: `corrections-${story.organization}`, batchSizeMax: 1_000,
      handle: async ({ records }) => void told.push(...records.filter(({ key }) => key === story.organization).map(({ value }) => JSON.parse(value) as (typeof told)[number])),
    });
    await expect.poll(() => told.map(({ subjects, earliest }) => [subjects, earliest]), { timeout: 10_000 }).toEqual([
      [['far'], '2026-09-01T00:00:00.000000Z'], [['near', 'far'], '2026-09-01T00:00:00.000000Z'],
    ]);
    await subscription.close();
  });
});

describe('a kill', () => {
  // The rows of one batch, in the order in which they are written; what a kill leaves behind is a beginning of them.
  it.each(['event_corrections', 'events', 'event_copies'])('after %s was written, or not, changes nothing', async (table) => {
    const story = await Case.start();
    await story.tell(event('1', 5), amend('2', 3));
    const second: Told[] = [take('1'), event('2', 7), event('3', 9), take('3')];
    await story.tell(...second);
    for (const where of [`position >= 2`, `position >= 3`]) {
      await fixture.parts.clickhouse.command({ sql: `DELETE FROM ${table} WHERE organization_id = '${story.organization}' AND ${where}` });
      fixture.restart();
      await fixture.deliver(batchOf(second.map((each) => ({ organization: story.organization, ...each })), { partition: story.partition, position: 2 }).records, { partition: story.partition });
      expect(await story.usage()).toBe('1 3');
    }
  });
});
