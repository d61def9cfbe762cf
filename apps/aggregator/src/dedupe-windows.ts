import { LRUCache } from 'lru-cache';
import { findOrganization, type Database } from '#persistence';

const organizationsMax = 10_000;
const cacheMs = 10_000;
const windowSecondsDefault = 35 * 86_400;

/** How long each organization's identities are recognised, in seconds; a change is seen within ten seconds. */
export class DedupeWindows {
  private readonly cache: LRUCache<string, number>;

  constructor(database: Database) {
    this.cache = new LRUCache<string, number>({
      max: organizationsMax,
      ttl: cacheMs,
      fetchMethod: async (id) => {
        const organization = await database.inOrganization(id, (manager) => findOrganization(manager, id));
        return organization?.dedupeWindowSeconds ?? windowSecondsDefault;
      },
    });
  }

  /** The windows of all these organizations, to be asked for without waiting. */
  async of(organizationIds: ReadonlySet<string>): Promise<(organizationId: string) => number> {
    const entries = await Promise.all([...organizationIds].map(async (id) => [id, (await this.cache.fetch(id)) ?? windowSecondsDefault] as const));
    const windows = new Map(entries);
    return (organizationId) => windows.get(organizationId) ?? windowSecondsDefault;
  }
}
