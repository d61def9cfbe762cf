import { stringify } from 'yaml';
import { comparable, routeOf } from './apply-catalog.js';
import { catalogKinds, itemSchemas, itemsMax, type CatalogItem, type CatalogKind } from './catalog-file.js';
import { ApiRefusal, type TollwayApi } from './tollway-api.js';

const pageSize = 100;

/** The catalog of an organization as a file that changes nothing when it is applied there: what is in use, the oldest first. */
export async function exportCatalog(api: TollwayApi): Promise<string> {
  const catalog: Partial<Record<CatalogKind, readonly unknown[]>> = {};
  for (const kind of catalogKinds) {
    const items = [];
    for (const present of await readAll(api, kind)) items.push(await itemOf(api, { kind, present }));
    if (items.length > 0) catalog[kind] = items;
  }
  return stringify(catalog, { lineWidth: 0, aliasDuplicateObjects: false });
}

async function readAll(api: TollwayApi, kind: CatalogKind): Promise<CatalogItem[]> {
  const path = `${routeOf(kind)}?limit=${pageSize}`;
  const items: CatalogItem[] = [];
  for (let after = ''; ; ) {
    const page = await api.read(`${path}${after}`);
    const data = (page?.['data'] ?? []) as readonly CatalogItem[];
    items.push(...data);
    if (page?.['has_more'] !== true) return items.toReversed();
    if (items.length >= itemsMax) throw new ApiRefusal([`There are more than ${itemsMax} ${kind.replace('_', '-')}, and a file takes no more.`]);
    after = `&starting_after=${encodeURIComponent(String(data.at(-1)?.['id']))}`;
  }
}

/** A plan that was never published is there as its draft. */
async function itemOf(api: TollwayApi, of: { kind: CatalogKind; present: CatalogItem }): Promise<Record<string, unknown>> {
  const { kind, present } = of;
  const isDraft = kind === 'plans' && present['status'] === 'draft';
  const said = comparable(kind, isDraft ? { ...present, ...(await api.read(`/v1/plans/${encodeURIComponent(present.key)}/draft`)), key: present.key, name: present['name'] } : present);
  const fields = Object.keys(itemSchemas[kind].shape).filter((name) => said[name] !== undefined && !isEmpty(said[name]));
  return { ...Object.fromEntries(fields.map((name) => [name, name === 'prices' ? withoutIds(said[name]) : said[name]])), ...(isDraft ? { draft: true } : {}) };
}

/** Says what leaving it out would say. */
function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}

/** Prices get their ids from the server. */
function withoutIds(prices: unknown): unknown {
  return (prices as readonly Readonly<Record<string, unknown>>[]).map(({ id: _id, ...price }) => price);
}
