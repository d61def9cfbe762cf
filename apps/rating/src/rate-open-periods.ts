import type { RateOpenPayload } from '#contracts';
import { metersOf } from '#domain';
import { adoptSubscriptions, findOrganization, readFinalPeriods, readGenerations, readGrowingMeters, readSubscribedPlans, readSubscriptions, readTestClock, saveLateRatings, saveRatedPeriods, scheduleOf, settleRatings, type Database, type SettledRating } from '#persistence';
import { assert, type Clock } from '#platform';
import { pricedParts } from './add-on-parts.js';
import { openPeriodsAt, type PeriodToRate } from './period-to-rate.js';
import type { RateClosedPeriods } from './rate-closed-periods.js';
import type { RatePeriods } from './rate-periods.js';
import { keepUsageRated } from './usage-rated-facts.js';
import { keepUsageThresholds } from './usage-threshold-facts.js';

/** Rates the open periods of some subscriptions as they stand now, and closed ones whose usage has changed. Does it again only where something changed in the meantime. */
export class RateOpenPeriods {
  constructor(private readonly use: { readonly database: Database; readonly ratePeriods: RatePeriods; readonly rateClosed: RateClosedPeriods; readonly clock: Clock }) {}

  async execute(command: RateOpenPayload): Promise<void> {
    const { organizationId, subscriptionIds } = command;
    const loaded = await this.load(command);
    const periods = await this.use.ratePeriods.execute({ ...loaded, isFinal: false });
    const late = await this.use.rateClosed.rate(loaded.closed, loaded);
    const settled: SettledRating[] = subscriptionIds.filter((id) => !loaded.postponed.has(id)).map((subscriptionId) => ({
      subscriptionId,
      generation: loaded.generations.get(subscriptionId) ?? 0n,
      openUntil: loaded.openUntil.get(subscriptionId) ?? null,
      ratedUntil: loaded.growing.has(subscriptionId) ? loaded.now : null,
    }));
    await this.use.database.inOrganization(organizationId, async (manager) => {
      const saved = await saveRatedPeriods(manager, periods);
      await keepUsageRated(manager, saved);
      await keepUsageThresholds(manager, { periods: saved, now: loaded.now });
      await saveLateRatings(manager, late);
      await settleRatings(manager, settled);
    });
  }

  /** The generations come first: what is marked while the rest is read stays due. */
  private async load({ organizationId, subscriptionIds }: RateOpenPayload) {
    return this.use.database.inOrganization(organizationId, async (manager) => {
      await adoptSubscriptions(manager, { now: this.use.clock.now(), limit: subscriptionIds.length, subscriptionIds, isRead: true });
      const generations = await readGenerations(manager, subscriptionIds);
      const organization = await findOrganization(manager, organizationId);
      assert(organization !== null, 'A subscription belongs to an organization.');
      const now = (await readTestClock(manager, organizationId)).now ?? this.use.clock.now();
      const subscriptions = await readSubscriptions(manager, { ids: subscriptionIds });
      const plans = await readSubscribedPlans(manager, subscriptions);
      const openUntil = new Map<string, Temporal.Instant | null>();
      const candidates = subscriptions.flatMap((subscription): PeriodToRate[] => {
        const stages = plans.get(subscription.id) ?? [];
        const [first] = stages;
        assert(first !== undefined, 'A subscription is on a plan version that exists.');
        const schedule = scheduleOf({ subscription, plan: first });
        const open = openPeriodsAt(schedule, now);
        openUntil.set(subscription.id, open.openUntil);
        return open.periods.map((billing) => ({ subscription, plan: stages[billing.stage] ?? first, billing, schedule, stages }));
      });
      const known = await readFinalPeriods(manager, candidates.map(({ subscription, billing }) => ({ subscriptionId: subscription.id, periodIndex: billing.number })));
      const final = new Set(known.map(({ subscriptionId, periodIndex }) => `${subscriptionId}/${periodIndex}`));
      const periods = candidates.filter(({ subscription, billing }) => !final.has(`${subscription.id}/${billing.number}`));
      const growing = growingSubscriptions(periods, { now, meters: await readGrowingMeters(manager) });
      return { organization, now, generations, periods, growing, ...(await this.use.rateClosed.load(manager, subscriptionIds)), openUntil };
    });
  }
}

/** Those with a period that is open now and a price of a meter that grows with time. */
function growingSubscriptions(periods: readonly PeriodToRate[], at: { now: Temporal.Instant; meters: ReadonlySet<string> }): ReadonlySet<string> {
  const growing = periods.filter((period) => Temporal.Instant.compare(period.billing.period.end, at.now) > 0 && pricedParts(period).some(({ price }) => metersOf(price).some((meter) => at.meters.has(meter))));
  return new Set(growing.map(({ subscription }) => subscription.id));
}
