import type { EntityManager } from 'typeorm';
import { saveLateRatings, saveRatedPeriods, type RatedPeriod } from '#persistence';
import { keepUsageRated } from './usage-rated-facts.js';
import { keepUsageThresholds } from './usage-threshold-facts.js';

/** Stores what was rated, late ratings of closed periods with it, and keeps what is to be told of it to the log, in one transaction. `now` is business time of the rating. */
export async function storeRatings(manager: EntityManager, of: { rated: readonly RatedPeriod[]; late: Parameters<typeof saveLateRatings>[1]; now: Temporal.Instant }): Promise<void> {
  const periods = await saveRatedPeriods(manager, of.rated);
  await keepUsageRated(manager, periods);
  await keepUsageThresholds(manager, { periods, now: of.now });
  await saveLateRatings(manager, of.late);
}
