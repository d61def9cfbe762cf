import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aggregations } from '#domain';
import type { LogRecord } from '#platform';
import { useClickHouse, usePostgres, runsOf } from '#testing';
import { AggregatorFixture, batchOf } from './aggregator-fixture.js';
import { modelPercentile, ReferenceModel, textOf, type ModelCopy } from './fixtures/reference-model.js';

// Goal: whatever comes, in whatever order, however often and across restarts, usage is that of the model. Method: hundreds of
// random histories, a dozen to an organization, go through one real consumer in rounds; between rounds the log gives records again,
// the consumer restarts, meters are made and rollups recomputed. Answers are compared after every round.

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

/** What a copy may be: few ids, so that most copies repeat or contradict an earlier one. */
const copies = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'),
  subject: fc.constantFrom('s1', 's2', 's3'),
  // Hours and half hours around the end of a month, so that copies meet in hours and at bounds.
  timeMs: fc.nat({ max: 16 }).map((half) => startMs + (half * hourMs) / 2),
  group: fc.constantFrom('"x"', '"y"', '7', 'true', 'null', '{"k":0.5}', '[12345678901234567890]', null),
  value: fc.constantFrom('1', '2', '3.5', '-4', '0.1', '"2.5"', '"x"', 'null', 'true', '12345678901234567890.123456789012345678', '123456789012345678901', '1.1', '"1.1"', '""', null),
});

const rounds = 3;
/** Each organization has one meter; its histories have sources, subjects and lines of answers of their own. */
const meters = aggregations.flatMap((aggregation) => [null, 2].map((above) => ({ aggregation, above })));
const historiesPerOrganization = 12;

const history = fc.array(fc.array(copies, { maxLength: 5 }), { minLength: rounds, maxLength: rounds });
const everyRound = <T>(arbitrary: fc.Arbitrary<T>) => fc.array(arbitrary, { minLength: rounds, maxLength: rounds });

const scenarios = fc.record({
  histories: fc.array(fc.array(history, { minLength: historiesPerOrganization, maxLength: historiesPerOrganization }), { minLength: meters.length, maxLength: meters.length }),
  /** How many records of each partition come again. */
  again: everyRound(fc.nat({ max: 200 })),
  restarts: everyRound(fc.boolean()),
  recomputes: everyRound(fc.boolean()),
  metersAt: fc.nat({ max: rounds - 1 }),
});

type Scenario = typeof scenarios extends fc.Arbitrary<infer T> ? T : never;
let scenarioCount = 0;

/** One scenario: its organizations, their log of two partitions, and what the model says of them. */
class Run {
  private readonly logs: LogRecord[][] = [[], []];
  private readonly delivered = [0, 0];
  private readonly organizations = meters.map((meter) => ({ ...meter, id: `org_${scenarioCount}_${meter.aggregation}_${meter.above}`, model: new ReferenceModel() }));
  /** Scenarios share the store, and a position of the log is one place for ever. */
  private readonly firstPosition = scenarioCount * 100_000;

  constructor(private readonly scenario: Scenario) {}

  async execute(): Promise<void> {
    await fixture.addOrganizations(this.organizations.map(({ id }) => id));
    for (const { id } of this.organizations) await attach(id);
    for (let round = 0; round < rounds; round += 1) {
      const hasMeters = this.scenario.metersAt <= round;
      if (this.scenario.metersAt === round) await this.makeMeters();
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

  private append(round: number): void {
    for (const [index, { id: organization, model }] of this.organizations.entries()) {
      for (const [place, ofRounds] of (this.scenario.histories[index] ?? []).entries()) {
        for (const copy of ofRounds[round] ?? []) {
          const partition = (copy.id.charCodeAt(0) + place) % 2;
          const position = this.firstPosition + (this.logs[partition]?.length ?? 0);
          const subject = `${place}-${copy.subject}`;
          const members = [...(copy.group === null ? [] : [`"g":${copy.group}`]), ...(copy.value === null ? [] : [`"v":${copy.value}`])];
          const event = { organization, id: copy.id, source: `${place}`, subject, data: `{${members.join(',')}}`, time: instantOf(copy.timeMs) };
          this.logs[partition]?.push(...batchOf([event], { partition, position }).records);
          model.append({ ...copy, id: `${place}/${copy.id}`, subject, partition, position });
        }
      }
    }
  }

  /** Each partition from some place before where it was left, in two cuts; perhaps by a new process. */
  private async deliver(round: number): Promise<void> {
    if (this.scenario.restarts[round] === true) fixture.restart();
    for (const [partition, log] of this.logs.entries()) {
      const from = Math.max(0, (this.delivered[partition] ?? 0) - (this.scenario.again[round] ?? 0));
      const records = log.slice(from);
      const middle = Math.ceil(records.length / 2);
      for (const part of [records.slice(0, middle), records.slice(middle)]) {
        if (part.length > 0) await fixture.deliver(part, { partition });
      }
      this.delivered[partition] = log.length;
    }
  }

  private async recompute(): Promise<void> {
    while ((await fixture.build.execute()) > 0);
    while ((await fixture.recompute().execute()) > 0);
  }

  /** Every question at the end; one of each organization after the rounds before it, since a question takes longer than all else. */
  private async compare(round: number): Promise<void> {
    for (const [index, { id, model, aggregation, above }] of this.organizations.entries()) {
      const isLast = round === rounds - 1;
      for (const [place, { query, line }] of questions(id).entries()) {
        if (!isLast && place !== (index + round) % 4) continue;
        expect(await answer(id, query), `${id} in round ${round}: ${JSON.stringify(query)}`).toEqual(model.ask({ aggregation, above, line }));
      }
    }
  }
}

function questions(organization: string): { query: Record<string, string>; line: (copy: ModelCopy) => string | null }[] {
  return [
    { query: {}, line: () => begin },
    { query: { window: 'day', group_by: 'subject,g' }, line: (copy) => `${dayOf(copy)} ${copy.subject} ${textOf(copy.group)}` },
    { query: { window: 'hour', group_by: 'customer' }, line: (copy) => `${hourOf(copy)} ${customerOf(copy, organization)}` },
    {
      query: { customer: 'two', group_by: 'subject' },
      line: (copy) => (customerOf(copy, organization).endsWith('two') ? `${begin} ${customerOf(copy, organization)} ${copy.subject}` : null),
    },
  ];
}

/** The first subject of each history moves from one customer to another in the middle of an hour; the third has none. */
async function attach(organization: string): Promise<void> {
  const subjects = (name: string): string[] => Array.from({ length: historiesPerOrganization }, (_, place) => `${place}-${name}`);
  await fixture.addCustomer({ key: 'one', organization, subjects: subjects('s1').map((subject) => ({ subject, to: moved })) });
  await fixture.addCustomer({ key: 'two', organization, subjects: [...subjects('s1').map((subject) => ({ subject, from: moved })), ...subjects('s2').map((subject) => ({ subject }))] });
}

async function answer(organization: string, query: Record<string, string>): Promise<Record<string, string>> {
  const rows = await fixture.ask('m', { from: begin, to: '2026-11-02T00:00:00Z', ...query }, organization);
  if (!Array.isArray(rows)) throw new Error(String(rows));
  return Object.fromEntries(rows.map((row: string) => [row.slice(0, row.lastIndexOf(' ')), row.slice(row.lastIndexOf(' ') + 1)]));
}

function instantOf(timeMs: number): string {
  return Temporal.Instant.fromEpochMilliseconds(timeMs).toString();
}

const begin = '2026-10-31T00:00:00Z';

function dayOf({ timeMs }: ModelCopy): string {
  return instantOf(timeMs - (timeMs % (24 * hourMs)));
}

function hourOf({ timeMs }: ModelCopy): string {
  return instantOf(timeMs - (timeMs % hourMs));
}

function customerOf({ subject, timeMs }: ModelCopy, organization: string): string {
  if (subject.endsWith('s3')) return 'null';
  return `cus_${organization}_${subject.endsWith('s1') && timeMs < movedMs ? 'one' : 'two'}`;
}

describe('random histories', () => {
  it('come to what the model says, after every round', async () => {
    await fc.assert(
      fc.asyncProperty(scenarios, async (scenario) => {
        scenarioCount += 1;
        await new Run(scenario).execute();
      }),
      { numRuns: runsOf({ short: 2, long: 60 }), endOnFailure: true },
    );
  }, runsOf({ short: 240_000, long: 7_200_000 }));
});
