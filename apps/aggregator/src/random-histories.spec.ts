import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aggregations } from '#domain';
import type { LogRecord } from '#platform';
import { useClickHouse, usePostgres, runsOf } from '#testing';
import { AggregatorFixture, batchOf } from './aggregator-fixture.js';
import { modelPercentile, ReferenceModel, textOf, type ModelCopy, type ModelData, type ModelQuestion, type ModelVersion } from './fixtures/reference-model.js';

// Goal: whatever comes, in whatever order, however often and across restarts, usage is that of the model: copies that repeat or
// contradict, voids and amendments before, between and after them, subjects that move or are attached later, meters that count otherwise
// from some instant on. Method: hundreds of random histories, a dozen to an organization, go through one real consumer in rounds; between
// rounds the log gives records again in other cuts, the consumer restarts, meters and versions of them are made and rollups recomputed.
// Answers are compared after every round.

usePostgres();
useClickHouse();
let fixture: AggregatorFixture;

beforeAll(async () => {
  fixture = await AggregatorFixture.start();
});
afterAll(() => fixture.close());

const hourMs = 3_600_000;
const startMs = Temporal.Instant.from('2026-10-31T20:00:00Z').epochMilliseconds;
const movedMs = startMs + 5.5 * hourMs;
const moved = Temporal.Instant.fromEpochMilliseconds(movedMs).toString();

/** Few ids, so that most of what is told is about an event that was told before. */
const ids = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
const datas = {
  group: fc.constantFrom('"x"', '"y"', '7', 'true', 'null', '{"k":0.5}', '[12345678901234567890]', null),
  value: fc.constantFrom('1', '2', '3.5', '-4', '0.1', '"2.5"', '"x"', 'null', 'true', '12345678901234567890.123456789012345678', '123456789012345678901', '1.1', '"1.1"', '""', null),
};
const copies = fc.record({
  kind: fc.constant('copy' as const),
  id: ids,
  subject: fc.constantFrom('s1', 's2', 's3', 's4'),
  // Hours and half hours around the end of a month, of which two are the same hour in New York, so that copies meet in hours and at bounds.
  timeMs: fc.nat({ max: 22 }).map((half) => startMs + (half * hourMs) / 2),
  ...datas,
});
const amendments = fc.record({ kind: fc.constant('amendment' as const), id: ids, ...datas });
const voids = fc.record({ kind: fc.constant('void' as const), id: ids });
const told = fc.oneof({ arbitrary: copies, weight: 6 }, { arbitrary: amendments, weight: 2 }, { arbitrary: voids, weight: 1 });

type Told = typeof told extends fc.Arbitrary<infer T> ? T : never;

const rounds = 3;
/** Each organization has one meter; its histories have sources, subjects and lines of answers of their own. */
const meters = aggregations.flatMap((aggregation) => [null, 2].map((above) => ({ aggregation, above })));
const historiesPerOrganization = runsOf({ short: 12, long: 24 });

const history = fc.array(fc.array(told, { maxLength: 7 }), { minLength: rounds, maxLength: rounds });
const everyRound = <T>(arbitrary: fc.Arbitrary<T>) => fc.array(arbitrary, { minLength: rounds, maxLength: rounds });

/** From some half hour on, or from within one, before or after what was made before. */
const versions = fc.record({
  fromMs: fc.tuple(fc.nat({ max: 22 }), fc.constantFrom(0, 0, 1, 10 * 60_000)).map(([half, more]) => startMs + (half * hourMs) / 2 + more),
  above: fc.constantFrom(null, 1, 3),
  value: fc.constantFrom('v' as const, 'v' as const, 'g' as const),
  group: fc.constantFrom('g' as const, 'v' as const, null),
});

const scenarios = fc.record({
  histories: fc.array(fc.array(history, { minLength: historiesPerOrganization, maxLength: historiesPerOrganization }), { minLength: meters.length, maxLength: meters.length }),
  /** How many records of each partition come again. */
  again: everyRound(fc.nat({ max: 300 })),
  /** Where the records are cut into batches, in hundredths of them. */
  cuts: everyRound(fc.array(fc.nat({ max: 100 }), { maxLength: 4 })),
  restarts: everyRound(fc.boolean()),
  recomputes: everyRound(fc.boolean()),
  metersAt: fc.nat({ max: rounds - 1 }),
  /** Before a round's events; each is another meter's next version. */
  versions: everyRound(fc.array(versions, { maxLength: runsOf({ short: 1, long: 3 }) })),
});

type Scenario = typeof scenarios extends fc.Arbitrary<infer T> ? T : never;
let scenarioCount = 0;

/** One scenario: its organizations, their log of two partitions, and what the model says of them. */
class Run {
  private readonly logs: LogRecord[][] = [[], []];
  private readonly delivered = [0, 0];
  private readonly organizations = meters.map((meter) => ({ ...meter, id: `org_${scenarioCount}_${meter.aggregation}_${meter.above}`, model: new ReferenceModel(), versions: [{ fromMs: null, above: meter.above, value: 'v', group: 'g' }] as ModelVersion[] }));
  /** Scenarios share the store, and a position of the log is one place for ever. */
  private readonly firstPosition = scenarioCount * 100_000;

  constructor(private readonly scenario: Scenario) {}

  async execute(): Promise<void> {
    await fixture.addOrganizations(this.organizations.map(({ id }) => id));
    for (const { id } of this.organizations) await attach(id);
    for (let round = 0; round < rounds; round += 1) {
      if (round === rounds - 1) await this.attachLate();
      const hasMeters = this.scenario.metersAt <= round;
      if (this.scenario.metersAt === round) await this.makeMeters();
      if (hasMeters) await this.makeVersions(round);
      this.append(round);
      await this.deliver(round);
      if (this.scenario.recomputes[round] === true && hasMeters) await this.recompute();
      if (hasMeters) await this.compare(round);
    }
  }

  private async makeMeters(): Promise<void> {
    for (const { id, aggregation, above } of this.organizations) {
      const filter = above === null ? null : `data.v > ${above}`;
      await fixture.addMeter({ key: 'm', organizationId: id, aggregation, valuePath: aggregation === 'count' ? null : '$.v', percentile: aggregation === 'percentile' ? modelPercentile : null, groupBy: { g: '$.g' }, filter });
    }
  }

  /** Every other meter keeps its first one. */
  private async makeVersions(round: number): Promise<void> {
    for (const [index, { id, aggregation, versions: made }] of this.organizations.entries()) {
      if ((index + scenarioCount) % 2 === 0) continue;
      for (const version of this.scenario.versions[round] ?? []) {
        made.push(version);
        await fixture.addVersion(`mtr_${id}_m`, {
          effectiveAt: Temporal.Instant.fromEpochMilliseconds(version.fromMs).toString(),
          valuePath: aggregation === 'count' ? null : `$.${version.value}`,
          groupBy: version.group === null ? {} : { g: `$.${version.group}` },
          filter: version.above === null ? null : `data.v > ${version.above}`,
        });
      }
    }
  }

  /** Until now nobody knew whose they were. */
  private async attachLate(): Promise<void> {
    for (const { id: organization } of this.organizations) await fixture.addCustomer({ key: 'late', organization, subjects: subjectsOf('s4').map((subject) => ({ subject })) });
  }

  private append(round: number): void {
    for (const [index, { id: organization, model }] of this.organizations.entries()) {
      for (const [place, ofRounds] of (this.scenario.histories[index] ?? []).entries()) {
        for (const each of ofRounds[round] ?? []) this.tell(each, { organization, model, place });
      }
    }
  }

  private tell(each: Told, { organization, model, place }: { organization: string; model: ReferenceModel; place: number }): void {
    const partition = (each.id.charCodeAt(0) + place) % 2;
    const position = this.firstPosition + (this.logs[partition]?.length ?? 0);
    const identity = { organization, id: each.id, source: `${place}` };
    const id = `${place}/${each.id}`;
    if (each.kind === 'void') {
      model.void(id);
      this.logs[partition]?.push(...batchOf([{ ...identity, void: true }], { partition, position }).records);
    } else if (each.kind === 'amendment') {
      model.amend(id, { group: each.group, value: each.value });
      this.logs[partition]?.push(...batchOf([{ ...identity, amend: dataOf(each) }], { partition, position }).records);
    } else {
      const subject = `${place}-${each.subject}`;
      model.append({ ...each, id, subject, partition, position });
      this.logs[partition]?.push(...batchOf([{ ...identity, subject, data: dataOf(each), time: instantOf(each.timeMs) }], { partition, position }).records);
    }
  }

  /** Each partition from some place before where it was left, in random cuts; perhaps by a new process. */
  private async deliver(round: number): Promise<void> {
    if (this.scenario.restarts[round] === true) fixture.restart();
    for (const [partition, log] of this.logs.entries()) {
      const from = Math.max(0, (this.delivered[partition] ?? 0) - (this.scenario.again[round] ?? 0));
      const records = log.slice(from);
      const cuts = (this.scenario.cuts[round] ?? []).map((hundredths) => Math.floor((records.length * hundredths) / 100)).sort((a, b) => a - b);
      for (const [nth, cut] of [...cuts, records.length].entries()) {
        const part = records.slice(cuts[nth - 1] ?? 0, cut);
        if (part.length > 0) await fixture.deliver(part, { partition });
      }
      this.delivered[partition] = log.length;
    }
  }

  private async recompute(): Promise<void> {
    while ((await fixture.build.execute()) > 0);
    while ((await fixture.recompute().execute()) > 0);
  }

  /** Four questions at the end, one of each organization after the rounds before it, since a question takes longer than all else. */
  private async compare(round: number): Promise<void> {
    for (const [index, { id, model, aggregation, versions: made }] of this.organizations.entries()) {
      const isLast = round === rounds - 1;
      const all = questions({ organization: id, isLateAttached: isLast });
      for (let nth = 0; nth < (isLast ? 4 : 1); nth += 1) {
        const { query, line } = all[(index + round + scenarioCount + nth * 2) % all.length] ?? all[0]!;
        expect(await answer(id, query), `${id} in round ${round}: ${JSON.stringify(query)}`).toEqual(model.ask({ aggregation, versions: made, line, steps: stepsOf(query) }));
      }
    }
  }
}

interface Question {
  readonly query: Record<string, string>;
  readonly line: (copy: ModelCopy) => string | null;
}

function questions(about: { organization: string; isLateAttached: boolean }): Question[] {
  const customerOf = (copy: ModelCopy): string => `${ownerOf(copy, about)}`;
  const inZone = (time_zone: string, window: 'minute' | 'hour' | 'day' | 'month'): Question => ({ query: { window, time_zone }, line: ({ timeMs }) => windowOf(timeMs, { timeZone: time_zone, unit: window }) });
  return [
    { query: {}, line: () => begin },
    { query: { window: 'day', group_by: 'subject,g' }, line: (copy) => `${windowOf(copy.timeMs, { timeZone: 'UTC', unit: 'day' })} ${copy.subject} ${textOf(copy.group)}` },
    { query: { window: 'hour', group_by: 'customer' }, line: (copy) => `${windowOf(copy.timeMs, { timeZone: 'UTC', unit: 'hour' })} ${customerOf(copy)}` },
    {
      query: { customer: 'two', group_by: 'subject' },
      line: (copy) => (customerOf(copy).endsWith('two') ? `${begin} ${customerOf(copy)} ${copy.subject}` : null),
    },
    { // Begins in the middle of what happens: gauges bring their values along.
      query: { from: lateBegin, window: 'hour', group_by: 'customer' },
      line: (copy) => (copy.timeMs < msOf(lateBegin) ? null : `${windowOf(copy.timeMs, { timeZone: 'UTC', unit: 'hour' }, lateBegin)} ${customerOf(copy)}`),
    },
    inZone('America/New_York', 'hour'), // Clocks go back at 06:00 UTC.
    inZone('America/New_York', 'day'),
    inZone('America/New_York', 'month'),
    inZone('Asia/Kolkata', 'hour'), // Half an hour off.
    inZone('Asia/Kolkata', 'day'),
    inZone('UTC', 'minute'),
    inZone('Pacific/Chatham', 'month'), // Three quarters of an hour off.
  ];
}

/** The window as a calendar says, in no common with the product's own arithmetic; the first one begins where the range does. */
function windowOf(timeMs: number, zoned: { timeZone: string; unit: 'minute' | 'hour' | 'day' | 'month' }, from = begin): string {
  const key = `${timeMs} ${zoned.timeZone} ${zoned.unit} ${from}`;
  const known = windowStarts.get(key) ?? calendarWindow(timeMs, zoned, from);
  windowStarts.set(key, known);
  return known;
}

const windowStarts = new Map<string, string>();

function calendarWindow(timeMs: number, { timeZone, unit }: { timeZone: string; unit: 'minute' | 'hour' | 'day' | 'month' }, from: string): string {
  const local = Temporal.Instant.fromEpochMilliseconds(timeMs).toZonedDateTimeISO(timeZone);
  const start = unit === 'month' ? local.with({ day: 1 }).startOfDay() : unit === 'day' ? local.startOfDay() : local.round({ smallestUnit: unit, roundingMode: 'floor' });
  return Temporal.Instant.compare(start.toInstant(), from) < 0 ? from : start.toInstant().toString();
}

function dataOf({ group, value }: ModelData): string {
  return `{${[...(group === null ? [] : [`"g":${group}`]), ...(value === null ? [] : [`"v":${value}`])].join(',')}}`;
}

function subjectsOf(name: string): string[] {
  return Array.from({ length: historiesPerOrganization }, (_, place) => `${place}-${name}`);
}

/** The first subject of each history moves from one customer to another in the middle of an hour; the third never has one, the fourth late. */
async function attach(organization: string): Promise<void> {
  await fixture.addCustomer({ key: 'one', organization, subjects: subjectsOf('s1').map((subject) => ({ subject, to: moved })) });
  await fixture.addCustomer({ key: 'two', organization, subjects: [...subjectsOf('s1').map((subject) => ({ subject, from: moved })), ...subjectsOf('s2').map((subject) => ({ subject }))] });
}

async function answer(organization: string, query: Record<string, string>): Promise<Record<string, string>> {
  const rows = await fixture.ask('m', { from: begin, to: end, ...query }, organization);
  if (!Array.isArray(rows)) throw new Error(String(rows));
  return Object.fromEntries(rows.map((row: string) => [row.slice(0, row.lastIndexOf(' ')), row.slice(row.lastIndexOf(' ') + 1)]));
}

function instantOf(timeMs: number): string {
  return Temporal.Instant.fromEpochMilliseconds(timeMs).toString();
}

const begin = '2026-10-31T00:00:00Z';
const lateBegin = '2026-11-01T00:45:00Z';
const end = '2026-11-02T00:00:00Z';

function msOf(text: string): number {
  return Temporal.Instant.from(text).epochMilliseconds;
}

function stepsOf(query: Record<string, string>): ModelQuestion['steps'] {
  return { fromMs: msOf(query['from'] ?? begin), toMs: msOf(end), stepMs: (query['window'] === 'minute' ? 1 : 15) * 60_000 };
}

function ownerOf({ subject, timeMs }: ModelCopy, { organization, isLateAttached }: { organization: string; isLateAttached: boolean }): string | null {
  if (subject.endsWith('s3') || (subject.endsWith('s4') && !isLateAttached)) return null;
  if (subject.endsWith('s4')) return `cus_${organization}_late`;
  return `cus_${organization}_${subject.endsWith('s1') && timeMs < movedMs ? 'one' : 'two'}`;
}

describe('random histories', () => {
  it('come to what the model says, after every round', async () => {
    await fc.assert(
      fc.asyncProperty(scenarios, async (scenario) => {
        scenarioCount += 1;
        await new Run(scenario).execute();
      }),
      { numRuns: runsOf({ short: 2, long: 28 }), endOnFailure: true },
    );
  }, runsOf({ short: 240_000, long: 7_200_000 }));
});
