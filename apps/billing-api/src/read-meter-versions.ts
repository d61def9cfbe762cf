import { meterParts } from '#domain';
import { findByIdOrKey, findMeters, meterTable, readMeterVersions, type Database, type MeterVersionRecord, type RowPage } from '#persistence';
import { accepted, assert, refused, type ListPage, type Outcome } from '#platform';

export type ReadMeterVersionsRefusal = 'not_found';

/** A version with the end of the time that it counts; null where it goes on. */
export interface DatedMeterVersion {
  readonly version: MeterVersionRecord;
  readonly until: Temporal.Instant | null;
}

/** Shows how a meter counts, and counted. It has few versions, so they are read together. */
export class ReadMeterVersions {
  constructor(private readonly database: Database) {}

  /** Newest first, page by page after a version's number. */
  async list(organizationId: string, wanted: { reference: string; page: Omit<ListPage, 'endingBefore'> }): Promise<Outcome<RowPage<DatedMeterVersion>, ReadMeterVersionsRefusal>> {
    const all = await this.all({ organizationId, reference: wanted.reference });
    if (!all.ok) return all;
    const { startingAfter, limit } = wanted.page;
    const before = startingAfter === null ? Infinity : Number(startingAfter);
    const found = all.value.filter(({ version }) => version.version < before).reverse();
    return accepted({ items: found.slice(0, limit), hasMore: found.length > limit });
  }

  async find(organizationId: string, wanted: { reference: string; version: string }): Promise<Outcome<DatedMeterVersion, ReadMeterVersionsRefusal>> {
    const all = await this.all({ organizationId, reference: wanted.reference });
    if (!all.ok) return all;
    const found = all.value.find(({ version }) => String(version.version) === wanted.version);
    return found === undefined ? noSuchVersion() : accepted(found);
  }

  /** Two versions to be compared; without their numbers, the latest and the one before it. */
  async pair(organizationId: string, wanted: { reference: string; from: number | null; to: number | null }): Promise<Outcome<{ from: MeterVersionRecord; to: MeterVersionRecord }, ReadMeterVersionsRefusal>> {
    const all = await this.all({ organizationId, reference: wanted.reference });
    if (!all.ok) return all;
    const versions = all.value.map(({ version }) => version);
    const last = wanted.to ?? versions.length;
    const [from, to] = [versions[(wanted.from ?? Math.max(1, last - 1)) - 1], versions[last - 1]];
    return from === undefined || to === undefined ? noSuchVersion() : accepted({ from, to });
  }

  /** The first one first. */
  private all({ organizationId, reference }: { organizationId: string; reference: string }): Promise<Outcome<DatedMeterVersion[], ReadMeterVersionsRefusal>> {
    return this.database.inOrganization(organizationId, async (manager) => {
      const resource = await findByIdOrKey(manager, meterTable, reference);
      if (resource === null) return refused('not_found', 'There is no such meter.');
      const versions = await readMeterVersions(manager, resource);
      const [meter] = await findMeters(manager, { ids: [resource.id] });
      assert(meter !== undefined, 'Meters are never deleted.');
      const untils = new Map(meterParts(meter).map((part) => [part.version, part.until]));
      return accepted(versions.map((version) => ({ version, until: untils.get(version.version) ?? null })));
    });
  }
}

function noSuchVersion(): Outcome<never, 'not_found'> {
  return refused('not_found', 'The meter has no such version.');
}
