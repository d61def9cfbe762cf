import type { EntityManager } from 'typeorm';
import { meterDefinition, type Aggregation, type Meter } from '#domain';
import { ownRows } from '../billing-api/list-rows.js';

interface MeterRow {
  readonly id: string;
  readonly organization_id: string;
  readonly key: string;
  readonly event_type: string;
  readonly aggregation: string;
  readonly value_path: string | null;
  readonly percentile: string | null;
  readonly group_by: Record<string, string>;
  readonly filter: string | null;
}

const meterColumns = 'id, organization_id, key, event_type, aggregation, value_path, percentile, group_by, filter';

/** How the organization's meters count, in the order of their keys; archived ones too, unless only current ones are asked for. */
export async function findMeters(
  manager: EntityManager,
  options: { readonly eventTypes?: readonly string[]; readonly reference?: string; readonly ids?: readonly string[]; readonly isCurrent?: boolean } = {},
): Promise<Meter[]> {
  const rows: MeterRow[] = await manager.query(
    `select ${meterColumns} from meters
     where ${ownRows} and ($1::text[] is null or event_type = any($1)) and ($2::text is null or id = $2 or key = $2) and ($3::text[] is null or id = any($3))
       and (archived_at is null or not $4)
     order by key collate "C"`,
    [options.eventTypes ?? null, options.reference ?? null, options.ids ?? null, options.isCurrent ?? false],
  );
  return rows.map(toMeter);
}

/** Ids and keys of the organization's meters whose quantity grows with time, without events. */
export async function readGrowingMeters(manager: EntityManager): Promise<ReadonlySet<string>> {
  const rows: { id: string; key: string }[] = await manager.query(`select id, key from meters where ${ownRows} and aggregation = 'time_weighted_sum'`);
  return new Set(rows.flatMap(({ id, key }) => [id, key]));
}

/** Which of these meters have rollups of all their hours. */
export async function readRolledUp(manager: EntityManager, meters: readonly Meter[]): Promise<ReadonlySet<string>> {
  const rows: { meter_id: string; definition: string }[] = await manager.query(
    `select meter_id, definition from meter_rollups where ${ownRows} and meter_id = any($1)`,
    [meters.map(({ id }) => id)],
  );
  const ready = new Map(rows.map((row) => [row.meter_id, row.definition]));
  return new Set(meters.filter((meter) => ready.get(meter.id) === meterDefinition(meter)).map(({ id }) => id));
}

/** Meters that have no rollups yet, across organizations, at most `limit`. */
export async function findMetersWithoutRollups(manager: EntityManager, limit: number): Promise<Meter[]> {
  const rows: MeterRow[] = await manager.query(
    `select ${meterColumns} from meters where not exists (select from meter_rollups where meter_id = meters.id) order by created_at limit $1`,
    [limit],
  );
  return rows.map(toMeter);
}

/** From now on the meter is read from its rollups, where they are not dirty. */
export async function markRolledUp(manager: EntityManager, meter: Meter): Promise<void> {
  await manager.query(
    `insert into meter_rollups (organization_id, meter_id, definition, ready_at) values ($1, $2, $3, clock_timestamp())
     on conflict (meter_id) do update set definition = excluded.definition, ready_at = excluded.ready_at`,
    [meter.organizationId, meter.id, meterDefinition(meter)],
  );
}

/**
 * Takes the meter whose rollups were compared with its events the longest time ago, if that was not after `before`, and notes
 * that they are compared at `at`. Others pass it over until the transaction ends; if it fails, the meter was not compared.
 * Null where there is none, or where another process is at it: one at a time compares.
 */
export async function takeRollupCheck(manager: EntityManager, due: { readonly before: Temporal.Instant; readonly at: Temporal.Instant }): Promise<Meter | null> {
  const [lock]: { locked: boolean }[] = await manager.query('select pg_try_advisory_xact_lock($1, 0) as locked', [checkLockClass]);
  if (lock?.locked !== true) return null;
  const [row]: MeterRow[] = await manager.query(
    `with due as (select meter_id from meter_rollups where checked_at is null or checked_at <= $1 order by checked_at nulls first, meter_id limit 1 for update skip locked),
          taken as (update meter_rollups set checked_at = $2 from due where meter_rollups.meter_id = due.meter_id returning meter_rollups.meter_id)
     select ${meterColumns} from meters where id in (select meter_id from taken)`,
    [due.before.toString(), due.at.toString()],
  );
  return row === undefined ? null : toMeter(row);
}

/** Tries to be the one that recomputes these rollups until the transaction ends. */
export async function lockRollups(manager: EntityManager, of: { readonly organizationId: string; readonly eventType: string }): Promise<boolean> {
  const [row]: { locked: boolean }[] = await manager.query('select pg_try_advisory_xact_lock($1, hashtext($2)) as locked', [
    rollupLockClass, `${of.organizationId}/${of.eventType}`,
  ]);
  return row?.locked === true;
}

const rollupLockClass = 7_420_020;
const checkLockClass = 7_420_021;

function toMeter(row: MeterRow): Meter {
  return {
    id: row.id,
    organizationId: row.organization_id,
    key: row.key,
    eventType: row.event_type,
    aggregation: row.aggregation as Aggregation,
    valuePath: row.value_path,
    percentile: row.percentile,
    groupBy: row.group_by,
    filter: row.filter,
  };
}
