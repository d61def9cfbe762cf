import type { Aggregation } from '../metering/meter.js';
import type { CatalogFault } from './catalog-fault.js';
import { decimalFaults } from './decimal-faults.js';
import type { Entitlement } from './entitlement.js';

const meteredFields = ['limit', 'reset', 'enforcement'] as const;

/** What is wrong with an entitlement by itself. Whether its feature exists and can be measured, the caller knows. */
export function entitlementFaults(entitlement: Entitlement, pointer: string): CatalogFault[] {
  const { type, value, limit } = entitlement;
  const faults: CatalogFault[] = [];
  if (type === 'static' && value === undefined) {
    faults.push({ pointer: `${pointer}/value`, code: 'missing_field', detail: 'A static entitlement needs the value that it grants.' });
  }
  if (type !== 'static' && value !== undefined) {
    faults.push({ pointer: `${pointer}/value`, code: 'not_allowed', detail: 'Only a static entitlement has a value; remove it, or set type to "static".' });
  }
  if (type === 'metered' && limit === undefined) {
    faults.push({ pointer: `${pointer}/limit`, code: 'missing_field', detail: 'A metered entitlement needs a limit; null means none.' });
  }
  for (const field of meteredFields) {
    if (type === 'metered' || entitlement[field] === undefined) continue;
    faults.push({ pointer: `${pointer}/${field}`, code: 'not_allowed', detail: `Only a metered entitlement has ${field === 'enforcement' ? 'an' : 'a'} ${field}; remove it, or set type to "metered".` });
  }
  return [...faults, ...decimalFaults({ text: limit, pointer: `${pointer}/limit`, kind: 'quantity' })];
}

/** Two entitlements to one feature would leave open which of them counts. */
export function repeatedFeatureFaults(entitlements: readonly Pick<Entitlement, 'feature'>[], pointer: string): CatalogFault[] {
  const seen = new Set<string>();
  return entitlements.flatMap(({ feature }, index): CatalogFault[] => {
    if (seen.has(feature)) return [{ pointer: `${pointer}/${index}/feature`, code: 'duplicate_feature', detail: 'Another entitlement of this plan names this feature; merge the two.' }];
    seen.add(feature);
    return [];
  });
}

interface MeasuredFeature {
  readonly key: string;
  /** Null where nothing measures it. */
  readonly meter: { readonly key: string; readonly aggregation: Aggregation } | null;
}

/** Quantities that grow by what is used, so that what is left of a limit means something. */
const growing: ReadonlySet<Aggregation> = new Set(['count', 'sum', 'unique_count', 'time_weighted_sum']);

/** What is wrong with an entitlement in view of the feature that it names: a limit needs a quantity of which each use takes a part. */
export function measuredEntitlementFaults(entitlement: Entitlement, at: { readonly feature: MeasuredFeature; readonly pointer: string }): CatalogFault[] {
  const { feature, pointer } = at;
  if (entitlement.type !== 'metered') return [];
  if (feature.meter === null) {
    const detail = `The feature "${feature.key}" has no meter to be measured by: give it one (PATCH /v1/features/${feature.key} {"meter": …}), or set type to "boolean" or "static".`;
    return [{ pointer: `${pointer}/feature`, code: 'feature_without_meter', detail }];
  }
  const { key, aggregation } = feature.meter;
  if (growing.has(aggregation)) return [];
  if (aggregation !== 'latest') {
    const detail = `The feature's meter "${key}" is a ${aggregation}, of which no use takes a part; name a feature whose meter is a count, sum, unique_count, time_weighted_sum or latest.`;
    return [{ pointer: `${pointer}/feature`, code: 'meter_not_limitable', detail }];
  }
  if (entitlement.reset === 'never') return [];
  return [{ pointer: `${pointer}/reset`, code: 'not_allowed', detail: `The feature's meter "${key}" says what there is at present (latest), which no reset takes away; set reset to "never".` }];
}
