import type { MeterPart } from '#domain';
import { findMetersWithoutRollups, markRolledUp, nextGeneration, type Database, type RollupStore } from '#persistence';

const metersPerRunMax = 20;

/**
 * Gives a new meter the past, and a new version of one the events of its time: rollups of all hours that have events of its type. Until then it is read from raw events.
 * The generation is taken before anything is read, so whatever is marked later overrides what was built here.
 */
export class BuildMeterRollups {
  constructor(private readonly use: { readonly database: Database; readonly rollups: RollupStore }) {}

  /** Returns how many versions were built. */
  async execute(): Promise<number> {
    const meters = await this.use.database.acrossOrganizations((manager) => findMetersWithoutRollups(manager, metersPerRunMax));
    for (const meter of meters) await this.build(meter);
    return meters.length;
  }

  private async build(meter: MeterPart): Promise<void> {
    const generation = await this.use.database.acrossOrganizations(nextGeneration);
    for (const day of await this.use.rollups.daysWithEvents(meter)) await this.use.rollups.buildDay(meter, { day, generation });
    await this.use.database.inOrganization(meter.organizationId, (manager) => markRolledUp(manager, meter));
  }
}
