import type { EntityManager } from 'typeorm';
import type { FeatureReplace, MeterReplace, ProductReplace } from '#contracts';
import { canonicalPercentile, meterFaults } from '#domain';
import { featureTable, findByIdOrKey, meterTable, unusable, productTable, type Feature, type MeterResource, type Product } from '#persistence';
import { accepted, refused, type Outcome } from '#platform';
import type { CatalogKind } from './catalog-items.js';
import { isFeatureInUse, isMeterInUse, isMeterLimitInUse } from './metered-subscriptions.js';
import { reviseMeter } from './revise-meter.js';

export const productKind: CatalogKind<Product, ProductReplace> = {
  table: productTable,
  prefix: 'prod',
  noun: 'product',
  resolve: async (_manager, input) => accepted({ name: input.name, docsUrl: input.docs_url ?? null, version: input.version ?? null, metadata: input.metadata ?? {} }),
  resolveChange: async (_manager, change) =>
    accepted({
      ...naming(change),
      ...(change.docs_url === undefined ? {} : { docsUrl: change.docs_url }),
      ...(change.version === undefined ? {} : { version: change.version }),
    }),
};

export const featureKind: CatalogKind<Feature, FeatureReplace> = {
  table: featureTable,
  prefix: 'feat',
  noun: 'feature',
  resolve: async (manager, input) => {
    const meter = await meterIdOf(manager, input.meter ?? null);
    return meter.ok ? accepted({ name: input.name, meterId: meter.value, metadata: input.metadata ?? {} }) : meter;
  },
  resolveChange: async (manager, change) => {
    if (change.meter === undefined) return accepted(naming(change));
    const meter = await meterIdOf(manager, change.meter);
    return meter.ok ? accepted({ ...naming(change), meterId: meter.value }) : meter;
  },
  revise: async (manager, { existing, content }) => {
    if (content.meterId === undefined || content.meterId === existing.meterId) return accepted({});
    await manager.query('select 1 from features where id = $1 for update', [existing.id]); // Who limits it meanwhile is waited for.
    return (await isFeatureInUse(manager, { key: existing.key, type: 'metered' }))
      ? refused('in_use', 'Plans or subscriptions limit this feature by its meter, and what they granted stays as it is. Make another feature with the other meter, and a version of each plan that grants it.')
      : accepted({});
  },
  mayArchive: async (manager, existing) =>
    (await isFeatureInUse(manager, { key: existing.key }))
      ? refused('in_use', 'Plans or subscriptions grant this feature. Make versions of the plans without it, or archive them, and let the subscriptions end first.')
      : accepted(null),
};

export const meterKind: CatalogKind<MeterResource, MeterReplace> = {
  table: meterTable,
  prefix: 'mtr',
  noun: 'meter',
  resolve: async (_manager, input) => {
    const counting = { aggregation: input.aggregation, valuePath: input.value ?? null, percentile: input.percentile ?? null, groupBy: input.group_by ?? {}, filter: input.filter ?? null };
    const faults = meterFaults(counting);
    if (faults.length > 0) return refused('invalid_request', 'This meter can not count.', faults);
    return accepted({
      name: input.name,
      unit: input.unit ?? null,
      metadata: input.metadata ?? {},
      eventType: input.event_type,
      ...counting,
      percentile: counting.percentile === null ? null : canonicalPercentile(counting.percentile),
    });
  },
  // What it means together with the rest is checked where the rest is known.
  resolveChange: async (_manager, change) =>
    accepted({
      ...naming(change),
      ...(change.unit === undefined ? {} : { unit: change.unit }),
      ...(change.event_type === undefined ? {} : { eventType: change.event_type }),
      ...(change.aggregation === undefined ? {} : { aggregation: change.aggregation }),
      ...(change.value === undefined ? {} : { valuePath: change.value }),
      ...(change.percentile === undefined ? {} : { percentile: change.percentile === null ? null : (canonicalPercentile(change.percentile) ?? change.percentile) }),
      ...(change.group_by === undefined ? {} : { groupBy: change.group_by }),
      ...(change.filter === undefined ? {} : { filter: change.filter }),
    }),
  begin: ({ effective_at: effectiveAt }) =>
    effectiveAt === undefined
      ? accepted({ latestVersion: 1, effectiveAt: null })
      : refused('invalid_request', 'This meter can not be made.', [{ pointer: '/effective_at', code: 'not_allowed', detail: 'A new meter counts from the beginning. Leave this out.' }]),
  revise: reviseMeter,
  mayArchive: async (manager, existing) =>
    (await isMeterInUse(manager, existing.key)) || (await isMeterLimitInUse(manager, existing.id))
      ? refused('in_use', 'Plans or subscriptions are priced or limited by this meter. Archive the plans and let the subscriptions end first.')
      : accepted(null),
};

export function naming<T extends { name?: string | undefined; metadata?: Record<string, string> | undefined }>(change: T): { name?: string; metadata?: Record<string, string> } {
  return { ...(change.name === undefined ? {} : { name: change.name }), ...(change.metadata === undefined ? {} : { metadata: change.metadata }) };
}

async function meterIdOf(manager: EntityManager, reference: string | null): Promise<Outcome<string | null, 'invalid_request'>> {
  if (reference === null) return accepted(null);
  const meter = await findByIdOrKey(manager, meterTable, reference);
  if (meter !== null && meter.archivedAt === null) return accepted(meter.id);
  return refused('invalid_request', 'The meter can not be used.', [unusable({ pointer: '/meter', noun: 'meter', found: meter })]);
}
