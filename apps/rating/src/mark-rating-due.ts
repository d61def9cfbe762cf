import type { UsageChangedRecord } from '#contracts';
import { findAffectedSubscriptions, markRatingDue, type Database } from '#persistence';
import type { Clock } from '#platform';

/** Marks the subscriptions whose usage changed. Marking twice does no harm, so a batch may come again. */
export class MarkRatingDue {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  async execute(changes: readonly UsageChangedRecord[]): Promise<void> {
    for (const [organizationId, ofOrganization] of Map.groupBy(changes, (change) => change.organization)) {
      const change = mergeChanges(ofOrganization);
      await this.database.inOrganization(organizationId, async (manager) => {
        const subscriptionIds = await findAffectedSubscriptions(manager, change);
        await markRatingDue(manager, { organizationId, subscriptionIds, at: this.clock.now(), lateFrom: change.earliest });
      });
    }
  }
}

/** One look-up for all changes of a batch: their subjects together, from the earliest of their events on. */
export function mergeChanges(changes: readonly UsageChangedRecord[]): { subjects: readonly string[] | null; earliest: Temporal.Instant } {
  const earliest = changes.map((change) => Temporal.Instant.from(change.earliest)).reduce((first, second) => (Temporal.Instant.compare(first, second) <= 0 ? first : second));
  if (changes.some((change) => change.subjects === null)) return { subjects: null, earliest };
  return { subjects: [...new Set(changes.flatMap((change) => change.subjects ?? []))], earliest };
}
