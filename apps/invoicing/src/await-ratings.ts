import { ratingGroup, ratingQueue, topics, type RateOpenPayload } from '#contracts';
import { findStaleRatingsAmong, hasReachedRatings, type StaleRating } from '#persistence';
import type { InvoicingContext } from './invoicing-context.js';

const pollMs = 20;
/** After this a reader gets what is rated by then. */
const waitMaxMs = 3_000;

/** Has the open periods of some subscriptions brought up to what is counted, before somebody reads them. */
export class AwaitRatings {
  constructor(private readonly context: Pick<InvoicingContext, 'database' | 'log' | 'jobs' | 'clock'>) {}

  /** Asks rating for those that are behind only, and waits within a bound: more may be counted at any time. `now` is business time. */
  async execute({ organizationId, subscriptionIds, now }: RateOpenPayload & { now: Temporal.Instant }): Promise<void> {
    const { database, jobs, clock } = this.context;
    const deadline = clock.now().add({ milliseconds: waitMaxMs });
    await this.until(deadline, this.marksThrough(clock.now()));
    const behind = await database.inOrganization(organizationId, (manager) => findStaleRatingsAmong(manager, { subscriptionIds, now }));
    if (behind.length === 0) return;
    await jobs.add(ratingQueue, [openRatings(organizationId, behind)]);
    await this.until(deadline, () => database.inOrganization(organizationId, (manager) => hasReachedRatings(manager, { ratings: behind, now })));
  }

  /** What is counted has been announced before; rating has marked all that was announced until this instant. */
  private marksThrough(announcedBefore: Temporal.Instant): () => Promise<boolean> {
    return async () => Temporal.Instant.compare(await this.context.log.completeAsOf({ topic: topics.usageChanged, group: ratingGroup }), announcedBefore) >= 0;
  }

  private async until(deadline: Temporal.Instant, isTrue: () => Promise<boolean>): Promise<void> {
    const { clock } = this.context;
    while (!(await isTrue()) && Temporal.Instant.compare(clock.now(), deadline) < 0) await clock.sleep(pollMs);
  }
}

function openRatings(organizationId: string, behind: readonly StaleRating[]) {
  const payload: RateOpenPayload = { organizationId, subscriptionIds: behind.map(({ subscriptionId }) => subscriptionId) };
  const [only] = behind;
  // Many readers of one subscription ask for it once.
  return { name: 'rate-open', payload, ...(behind.length === 1 && only !== undefined ? { deduplicationId: `rate-open_${only.subscriptionId}_1` } : {}) };
}
