import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { payloadHashInput } from '#domain';
import { emptyDigest, findMeters, LineUsageReader, readAttachments, type LineUsage, type OneLineQuery, type SliceRow, type UsageBasis } from '#persistence';
import type { LogRecord } from '#platform';
import { runsOf, useClickHouse, usePostgres } from '#testing';
import { AggregatorFixture, batchOf } from './aggregator-fixture.js';

// Goal: what usage was at a cut of the log can be read for ever, whatever comes after: late events, copies, voids, amendments, subjects that move.
// Method: random histories go through a real consumer in rounds. After each round usage is noted as it is by then, with the cut; when all is over,
// every cut is read again. Digests are also made by hand.

usePostgres();
useClickHouse();
let fixture: AggregatorFixture;
let lines: LineUsageReader;

beforeAll(async () => {
  fixture = await AggregatorFixture.start();
  lines = new LineUsageReader(fixture.parts);
});
afterAll(() => fixture.close());

const at = (text: string): Temporal.Instant => Temporal.Instant.from(text);
/** The first day's events lie before what is asked for: a gauge's value is brought along from there. */
const start = at('2026-10-31T00:00:00Z');
const [from, middle, to] = ['2026-11-01T00:00:00Z', '2026-11-02T12:30:00Z', '2026-11-04T00:00:00Z'].map(at) as [Temporal.Instant, Temporal.Instant, Temporal.Instant];

/** Few enough that most of what is told is about an event that was told before. */
const ids = fc.nat({ max: 24 }).map((nth) => `event-${nth}`);
const checkedAggregations = ['sum', 'unique_count', 'latest', 'percentile', 'time_weighted_sum'] as const;
const data = fc.record({ v: fc.constantFrom('1', '2', '3.5', '"2.5"', '"x"', null), g: fc.constantFrom('"x"', '"y"', null) });
const told = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('copy' as const), id: ids, subject: fc.constantFrom('s1', 's2'), hour: fc.nat({ max: 100 }), data }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('amendment' as const), id: ids, data }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('void' as const), id: ids }) },
);
type Told = typeof told extends fc.Arbitrary<infer T> ? T : never;
const rounds = 3;
const scenario = fc.record({
  told: fc.array(fc.array(told, { minLength: 25, maxLength: 40 }), { minLength: rounds, maxLength: rounds }),
  recomputed: fc.array(fc.boolean(), { minLength: rounds, maxLength: rounds }),
  /** How many records of each partition come once more. */
  again: fc.array(fc.nat({ max: 10 }), { minLength: rounds, maxLength: rounds }),
});

interface Noted {
  readonly basis: UsageBasis;
  readonly usage: readonly (readonly SliceRow[])[];
  readonly digests: readonly (readonly LineUsage[])[];
}

let scenarios = 0;

class Run {
  readonly organizationId = `org_${(scenarios += 1)}`;
  private readonly logs: LogRecord[][] = [[], []];
  private readonly noted: Noted[] = [];
  /** Scenarios share the store, and a position of the log is one place for ever. */
  private readonly first = scenarios * 100_000;
  private customers: readonly string[] = [];

  async execute({ told: history, recomputed, again }: typeof scenario extends fc.Arbitrary<infer T> ? T : never): Promise<void> {
    const { organizationId } = this;
    await fixture.addOrganizations([organizationId]);
    for (const aggregation of checkedAggregations) {
      const percentile = aggregation === 'percentile' ? '50' : null;
      await fixture.addMeter({ key: aggregation, organizationId, aggregation, percentile, valuePath: '$.v', groupBy: { g: '$.g' } });
    }
    this.customers = [await fixture.addCustomer({ key: 'one', organization: organizationId, subjects: [{ subject: 's1' }] }), await fixture.addCustomer({ key: 'other', organization: organizationId })];
    for (const [round, each] of history.entries()) {
      if (round === rounds - 2) await this.attach();
      await this.deliver(each, again[round] ?? 0);
      if (recomputed[round] === true) await fixture.recompute().execute();
      await this.note();
    }
    for (const [round, { basis, usage, digests }] of this.noted.entries()) {
      expect(await this.usage(basis), `usage after round ${round}`).toEqual(usage);
      expect(await this.digests(basis), `digests after round ${round}`).toEqual(digests);
    }
  }

  /** Until now nobody knew whose it was. */
  private async attach(): Promise<void> {
    await fixture.parts.admin.query(`insert into customer_subjects (id, organization_id, customer_id, subject, from_at, created_at) values ($1, $2, $3, 's2', null, now())`, [`late ${this.organizationId}`, this.organizationId, this.customers[1]]);
  }

  private async deliver(each: readonly Told[], again: number): Promise<void> {
    for (const [partition, log] of this.logs.entries()) {
      const told = each.filter(({ id }) => id.length % 2 === partition).map((one) => toTold(one, this.organizationId));
      const begin = Math.max(0, log.length - again);
      log.push(...batchOf(told, { partition, position: this.first + log.length }).records);
      if (begin < log.length) await fixture.consume.execute({ ...batchOf([], { partition }), records: log.slice(begin) });
    }
  }

  private async note(): Promise<void> {
    const { attachments, meters } = await fixture.parts.database.inOrganization(this.organizationId, async (manager) => ({ attachments: await readAttachments(manager), meters: await findMeters(manager) }));
    const basis: UsageBasis = { cut: new Map(this.logs.map((log, partition) => [partition, BigInt(this.first + log.length)])), attachments, meters };
    this.noted.push({ basis, usage: await this.usage(undefined), digests: await this.digests(basis) });
  }

  private usage(basis: UsageBasis | undefined): Promise<readonly (readonly SliceRow[])[]> {
    const slices = this.customers.map((customerId) => ({ ref: customerId, customerId, from, to, ends: [middle, to] }));
    const read = async (aggregation: (typeof checkedAggregations)[number]) => (await fixture.usage.readSlices({ organizationId: this.organizationId, meterId: `mtr_${this.organizationId}_${aggregation}`, groupBy: ['g'], slices, basis, now: to })).rows;
    return Promise.all(checkedAggregations.map(read));
  }

  private digests(basis: UsageBasis): Promise<readonly (readonly LineUsage[])[]> {
    const slices = this.customers.map((customerId) => ({ ref: customerId, customerId, from, to, ends: [to] }));
    const read = (meter: string) => lines.digests({ organizationId: this.organizationId, meterId: `mtr_${this.organizationId}_${meter}`, groupBy: ['g'], slices, basis });
    return Promise.all(['sum'].map(read));
  }
}

function toTold(each: Told, organization: string) {
  const { id } = each;
  if (each.kind === 'void') return { organization, id, void: true as const };
  const text = `{${Object.entries(each.data).flatMap(([name, value]) => (value === null ? [] : [`"${name}":${value}`])).sort().join(',')}}`;
  if (each.kind === 'amendment') return { organization, id, amend: text };
  return { organization, id, subject: each.subject, data: text, time: start.add({ hours: each.hour }).toString() };
}

describe('usage at a cut of the log', () => {
  it('stays what it was', async () => {
    await fc.assert(fc.asyncProperty(scenario, (one) => new Run().execute(one)), { numRuns: runsOf({ short: 1, long: 30 }), endOnFailure: true });
  }, 900_000);

  it('has a digest of hours, of which each has one of its events', async () => {
    await fixture.addOrganizations(['org_hand']);
    const meterId = await fixture.addMeter({ key: 'calls', organizationId: 'org_hand' });
    const customerId = await fixture.addCustomer({ key: 'hand', organization: 'org_hand', subjects: [{ subject: 's1' }, { subject: 's2' }] });
    const event = (id: string, subject: string, time: string) => ({ organization: 'org_hand', id, subject, time });
    await fixture.deliver([event('b', 's1', '2026-11-01T10:30:00Z'), event('a', 's2', '2026-11-01T10:59:59.999999Z'), event('c', 's1', '2026-11-01T11:00:00Z')]);
    const hash = (subject: string, time: string) => sha256(payloadHashInput({ type: 'call', subject, time, timeGiven: true, data: '{}' }));
    // In the order of source, id and hash, not of time.
    const ten = sha256(`default\0a\0${hash('s2', '2026-11-01T10:59:59.999999Z')}\0default\0b\0${hash('s1', '2026-11-01T10:30:00.000000Z')}\0`);
    const eleven = sha256(`default\0c\0${hash('s1', '2026-11-01T11:00:00.000000Z')}\0`);
    const line = sha256(`2026-11-01T10:00:00Z\0${ten}\u00002026-11-01T11:00:00Z\0${eleven}\0`);
    const { attachments, meters } = await fixture.parts.database.inOrganization('org_hand', async (manager) => ({ attachments: await readAttachments(manager), meters: await findMeters(manager) }));
    const query: OneLineQuery = { organizationId: 'org_hand', meterId, slices: [{ ref: 'line', customerId, from, to, ends: [to] }], group: {}, basis: { cut: new Map([[0, 3n]]), attachments, meters } };
    expect(await lines.digests({ ...query, groupBy: [] })).toEqual([{ ref: 'line', group: {}, events: 3n, digest: line }]);
    expect(await lines.hours(query)).toEqual([{ hour: '2026-11-01T10:00:00Z', events: 2n, value: '2', digest: ten }, { hour: '2026-11-01T11:00:00Z', events: 1n, value: '1', digest: eleven }]);
    expect(await lines.digests({ ...query, groupBy: [], basis: { cut: new Map(), attachments, meters } })).toEqual([]);
    expect(sha256('')).toBe(emptyDigest);
  });
});

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
