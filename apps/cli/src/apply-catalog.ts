import { canonicalDecimal, canonicalEntitlement, fieldDifferences, planDiff, type ComparedTerms, type Entitlement } from '#domain';
import { catalogKinds, type CatalogFile, type CatalogItem, type CatalogKind } from './catalog-file.js';
import type { TollwayApi } from './tollway-api.js';

/** One object that a catalog file has otherwise than the server, or that the server lacks. */
export interface CatalogChange {
  readonly path: string;
  readonly item: CatalogItem;
  readonly heading: string;
  /** Sentences; empty for a new object. */
  readonly differences: readonly string[];
}

/** What the server adds to what it was sent, and what it calls otherwise. */
const addedFields: ReadonlySet<string> = new Set(['id', 'object', 'created_at', 'updated_at', 'archived_at', 'status', 'plan', 'latest_version', 'effective_at', 'product_key', 'meter_key']);
/** What stands in an object that says nothing of it. */
const defaults: Readonly<Record<CatalogKind, Readonly<Record<string, unknown>>>> = {
  products: {},
  meters: {},
  features: {},
  plans: { trial_days: 0, entitlements: [], late_usage: { policy: 'next_invoice' } },
  add_ons: { billing_period: 'P1M', requires: [] },
};

/** What applying a catalog would change, in the order in which it has to be done. */
export async function compareCatalog(catalog: CatalogFile, api: TollwayApi): Promise<CatalogChange[]> {
  const changes: CatalogChange[] = [];
  for (const kind of catalogKinds) {
    for (const { draft, ...item } of inOrder(catalog[kind] ?? [])) {
      const whole = `${routeOf(kind)}/${encodeURIComponent(item.key)}`;
      const isDraft = draft === true;
      const path = isDraft ? `${whole}/draft` : whole;
      const present = await readPresent(api, { whole, isDraft });
      const noun = `${isDraft ? 'draft of ' : ''}${kind.replace(/s$/, '').replace('_', '-')} ${item.key}`;
      if (present === null) changes.push({ path, item, heading: `+ ${noun}`, differences: [] });
      else {
        const differences = differencesOf(kind, { present, item });
        if (differences.length > 0) changes.push({ path, item, heading: `~ ${noun}`, differences });
      }
    }
  }
  return changes;
}

export function routeOf(kind: CatalogKind): string {
  return `/v1/${kind.replace('_', '-')}`;
}

/** Each item after those that it requires. A file has no circle of them. */
function inOrder(items: readonly CatalogItem[]): readonly CatalogItem[] {
  const byKey = new Map(items.map((item) => [item.key, item]));
  const placed = new Set<CatalogItem>();
  const place = (item: CatalogItem): void => {
    if (placed.has(item)) return;
    for (const key of (item['requires'] ?? []) as readonly string[]) {
      const required = byKey.get(key);
      if (required !== undefined) place(required);
    }
    placed.add(item);
  };
  for (const item of items) place(item);
  return [...placed];
}

/** What the item is held against: a draft against the one that is there, else against what is published. A plan that is a draft only is not published. */
async function readPresent(api: TollwayApi, of: { whole: string; isDraft: boolean }): Promise<Readonly<Record<string, unknown>> | null> {
  const present = await api.read(of.whole);
  if (of.isDraft && present !== null) return (await api.read(`${of.whole}/draft`)) ?? present;
  return present?.['status'] === 'draft' ? null : present;
}

/** One after the other. What was applied stays applied where a later one is refused; applying again goes on from there. */
export async function applyCatalog(changes: readonly CatalogChange[], api: TollwayApi): Promise<void> {
  for (const { path, item } of changes) await api.replace(path, item);
}

function differencesOf(kind: CatalogKind, of: { present: Readonly<Record<string, unknown>>; item: CatalogItem }): string[] {
  const before = comparable(kind, of.present);
  const after = comparable(kind, of.item);
  const archived = of.present['archived_at'] === null ? [] : ['It is archived, and would be in use again.'];
  if (isPriced(kind)) return [...archived, ...planDiff(before as ComparedTerms, after as ComparedTerms, kind === 'plans' ? 'The plan' : 'The add-on').map(({ text }) => text)];
  return [...archived, ...fieldDifferences({ from: before, to: after, subject: 'It' }).map(({ text }) => text)];
}

/** What has prices, and versions that follow from what is said of it. */
function isPriced(kind: CatalogKind): boolean {
  return kind === 'plans' || kind === 'add_ons';
}

/** Both sides in one form: references by key, no fields that say nothing, defaults of entitlements said. */
export function comparable(kind: CatalogKind, object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const named = { ...object, ...('product_key' in object ? { product: object['product_key'] } : {}), ...('meter_key' in object ? { meter: object['meter_key'] } : {}) };
  const isSaid = ([name, value]: [string, unknown]): boolean => value !== null && !addedFields.has(name) && (name !== 'version' || (!isPriced(kind) && kind !== 'meters'));
  const said: Record<string, unknown> = { ...defaults[kind], ...Object.fromEntries(Object.entries(named).filter(isSaid)) };
  const most = said['max_quantity'];
  if (most !== undefined) said['max_quantity'] = canonicalDecimal(String(most)) ?? most;
  return Array.isArray(said['entitlements']) ? { ...said, entitlements: (said['entitlements'] as Entitlement[]).map(canonicalEntitlement) } : said;
}
