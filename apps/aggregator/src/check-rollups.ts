import { takeRollupCheck, type Database } from '#persistence';
import type { Clock, Logger } from '#platform';
import type { AggregatorMetrics } from './aggregator-metrics.js';
import type { VerifyRollups } from './verify-rollups.js';

const checkEvery = { hours: 24 };
/** An hour is over for this long before it is looked at: until then most of it waits to be recomputed. */
const restHours = 1;
/** Twice the time between two checks, so that what came late to an hour is looked at as well. */
const hoursBack = 48;
const metersPerRunMax = 20;

/** The daily proof: compares the rollups of the last two days, of each version of each meter, with its events, and says so where they differ. */
export class CheckRollups {
  constructor(
    private readonly use: { readonly database: Database; readonly verify: VerifyRollups; readonly metrics: AggregatorMetrics; readonly clock: Clock; readonly logger: Logger },
  ) {}

  /** Returns how many versions of meters were compared. */
  async execute(): Promise<number> {
    let checked = 0;
    while (checked < metersPerRunMax && (await this.checkNext())) checked += 1;
    return checked;
  }

  /** In one transaction, so that a check that fails or dies is none. */
  private checkNext(): Promise<boolean> {
    const now = this.use.clock.now();
    return this.use.database.acrossOrganizations(async (manager) => {
      const meter = await takeRollupCheck(manager, { before: now.subtract(checkEvery), at: now });
      if (meter === null) return false;
      const to = now.subtract({ hours: restHours }).round({ smallestUnit: 'hour', roundingMode: 'floor' });
      const { groups, events, differences, hasMore } = await this.use.verify.execute([meter], { from: to.subtract({ hours: hoursBack }), to });
      this.use.metrics.compared(differences.length);
      const about = { organization: meter.organizationId, meter: meter.key, version: meter.version, groups: groups.toString(), events: events.toString() };
      if (differences.length === 0) this.use.logger.debug(about, 'A meter’s rollups are what its events say.');
      else this.use.logger.error({ ...about, differences: differences.length, hasMore, first: textOf(differences[0]) }, 'A meter’s rollups are not what its events say: see docs/runbooks/rollups-differ.md.');
      return true;
    });
  }
}

/** Counts are integers that JSON has none of. */
function textOf(difference: unknown): string {
  return JSON.stringify(difference, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
}
