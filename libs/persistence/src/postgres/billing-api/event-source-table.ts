import { LRUCache } from 'lru-cache';
import { EntitySchema } from 'typeorm';
import type { EventMapping } from '#domain';
import type { Database } from '../database.js';
import { catalogColumns, catalogIndices, ofOrganization, type CatalogItem } from './catalog-tables.js';
import { findByIdOrKey } from './list-rows.js';
import { jsonColumn, textColumn } from './table-columns.js';

/** How the entries of one source become events. */
export interface EventSource extends CatalogItem {
  /** `json`, or a format of `POST /v1/ingest/{format}`. */
  readonly format: string;
  /** The source of its events; null is its key. */
  readonly source: string | null;
  readonly mapping: EventMapping;
}

export const eventSourceTable = new EntitySchema<EventSource>({
  name: 'EventSource',
  tableName: 'event_sources',
  columns: { ...catalogColumns, format: textColumn('format'), source: textColumn('source', { nullable: true }), mapping: jsonColumn('mapping') },
  indices: catalogIndices('event_sources'),
  foreignKeys: [ofOrganization('event_sources')],
});

export type FindEventSource = (at: { readonly organizationId: string; readonly reference: string }) => Promise<EventSource | null>;

/** Finds event sources by id or key, as they are now. */
export function eventSourceReader(database: Database): FindEventSource {
  return ({ organizationId, reference }) => database.inOrganization(organizationId, (manager) => findByIdOrKey(manager, eventSourceTable, reference));
}

const cacheMs = 2_000;
const cachedMax = 10_000;

/** Finds event sources by id or key for the hot path: a change is seen after two seconds, and the last known one serves while Postgres is away. */
export function eventSourceFinder(database: Database): FindEventSource {
  const read = eventSourceReader(database);
  const cache = new LRUCache<string, { readonly found: EventSource | null }, { readonly organizationId: string; readonly reference: string }>({
    max: cachedMax,
    ttl: cacheMs,
    allowStaleOnFetchRejection: true,
    fetchMethod: async (_key, _stale, { context }) => ({ found: await read(context) }),
  });
  return async (at) => (await cache.fetch(`${at.organizationId}/${at.reference}`, { context: at }))?.found ?? null;
}
