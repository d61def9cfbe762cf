import { decimal, localDays, ratePeriod, type GroupUsage, type IdentifiedPrice, type LocalDay } from '#domain';
import { meterTable, findByIdOrKey, type Database, type Organization, type RatedPeriod } from '#persistence';
import { assert, type Clock } from '#platform';
import type { PeriodToRate } from './period-to-rate.js';

/** What rating asks of the metered usage: each slice's value from its start until each of its ends, for many slices in few queries. */
export interface UsageSlices {
  readSlices(request: {
    readonly organizationId: string;
    readonly meterId: string;
    readonly groupBy: readonly string[];
    readonly slices: readonly UsageSlice[];
  }): Promise<{
    readonly rows: readonly { readonly ref: string; readonly end: Temporal.Instant; readonly group: Readonly<Record<string, string>>; readonly value: string }[];
    readonly freshAsOf: Temporal.Instant;
  }>;
}

export interface UsageSlice {
  readonly ref: string;
  readonly customerId: string;
  readonly from: Temporal.Instant;
  readonly to: Temporal.Instant;
  readonly ends: readonly Temporal.Instant[];
}

export interface RatePeriodsCommand {
  readonly organization: Organization;
  readonly periods: readonly PeriodToRate[];
  /** Business time; days after it are not rated yet. */
  readonly now: Temporal.Instant;
  readonly isFinal: boolean;
  readonly generations: ReadonlyMap<string, bigint>;
}

interface DatedPeriod extends PeriodToRate {
  readonly ref: string;
  readonly days: readonly LocalDay[];
  readonly over: boolean;
}

/** Rates many periods of one organization with one usage query per meter and grouping. Reads and computes; the caller saves. */
export class RatePeriods {
  constructor(private readonly use: { readonly database: Database; readonly usage: UsageSlices; readonly clock: Clock }) {}

  async execute(command: RatePeriodsCommand): Promise<readonly RatedPeriod[]> {
    const dated = command.periods.map((period, index) => withDays(period, { ref: String(index), now: command.now }));
    const usage = await this.readUsage(command.organization.id, dated);
    return dated.map((period) => this.rate(period, { command, usage }));
  }

  private rate(period: DatedPeriod, using: { command: RatePeriodsCommand; usage: UsageBook }): RatedPeriod {
    const { subscription, plan, billing, days, over, ref } = period;
    const { command, usage } = using;
    const rated = ratePeriod({
      prices: plan.prices,
      currency: subscription.currency,
      rounding: command.organization.rounding,
      timeZone: subscription.timeZone,
      part: billing.period,
      whole: billing.whole,
      days,
      over,
      returnsUnused: billing.cutBy?.isProrated ?? subscription.cancelProrate,
      owesAdvance: billing.owesAdvance,
      usageUntil: (price, day) => usage.of({ price, ref, end: day.end }),
    });
    return {
      organizationId: command.organization.id,
      subscriptionId: subscription.id,
      periodIndex: billing.number,
      customerId: subscription.customerId,
      planId: plan.planId,
      planVersion: plan.version,
      start: billing.period.start,
      end: billing.period.end,
      isFinal: command.isFinal,
      completeAsOf: usage.freshAsOf,
      generation: command.generations.get(subscription.id) ?? 0n,
      ratedAt: this.use.clock.now(),
      lines: rated.lines.map((line) => ({ ...line, currency: subscription.currency })),
      days: rated.days.map(({ day, ...amounts }) => ({ ...amounts, day: day.day, dayStart: day.start, currency: subscription.currency })),
    };
  }

  private async readUsage(organizationId: string, periods: readonly DatedPeriod[]): Promise<UsageBook> {
    const wanted = periods.flatMap((period) =>
      period.plan.prices.filter(({ type }) => type === 'usage').map((price) => ({ period, price, source: sourceOf(price) })),
    );
    const book = new UsageBook(this.use.clock.now());
    for (const [source, uses] of Map.groupBy(wanted, (entry) => entry.source)) {
      const price = uses[0]?.price;
      assert(price?.meter !== undefined, 'A usage price names its meter.');
      const meterId = await this.meterId({ organizationId, reference: price.meter });
      const slices = [...new Map(uses.map(({ period }) => [period.ref, sliceOf(period)])).values()];
      const answer = await this.use.usage.readSlices({ organizationId, meterId, groupBy: price.group_by ?? [], slices });
      book.add(source, answer);
    }
    return book;
  }

  private async meterId(meter: { organizationId: string; reference: string }): Promise<string> {
    const found = await this.use.database.inOrganization(meter.organizationId, async (manager) => findByIdOrKey(manager, meterTable, meter.reference));
    assert(found !== null, 'A stored plan names a meter that exists.');
    return found.id;
  }
}

/** The usage that was read, by meter and grouping, slice and end. */
class UsageBook {
  private readonly entries = new Map<string, GroupUsage[]>();
  freshAsOf: Temporal.Instant;

  constructor(readAt: Temporal.Instant) {
    this.freshAsOf = readAt;
  }

  add(source: string, answer: Awaited<ReturnType<UsageSlices['readSlices']>>): void {
    if (Temporal.Instant.compare(answer.freshAsOf, this.freshAsOf) < 0) this.freshAsOf = answer.freshAsOf;
    for (const row of answer.rows) {
      const key = `${source} ${row.ref} ${row.end.epochNanoseconds}`;
      const known = this.entries.get(key);
      const entry = { group: row.group, quantity: decimal(row.value) };
      if (known === undefined) this.entries.set(key, [entry]);
      else known.push(entry);
    }
  }

  of(wanted: { price: IdentifiedPrice; ref: string; end: Temporal.Instant }): readonly GroupUsage[] {
    return this.entries.get(`${sourceOf(wanted.price)} ${wanted.ref} ${wanted.end.epochNanoseconds}`) ?? [];
  }
}

/** Prices that read the same meter by the same groups share one query. */
function sourceOf(price: IdentifiedPrice): string {
  return JSON.stringify([price.meter, price.group_by ?? []]);
}

function withDays(period: PeriodToRate, options: { ref: string; now: Temporal.Instant }): DatedPeriod {
  const { start, end } = period.billing.period;
  const over = Temporal.Instant.compare(end, options.now) <= 0;
  const all = localDays({ start, end }, period.subscription.timeZone);
  // The first day stands from the start on, since fees in advance stand on it.
  const days = over ? all : all.filter((day, index) => index === 0 || Temporal.Instant.compare(day.start, options.now) <= 0);
  return { ...period, ref: options.ref, days, over };
}

function sliceOf(period: DatedPeriod): UsageSlice {
  return {
    ref: period.ref,
    customerId: period.subscription.customerId,
    from: period.billing.period.start,
    to: period.billing.period.end,
    ends: period.days.map((day) => day.end),
  };
}
