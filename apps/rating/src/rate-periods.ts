import { localDays, payTime, ratePeriod, type IdentifiedPrice } from '#domain';
import type { Database, Organization, RatedPeriod } from '#persistence';
import type { Clock } from '#platform';
import { addOnParts } from './add-on-parts.js';
import type { PeriodToRate } from './period-to-rate.js';
import { rateAddOns, type DatedPart } from './rate-add-ons.js';
import { ReadPeriodUsage, type PeriodUsage } from './read-period-usage.js';
import type { SliceEvents, UsageSlices } from './usage-slices.js';
import type { DatedPeriod } from './wanted-usage.js';

export interface RatePeriodsCommand {
  readonly organization: Organization;
  readonly periods: readonly PeriodToRate[];
  /** Business time; days after it are not rated yet. */
  readonly now: Temporal.Instant;
  readonly isFinal: boolean;
  readonly generations: ReadonlyMap<string, bigint>;
}

interface PeriodSoFar extends DatedPeriod {
  readonly over: boolean;
  readonly parts: readonly DatedPart[];
}

/** Rates many periods of one organization. Reads and computes; the caller saves. */
export class RatePeriods {
  private readonly readUsage: ReadPeriodUsage;

  constructor(private readonly use: { readonly database: Database; readonly usage: UsageSlices; readonly events: SliceEvents; readonly clock: Clock }) {
    this.readUsage = new ReadPeriodUsage(use);
  }

  async execute(command: RatePeriodsCommand): Promise<readonly RatedPeriod[]> {
    const dated = command.periods.map((period, index) => soFar(period, { ref: String(index), now: command.now }));
    const usage = await this.readUsage.execute(command.organization.id, { periods: dated.flatMap((period) => [period, ...period.parts]), now: command.now });
    return dated.map((period) => this.rate(period, { command, usage }));
  }

  private rate(period: PeriodSoFar, using: { command: RatePeriodsCommand; usage: PeriodUsage }): RatedPeriod {
    const { subscription, plan, billing, days, over, parts } = period;
    const { command, usage } = using;
    const rounding = period.rounding ?? command.organization.rounding;
    const rated = ratePeriod({
      prices: pricesOf(period),
      currency: subscription.currency,
      rounding,
      timeZone: subscription.timeZone,
      part: billing.period,
      whole: billing.whole,
      days,
      over,
      returnsUnused: billing.cutBy?.isProrated ?? subscription.cancelProrate,
      owesAdvance: billing.owesAdvance,
      usageUntil: (price, day) => usage.of({ price, period, day }),
      usageAround: (price) => usage.around(price, period),
    });
    const added = rateAddOns(period, { parts, usage, rounding, over });
    return {
      organizationId: command.organization.id,
      subscriptionId: subscription.id,
      periodIndex: billing.number,
      customerId: subscription.customerId,
      planId: plan.planId,
      planVersion: plan.version,
      rounding,
      start: billing.period.start,
      end: billing.period.end,
      isFinal: command.isFinal,
      completeAsOf: usage.freshAsOf,
      generation: command.generations.get(subscription.id) ?? 0n,
      ratedAt: this.use.clock.now(),
      lines: [...rated.lines, ...added.lines].map((line) => ({ ...line, currency: subscription.currency })),
      days: [...rated.days, ...added.days].map(({ day, ...amounts }) => ({ ...amounts, day: day.day, dayStart: day.start, currency: subscription.currency })),
      thresholds: [...rated.thresholds, ...added.thresholds].map((reached) => ({ ...reached, currency: subscription.currency })),
    };
  }
}

/** The period's own, but fees in advance are of the stage that it was billed for: an unprorated change at its very start lets them stand. */
function pricesOf({ plan, stages, billing }: PeriodToRate): readonly IdentifiedPrice[] {
  if (billing.advanceStage === billing.stage) return plan.prices;
  const isAdvance = (price: IdentifiedPrice): boolean => price.type === 'recurring' && payTime(price) === 'in_advance';
  return [...(stages[billing.advanceStage]?.prices ?? []).filter(isAdvance), ...plan.prices.filter((price) => !isAdvance(price))];
}

function soFar(period: PeriodToRate, options: { ref: string; now: Temporal.Instant }): PeriodSoFar {
  const { ref, now } = options;
  return { ...withDays(period, options), parts: addOnParts(period).map((part) => withDays(part, { ref: `${ref} ${part.addOn.id}`, now })) };
}

function withDays<P extends PeriodToRate>(period: P, options: { ref: string; now: Temporal.Instant }): P & Omit<PeriodSoFar, 'parts'> {
  const { start, end } = period.billing.period;
  const over = Temporal.Instant.compare(end, options.now) <= 0;
  const all = localDays({ start, end }, period.subscription.timeZone);
  // The first day stands from the start on, since fees in advance stand on it.
  const days = over ? all : all.filter((day, index) => index === 0 || Temporal.Instant.compare(day.start, options.now) <= 0);
  return { ...period, ref: options.ref, days, over };
}
