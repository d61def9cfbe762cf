import type { EntityManager } from 'typeorm';
import { canonicalEntitlement, measuredEntitlementFaults, type Aggregation, type Entitlement, type PlanEntitlement } from '#domain';
import type { InputFault } from '#platform';
import { ownRows } from './list-rows.js';
import { unusable } from './metered-prices.js';

/** A feature with the meter that measures it. */
export interface MeasuredFeature {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly archivedAt: Temporal.Instant | null;
  readonly meter: { readonly id: string; readonly key: string; readonly aggregation: Aggregation; readonly groupBy: Readonly<Record<string, string>> } | null;
}

interface FeatureRow {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly archived_at: string | null;
  readonly meter_id: string | null;
  readonly meter_key: string;
  readonly aggregation: Aggregation;
  readonly group_by: Readonly<Record<string, string>>;
}

/** Features named by id or key, archived ones included; those that the organization does not have are left out. Held, nobody gives them another meter until the transaction ends. */
export async function readMeasuredFeatures(manager: EntityManager, references: readonly string[], options: { readonly isHeld?: boolean } = {}): Promise<MeasuredFeature[]> {
  if (references.length === 0) return [];
  const rows: FeatureRow[] = await manager.query(
    `select f.id, f.key, f.name, f.archived_at, f.meter_id, m.key as meter_key, m.aggregation, m.group_by
       from features f left join meters m on m.id = f.meter_id
      where f.${ownRows} and (f.id = any($1) or f.key = any($1)) order by f.id ${options.isHeld === true ? 'for share of f' : ''}`,
    [references],
  );
  return rows.map((row) => ({
    id: row.id, key: row.key, name: row.name, archivedAt: row.archived_at === null ? null : Temporal.Instant.from(row.archived_at),
    meter: row.meter_id === null ? null : { id: row.meter_id, key: row.meter_key, aggregation: row.aggregation, groupBy: row.group_by },
  }));
}

/** Entitlements with their features named by key, and what is wrong with those: one that is not there or not in use, that is named twice, or that has nothing to be measured by. */
export async function resolveEntitlements(
  manager: EntityManager,
  given: readonly Entitlement[],
  at: { readonly pointer: string; readonly isHeld?: boolean },
): Promise<{ entitlements: PlanEntitlement[]; faults: InputFault[] }> {
  const features = await readMeasuredFeatures(manager, given.map(({ feature }) => feature), at);
  const faults: InputFault[] = [];
  const named = new Map<string, string>();
  const entitlements = given.map((entitlement, index) => {
    const pointer = `${at.pointer}/${index}`;
    const feature = features.find(({ id, key }) => id === entitlement.feature || key === entitlement.feature) ?? null;
    if (feature === null || feature.archivedAt !== null) {
      faults.push(unusable({ pointer: `${pointer}/feature`, noun: 'feature', found: feature }));
      return canonicalEntitlement(entitlement);
    }
    const reference = named.get(feature.key) ?? entitlement.feature;
    if (reference !== entitlement.feature) {
      faults.push({ pointer: `${pointer}/feature`, code: 'duplicate_feature', detail: `Another entitlement of this plan names this feature, as "${reference}"; merge the two.` });
    }
    named.set(feature.key, reference);
    faults.push(...measuredEntitlementFaults(entitlement, { feature, pointer }));
    return canonicalEntitlement({ ...entitlement, feature: feature.key });
  });
  return { entitlements, faults };
}
