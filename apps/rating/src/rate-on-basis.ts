import { aggregatorGroup, topics } from '#contracts';
import type { IdentifiedPrice, LineUsageProof } from '#domain';
import { emptyDigest, findMeters, readAttachments, type Database, type LineUsage, type LineUsageQuery, type RatedPeriod, type UsageBasis } from '#persistence';
import { assert, type Clock, type EventLog } from '#platform';
import { pricedParts } from './add-on-parts.js';
import { BasedUsage } from './based-usage.js';
import type { PeriodToRate } from './period-to-rate.js';
import { RatePeriods, type RatePeriodsCommand } from './rate-periods.js';
import type { SliceEvents, SliceRequest, UsageSlice, UsageSlices } from './usage-slices.js';

/** What is asked of the events that lines are made of. */
export interface LineUsages {
  digests(query: LineUsageQuery): Promise<readonly LineUsage[]>;
  changedAfter(query: SliceRequest): Promise<readonly string[]>;
}

export interface RateOnBasisCommand extends RatePeriodsCommand {
  /** Chooses those that get digests of their events, which are read for it one by one; left out, all do. */
  readonly proving?: (rated: readonly RatedPeriod[]) => Promise<ReadonlySet<RatedPeriod>>;
}

export interface RateOnBasisUse {
  readonly database: Database;
  readonly log: EventLog;
  readonly usage: UsageSlices;
  readonly events: SliceEvents;
  readonly lineUsages: LineUsages;
  readonly clock: Clock;
}

/**
 * Rates periods so that they can be rated again at any time and come to the same: by a cut of the log, by who the subjects belonged to and by
 * how meters counted, all of which it gives back with them, and with the digest of each line's events.
 *
 * Usage is read the fast way, as it is by now. Where something came to light behind the cut meanwhile, the period is rated once more from
 * the events before the cut: so what was read is what the cut says, however busy the log is.
 */
export class RateOnBasis {
  constructor(private readonly use: RateOnBasisUse) {}

  async execute(command: RateOnBasisCommand): Promise<readonly RatedPeriod[]> {
    if (command.periods.length === 0) return [];
    const { basis, completeAsOf } = await this.take(command);
    const now = new BasedUsage(this.use, { ...basis, cut: null });
    const rated = await this.ratePeriods(now).execute(command);
    const changed = await this.changedSince(now.asked, { basis, count: rated.length });
    const again = await this.ratePeriods(new BasedUsage(this.use, basis)).execute({ ...command, periods: command.periods.filter((_, index) => changed.has(index)) });
    const rest = again.values();
    const settled = rated.map((period, index) => (changed.has(index) ? (rest.next().value ?? period) : period));
    const proved = command.proving === undefined ? new Set(settled) : await command.proving(settled);
    return this.withProofs(settled, { command, proved, basis: { ...basis, meters: basis.meters.filter(({ id }) => now.asked.some(({ meterId }) => meterId === id)) }, completeAsOf });
  }

  /** Rates periods as a basis that was kept has them. */
  async again(command: RatePeriodsCommand, basis: UsageBasis): Promise<readonly RatedPeriod[]> {
    const rated = await this.ratePeriods(new BasedUsage(this.use, basis)).execute(command);
    return this.withProofs(rated, { command, proved: new Set(rated), basis, completeAsOf: null });
  }

  private ratePeriods(usage: BasedUsage): RatePeriods {
    return new RatePeriods({ database: this.use.database, usage, events: usage, clock: this.use.clock });
  }

  /** The cut comes last but for what it does not depend on: every event acknowledged before `completeAsOf` lies before it. */
  private async take({ organization, periods }: RatePeriodsCommand): Promise<{ basis: UsageBasis; completeAsOf: Temporal.Instant }> {
    const reader = { topic: topics.usageEvents, group: aggregatorGroup };
    const completeAsOf = await this.use.log.completeAsOf(reader);
    const cut = await this.use.log.nextPositions(reader);
    return this.use.database.inOrganization(organization.id, async (manager) => {
      const attachments = await readAttachments(manager, { customerIds: [...new Set(periods.map(({ subscription }) => subscription.customerId))] });
      return { basis: { cut, attachments, meters: await findMeters(manager) }, completeAsOf };
    });
  }

  /** The places of periods for which anything behind the cut may have been read. */
  private async changedSince(asked: readonly SliceRequest[], at: { basis: UsageBasis; count: number }): Promise<Set<number>> {
    const questions = new Map(asked.map((request) => [JSON.stringify([request.meterId, request.slices.map(({ ref, from, to }) => [ref, from, to])]), request]));
    const changed = new Set<number>();
    for (const request of questions.values()) {
      for (const ref of await this.use.lineUsages.changedAfter({ ...request, exempt: null, basis: at.basis })) changed.add(Number(ref.split(' ')[0]));
    }
    assert([...changed].every((place) => Number.isInteger(place) && place < at.count), 'Slices are named by the places of the periods that they are read for.');
    return changed;
  }

  private async withProofs(
    rated: readonly RatedPeriod[],
    by: { command: RatePeriodsCommand; proved: ReadonlySet<RatedPeriod>; basis: UsageBasis; completeAsOf: Temporal.Instant | null },
  ): Promise<readonly RatedPeriod[]> {
    const { command, proved, basis, completeAsOf } = by;
    const proofOf = await this.proofs(command, { basis, isWanted: (place) => proved.has(rated[place] as RatedPeriod) });
    return rated.map((period, index) => ({
      ...period,
      ...(completeAsOf === null ? {} : { completeAsOf }),
      basis,
      lines: period.lines.map((line) => {
        return line.kind === 'usage' && proved.has(period) ? { ...line, usage: proofOf({ place: index, priceId: line.priceId, group: line.group }) } : line;
      }),
    }));
  }

  /** One query for each meter and way of telling its events apart, however many lines there are. */
  private async proofs({ organization, periods }: RatePeriodsCommand, { basis, isWanted }: { basis: UsageBasis; isWanted: (place: number) => boolean }): Promise<(of: { place: number; priceId: string; group: Readonly<Record<string, string>> }) => LineUsageProof> {
    const questions = new Map<string, { query: Omit<LineUsageQuery, 'slices'>; slices: Map<string, UsageSlice> }>();
    const asked = new Map<string, { name: string; ref: string; groupBy: readonly string[] }>();
    for (const [place, period] of periods.entries()) {
      if (!isWanted(place)) continue;
      for (const { part, price } of pricedParts(period).filter(({ price: { type } }) => type === 'usage')) {
        const question = questionOf(price, basis);
        // Prices that are there for the same time share a slice.
        const ref = `${place} ${part.billing.period.start.toString()} ${part.billing.period.end.toString()}`;
        asked.set(`${place} ${price.id}`, { name: question.name, ref, groupBy: question.groupBy });
        const known = questions.get(question.name) ?? { query: { organizationId: organization.id, basis, ...question }, slices: new Map() };
        questions.set(question.name, known);
        known.slices.set(ref, sliceOf(part, ref));
      }
    }
    const found = new Map<string, LineUsageProof>();
    for (const [name, { query, slices }] of questions) {
      for (const { ref, group, events, digest } of await this.use.lineUsages.digests({ ...query, slices: [...slices.values()] })) {
        found.set(JSON.stringify([name, ref, query.groupBy.map((dimension) => group[dimension] ?? '')]), { events, digest });
      }
    }
    return ({ place, priceId, group }) => {
      const question = asked.get(`${place} ${priceId}`);
      assert(question !== undefined, 'A line is of a price of its period.');
      const { name, ref, groupBy } = question;
      return found.get(JSON.stringify([name, ref, groupBy.map((dimension) => group[dimension] ?? '')])) ?? { events: 0n, digest: emptyDigest };
    };
  }
}

/** Which events a usage price's lines are made of. */
export function questionOf(price: IdentifiedPrice, { meters }: Pick<UsageBasis, 'meters'>): { name: string; meterId: string; exempt: string | null; groupBy: readonly string[] } {
  const meter = meters.find(({ id, key }) => id === price.meter || key === price.meter);
  assert(meter !== undefined, 'A basis has the meters of its prices.');
  const question = { meterId: meter.id, exempt: price.exempt ?? null, groupBy: price.group_by ?? [] };
  return { ...question, name: JSON.stringify(question) };
}

/** A period's usage as one slice, named by `ref`. */
export function sliceOf({ subscription, billing }: PeriodToRate, ref: string): UsageSlice {
  const { start, end } = billing.period;
  return { ref, customerId: subscription.customerId, from: start, to: end, ends: [end] };
}
