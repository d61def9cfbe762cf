import { meterParts, type MeterPart } from '#domain';
import { clearMarks, findDueMarks, findDueTypes, findMeters, lockRollups, type Database, type DirtyMark, type MarkPatience, type RollupStore } from '#persistence';

/** Cells in one statement: fewer would read the same parts more often, more would need more memory. */
const cellsPerStatementMax = 5_000;
const cellsPerRunMax = 20_000;
const typesPerRunMax = 50;

/**
 * Works off the dirty marks that are due. Rollups are rewritten from raw events under the marks' generations, then the
 * marks are taken away, except those that were bumped meanwhile.
 */
export class RecomputeRollups {
  constructor(private readonly use: { readonly database: Database; readonly rollups: RollupStore; readonly patience: MarkPatience }) {}

  /** Returns how many cells were recomputed; with 0 there is nothing due. */
  async execute(): Promise<number> {
    const types = await this.use.database.acrossOrganizations((manager) => findDueTypes(manager, { ...this.use.patience, limit: typesPerRunMax }));
    let recomputed = 0;
    for (const type of types) recomputed += await this.recompute(type);
    return recomputed;
  }

  /** One process at a time recomputes a type; whoever comes second leaves it alone. */
  private recompute(type: { organizationId: string; eventType: string }): Promise<number> {
    return this.use.database.inOrganization(type.organizationId, async (lockHolder) => {
      if (!(await lockRollups(lockHolder, type))) return 0;
      const marks = await findDueMarks(lockHolder, { ...this.use.patience, ...type, limit: cellsPerRunMax });
      // After the marks: a meter, or a version of one, that is made later gets its past from its first building, which reads after that.
      const meters = (await findMeters(lockHolder, { eventTypes: [type.eventType] })).flatMap(meterParts).filter(({ eventType }) => eventType === type.eventType);
      for (let at = 0; at < marks.length; at += cellsPerStatementMax) await this.rewrite(meters, marks.slice(at, at + cellsPerStatementMax));
      return marks.length;
    });
  }

  private async rewrite(meters: readonly MeterPart[], marks: readonly DirtyMark[]): Promise<void> {
    for (const meter of meters) await this.use.rollups.recompute(meter, marks);
    // In a transaction of its own, so that readers use the rollups at once.
    await this.use.database.acrossOrganizations((manager) => clearMarks(manager, marks));
  }
}
