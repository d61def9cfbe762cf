import { aggregatorGroup, topics } from '#contracts';
import { adoptSubscriptions, findStaleRatingsOf, readOldestOpenRating, type Database } from '#persistence';
import type { Clock, EventLog } from '#platform';
import type { AwaitUsageChanges } from './await-usage-changes.js';
import type { RateOpenPeriods } from './rate-open-periods.js';
import { subscriptionsPerJobMax } from './send-due-ratings.js';

/** A reader rates this many subscriptions at most before it is answered; the rest follow by the queue. */
const ratedAtOnceMax = 1_000;

/** Brings an organization's open periods up to now before somebody reads them. */
export class RefreshRatings {
  constructor(
    private readonly use: { readonly database: Database; readonly log: EventLog; readonly clock: Clock; readonly rateOpen: RateOpenPeriods; readonly awaitChanges: AwaitUsageChanges },
  ) {}

  /** The instant before which every acknowledged event is in the organization's rated periods. */
  async execute(organizationId: string): Promise<Temporal.Instant> {
    const countedAsOf = await this.use.log.completeAsOf({ topic: topics.usageEvents, group: aggregatorGroup });
    const sawAllChanges = await this.use.awaitChanges.execute();
    const stale = await this.use.database.inOrganization(organizationId, async (manager) => {
      await adoptSubscriptions(manager, { now: this.use.clock.now(), limit: ratedAtOnceMax + 1, isRead: true });
      return findStaleRatingsOf(manager, organizationId, ratedAtOnceMax + 1);
    });
    for (let at = 0; at < Math.min(stale.length, ratedAtOnceMax); at += subscriptionsPerJobMax) {
      const subscriptionIds = stale.slice(at, Math.min(at + subscriptionsPerJobMax, ratedAtOnceMax)).map(({ subscriptionId }) => subscriptionId);
      await this.use.rateOpen.execute({ organizationId, subscriptionIds });
    }
    if (sawAllChanges && stale.length <= ratedAtOnceMax) return countedAsOf;
    const oldest = await this.use.database.inOrganization(organizationId, async (manager) => readOldestOpenRating(manager, organizationId));
    return oldest !== null && Temporal.Instant.compare(oldest, countedAsOf) < 0 ? oldest : countedAsOf;
  }
}
