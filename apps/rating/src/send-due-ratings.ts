import { ratingQueue, type RateOpenPayload } from '#contracts';
import { adoptSubscriptions, findStaleRatings, type Database, type RatingPatience } from '#persistence';
import type { Clock, JobQueue } from '#platform';

const adoptedMax = 1_000;
const staleMax = 5_000;
export const subscriptionsPerJobMax = 200;

/** Looks for subscriptions that have to be rated again and hands them to the queue in blocks of one organization. */
export class SendDueRatings {
  constructor(
    private readonly use: { readonly database: Database; readonly jobs: JobQueue; readonly clock: Clock; readonly patience: RatingPatience },
  ) {}

  async execute(): Promise<number> {
    const { database, jobs, clock, patience } = this.use;
    const stale = await database.acrossOrganizations(async (manager) => {
      await adoptSubscriptions(manager, { now: clock.now(), limit: adoptedMax, isRead: false });
      return findStaleRatings(manager, { ...patience, now: clock.now(), limit: staleMax });
    });
    const blocks = [...Map.groupBy(stale, ({ organizationId }) => organizationId)].flatMap(([organizationId, ofOrganization]) =>
      blocksOf(ofOrganization.map(({ subscriptionId }) => subscriptionId).sort()).map((subscriptionIds): RateOpenPayload => ({ organizationId, subscriptionIds })),
    );
    await jobs.add(
      ratingQueue,
      // The id thins out: the same block is not queued twice while it waits.
      blocks.map((payload) => ({ name: 'rate-open', payload, deduplicationId: `rate-open_${payload.subscriptionIds[0]}_${payload.subscriptionIds.length}` })),
    );
    return stale.length;
  }
}

function blocksOf(subscriptionIds: readonly string[]): string[][] {
  const blocks: string[][] = [];
  for (let at = 0; at < subscriptionIds.length; at += subscriptionsPerJobMax) blocks.push(subscriptionIds.slice(at, at + subscriptionsPerJobMax));
  return blocks;
}
