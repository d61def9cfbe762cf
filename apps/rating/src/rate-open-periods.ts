import type { RateOpenPayload } from '#contracts';
import { metersOf } from '#domain';
import { adoptSubscriptions, findOrganization, readFinalPeriods, readGrowingMeters, readStaleGenerations, readSubscribedPlans, readSubscriptions, readTestClock, scheduleOf, settleRatings, type Database, type SettledRating } from '#persistence';
import { assert, type Clock } from '#platform';
import { pricedParts } from './add-on-parts.js';
import { openPeriodsAt, type PeriodToRate } from './period-to-rate.js';
import type { RateClosedPeriods } from './rate-closed-periods.js';
import type { RatePeriods } from './rate-periods.js';
import { storeRatings } from './store-ratings.js';

/**
 * Rates the open periods of some subscriptions as they stand now, and closed ones whose usage has changed: of those that are behind. Blocks of the
 * queue overlap, since each look cuts them anew, and what one has rated the next passes over.
 */
export class RateOpenPeriods {
  constructor(private readonly use: { readonly database: Database; readonly ratePeriods: RatePeriods; readonly rateClosed: RateClosedPeriods; readonly clock: Clock }) {}

  async execute(command: RateOpenPayload): Promise<void> {
    const { organizationId } = command;
    const loaded = await this.load(command);
    if (loaded === null) return;
    const periods = await this.use.ratePeriods.execute({ ...loaded, isFinal: false });
    const late = await this.use.rateClosed.rate(loaded.closed, loaded);
    const settled: SettledRating[] = [...loaded.generations].filter(([id]) => !loaded.postponed.has(id)).map(([subscriptionId, generation]) => ({
      subscriptionId,
      generation,
      openUntil: loaded.openUntil.get(subscriptionId) ?? null,
      ratedUntil: loaded.growing.has(subscriptionId) ? loaded.now : null,
    }));
    await this.use.database.inOrganization(organizationId, async (manager) => {
      await storeRatings(manager, { rated: periods, late, now: loaded.now });
      await settleRatings(manager, settled);
    });
  }

  /** The generations come first: what is marked while the rest is read stays due. Null where none is behind. */
  private async load({ organizationId, subscriptionIds: asked }: RateOpenPayload) {
    return this.use.database.inOrganization(organizationId, async (manager) => {
      await adoptSubscriptions(manager, { now: this.use.clock.now(), limit: asked.length, subscriptionIds: asked, isRead: true });
      const generations = await readStaleGenerations(manager, asked);
      if (generations.size === 0) return null;
      const subscriptionIds = [...generations.keys()];
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
