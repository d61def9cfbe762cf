import type { EntityManager } from 'typeorm';
import { meteredPriceFaults, type Price } from '#domain';
import { readSubscribedPlans, readSubscriptions, type MeterResource } from '#persistence';

/** Plan versions priced by a meter; `$1` is what `pricedBy` gives. */
const isPriced = 'version.prices @> $1::jsonb';
const isOn = `((s.plan_id = version.plan_id and s.plan_version = version.version)
  or s.changes @> jsonb_build_array(jsonb_build_object('plan_id', version.plan_id, 'plan_version', version.version)))`;
/** The latest version of a plan in use, or a version that a subscription without an end is or was on. */
const isInUse = `((plan.archived_at is null and version.version = plan.latest_version) or exists (select 1 from subscriptions s where s.cancel_at is null and ${isOn}))`;
/** Add-on versions priced by the meter that a subscription has, had or will have. */
const hasPriced = `exists (select 1 from add_on_versions version where ${isPriced} and s.add_ons @> jsonb_build_array(jsonb_build_object('addOnId', version.add_on_id, 'version', version.version)))`;
/** Those that may still be added, and those of a subscription without an end. */
const addOnsInUse = `select version.prices from add_on_versions version join add_ons a on a.id = version.add_on_id
  where ${isPriced} and ((a.archived_at is null and version.version = a.latest_version)
    or exists (select 1 from subscriptions s where s.cancel_at is null and s.add_ons @> jsonb_build_array(jsonb_build_object('addOnId', version.add_on_id, 'version', version.version))))`;
/** No event is later than this. */
const ahead = { hours: 1 };

/** Whether the latest version of a plan or add-on in use, or a version that a subscription without an end is or was on, is priced by the meter. */
export async function isMeterInUse(manager: EntityManager, meterKey: string): Promise<boolean> {
  const rows: unknown[] = await manager.query(`select 1 from plan_versions version join plans plan on plan.id = version.plan_id where ${isPriced} and ${isInUse} limit 1`, [pricedBy(meterKey)]);
  return rows.length > 0 || ((await manager.query(`${addOnsInUse} limit 1`, [pricedBy(meterKey)])) as unknown[]).length > 0;
}

/** Whether one of those versions limits a feature by the meter. */
export async function isMeterLimitInUse(manager: EntityManager, meterId: string): Promise<boolean> {
  const rows: { key: string }[] = await manager.query('select key from features where meter_id = $1', [meterId]);
  for (const { key } of rows) {
    if (await isFeatureInUse(manager, { key, type: 'metered' })) return true;
  }
  return false;
}

/** Whether the latest version of a plan in use, or a version that a subscription without an end is or was on, grants the feature, or grants it in this way. */
export async function isFeatureInUse(manager: EntityManager, { key, type }: { readonly key: string; readonly type?: 'metered' }): Promise<boolean> {
  const granted = JSON.stringify([{ feature: key, ...(type === undefined ? {} : { type }) }]);
  const rows: unknown[] = await manager.query(`select 1 from plan_versions version join plans plan on plan.id = version.plan_id where version.entitlements @> $1::jsonb and ${isInUse} limit 1`, [granted]);
  return rows.length > 0;
}

/** The latest end of a billed period that is priced by the meter, by its plan or an add-on of its subscription, and ends after an instant; null where there is none. */
export async function readBilledUntil(manager: EntityManager, of: { readonly meterKey: string; readonly after: Temporal.Instant }): Promise<Temporal.Instant | null> {
  const rows: { until: string | null }[] = await manager.query(
    `select max(rated.period_end) as until from rated_periods rated
     where rated.is_final and rated.period_end > $2
       and (exists (select 1 from plan_versions version where version.plan_id = rated.plan_id and version.version = rated.plan_version and ${isPriced})
         or exists (select 1 from subscriptions s where s.id = rated.subscription_id and s.add_ons <> '[]' and ${hasPriced}))`,
    [pricedBy(of.meterKey), of.after.toString()],
  );
  const until = rows[0]?.until ?? null;
  return until === null ? null : Temporal.Instant.from(until);
}

/** A price in use, of a plan or a subscription's own, that looks at a dimension which the meter had and would have no more. */
export async function findLostDimension(manager: EntityManager, of: { readonly meter: MeterResource; readonly groupBy: MeterResource['groupBy'] }): Promise<{ priceKey: string; dimension: string } | null> {
  const lost = Object.keys(of.meter.groupBy).filter((name) => !Object.hasOwn(of.groupBy, name));
  if (lost.length === 0) return null;
  const prices = (await readPricesInUse(manager, of.meter.key)).filter(({ meter }) => meter === of.meter.key);
  for (const dimension of lost) {
    const without = Object.fromEntries(Object.entries(of.meter.groupBy).filter(([name]) => name !== dimension));
    const found = prices.find((price) => meteredPriceFaults(price, { meter: { ...of.meter, groupBy: without }, pointer: '' }).length > meteredPriceFaults(price, { meter: of.meter, pointer: '' }).length);
    if (found !== undefined) return { priceKey: found.key, dimension };
  }
  return null;
}

/** Lets the subscriptions be looked at anew that are priced by the meter and last beyond the instant from which it counts otherwise. */
export async function noteMeterChanged(manager: EntityManager, change: { readonly meterKey: string; readonly from: Temporal.Instant; readonly now: Temporal.Instant }): Promise<void> {
  if (Temporal.Instant.compare(change.from, change.now.add(ahead)) > 0) return;
  await manager.query(
    `update subscriptions s set revision = revision + 1
     where (s.cancel_at is null or s.cancel_at > $2) and (exists (select 1 from plan_versions version where ${isPriced} and ${isOn}) or (s.add_ons <> '[]' and ${hasPriced}))`,
    [pricedBy(change.meterKey), change.from.toString()],
  );
}

function pricedBy(meterKey: string): string {
  return JSON.stringify([{ meter: meterKey }]);
}

async function readPricesInUse(manager: EntityManager, meterKey: string): Promise<Price[]> {
  const versions: { prices: Price[] }[] = await manager.query(`select version.prices from plan_versions version join plans plan on plan.id = version.plan_id where ${isPriced} and ${isInUse}`, [pricedBy(meterKey)]);
  const added: { prices: Price[] }[] = await manager.query(addOnsInUse, [pricedBy(meterKey)]);
  const own: { id: string }[] = await manager.query(
    `select s.id from subscriptions s
     where s.cancel_at is null and (s.overrides <> '[]' or jsonb_path_exists(s.changes, '$[*].overrides[*]')) and exists (select 1 from plan_versions version where ${isPriced} and ${isOn})`,
    [pricedBy(meterKey)],
  );
  const subscriptions = own.length === 0 ? [] : await readSubscriptions(manager, { ids: own.map(({ id }) => id) });
  const stages = [...(await readSubscribedPlans(manager, subscriptions)).values()].flat();
  return [...[...versions, ...added].flatMap(({ prices }) => prices), ...stages.flatMap(({ prices }) => prices)];
}
