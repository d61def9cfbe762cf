import { LRUCache } from 'lru-cache';
import { assert } from '#platform';
import type { Database } from '../database.js';
import { findOrganization, type Organization } from './organization-table.js';

export type ReadOrganization = (organizationId: string) => Promise<Organization>;

const cacheMs = 1_000;
const cachedMax = 10_000;

/** Reads organizations with their settings, each at most a second old. The id comes from a credential or a row, so the organization is there. */
export function organizationReader(database: Database): ReadOrganization {
  const cache = new LRUCache<string, Organization>({
    max: cachedMax,
    ttl: cacheMs,
    fetchMethod: async (id) => (await database.inOrganization(id, (manager) => findOrganization(manager, id))) ?? undefined,
  });
  return async (organizationId) => {
    const organization = cache.get(organizationId) ?? (await cache.fetch(organizationId));
    assert(organization !== undefined, 'An organization that is named by a credential or a row exists.');
    return organization;
  };
}
