import type { BusinessClock, Database } from '#persistence';
import type { Clock, Ids } from '#platform';

/** What most use cases need: the database as billing-api, ids, system time and business time. */
export interface Surroundings {
  readonly database: Database;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly businessClock: BusinessClock;
}
